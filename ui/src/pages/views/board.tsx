// A board: the charts of several views on one page, with one range for all or one for each, and one filter that narrows them
// all.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, type SavedView } from "../../api/api.ts";
import { useAlive } from "../../parts/alive.ts";
import { Refresh, TimeRange } from "../../parts/range.tsx";
import { explain } from "../../parts/saveview.tsx";
import { Icon, IconButton, Select } from "../../parts/ui.tsx";
import { loadViews, savedViews, saving } from "../../state/saved.ts";
import { go, reload, say, show, view } from "../../state/state.ts";
import { refreshSeconds } from "../../state/window.ts";
import { moved, timeOf } from "./boards.ts";
import { Tile } from "./tile.tsx";

const mostViews = 24;
/** The interval length, in seconds, that sets the refresh of a board, unless the user chooses one. */
const boardStep = 20;

interface Props {
  /** The saved board; undefined: the board is only an address. */
  board: SavedView | undefined;
  of: string[];
}

/** Escape cancels running queries. */
function useCancel(asking: Set<AbortController>) {
  useEffect(() => {
    const cancel = (e: KeyboardEvent) => {
      if (e.key !== "Escape" || document.querySelector("dialog[open], .popover")) return;
      for (const stop of asking) stop.abort();
    };
    addEventListener("keydown", cancel);
    return () => removeEventListener("keydown", cancel);
  }, []);
}

/** Refreshes a live board after all queries have ended, unless the tab is hidden. */
function useLive(asking: Set<AbortController>) {
  const live = view.value.live && view.value.to === "now";
  const every = refreshSeconds(boardStep);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => document.hidden || asking.size > 0 || (reload.value += 1), every * 1000);
    return () => clearInterval(timer);
  }, [live, every]);
}

/** Sets the views of the board and their order. */
async function arrange(board: SavedView | undefined, next: string[]) {
  if (!board) return go(`/v/${next.join("+")}${location.search}`, "replace");
  try {
    await api.putView({ ...board, of: next });
  } catch (e) {
    say(Object.values(explain(e)).join(". "));
  }
  await loadViews();
}

const nameOf = (slug: string) => savedViews.value.find((x) => x.slug === slug)?.name ?? slug;

export function Board({ board, of }: Props) {
  const { q } = view.value;
  const time = timeOf(location.search);
  const [editing, setEditing] = useState(false);
  const asking = useRef(new Set<AbortController>()).current;
  const wrong = useAlive("");
  useCancel(asking);
  useLive(asking);
  return (
    <main class="board" id="main">
      <Head board={board} of={of} time={time} editing={editing} onEdit={setEditing} />
      {wrong && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {wrong}
        </p>
      )}
      {q && (
        <p class="facts">
          filtered by <code>{q}</code>{" "}
          <button type="button" class="button" onClick={() => show({ q: "" })}>
            Clear filter
          </button>
        </p>
      )}
      <div class="tiles">
        {of.map((slug) => (
          <Tile key={slug} slug={slug} time={time} q={q} asking={asking}>
            {editing && <Acts slug={slug} board={board} of={of} />}
          </Tile>
        ))}
        {editing && of.length < mostViews && <Add board={board} of={of} />}
      </div>
    </main>
  );
}

function Head({
  board,
  of,
  time,
  editing,
  onEdit,
}: Props & { time: ReturnType<typeof timeOf>; editing: boolean; onEdit: (on: boolean) => void }) {
  const choice = (on: boolean, title: string, choose: () => void) => (
    <button type="button" role="radio" aria-checked={on} class={on ? "on" : ""} onClick={choose}>
      {title}
    </button>
  );
  return (
    <div class="entity-head">
      <header class="page-head">
        <h1>{board?.name ?? of.map(nameOf).join(" + ")}</h1>
        {board?.description && <p>{board.description}</p>}
      </header>
      <div class="segments" role="radiogroup" aria-label="Time">
        {choice(!time, "Saved ranges", () => go(location.pathname + withoutTime()))}
        {choice(!!time, "Same range for all", () => time || show({ from: "-1h", to: "now" }))}
      </div>
      {time && <TimeRange />}
      {!board?.provisioned && (
        <button type="button" class={`button ${editing ? "on" : ""}`} aria-pressed={editing} onClick={() => onEdit(!editing)}>
          <Icon name="edit" /> Edit
        </button>
      )}
      {!board && (
        <button type="button" class="button" onClick={() => (saving.value = { of })}>
          <Icon name="star" /> Save board
        </button>
      )}
      <Refresh loading={false} paused={false} />
    </div>
  );
}

/** Moves a view of the board, or removes it. */
function Acts({ slug, board, of }: Props & { slug: string }) {
  const i = of.indexOf(slug);
  const remove = () =>
    void arrange(
      board,
      of.filter((s) => s !== slug),
    ).then(() => say(`${nameOf(slug)} removed`, () => void arrange(board, of)));
  return (
    <span class="acts">
      <IconButton icon="up" label={`Move ${slug} forward`} disabled={i === 0} onClick={() => arrange(board, moved(of, i, -1))} />
      <IconButton icon="down" label={`Move ${slug} back`} disabled={i === of.length - 1} onClick={() => arrange(board, moved(of, i, 1))} />
      <IconButton icon="trash" label={`Remove ${slug} from the board`} disabled={of.length === 1} onClick={remove} />
    </span>
  );
}

/** A list of the views that are not on the board. */
function Add({ board, of }: Props) {
  const others = savedViews.value.filter((x) => x.of.length === 0 && !of.includes(x.slug));
  return (
    <section class="panel tile add" aria-label="Add a view">
      {others.length > 0 ? (
        <Select
          label="Add"
          id="add-view"
          value=""
          choices={[{ value: "", title: "view …" }, ...others.map((x) => ({ value: x.slug, title: x.name }))]}
          onChange={(slug) => slug && arrange(board, [...of, slug])}
        />
      ) : (
        <p class="quiet">
          All views are on this board. Press <kbd>s</kbd> in Explore to save more.
        </p>
      )}
    </section>
  );
}

/** The query string of this URL without its range. */
function withoutTime(): string {
  const rest = location.search
    .slice(1)
    .split("&")
    .filter((pair) => pair && !/^(from|to|tz)=/.test(pair));
  return rest.length ? "?" + rest.join("&") : "";
}
