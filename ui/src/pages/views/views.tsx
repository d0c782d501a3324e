// The page of saved views, and what an address /v/SLUG leads to.

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

/** What kind of page a view is, in a word or two. */
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
            Pages with their question, kept under a name. Save what is on screen with <kbd>s</kbd>.
          </p>
        </header>
        <label class="field owner">
          <span>Your name, for private views</span>
          <input
            value={owner}
            id="owner"
            autocomplete="off"
            maxLength={40}
            placeholder="nobody"
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
        <div class="row" role="region" aria-label="Chosen views">
          <span>
            {together.length} {together.length === 1 ? "view" : "views"} chosen
          </span>
          <button type="button" class="button" disabled={together.length < 2} onClick={() => go("/v/" + together.join("+"))}>
            Show together
          </button>
          <button type="button" class="button" onClick={() => (saving.value = { of: together })}>
            Save as a board …
          </button>
        </div>
      )}
      <section class="panel" aria-label="Saved views">
        {list.length === 0 && !viewsLoaded.value ? null : list.length === 0 ? (
          <div class="empty">
            <h2>No view is saved yet</h2>
            <p>
              Show something in Explore and press <kbd>s</kbd>, or write views into the configuration.
            </p>
            <button type="button" class="button primary" onClick={() => go("/explore")}>
              Explore
            </button>
          </div>
        ) : (
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Saved views, scrollable">
            <table class="data" id="views">
              <thead>
                <tr>
                  <th class="text">
                    <span class="offscreen">Chosen</span>
                  </th>
                  <th class="text">
                    <span class="offscreen">Pinned</span>
                  </th>
                  <th class="text">Name</th>
                  <th class="text wide">What</th>
                  <th class="text">Whose</th>
                  <th class="text wide">Changed</th>
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

/** Takes a view away; while the toast stands it can be brought back as it was. */
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
          <input type="checkbox" aria-label={`Choose ${v.name}`} checked={chosen} onChange={(e) => onChoose(e.currentTarget.checked)} />
        )}
      </td>
      <td class="text">
        {fixed ? (
          v.pinned && (
            <span class="icon-button pin on" title="Pinned by the configuration">
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
          <span title="Cannot be changed from the page">
            provisioned <code>{v.source || "by the configuration"}</code>
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
            <IconButton icon="edit" label={`Rename or change ${v.name}`} onClick={() => (saving.value = { change: v })} />
            <IconButton icon="trash" label={`Delete ${v.name}`} onClick={() => remove(v)} />
          </>
        )}
      </td>
    </tr>
  );
}

/** /v/SLUG that is no board, as far as is known: the plain URL of the view, with what this link changes of it. */
export function OneView({ slug }: { slug: string }) {
  const [error, setError] = useState("");
  const wrong = useAlive(error);
  useEffect(() => {
    const stop = new AbortController();
    api.view(slug, stop.signal).then(
      // A board stays at its address: it is drawn when the list of views is there.
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
        <h1>{error === "none" ? "There is no such view" : "The view cannot be shown"}</h1>
        <p>
          {error === "none" ? "It was deleted, or it is private and saved under another name." : wrong} <a href="/views">All views</a>
        </p>
      </header>
    </main>
  );
}
