// The table below the chart: legend, numbers and text alternative. Every value opens a menu.

import { useRef, useState } from "preact/hooks";
import type { QueryResult } from "../../api/api.ts";
import { SortHead } from "../../parts/sorthead.tsx";
import { dark, termTitle } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { type Layer, sum } from "../stack.ts";
import { type Column, columnsOf, type Has, ordered, type Sort, sortedBy } from "./columns.ts";
import { Row, TotalRow } from "./row.tsx";
import { useRowKeys } from "./rowkeys.ts";

interface Props {
  result: QueryResult;
  /** The statistic that ranks the groups. */
  rank: string;
  /** All series, including hidden ones. */
  layers: Layer[];
  hidden: ReadonlySet<string>;
  onIsolate: (id: string) => void;
  onToggle: (id: string) => void;
}

export function ResultTable({ result, rank, layers, hidden, onIsolate, onToggle }: Props) {
  const [sort, setSort] = useState<Sort | null>(null);
  const [wide, setWide] = useState(false);
  const body = useRef<HTMLTableSectionElement>(null);
  const { unit, by } = result;
  const columns = columnsOf(result);
  const has = { peak: columns.some((c) => c.id === "peak"), change: columns.some((c) => c.id === "change") };
  const rows = ordered(layers, sort, rank, result);
  const top = new Map<string, number>();
  for (const l of layers) top.set(l.series.dir, Math.max(top.get(l.series.dir) ?? 0, l.series.max));
  useRowKeys(body, rows, by);
  return (
    <div class={`result ${wide ? "all-columns" : ""}`}>
      <div class="table-scroll">
        <table class="data" id="table">
          <caption class="offscreen">
            {by.length ? `Traffic by ${by.map(termTitle).join(", ")}` : "Traffic"} in {fmt.unitSuffix(unit)}
          </caption>
          <Head by={by} columns={columns} sort={sort} onSort={setSort} />
          <tbody ref={body}>
            {rows.map((l, i) => (
              <Row
                key={l.id + l.series.dir}
                l={l}
                again={i > 0 && rows[i - 1].id === l.id}
                oneWay={result.dirs.length < 2}
                has={has}
                result={result}
                off={hidden.has(l.id)}
                max={top.get(l.series.dir) ?? 0}
                isDark={dark.value}
                onPick={(ctrl) => (ctrl ? onToggle(l.id) : onIsolate(l.id))}
              />
            ))}
          </tbody>
          <Foot result={result} layers={layers} hidden={hidden} has={has} />
        </table>
      </div>
      <button type="button" class="button more-columns" onClick={() => setWide(!wide)}>
        {wide ? "Fewer columns" : "All columns"}
      </button>
    </div>
  );
}

function Head({ by, columns, sort, onSort }: { by: string[]; columns: Column[]; sort: Sort | null; onSort: (sort: Sort | null) => void }) {
  return (
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
            onSort={() => onSort(sortedBy(sort, c.id))}
          >
            {c.title}
          </SortHead>
        ))}
        <th class="spark-cell wide">
          <span class="offscreen">Trend</span>
        </th>
      </tr>
    </thead>
  );
}

/** The totals of each direction, and of the visible groups while some are hidden. */
function Foot({ result, layers, hidden, has }: { result: QueryResult; layers: Layer[]; hidden: ReadonlySet<string>; has: Has }) {
  const shown = (dir: string) =>
    sum(
      layers.filter((l) => !hidden.has(l.id) && l.series.dir === dir),
      result.meta.partial,
    );
  return (
    <tfoot>
      {hidden.size > 0 &&
        result.total.map((t) => {
          const s = shown(t.dir);
          const share = t.total > 0 ? s.total / t.total : 0;
          return <TotalRow key={"shown" + t.dir} name="Shown" dir={t.dir} stats={s} share={share} result={result} has={has} />;
        })}
      {result.by.length > 0 &&
        result.total.map((t) => <TotalRow key={t.dir} name="Total" dir={t.dir} stats={t} share={1} result={result} has={has} />)}
    </tfoot>
  );
}
