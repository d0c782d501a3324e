// Flows: flow records, newest first or sorted by any column. The list loads while it is scrolled and draws only visible rows.

import { useEffect, useRef, useState } from "preact/hooks";
import { FilterLine } from "../../parts/filter/filterline.tsx";
import { Nothing } from "../../parts/nothing.tsx";
import { RefreshButton, TimeRange } from "../../parts/range.tsx";
import { Icon, lazy, Select } from "../../parts/ui.tsx";
import { useDeviceNames } from "../../state/names.ts";
import { reload, show, shown, sqlOpen, view, zone } from "../../state/state.ts";
import { window as inSight, type Rec, sorting } from "../../text/records.ts";
import { recordKeys } from "../../text/url.ts";
import { Columns } from "./columns.tsx";
import { Details } from "./details.tsx";
import { Export } from "./export.tsx";
import { Facts } from "./facts.tsx";
import { List, rowHeight } from "./list.tsx";
import { pageSize, useRecords } from "./loaded.ts";

const CostHint = lazy(() => import("../../parts/costhint.tsx").then((m) => m.CostHint));
const SQLDrawer = lazy(() => import("../../parts/sql.tsx").then((m) => m.SQLDrawer));

/** The maximum length of the list; for more, narrow the filter or export. */
const most = 20_000;
const exported = 1_000_000;
const exportedSorted = 100_000;

const dirs = [
  { value: "both", title: "all" },
  { value: "in", title: "in" },
  { value: "out", title: "out" },
  { value: "internal", title: "internal" },
  { value: "transit", title: "transit" },
];

export default function Flows() {
  useDeviceNames();
  const v = view.value;
  const { by, asc } = sorting(v.sort, v.order);
  const keys = recordKeys(v, zone.value);
  const [open, setOpen] = useState<Rec | null>(null);
  const [scroll, setScroll] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const live = v.live && v.to === "now" && by === "" && !asc;
  const asked = useRecords({ keys, by, live, box, onAsk: () => setOpen(null) });
  const { list, error, hint, loading, ended, more } = asked;

  useEffect(() => {
    shown.value = list ? { from: list.from, to: list.to, step: 1, now: list.now, ids: [] } : null;
    return () => {
      shown.value = null;
    };
  }, [list]);

  useEffect(() => {
    const close = (e: KeyboardEvent) => e.key === "Escape" && setOpen(null);
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, []);

  const fresh = list?.keys === keys;
  const records = list?.records ?? [];
  const columns = list?.columns ?? [];
  const height = box.current?.clientHeight ?? 600;
  const [first, end] = inSight(scroll, height, rowHeight, records.length);
  const full = records.length >= most;
  useEffect(() => {
    if (fresh && !loading && !ended && !live && !full && list?.next && end >= records.length - 40) more();
  }, [end, records.length, loading, ended, fresh, live]);

  const window_ = list && { from: String(list.from), to: String(list.to) };
  const sqlKeys = `${keys}&limit=${pageSize}`;
  return (
    <main class="flows" id="main">
      <h1 class="offscreen">Flows</h1>
      <div class="question">
        <FilterLine serverError={error?.filter} />
        <div class="when">
          <TimeRange />
          <RefreshButton loading={loading} />
        </div>
      </div>
      <div class="controls">
        <Facts asked={asked} columns={columns} by={by} asc={asc} live={live} full={full} fresh={fresh} />
        <div class="options">
          <Select label="Direction" id="dir" value={v.dir} choices={dirs} onChange={(dir) => show({ dir })} />
          <button
            type="button"
            class={`button ${live ? "on" : ""}`}
            id="tail"
            aria-pressed={live}
            title="Follow the newest records; scrolling down pauses  l"
            onClick={() => show(live ? { live: false } : { live: true, to: "now", order: "desc", sort: "" }, "replace")}
          >
            <span class={`live-dot ${live ? (scroll > 0 ? "paused" : "") : "off"}`} /> Live tail
          </button>
          <Columns shown={columns} />
          <Export window={window_} most={by ? exportedSorted : exported} />
          <button
            type="button"
            class={`button sql-button ${sqlOpen.value ? "on" : ""}`}
            aria-pressed={sqlOpen.value}
            title="SQL of this list  x"
            onClick={() => (sqlOpen.value = !sqlOpen.value)}
          >
            <Icon name="code" /> SQL
          </button>
        </div>
      </div>
      {error && !error.filter && (
        <p class="notice bad" role="alert">
          <Icon name="warn" />
          <span>{error.message}</span>
          <button type="button" class="button" onClick={() => (reload.value += 1)}>
            Retry
          </button>
        </p>
      )}
      {hint && <CostHint hint={hint} />}
      <section class={`panel records ${records.length === 0 ? "none" : ""}`} aria-label="Records" aria-busy={loading}>
        {fresh && records.length === 0 && !error ? (
          <Nothing q={v.q} now={list?.now ?? 0} />
        ) : (
          <div
            class="record-list"
            ref={box}
            tabIndex={0}
            onScroll={(e) => setScroll(e.currentTarget.scrollTop)}
            aria-label="Records, scrollable"
            role="region"
          >
            <List list={list} sight={[first, end]} by={by} asc={asc} open={open} onOpen={setOpen} />
          </div>
        )}
      </section>
      {open && list && <Details r={open} list={list} onClose={() => setOpen(null)} />}
      {sqlOpen.value && (
        <SQLDrawer result={list ? { meta: { ...list.meta, table: "flows" } } : undefined} keys={sqlKeys} path="/api/v1/flows" />
      )}
    </main>
  );
}
