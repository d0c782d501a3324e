// The table under the chart: its legend, its numbers and its text alternative in one. Every value opens a menu.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, type QueryResult, type Series, type Versus } from "../api/api.ts";
import { SortHead } from "../parts/sorthead.tsx";
import { Spark } from "../parts/spark.tsx";
import { Popover } from "../parts/ui.tsx";
import { filterBy, groupBy, oneOf, ValueButton } from "../parts/valuemenu.tsx";
import { dark, highlight, path, say, show, termTitle, view, zone } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { duration } from "../text/time.ts";
import { isTime, maxSeries, maxSkip, request } from "../text/url.ts";
import { arrows, type Layer, layerColour, score, seriesName, solidDir, sum } from "./stack.ts";

interface Props {
  result: QueryResult;
  /** The statistic that its groups were ranked by. */
  rank: string;
  /** All series, hidden ones too. */
  layers: Layer[];
  hidden: ReadonlySet<string>;
  onIsolate: (id: string) => void;
  onToggle: (id: string) => void;
}

type Column = "dir" | "peak" | "change" | "last" | "avg" | "max" | "total" | "share" | "error";

/** What is folded stands where it belongs: the larger groups at the top, the others at the end. */
const end = ({ series: s }: Layer) => (s.larger ? -1 : s.other ? 1 : 0);

export function ResultTable({ result, rank: statistic, layers, hidden, onIsolate, onToggle }: Props) {
  const [sort, setSort] = useState<{ column: Column; up: boolean } | null>(null);
  const [wide, setWide] = useState(false);
  const body = useRef<HTMLTableSectionElement>(null);
  const { unit, by, step } = result;
  const isDark = dark.value;
  const base = `${duration(step)} averages`;
  const over = fmt.isRate(unit) ? base : `${duration(step)} buckets`;

  const oneWay = result.dirs.length < 2;
  const columns: { id: Column; title: string; help: string; class?: string }[] = [
    { id: "dir", title: "Dir", help: "Direction as the network sees it", class: "text" },
    { id: "last", title: "Last", help: `The last whole bucket of ${duration(step)}`, class: "wide" },
    { id: "avg", title: "Avg", help: "Mean over the range" },
    { id: "max", title: "Max", help: `Largest of the ${over}`, class: "wide" },
    { id: "total", title: "Total", help: "Sum over the range, scaled by the sampling rate", class: "wide" },
    { id: "share", title: "Share", help: "Part of the total of its direction" },
    { id: "error", title: "± Error", help: "95 % error that sampling alone explains: 196/√n %, n the sampled packets", class: "wide" },
  ];
  if (result.series.some((s) => s.peak !== undefined && s.peaks))
    columns.splice(4, 0, { id: "peak", title: "Peak 1 s", help: "The largest second", class: "wide" });
  if (result.vs)
    columns.splice(
      columns.findIndex((c) => c.id === "error"),
      0,
      { id: "change", title: "Δ", help: `The average, set against ${beforeWords(result)}` },
    );
  if (oneWay) columns.shift();
  const has = { peak: columns.some((c) => c.id === "peak"), change: columns.some((c) => c.id === "change") };

  const rank = (l: Layer): number | string => {
    const s = l.series;
    const c = sort?.column;
    if (c === "dir") return s.dir;
    if (c === "change") return s.vs?.delta ?? 0;
    return c ? (s[c] ?? -1) : 0;
  };
  const rows = [...layers];
  if (sort) {
    rows.sort((a, b) => {
      const x = rank(a);
      const y = rank(b);
      return end(a) - end(b) || (x < y ? -1 : x > y ? 1 : 0) * (sort.up ? 1 : -1);
    });
  } else {
    // As the server ranked them: the directions of a group side by side, Other at the end.
    const place = new Map<string, number>();
    const of = (l: Layer) => score(l.series, statistic, unit, result.meta.partial);
    for (const l of layers) place.set(l.id, Math.max(place.get(l.id) ?? 0, of(l)));
    rows.sort((a, b) => end(a) - end(b) || (a.id === b.id ? of(b) - of(a) : place.get(b.id)! - place.get(a.id)!));
  }

  const top = new Map<string, number>();
  for (const l of layers) top.set(l.series.dir, Math.max(top.get(l.series.dir) ?? 0, l.series.max));
  const visible = layers.filter((l) => !hidden.has(l.id));

  // A row that the keyboard chose is looked for by the keys j, k, +, _ and Enter.
  useEffect(() => {
    const step = (e: Event) => {
      const { key } = (e as CustomEvent<{ key: string }>).detail;
      const trs = [...(body.current?.querySelectorAll<HTMLTableRowElement>("tr") ?? [])];
      const at = trs.findIndex((t) => t.contains(document.activeElement));
      if (key === "j" || key === "k") {
        const next = trs[Math.max(0, Math.min(trs.length - 1, at + (key === "j" ? 1 : -1)))];
        next?.querySelector<HTMLElement>("button.value, button.swatch-button")?.focus();
      } else if (at >= 0 && by[0] && !rows[at].series.other) {
        filterBy(oneOf(rows[at].series, by, 0), key === "_" ? "exclude" : "only");
      }
    };
    addEventListener("netmeta:row", step);
    return () => removeEventListener("netmeta:row", step);
  });

  const sortBy = (c: Column) =>
    setSort(!sort || sort.column !== c ? { column: c, up: c === "dir" } : sort.up === (c === "dir") ? { column: c, up: !sort.up } : null);

  return (
    <div class={`result ${wide ? "all-columns" : ""}`}>
      <div class="table-scroll">
        <table class="data" id="table">
          <caption class="offscreen">
            {by.length ? `Traffic by ${by.map(termTitle).join(", ")}` : "Traffic"} in {fmt.unitSuffix(unit)}
          </caption>
          <thead>
            <tr>
              <th class="swatch-cell">
                <span class="offscreen">Colour</span>
              </th>
              {by.map((term) => (
                <th key={term} class="text key" scope="col">
                  {termTitle(term)}
                </th>
              ))}
              {by.length === 0 && (
                <th class="text key" scope="col">
                  Series
                </th>
              )}
              {columns.map((c) => (
                <SortHead
                  key={c.id}
                  class={c.class}
                  on={sort?.column === c.id}
                  up={sort?.up ?? false}
                  help={c.help}
                  onSort={() => sortBy(c.id)}
                >
                  {c.title}
                </SortHead>
              ))}
              <th class="spark-cell wide">
                <span class="offscreen">Course</span>
              </th>
            </tr>
          </thead>
          <tbody ref={body}>
            {rows.map((l, i) => (
              <Row
                key={l.id + l.series.dir}
                l={l}
                again={i > 0 && rows[i - 1].id === l.id}
                oneWay={oneWay}
                has={has}
                result={result}
                off={hidden.has(l.id)}
                max={top.get(l.series.dir) ?? 0}
                isDark={isDark}
                onPick={(ctrl) => (ctrl ? onToggle(l.id) : onIsolate(l.id))}
              />
            ))}
          </tbody>
          <tfoot>
            {hidden.size > 0 &&
              result.total.map((t) => {
                const s = sum(
                  visible.filter((l) => l.series.dir === t.dir),
                  result.meta.partial,
                );
                return (
                  <TotalRow
                    key={"shown" + t.dir}
                    name="Shown"
                    dir={t.dir}
                    stats={s}
                    share={t.total > 0 ? s.total / t.total : 0}
                    result={result}
                    has={has}
                  />
                );
              })}
            {by.length > 0 &&
              result.total.map((t) => <TotalRow key={t.dir} name="Total" dir={t.dir} stats={t} share={1} result={result} has={has} />)}
          </tfoot>
        </table>
      </div>
      <button type="button" class="button more-columns" onClick={() => setWide(!wide)}>
        {wide ? "Fewer columns" : "All columns"}
      </button>
    </div>
  );
}

interface Has {
  peak: boolean;
  change: boolean;
}

function Row({
  l,
  again,
  oneWay,
  has,
  result,
  off,
  max,
  isDark,
  onPick,
}: {
  l: Layer;
  again: boolean;
  oneWay: boolean;
  has: Has;
  result: QueryResult;
  off: boolean;
  max: number;
  isDark: boolean;
  onPick: (ctrl: boolean) => void;
}) {
  const s = l.series;
  const { unit, by } = result;
  const colour = layerColour(l, isDark);
  const name = seriesName(l);
  const more = s.folded ?? result.other;
  return (
    <tr
      class={`${off ? "off" : ""} ${highlight.value === l.id ? "on" : ""} ${s.other ? "other" : ""} ${again ? "again" : ""}`}
      data-series={l.id}
      data-dir={s.dir}
      onPointerEnter={() => (highlight.value = l.id)}
      onPointerLeave={() => (highlight.value = null)}
    >
      <td class="swatch-cell">
        <button
          type="button"
          class={`swatch-button dir-${solidDir(result.dirs) === s.dir ? "solid" : s.dir}`}
          style={{ "--swatch": colour }}
          aria-pressed={!off}
          aria-label={`Show only ${name}`}
          title="Click: only this one. Ctrl+click: switch it on or off"
          onClick={(e) => onPick(e.ctrlKey || e.metaKey)}
        />
      </td>
      {s.other ? (
        <td class="text key" colSpan={Math.max(1, by.length)}>
          <Folded s={s} result={result} name={name} count={more > 0 ? `(${fmt.grouped(more)}${s.larger ? "" : " more"})` : ""} />
        </td>
      ) : (
        by.map((term, i) => (
          <td key={term} class="text key">
            <ValueButton value={oneOf(s, by, i)} />
          </td>
        ))
      )}
      {by.length === 0 && !s.other && <td class="text key">All traffic</td>}
      {!oneWay && (
        <td class="text dir">
          <button
            type="button"
            class="value"
            title={`Only ${s.dir}`}
            onClick={() => show({ dir: view.value.dir === s.dir ? "both" : s.dir })}
          >
            <span aria-hidden="true">{arrows[s.dir] ?? ""}</span>
            <span class="dir-name"> {s.dir}</span>
          </button>
        </td>
      )}
      <Cell v={s.last} unit={unit} wide />
      <Cell v={s.avg} unit={unit} />
      <Cell v={s.max} unit={unit} wide />
      {has.peak && <Cell v={s.peak ?? 0} unit={unit} wide />}
      <Cell v={s.total} unit={fmt.totalUnit(unit)} wide exact />
      <td class="share">
        <data value={s.share}>{fmt.share(s.share)}</data>
        <i class="bar" style={{ width: Math.max(0, Math.min(100, (s.share ?? 0) * 100)) + "%", background: colour }} />
      </td>
      {has.change && <Change vs={s.vs} unit={unit} />}
      <td class={`wide ${s.error !== null && s.error > 0.36 ? "weak" : "quiet"}`}>{fmt.error(s.error)}</td>
      <td class="spark-cell wide">
        <Spark values={l.values} colour={colour} max={max} />
      </td>
    </tr>
  );
}

const waitMS = 30_000;

/** Several groups as one: a menu goes on to those behind, or back, or groups what is in it by something else. */
function Folded({ s, result, name, count }: { s: Series; result: QueryResult; name: string; count: string }) {
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  const { skip, n } = view.value;
  const to = (skip: number) => () => {
    setAt(null);
    show({ skip, hide: [] });
  };
  const further = !s.larger && count !== "" && skip + n <= maxSkip;
  // What is in it is all but the groups that are named. Of those that were skipped the names are asked for.
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
                {skip > n ? `The ${n} before` : "Back to the largest"}
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

function Cell({ v, unit, wide, exact }: { v: number; unit: string; wide?: boolean; exact?: boolean }) {
  return (
    <td
      class={wide ? "wide" : undefined}
      title={v !== null && v !== undefined ? `${fmt.grouped(Math.round(v))} ${exact ? unit : fmt.unitSuffix(unit)}` : undefined}
    >
      <data value={v}>{fmt.value(v, unit)}</data>
    </td>
  );
}

/** By how much the average differs from then. */
function Change({ vs, unit }: { vs: Versus | null | undefined; unit: string }) {
  if (!vs) return <td />;
  const sign = vs.delta < 0 ? "−" : "+";
  return (
    <td class="change" title={`${sign}${fmt.value(vs.delta, unit)}: ${fmt.value(vs.avg, unit)} before`}>
      {vs.change === null
        ? vs.delta > 0
          ? "new"
          : "–"
        : Math.abs(vs.change) >= 10
          ? `${sign}${fmt.value(vs.delta, unit)}`
          : `${sign}${fmt.fixed(Math.abs(vs.change) * 100, 0)} %`}
    </td>
  );
}

function beforeWords(r: QueryResult): string {
  const shifts = r.vs?.shifts ?? [];
  return shifts.length > 1 ? "the median of four weeks" : shifts.length === 1 ? `${duration(shifts[0])} earlier` : "before";
}

function TotalRow({
  name,
  dir,
  stats,
  share,
  result,
  has,
}: {
  name: string;
  dir: string;
  stats: { avg: number; max: number; last: number; total: number; peak?: number; vs?: Versus | null };
  share: number;
  result: QueryResult;
  has: Has;
}) {
  const { unit, by } = result;
  return (
    <tr class="total" data-total={name.toLowerCase()} data-dir={dir}>
      <td class="swatch-cell" />
      <th class="text key" scope="row" colSpan={Math.max(1, by.length)}>
        {name}
      </th>
      {result.dirs.length > 1 && (
        <td class="text dir">
          <span aria-hidden="true">{arrows[dir] ?? ""}</span>
          <span class="dir-name"> {dir}</span>
        </td>
      )}
      <Cell v={stats.last} unit={unit} wide />
      <Cell v={stats.avg} unit={unit} />
      <Cell v={stats.max} unit={unit} wide />
      {has.peak && (stats.peak === undefined ? <td class="wide" /> : <Cell v={stats.peak} unit={unit} wide />)}
      <Cell v={stats.total} unit={fmt.totalUnit(unit)} wide exact />
      <td>
        <data value={share}>{fmt.share(share)}</data>
      </td>
      {has.change && <Change vs={stats.vs} unit={unit} />}
      <td class="wide" />
      <td class="wide spark-cell" />
    </tr>
  );
}
