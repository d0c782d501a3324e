// What a page says that has no record to show, with the step that helps.

import { useEffect, useState } from "preact/hooks";
import { api, type Meta } from "./api.ts";
import { zoomBy } from "./range.tsx";
import { go, show, view, zone } from "./state.ts";
import { request } from "./url.ts";

/** Asks why nothing was found and says so. */
export function Nothing({ q }: { q: string; now: number }) {
  const [meta, setMeta] = useState<Meta | null>(null);
  const v = view.value;
  const keys = request({ ...v, q, by: [], vs: "", agg: "avg", step: "auto", unit: "bps", layer: "l3" }, zone.value, 10);
  useEffect(() => {
    const stop = new AbortController();
    api.query(keys, stop.signal).then(({ body }) => setMeta(body.meta), () => undefined);
    return () => stop.abort();
  }, [keys]);
  const kind = meta?.empty ?? "no-match";
  if (!meta) return <div class="empty" />;
  return (
    <div class="empty" data-empty={kind}>
      {kind === "no-exporter" ? (
        <>
          <h2>No exporter has sent anything yet</h2>
          <p>Point a router here and its flows show up within seconds.</p>
          <button type="button" class="button primary" onClick={() => go("/start")}>
            How to point a router here
          </button>
        </>
      ) : kind === "before-retention" ? (
        <>
          <h2>Older than what is kept</h2>
          <p>The records of this range have expired. Status shows the oldest one that is left.</p>
          <button type="button" class="button" onClick={() => show({ from: "-1h", to: "now" })}>
            Show the last hour
          </button>
        </>
      ) : (
        <>
          <h2>Nothing in this range{q ? " matches" : ""}</h2>
          {q && (
            <p>
              <code>{q}</code>
            </p>
          )}
          <div class="row">
            {meta.matches_7d && (
              <button type="button" class="button" onClick={() => show({ from: "-7d", to: "now" })}>
                It matches in the last 7 days: show them
              </button>
            )}
            {v.q && (
              <button type="button" class="button" onClick={() => show({ q: "" })}>
                Without the filter
              </button>
            )}
            <button type="button" class="button" onClick={() => zoomBy(4)}>
              A longer range
            </button>
          </div>
        </>
      )}
    </div>
  );
}
