// Flows: the records themselves, newest first or by any column, in a list that loads as it is scrolled and draws only what is in sight.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { APIError, api, type Field, type FlowColumn, type FlowsResult } from "../../api/api.ts";
import { CostHint, dear, type Hint } from "../../parts/cost.tsx";
import { FilterLine } from "../../parts/filterline.tsx";
import { Nothing } from "../../parts/nothing.tsx";
import { RefreshButton, TimeRange } from "../../parts/range.tsx";
import { SortHead } from "../../parts/sorthead.tsx";
import { SQLDrawer } from "../../parts/sql.tsx";
import { Icon, IconButton, Popover, Select } from "../../parts/ui.tsx";
import { ValueButton } from "../../parts/valuemenu.tsx";
import { deviceNames, useDeviceNames } from "../../state/names.ts";
import { copy, fieldByName, reload, show, shown, sqlOpen, view, zone } from "../../state/state.ts";
import { current } from "../../state/window.ts";
import * as fmt from "../../text/format.ts";
import {
  type Cell,
  called,
  classOf,
  find,
  heading,
  window as inSight,
  numeric,
  type Rec,
  rows as recordsOf,
  sorting,
  text,
  tip,
} from "../../text/records.ts";
import { recordKeys } from "../../text/url.ts";

const pageSize = 200;
/** So many records are enough to scroll through; who needs more narrows the filter or exports. */
const most = 20_000;
const exported = 1_000_000;
const exportedSorted = 100_000;
const rowHeight = 28;
const tailMS = 1000;

const dirs = [
  { value: "both", title: "all" },
  { value: "in", title: "in" },
  { value: "out", title: "out" },
  { value: "internal", title: "internal" },
  { value: "transit", title: "transit" },
];

interface Loaded {
  keys: string;
  columns: FlowColumn[];
  records: Rec[];
  from: number;
  to: number;
  /** Of all pages that were asked. */
  as: Record<string, string>;
  next: string;
  now: number;
  meta: FlowsResult["meta"];
}

export default function Flows() {
  useDeviceNames();
  const v = view.value;
  const { by, asc } = sorting(v.sort, v.order);
  const keys = recordKeys(v, zone.value);
  const [list, setList] = useState<Loaded | null>(null);
  const [error, setError] = useState<APIError | null>(null);
  const [loading, setLoading] = useState(false);
  const [more, setMore] = useState(0);
  const [hint, setHint] = useState<Hint | null>(null);
  /** Somebody ended the question: the list does not go on by itself. */
  const [ended, setEnded] = useState(false);
  const [open, setOpen] = useState<Rec | null>(null);
  const [scroll, setScroll] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const asking = useRef<AbortController | null>(null);
  const live = v.live && v.to === "now" && by === "" && !asc;

  const fail = (e: unknown) => setError(e instanceof APIError ? e : new APIError(0, { title: String(e) }));
  const take = (body: FlowsResult, now: number, before: Rec[], window: { from: number; to: number }) =>
    setList({
      keys,
      columns: body.columns,
      records: [...before, ...recordsOf(body)],
      from: window.from,
      to: window.to,
      as: { ...(before.length > 0 && list?.as), ...body.as_names },
      next: body.next ?? "",
      now,
      meta: body.meta,
    });

  // The first page: when the question changes, and while the list follows.
  useEffect(() => {
    let timer = 0;
    const stop = new AbortController();
    asking.current = stop;
    setLoading(true);
    setOpen(null);
    setHint(null);
    setEnded(false);
    if (box.current) box.current.scrollTop = 0;
    // The newest are found at once; the largest only when all have been looked at.
    const begin = async () => {
      const cost = by ? await dear(keys, stop.signal, "&of=flows") : null;
      if (stop.signal.aborted) return;
      if (!cost) return ask();
      setLoading(false);
      setHint(cost);
    };
    const ask = () => {
      api.flows(`${keys}&limit=${pageSize}`, stop.signal).then(
        ({ body, now }) => {
          if (stop.signal.aborted) return;
          setLoading(false);
          setError(null);
          take(body, now, [], body);
          if (live) timer = setTimeout(tick, tailMS) as unknown as number;
        },
        (e: unknown) => {
          if (stop.signal.aborted) return;
          setLoading(false);
          fail(e);
          if (live && !(e instanceof APIError && e.filter)) timer = setTimeout(tick, 3 * tailMS) as unknown as number;
        },
      );
    };
    // Who has scrolled away reads; who looks elsewhere does not need it.
    const tick = () => {
      if (document.hidden || (box.current?.scrollTop ?? 0) > 0) timer = setTimeout(tick, 300) as unknown as number;
      else ask();
    };
    void begin();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [keys, live, reload.value]);

  // Further pages, from the window that the first one had: what arrives meanwhile does not move the list.
  useEffect(() => {
    if (more === 0 || !list?.next || list.keys !== keys || live) return;
    const stop = new AbortController();
    asking.current = stop;
    setLoading(true);
    const cursor = list.next;
    const q = recordKeys({ ...v, from: String(list.from), to: String(list.to) }, zone.value);
    api.flows(`${q}&limit=${pageSize}&cursor=${encodeURIComponent(cursor)}`, stop.signal).then(
      ({ body, now }) => {
        if (stop.signal.aborted) return;
        setLoading(false);
        take(body, now, list.records, list);
      },
      (e: unknown) => {
        if (stop.signal.aborted) return;
        setLoading(false);
        fail(e);
      },
    );
    return () => stop.abort();
  }, [more]);

  useEffect(() => {
    shown.value = list ? { from: list.from, to: list.to, step: 1, now: list.now, ids: [] } : null;
    return () => {
      shown.value = null;
    };
  }, [list]);

  useEffect(() => {
    const cancel = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      if (loading) {
        asking.current?.abort();
        setEnded(true);
      }
      setLoading(false);
      setOpen(null);
    };
    addEventListener("keydown", cancel);
    return () => removeEventListener("keydown", cancel);
  }, [loading]);

  const fresh = list?.keys === keys;
  const records = list?.records ?? [];
  const columns = list?.columns ?? [];
  const height = box.current?.clientHeight ?? 600;
  const [first, end] = inSight(scroll, height, rowHeight, records.length);
  const full = records.length >= most;
  useEffect(() => {
    if (fresh && !loading && !ended && !live && !full && list?.next && end >= records.length - 40) setMore((n) => n + 1);
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
        <p class="facts" role="status">
          {list && (
            <>
              <span>
                <b id="loaded">{fmt.grouped(records.length)}</b> {records.length === 1 ? "record" : "records"}
                {live ? ", the newest" : list.next ? " so far" : ""}
              </span>
              <span>
                {fmt.count(list.meta.rows)} rows read in {fmt.millis(list.meta.ms)} ms
              </span>
              {list.meta.notes?.map((n) => (
                <span key={n} class="warn">
                  {n}
                </span>
              ))}
            </>
          )}
          {by && (
            <span>
              by {title(columns, by)}, {asc ? "ascending" : "descending"}:{" "}
              <button type="button" class="value link" onClick={() => show({ sort: "", order: "desc" })}>
                newest first
              </button>
            </span>
          )}
          {ended && !loading && (
            <span class="warn">
              ended:{" "}
              <button type="button" class="value link" onClick={() => (records.length && fresh ? setEnded(false) : (reload.value += 1))}>
                go on
              </button>
            </span>
          )}
          {v.live && (by !== "" || asc) && <span class="warn">the live tail follows only newest first</span>}
          {full && <span class="warn">the list ends here: narrow the filter, or export</span>}
        </p>
        <div class="options">
          <Select label="Direction" id="dir" value={v.dir} choices={dirs} onChange={(dir) => show({ dir })} />
          <button
            type="button"
            class={`button ${live ? "on" : ""}`}
            id="tail"
            aria-pressed={live}
            title="Follow: the newest records, again and again, in the order of time; scrolling down pauses  l"
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
            title="The SQL behind this list  x"
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
            Try again
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
            <table class="data" id="records" aria-rowcount={list?.next ? -1 : records.length + 1} data-answer={list?.keys}>
              <thead>
                <tr>
                  {columns.map((c) => (
                    <Head key={c.column} c={c} time={c.kind === "time" && c.column === columns[0].column} by={by} asc={asc} />
                  ))}
                </tr>
              </thead>
              <tbody>
                {first > 0 && <Space rows={first} columns={columns.length} />}
                {records.slice(first, end).map((r, i) => (
                  <Row
                    key={first + i}
                    r={r}
                    index={first + i}
                    columns={columns}
                    as={list?.as ?? {}}
                    now={list?.now ?? 0}
                    open={open === r}
                    onOpen={() => setOpen(open === r ? null : r)}
                  />
                ))}
                {end < records.length && <Space rows={records.length - end} columns={columns.length} />}
              </tbody>
            </table>
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

/** What stands for the rows that are out of sight. */
const Space = ({ rows, columns }: { rows: number; columns: number }) => (
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row takes no focus
  <tr class="space" aria-hidden="true" style={{ height: rows * rowHeight + "px" }}>
    <td colSpan={columns} />
  </tr>
);

const isColumn = (c: FlowColumn, by: string) => [c.column, c.name].some((n) => n.toLowerCase() === by.toLowerCase());
const title = (columns: FlowColumn[], by: string) => columns.find((c) => isColumn(c, by))?.title ?? by;

/** The head of a column puts the records in its order: the largest numbers first, names from A on, and the other way round. */
function Head({ c, time, by, asc }: { c: FlowColumn; time: boolean; by: string; asc: boolean }) {
  const right = numeric(c, fieldByName.value.get(c.name));
  const on = time ? by === "" : by !== "" && isColumn(c, by);
  const up = on ? !asc : !time && !right;
  const sort = () =>
    show(time ? { order: up ? "asc" : "desc", sort: "", live: false } : { sort: (up ? "" : "-") + c.column, order: "desc", live: false });
  return (
    <SortHead
      class={right ? "" : "text"}
      data-column={c.column}
      title={fieldByName.value.get(c.name)?.doc ?? c.column}
      on={on}
      up={asc}
      onSort={sort}
    >
      {time ? "Time" : heading(c)}
    </SortHead>
  );
}

function Row({
  r,
  index,
  columns,
  as,
  now,
  open,
  onOpen,
}: {
  r: Rec;
  index: number;
  columns: FlowColumn[];
  as: Loaded["as"];
  now: number;
  open: boolean;
  onOpen: () => void;
}) {
  const tz = zone.value;
  return (
    <tr class={open ? "on" : ""} aria-rowindex={index + 2} onClick={(e) => (e.target as Element).closest("button") || onOpen()}>
      {columns.map((c, i) => {
        const f = fieldByName.value.get(c.name);
        const name = called(columns, r.cells, i, f, { devices: deviceNames.value, as });
        const s = name || text(c, r.cells[i], f, tz, now);
        return (
          <td key={c.column} class={classOf(c, f)} data-column={c.column}>
            {i === 0 ? (
              <button type="button" class="value" aria-expanded={open} title="All of this record" onClick={onOpen}>
                {s}
              </button>
            ) : s === "" ? (
              <span class="quiet">–</span>
            ) : f && can(f, r.cells[i]) ? (
              <ValueButton value={{ by: [c.name], key: [String(r.cells[i])], label: [s] }} title={tip(f, r.cells[i], s)} />
            ) : (
              s
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** Whether a condition can be made of a value. */
const can = (f: Field, cell: Cell) => f.filterable && !Array.isArray(cell) && f.kind !== "flags";

/** Every column of one record, each with what can be done with its value. */
function Details({ r, list, onClose }: { r: Rec; list: Loaded; onClose: () => void }) {
  const [all, setAll] = useState<{ columns: FlowColumn[]; cells: Cell[] } | null>(null);
  const [as, setAS] = useState(list.as);
  const [note, setNote] = useState("");
  const [empty, setEmpty] = useState(false);
  const tz = zone.value;
  const v = view.value;
  useEffect(() => {
    const stop = new AbortController();
    setAll(null);
    setNote("");
    // Records have no number: it is asked for by its place in its second, and known again by what is shown of it.
    const at = Number(r.cursor.split(".")[0]);
    const q = recordKeys({ ...v, from: String(at), to: String(at + 1), columns: "all", order: "desc", sort: "" }, tz);
    api.flows(`${q}&limit=20&cursor=${r.cursor}`, stop.signal).then(
      ({ body }) => {
        const place = find(list.columns, r.cells, body);
        if (place < 0) setNote("The record has moved on or expired; these are the columns of the list.");
        setAS({ ...list.as, ...body.as_names });
        setAll(place < 0 ? { columns: list.columns, cells: r.cells } : { columns: body.columns, cells: body.values.map((c) => c[place]) });
      },
      (e: unknown) => {
        if (stop.signal.aborted) return;
        setNote(e instanceof Error ? e.message : String(e));
        setAll({ columns: list.columns, cells: r.cells });
      },
    );
    return () => stop.abort();
  }, [r]);
  const groups = useMemo(() => {
    const out = new Map<string, [FlowColumn, Cell][]>();
    all?.columns.forEach((c, i) => {
      const g = fieldByName.value.get(c.name)?.group ?? "record";
      const cell = all.cells[i];
      if (!empty && blank(cell)) return;
      out.set(g, [...(out.get(g) ?? []), [c, cell]]);
    });
    return [...out];
  }, [all, empty]);
  return (
    <aside class="drawer details" aria-label="Record">
      <header>
        <h2>Record</h2>
        <span class="quiet">{text(list.columns[0], r.cells[0], undefined, tz, list.now)}</span>
        <label class="check">
          <input type="checkbox" checked={empty} onChange={(e) => setEmpty(e.currentTarget.checked)} /> Empty columns too
        </label>
        <IconButton icon="close" label="Close  Esc" onClick={onClose} />
      </header>
      <div class="drawer-body">
        {note && <p class="quiet">{note}</p>}
        {!all && <p class="quiet">Asking …</p>}
        {groups.map(([g, items]) => (
          <section key={g}>
            <h3 class="group-name">{g}</h3>
            <dl class="record-facts">
              {items.map(([c, cell]) => (
                <Fact key={c.column} c={c} cell={cell} as={as} now={list.now} />
              ))}
            </dl>
          </section>
        ))}
      </div>
    </aside>
  );
}

const none: ReadonlyMap<string, string> = new Map();

const blank = (c: Cell) =>
  c === "" || c === 0 || c === "::" || c === "{}" || c === "0" || c === "00:00:00:00:00:00" || (Array.isArray(c) && c.length === 0);

function Fact({ c, cell, as, now }: { c: FlowColumn; cell: Cell; as: Loaded["as"]; now: number }) {
  const f = fieldByName.value.get(c.name);
  const s = called([c], [cell], 0, f, { devices: none, as }) || text(c, cell, f, zone.value, now);
  return (
    <>
      <dt title={f?.doc ?? c.column}>{c.title}</dt>
      <dd>
        {f && can(f, cell) ? <ValueButton value={{ by: [c.name], key: [String(cell)], label: [s] }} /> : <span>{s === "" ? "–" : s}</span>}
        <span class="acts">
          <IconButton
            icon="copy"
            label={`Copy ${c.title}`}
            onClick={() => void copy(Array.isArray(cell) ? cell.join(" ") : String(cell), c.title)}
          />
        </span>
      </dd>
    </>
  );
}

/** Which columns the list has: those of the table that holds the records, as the server names them. */
function Columns({ shown: now }: { shown: FlowColumn[] }) {
  const [open, setOpen] = useState(false);
  const [all, setAll] = useState<FlowColumn[]>([]);
  const [search, setSearch] = useState("");
  useEffect(() => {
    if (!open || all.length) return;
    // A window without records still has its columns.
    api.flows("columns=all&limit=1&from=-1s").then(
      ({ body }) => setAll(body.columns),
      () => undefined,
    );
  }, [open]);
  const names = now.map((c) => c.column);
  const set = (list: string[]) => show({ columns: list.join(",") }, "replace");
  const toggle = (c: FlowColumn) => {
    const on = names.includes(c.column);
    // The time stays, and first: without it the order says nothing.
    if (on) return c.column === names[0] ? undefined : set(names.filter((n) => n !== c.column));
    set([...names, c.column]);
  };
  const wanted = search.trim().toLowerCase();
  const found = all.filter((c) => wanted === "" || (c.title + " " + c.column + " " + c.name).toLowerCase().includes(wanted));
  return (
    <span class="anchor">
      <button
        type="button"
        class="button"
        id="columns"
        data-opens
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        Columns <span class="quiet">{now.length}</span> <Icon name="down" />
      </button>
      <Popover open={open} onClose={() => setOpen(false)} class="picker column-picker" label="Columns">
        <input
          type="text"
          class="picker-search"
          placeholder="Search columns"
          aria-label="Search columns"
          autofocus
          value={search}
          onInput={(e) => setSearch(e.currentTarget.value)}
        />
        <div class="picker-list" role="group" aria-label="Columns" tabIndex={0}>
          {found.map((c) => (
            <label key={c.column} class="picker-item check" title={fieldByName.value.get(c.name)?.doc}>
              <input
                type="checkbox"
                checked={names.includes(c.column)}
                disabled={c.column === names[0]}
                onChange={() => toggle(c)}
                data-column={c.column}
              />
              <b>{c.title}</b>
              <code>{c.name || c.column}</code>
            </label>
          ))}
        </div>
        <div class="row end">
          <button type="button" class="button" onClick={() => show({ columns: "" }, "replace")}>
            Standard
          </button>
          <button type="button" class="button" onClick={() => show({ columns: "all" }, "replace")}>
            All
          </button>
        </div>
      </Popover>
    </span>
  );
}

/** The same records as a file: the window is the one on screen, so that the file has what the list has. */
function Export({ window: w, most }: { window: { from: string; to: string } | null; most: number }) {
  const [open, setOpen] = useState(false);
  const c = current();
  const at = w ?? { from: String(Math.floor(c.from)), to: String(Math.floor(c.to)) };
  const url = (format: string) => `/api/v1/flows?${recordKeys({ ...view.value, ...at }, zone.value)}&limit=${most}&format=${format}`;
  return (
    <span class="anchor">
      <button type="button" class="button" id="export" data-opens aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        Export <Icon name="down" />
      </button>
      <Popover open={open} onClose={() => setOpen(false)} class="menu right" label="Export">
        <div class="menu-list" role="menu">
          <a role="menuitem" href={url("csv")} download="flows.csv" onClick={() => setOpen(false)}>
            CSV <span class="quiet">up to {fmt.grouped(most)} records</span>
          </a>
          <a role="menuitem" href={url("jsonl")} download="flows.jsonl" onClick={() => setOpen(false)}>
            JSON lines
          </a>
          <button
            type="button"
            role="menuitem"
            onClick={() => {
              setOpen(false);
              void copy(`curl -s '${location.origin}${url("csv").replace(/'/g, "%27")}'`, "curl line");
            }}
          >
            Copy as curl
          </button>
        </div>
      </Popover>
    </span>
  );
}
