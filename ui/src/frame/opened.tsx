// The saved view on screen: its name, whether it was changed, and its actions.

import { api, type SavedView } from "../api/api.ts";
import { IconButton, Select } from "../parts/ui.tsx";
import { addressOf, leave, loadViews, save, savedViews, saving, shownQuery } from "../state/saved.ts";
import { follow, say } from "../state/state.ts";

/** Adds the current view to a board. */
function ToBoard({ slug }: { slug: string }) {
  const boards = savedViews.value.filter((b) => b.of.length > 0 && !b.provisioned && !b.of.includes(slug));
  const add = async (to: string) => {
    const board = boards.find((b) => b.slug === to);
    if (!board) {
      if (to) saving.value = { of: [slug] };
      return;
    }
    try {
      await api.putView({ ...board, of: [...board.of, slug] });
      say(`Added to ${board.name}`);
    } catch (e) {
      say(e instanceof Error ? e.message : String(e));
    }
    await loadViews();
  };
  return (
    <Select
      label="Add to"
      id="to-board"
      value=""
      choices={[
        { value: "", title: "board …" },
        ...boards.map((b) => ({ value: b.slug, title: b.name })),
        { value: "+", title: "new board" },
      ]}
      onChange={add}
    />
  );
}

/** The current view, and whether it was changed. */
export function OpenedView({ view: v, changed }: { view: SavedView; changed: boolean }) {
  const saveAgain = async () => {
    try {
      await api.putView({ ...v, query: shownQuery() });
      await loadViews();
      say(`${v.name} saved`);
    } catch {
      saving.value = { change: v }; // the form shows the error
    }
  };
  return (
    <div class="opened-view" role="region" aria-label="Saved view">
      <a href={"/v/" + v.slug} onClick={follow} title={v.description || "Open as saved"}>
        {v.name}
      </a>
      {!changed && <ToBoard slug={v.slug} />}
      {changed && (
        <>
          <span class="tag">changed</span>
          {!v.provisioned && (
            <button type="button" class="button" onClick={saveAgain}>
              Save
            </button>
          )}
          <button type="button" class="button" onClick={save}>
            Save as …
          </button>
          <a href={addressOf(v)} onClick={follow}>
            Revert
          </a>
          <IconButton icon="close" label="Close view" onClick={leave} />
        </>
      )}
    </div>
  );
}
