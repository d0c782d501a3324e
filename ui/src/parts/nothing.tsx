// What a page says that has nothing to show, with the step that helps.

import { useEffect, useState } from "preact/hooks";
import { api, type Meta } from "../api/api.ts";
import { go, show, view, zone } from "../state/state.ts";
import { current, zoomBy } from "../state/window.ts";
import { clock, moments } from "../text/time.ts";
import { request } from "../text/url.ts";

/** `q` is all that was asked for, what the page adds included; `matches`: it is found in the last 7 days. */
export function Empty({ kind, q, now, matches }: { kind: NonNullable<Meta["empty"]>; q: string; now: number; matches?: boolean }) {
  const { from, to } = current();
  return (
    <div class="empty" data-empty={kind}>
      {kind === "no-exporter" ? (
        <>
          <h2>No exporter has sent anything yet</h2>
          <p>Point a router here and its traffic shows up within seconds.</p>
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
          <h2>Nothing in this range{q ? " matches the filter" : ""}</h2>
          <p>
            {q ? <code>{q}</code> : "No flow was received"} between {moments(from, zone.value, now)} and {clock(to, zone.value)}.
          </p>
          <div class="row">
            {matches && (
              <button type="button" class="button" onClick={() => show({ from: "-7d", to: "now" })}>
                It matches in the last 7 days: show them
              </button>
            )}
            {view.value.q && (
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

/** The same for a page whose own answer does not say why there is nothing. */
export function Nothing({ q, now }: { q: string; now: number }) {
  const [meta, setMeta] = useState<Meta | null>(null);
  const keys = request({ ...view.value, q, by: [], vs: "", agg: "avg", step: "auto", unit: "bps", layer: "l3" }, zone.value, 10);
  useEffect(() => {
    const stop = new AbortController();
    api.query(keys, stop.signal).then(
      ({ body }) => setMeta(body.meta),
      () => undefined,
    );
    return () => stop.abort();
  }, [keys]);
  return meta ? <Empty kind={meta.empty ?? "no-match"} q={q} now={now} matches={meta.matches_7d} /> : <div class="empty" />;
}
