// The row that combines several groups.

import { useState } from "preact/hooks";
import { api, type QueryResult, type Series } from "../../api/api.ts";
import { Popover } from "../../parts/ui.tsx";
import { groupBy } from "../../parts/valuemenu.tsx";
import { path, say, show, view, zone } from "../../state/state.ts";
import { isTime, maxSeries, maxSkip, request } from "../../text/url.ts";

const waitMS = 30_000;

/** Several groups in one row. Its menu shows the next or previous groups, or groups the row by another field. */
export function Folded({ s, result, name, count }: { s: Series; result: QueryResult; name: string; count: string }) {
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  const { skip, n } = view.value;
  const to = (skip: number) => () => {
    setAt(null);
    show({ skip, hide: [] });
  };
  const further = !s.larger && count !== "" && skip + n <= maxSkip;
  // The row holds all groups except the named ones. The names of skipped groups are queried.
  const apart = !s.larger && !result.by.some(isTime) && (skip === 0 ? !!s.filter?.length : skip + n <= maxSeries);
  const regroup = async () => {
    setAt(null);
    const v = { ...view.value, from: String(result.from), to: String(result.to), step: String(result.step), skip: 0, n: skip + n };
    const all = skip === 0 ? [s] : (await api.query(request(v, zone.value, result.times.length), AbortSignal.timeout(waitMS))).body.series;
    const [filter] = all.find((o) => o.other && o.dir === s.dir)?.filter ?? [];
    if (filter) groupBy({ by: result.by, key: [], label: [name], filter });
  };
  const words = (
    <>
      {name} <span class="quiet">{count}</span>
    </>
  );
  if (path.value !== "/explore" || (!further && !apart && skip === 0)) return words;
  return (
    <>
      <button
        type="button"
        class="value"
        data-opens
        aria-haspopup="menu"
        onClick={(e) => {
          const box = e.currentTarget.getBoundingClientRect();
          setAt({ x: box.left, y: box.bottom + 4 });
        }}
      >
        {words}
      </button>
      {at && (
        <Popover open onClose={() => setAt(null)} class="menu" label={name} anchor={at}>
          <div role="menu" aria-label={name} class="menu-list">
            {further && (
              <button type="button" role="menuitem" onClick={to(skip + n)}>
                Next {n}
              </button>
            )}
            {apart && (
              <button type="button" role="menuitem" onClick={() => void regroup().catch((e: unknown) => say(String(e)))}>
                Group by …
              </button>
            )}
            {skip > 0 && (
              <button type="button" role="menuitem" onClick={to(Math.max(0, skip - n))}>
                {skip > n ? `Previous ${n}` : "Back to the largest"}
              </button>
            )}
            {skip > n && (
              <button type="button" role="menuitem" onClick={to(0)}>
                Back to the largest
              </button>
            )}
          </div>
        </Popover>
      )}
    </>
  );
}
