// The table of interfaces, sortable by each column.

import { useState } from "preact/hooks";
import type { Interface } from "../../api/api.ts";
import { SortHead } from "../../parts/sorthead.tsx";
import { Spark } from "../../parts/spark.tsx";
import { follow, go, link } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { linkName } from "../health.ts";
import { down, perSecond, quotient } from "./words.ts";

const pageOf = (i: Interface) => link(`/if/${i.exporter}/${i.index}`, { q: "", by: [], hide: [], sel: "" });

/** The sort keys: the text or number of a row; null is last in both orders. */
const sorts: Record<string, (i: Interface) => string | number | null> = {
  Exporter: (i) => i.name || i.exporter,
  Interface: (i) => linkName(i),
  Speed: (i) => i.speed || null,
  "Errors/s": (i) => errorsOf(i),
  Coverage: (i) => i.in.coverage ?? i.out.coverage,
  ...Object.fromEntries(
    (["in", "out"] as const).flatMap((d) => [
      [`${d} Avg`, (i: Interface) => i[d].avg],
      [`${d} p95`, (i: Interface) => i[d].p95],
      [`${d} Peak`, (i: Interface) => i[d].max],
      [`${d} % p95`, (i: Interface) => i[d].use_p95],
    ]),
  ),
};

/** Errors and discards per second, both directions. */
const errorsOf = (i: Interface) =>
  [i.in, i.out].reduce<number | null>((a, s) => (s.errors === null ? a : (a ?? 0) + s.errors + (s.discards ?? 0)), null);

interface Sort {
  column: string;
  up: boolean;
}

/** Compares two rows; equal rows keep their order. */
export function compareBy({ column, up }: Sort, a: Interface, b: Interface): number {
  const [x, y] = [sorts[column](a), sorts[column](b)];
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  const order = typeof x === "string" ? x.localeCompare(String(y), "en", { numeric: true }) : x - Number(y);
  return up ? order : -order;
}

/** Busiest first; interfaces without a known speed follow by traffic. */
function byUse(a: Interface, b: Interface): number {
  const use = (i: Interface) => Math.max(i.in.use_p95 ?? -1, i.out.use_p95 ?? -1);
  return use(b) - use(a) || Math.max(b.in.p95, b.out.p95) - Math.max(a.in.p95, a.out.p95);
}

/** Rows drawn at first; a click shows all. */
const firstRows = 200;

export function LinkTable({ rows, exporter = false }: { rows: Interface[]; exporter?: boolean }) {
  const [whole, setWhole] = useState(false);
  const [sort, setSort] = useState<Sort | null>(null);
  const sorted = [...rows].sort(byUse);
  if (sort) sorted.sort((a, b) => compareBy(sort, a, b));
  const head = (column: string, title = column, text = false, whole = true) => {
    const on = sort?.column === column;
    // Names start with A, numbers with the largest. A third click restores the original order.
    const next = on ? (sort.up === text ? { column, up: !text } : null) : { column, up: text };
    return (
      <SortHead
        key={column}
        rowSpan={whole ? 2 : undefined}
        class={text ? "text" : ""}
        data-column={column}
        on={on}
        up={sort?.up ?? false}
        onSort={() => setSort(next)}
      >
        {title}
      </SortHead>
    );
  };
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Interfaces, scrollable">
        <table class="data links" id="interfaces">
          <thead>
            <tr>
              {exporter && head("Exporter", "Exporter", true)}
              {head("Interface", "Interface", true)}
              {head("Speed")}
              <th colSpan={5} class="group">
                Received
              </th>
              <th colSpan={5} class="group">
                Sent
              </th>
              {head("Errors/s")}
              {head("Coverage")}
            </tr>
            <tr>
              {["in", "out"].flatMap((d) =>
                ["Avg", "p95", "Peak", "% p95", "Trend"].map((t) =>
                  t === "Trend" ? (
                    <th key={d + t} class="text" data-column={t}>
                      {t}
                    </th>
                  ) : (
                    head(`${d} ${t}`, t, false, false)
                  ),
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, whole ? undefined : firstRows).map((i) => (
              <Row key={`${i.exporter} ${i.index}`} i={i} exporter={exporter} />
            ))}
          </tbody>
        </table>
      </div>
      {!whole && sorted.length > firstRows && (
        <button type="button" class="button" onClick={() => setWhole(true)}>
          Show all {fmt.grouped(sorted.length)}
        </button>
      )}
    </>
  );
}

function Row({ i, exporter }: { i: Interface; exporter: boolean }) {
  const troubles = i.problems;
  const to = pageOf(i);
  const errors = errorsOf(i);
  return (
    <>
      <tr class="link-row" data-link={`${i.exporter}#${i.index}`} onClick={(e) => (e.target as Element).closest("a") || go(to)}>
        {exporter && (
          <td class="text">
            <a href={"/exporters/" + i.exporter} onClick={follow}>
              {i.name || i.exporter}
            </a>
          </td>
        )}
        <td class="text">
          <a href={to} onClick={follow}>
            <b>{linkName(i)}</b>
          </a>{" "}
          <small class="quiet">
            {i.description} {down(i)}
          </small>
        </td>
        <td>{i.speed ? fmt.value(i.speed, "bps") : "–"}</td>
        {[i.in, i.out].flatMap((s, k) => [
          <td key={`a${k}`}>{fmt.value(s.avg, "bps")}</td>,
          <td key={`p${k}`}>{fmt.value(s.p95, "bps")}</td>,
          <td key={`m${k}`}>{fmt.value(s.max, "bps")}</td>,
          <td key={`u${k}`} class={`use ${s.use_level}`}>
            {fmt.share(s.use_p95)}
          </td>,
          <td key={`c${k}`} class="text course">
            <Spark values={s.course} width={64} />
          </td>,
        ])}
        <td class={errors ? "warn" : ""} title="Errors and discards, both directions">
          {errors === null ? "–" : perSecond(errors)}
        </td>
        <td class={troubles.some((t) => t.level === "warn") ? "warn" : ""} title="Flow bytes ÷ counter bytes: received, sent">
          {[i.in, i.out].some((s) => s.coverage !== null) ? [i.in, i.out].map((s) => quotient(s.coverage)).join(" / ") : "–"}
        </td>
      </tr>
      {troubles.map((t) => (
        <tr key={t.what} class="trouble">
          <td colSpan={exporter ? 15 : 14} class="text">
            <b class={t.level}>{fmt.capital(t.what)}.</b> {t.remedy}
          </td>
        </tr>
      ))}
    </>
  );
}
