// Empty states, each with its next step.

import { useEffect, useState } from "preact/hooks";
import { api, type Meta } from "../api/api.ts";
import { go, show, view, zone } from "../state/state.ts";
import { current, zoomBy } from "../state/window.ts";
import { clock, moments } from "../text/time.ts";
import { request } from "../text/url.ts";

/** `q` is the whole filter, including that of the page; `matches`: there are matches in the last 7 days. */
export function Empty({ kind, q, now, matches }: { kind: NonNullable<Meta["empty"]>; q: string; now: number; matches?: boolean }) {
  const { from, to } = current();
  return (
    <div class="empty" data-empty={kind}>
      {kind === "no-exporter" ? (
        <>
          <h2>No exporter has sent anything yet</h2>
          <p>Point a router here; its traffic appears within seconds.</p>
          <button type="button" class="button primary" onClick={() => go("/start")}>
            Set up an exporter
          </button>
        </>
      ) : kind === "before-retention" ? (
        <>
          <h2>No data in this range</h2>
          <p>It is before the oldest stored flow, which the Status page shows.</p>
          <button type="button" class="button" onClick={() => show({ from: "-1h", to: "now" })}>
            Show the last hour
          </button>
        </>
      ) : (
        <>
          <h2>{q ? "No matches in this range" : "No data in this range"}</h2>
          <p>
            {q ? <code>{q}</code> : "No flows received"} between {moments(from, zone.value, now)} and {clock(to, zone.value)}.
          </p>
          <div class="row">
            {matches && (
              <button type="button" class="button" onClick={() => show({ from: "-7d", to: "now" })}>
                Show matches of the last 7 days
              </button>
            )}
            {view.value.q && (
              <button type="button" class="button" onClick={() => show({ q: "" })}>
                Clear filter
              </button>
            )}
            <button type="button" class="button" onClick={() => zoomBy(4)}>
              Widen range
            </button>
          </div>
        </>
      )}
    </div>
  );
}

/** The empty state of a page whose own result does not tell why it is empty. */
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
