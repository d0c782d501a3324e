// The page of saved views, and the target of /v/SLUG.

import { useEffect, useState } from "preact/hooks";
import { APIError, api, type SavedView } from "../../api/api.ts";
import { useAlive } from "../../parts/alive.ts";
import { explain } from "../../parts/saveview.tsx";
import { Icon, IconButton } from "../../parts/ui.tsx";
import { addressOf, loadViews, ordered, savedViews, saving, viewsLoaded } from "../../state/saved.ts";
import { follow, go, ownerChoice, reload, say, zone } from "../../state/state.ts";
import { moments } from "../../text/time.ts";

const pageNames: Record<string, string> = {
  explore: "Explore",
  flows: "Flows",
  host: "Host",
  as: "AS",
  exporters: "Exporter",
  if: "Interface",
};

/** The type of a view, in a word or two. */
export function kindOf(v: SavedView): string {
  if (v.of.length > 0) return `Board of ${v.of.length}`;
  const [first, ...rest] = v.page.split("/");
  return [pageNames[first] ?? first, rest.join("/")].filter(Boolean).join(" ");
}

export default function Views() {
  const owner = ownerChoice.signal.value;
  const list = ordered(savedViews.value, owner);
  const [chosen, setChosen] = useState<string[]>([]);
  const wrong = useAlive("");
  const together = list.filter((v) => v.of.length === 0 && chosen.includes(v.slug)).map((v) => v.slug);
  useEffect(() => void loadViews(), [reload.value]);
  return (
    <main class="status views" id="main">
      <div class="entity-head">
        <header class="page-head">
          <h1>Views</h1>
          <p>
            Saved views: filter, grouping, chart and time range. Press <kbd>s</kbd> to save the current one.
          </p>
        </header>
        <label class="field owner">
          <span>Your name, for private views</span>
          <input
            value={owner}
            id="owner"
            autocomplete="off"
            maxLength={40}
            placeholder="none"
            onChange={(e) => ownerChoice.set(e.currentTarget.value.trim())}
          />
        </label>
      </div>
      {wrong && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {wrong}
        </p>
      )}
      {together.length > 0 && (
        <div class="row" role="region" aria-label="Selected views">
          <span>
            {together.length} {together.length === 1 ? "view" : "views"} selected
          </span>
          <button type="button" class="button" disabled={together.length < 2} onClick={() => go("/v/" + together.join("+"))}>
            Show together
          </button>
          <button type="button" class="button" onClick={() => (saving.value = { of: together })}>
            Save as board …
          </button>
        </div>
      )}
      <section class="panel" aria-label="Saved views">
        {list.length === 0 && !viewsLoaded.value ? null : list.length === 0 ? (
          <div class="empty">
            <h2>No saved views</h2>
            <p>
              Press <kbd>s</kbd> in Explore to save one, or define views in the configuration file.
            </p>
            <button type="button" class="button primary" onClick={() => go("/explore")}>
              Open Explore
            </button>
          </div>
        ) : (
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Saved views, scrollable">
            <table class="data" id="views">
              <thead>
                <tr>
                  <th class="text">
                    <span class="offscreen">Selected</span>
                  </th>
                  <th class="text">
                    <span class="offscreen">Pinned</span>
                  </th>
                  <th class="text">Name</th>
                  <th class="text wide">Type</th>
                  <th class="text">Owner</th>
                  <th class="text wide">Modified</th>
                  <th>
                    <span class="offscreen">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {list.map((v) => (
                  <Row
                    key={v.slug}
                    v={v}
                    owner={owner}
                    chosen={chosen.includes(v.slug)}
                    onChoose={(on) => setChosen(on ? [...chosen, v.slug] : chosen.filter((s) => s !== v.slug))}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </main>
  );
}

async function change(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (e) {
    say(Object.values(explain(e)).join(". "));
  }
  await loadViews();
}

/** Deletes a view; Undo in the toast restores it. */
const remove = (v: SavedView) =>
  change(async () => {
    await api.deleteView(v.slug);
    say(`${v.name} deleted`, () => void change(() => api.putView(v)));
  });

interface RowProps {
  v: SavedView;
  owner: string;
  chosen: boolean;
  onChoose: (on: boolean) => void;
}

function Row({ v, owner, chosen, onChoose }: RowProps) {
  const fixed = v.provisioned;
  return (
    <tr data-view={v.slug}>
      <td class="text choose">
        {v.of.length === 0 && (
          <input type="checkbox" aria-label={`Select ${v.name}`} checked={chosen} onChange={(e) => onChoose(e.currentTarget.checked)} />
        )}
      </td>
      <td class="text">
        {fixed ? (
          v.pinned && (
            <span class="icon-button pin on" title="Pinned in the configuration file">
              <Icon name="pin" />
            </span>
          )
        ) : (
          <IconButton
            icon="pin"
            class={`icon-button pin ${v.pinned ? "on" : ""}`}
            label={`${v.pinned ? "Unpin" : "Pin"} ${v.name}`}
            aria-pressed={v.pinned}
            onClick={() => change(() => api.putView({ ...v, pinned: !v.pinned }))}
          />
        )}
      </td>
      <td class="text name">
        <a href={addressOf(v)} onClick={follow}>
          {v.name}
        </a>
        {v.description && <p class="quiet">{v.description}</p>}
      </td>
      <td class="text wide">{kindOf(v)}</td>
      <td class="text">
        {fixed ? (
          <span title="Read-only in the web UI">
            from <code>{v.source || "the configuration file"}</code>
          </span>
        ) : v.shared ? (
          `shared${v.owner && v.owner !== owner ? ` by ${v.owner}` : ""}`
        ) : (
          "private"
        )}
      </td>
      <td class="text wide quiet">{v.updated > 0 ? moments(v.updated, zone.value, Date.now() / 1000, false) : ""}</td>
      <td class="acts">
        {!fixed && (
          <>
            <IconButton icon="edit" label={`Edit ${v.name}`} onClick={() => (saving.value = { change: v })} />
            <IconButton icon="trash" label={`Delete ${v.name}`} onClick={() => remove(v)} />
          </>
        )}
      </td>
    </tr>
  );
}

/** /v/SLUG of a single view: goes to the plain URL of the view, with the overrides of this link. */
export function OneView({ slug }: { slug: string }) {
  const [error, setError] = useState("");
  const wrong = useAlive(error);
  useEffect(() => {
    const stop = new AbortController();
    api.view(slug, stop.signal).then(
      // A board stays at its address; it is drawn once the list of views is loaded.
      ({ body }) => (body.of.length > 0 ? loadViews() : go(addressOf(body, location.search), "replace")),
      (e: unknown) => {
        if (!stop.signal.aborted) setError(e instanceof APIError && e.status === 404 ? "none" : String(e instanceof Error ? e.message : e));
      },
    );
    return () => stop.abort();
  }, [slug, reload.value]);
  if (!wrong) return <main id="main" />;
  return (
    <main class="start" id="main">
      <header class="page-head">
        <h1>{error === "none" ? "No such view" : "Cannot show the view"}</h1>
        <p>
          {error === "none" ? "It was deleted, or it is private and has another owner." : wrong} <a href="/views">All views</a>
        </p>
      </header>
    </main>
  );
}
