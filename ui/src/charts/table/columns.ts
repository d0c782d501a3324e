// The columns of the table, and the order of its rows.

import type { QueryResult } from "../../api/api.ts";
import * as fmt from "../../text/format.ts";
import { duration } from "../../text/time.ts";
import { type Layer, score } from "../stack.ts";

export type ColumnID = "dir" | "peak" | "change" | "last" | "avg" | "max" | "total" | "share" | "error";

export interface Column {
  id: ColumnID;
  title: string;
  help: string;
  class?: string;
}

export interface Sort {
  column: ColumnID;
  up: boolean;
}

/** The columns that only some results have. */
export interface Has {
  peak: boolean;
  change: boolean;
}

export function columnsOf(result: QueryResult): Column[] {
  const { unit, step } = result;
  const over = duration(step) + (fmt.isRate(unit) ? " average" : " sum");
  const columns: (Column | false)[] = [
    result.dirs.length > 1 && { id: "dir", title: "Dir", help: "Direction at the network border", class: "text" },
    { id: "last", title: "Last", help: `Last complete ${duration(step)} interval`, class: "wide" },
    { id: "avg", title: "Avg", help: "Mean over the range" },
    { id: "max", title: "Max", help: `Highest ${over}`, class: "wide" },
    result.series.some((s) => s.peak !== undefined && s.peaks) && {
      id: "peak",
      title: "Peak 1 s",
      help: "Highest second",
      class: "wide",
    },
    { id: "total", title: "Total", help: "Sum over the range, scaled by the sampling rate", class: "wide" },
    { id: "share", title: "Share", help: "Share of the total of its direction" },
    !!result.vs && { id: "change", title: "Δ", help: `Change of the average against ${beforeWords(result)}` },
    { id: "error", title: "± Error", help: "Error from sampling alone with 95% confidence: 196/√n %, n sampled packets", class: "wide" },
  ];
  return columns.filter((c) => c !== false);
}

function beforeWords(r: QueryResult): string {
  const shifts = r.vs?.shifts ?? [];
  return shifts.length > 1 ? "the median of four weeks" : shifts.length === 1 ? `${duration(shifts[0])} earlier` : "before";
}

/** The position of combined rows: larger groups at the top, the others at the end. */
const end = ({ series: s }: Layer) => (s.larger ? -1 : s.other ? 1 : 0);

/** The order after a click on a column head: a second click reverses it, a third restores the server's order. */
export function sortedBy(sort: Sort | null, column: ColumnID): Sort | null {
  const first = column === "dir";
  if (sort?.column !== column) return { column, up: first };
  return sort.up === first ? { column, up: !first } : null;
}

/** Sorts the rows by a column. */
function byColumn(layers: Layer[], { column, up }: Sort): Layer[] {
  const rank = ({ series: s }: Layer): number | string =>
    column === "dir" ? s.dir : column === "change" ? (s.vs?.delta ?? 0) : (s[column] ?? -1);
  return [...layers].sort((a, b) => {
    const x = rank(a);
    const y = rank(b);
    return end(a) - end(b) || (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
  });
}

/** Sorts the rows as ranked by the server: directions of a group adjacent, Other at the end. */
function asRanked(layers: Layer[], statistic: string, { unit, meta }: QueryResult): Layer[] {
  const place = new Map<string, number>();
  const of = (l: Layer) => score(l.series, statistic, unit, meta.partial);
  for (const l of layers) place.set(l.id, Math.max(place.get(l.id) ?? 0, of(l)));
  return [...layers].sort((a, b) => end(a) - end(b) || (a.id === b.id ? of(b) - of(a) : place.get(b.id)! - place.get(a.id)!));
}

export const ordered = (layers: Layer[], sort: Sort | null, statistic: string, result: QueryResult) =>
  sort ? byColumn(layers, sort) : asRanked(layers, statistic, result);
