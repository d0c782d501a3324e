// The layers of a chart: order, side, colour, and the edges of the stack. Pure; the canvas is in chart.tsx.

import type { Dir, LinkCourse, QueryResult, Series } from "../api/api.ts";
import { assign, grey, greyLarger, palette } from "./colour.ts";

/** One series on the chart. */
export interface Layer {
  /** The id in the URL key `hide` and for highlighting: the same group in both directions. */
  id: string;
  series: Series;
  /** 1 is drawn above zero, -1 mirrored below. */
  side: 1 | -1;
  /** Index into the palette; -1 for Other, -2 for what is larger than the groups shown. */
  colour: number;
  /** The values; null where not known yet. */
  values: (number | null)[];
}

/** The visualisation that is drawn: shares of different speeds do not add up, so they are not stacked. */
export const drawnAs = (viz: string, unit: string) => (unit === "pct" && viz.startsWith("stack") ? "line" : viz);

export const otherID = "other";
export const largerID = "larger";

/** The identity of a series' group. */
export function seriesID(s: Series): string {
  if (s.other) return s.larger ? largerID : otherID;
  return s.key.length ? s.key.join("|") : "total-" + s.dir;
}

const dirOrder: Dir[] = ["sum", "in", "internal", "transit", "unknown", "out"];

/** The series in drawing order: by direction, then by the server's rank, Other last and therefore outermost. */
export function layers(r: QueryResult): Layer[] {
  const colours = colour(r.series.filter((s) => !s.other));
  const until = r.meta.through > 0 && r.to > r.meta.through ? r.meta.through : Infinity;
  const known = (v: number | null, i: number) => (r.times[i] > until ? null : v);
  return r.series
    .map((series): Layer => {
      const id = seriesID(series);
      return {
        id,
        series,
        side: series.dir === "out" ? -1 : 1,
        colour: series.larger ? -2 : series.other ? -1 : (colours.get(id) ?? 0),
        values: series.values.map(known),
      };
    })
    .sort((a, b) => dirOrder.indexOf(a.series.dir) - dirOrder.indexOf(b.series.dir) || Number(a.series.other) - Number(b.series.other));
}

/** Colours of groups during this visit. Bounded: cleared after many groups. */
const remembered = new Map<string, number>();
const maxRemembered = 2000;

/** Assigns colours, the largest group first. */
function colour(series: Series[]): Map<string, number> {
  const size = new Map<string, number>();
  for (const s of series) size.set(seriesID(s), Math.max(size.get(seriesID(s)) ?? 0, s.total));
  if (remembered.size > maxRemembered) remembered.clear();
  return assign(
    [...size.keys()].sort((a, b) => (size.get(b) ?? 0) - (size.get(a) ?? 0)),
    remembered,
  );
}

/**
 * The outer edge of every layer, in the order of the layers: each side grows away from zero. In percent, each side's
 * sum is 100. Unknown values stay unknown.
 */
export function edges(list: Pick<Layer, "side" | "values">[], length: number, percent: boolean): (number | null)[][] {
  const sums = { 1: new Float64Array(length), [-1]: new Float64Array(length) };
  if (percent) for (const l of list) for (let i = 0; i < length; i++) sums[l.side][i] += l.values[i] ?? 0;
  const base = { 1: new Float64Array(length), [-1]: new Float64Array(length) };
  return list.map((l) => {
    const out = new Array<number | null>(length);
    const b = base[l.side];
    for (let i = 0; i < length; i++) {
      const v = l.values[i];
      if (v === null || v === undefined) {
        out[i] = null;
        continue;
      }
      b[i] += percent ? (sums[l.side][i] > 0 ? (100 * v) / sums[l.side][i] : 0) : v;
      out[i] = l.side * b[i];
    }
    return out;
  });
}

/** Combines two results of the same range: received above zero, sent mirrored below. */
export function bothWays(received: QueryResult, sent: QueryResult): QueryResult {
  const all = [received, sent].map((r, i) => {
    const dir: Dir = i === 0 ? "in" : "out";
    return { series: r.series.map((s) => ({ ...s, dir })), total: r.total.map((t) => ({ ...t, dir })) };
  });
  const meta = {
    ...received.meta,
    through: Math.max(received.meta.through, sent.meta.through),
    rows: received.meta.rows + sent.meta.rows,
    ms: Math.max(received.meta.ms, sent.meta.ms),
  };
  // One may have an interval more; only common intervals are drawn.
  const n = Math.min(received.times.length, sent.times.length);
  return {
    ...received,
    times: received.times.slice(0, n),
    dirs: all.flatMap((r) => r.total.map((t) => t.dir)),
    series: all.flatMap((r) => r.series),
    total: all.flatMap((r) => r.total),
    other: received.other + sent.other,
    meta,
  };
}

/** The counters of an interface in the intervals of another result; null where the intervals differ. */
export function alongside(times: number[], c: LinkCourse): { in: (number | null)[]; out: (number | null)[] } | undefined {
  const { counters } = c;
  if (!counters) return undefined;
  const at = new Map(c.times.map((t, i) => [t, i]));
  const side = (list: (number | null)[]) => times.map((t) => list[at.get(t) ?? -1] ?? null);
  return { in: side(counters.in), out: side(counters.out) };
}

export interface Stats {
  avg: number;
  max: number;
  last: number;
  total: number;
}

/** The sum of a set of layers; incomplete first and last intervals do not count for max and last. */
export function sum(list: Layer[], partial: { first: boolean; last: boolean }): Stats {
  const length = list[0]?.values.length ?? 0;
  let max = 0;
  let last = 0;
  const [lo, hi] = wholeBuckets(length, partial);
  for (let i = lo; i < hi; i++) {
    let v = 0;
    for (const l of list) v += l.values[i] ?? 0;
    if (v > max) max = v;
    last = v;
  }
  return { avg: list.reduce((a, l) => a + l.series.avg, 0), max, last, total: list.reduce((a, l) => a + l.series.total, 0) };
}

/** The rank statistic of a series, as computed by the server. */
export function score(s: Series, rank: string, unit: string, partial: { first: boolean; last: boolean }): number {
  switch (rank) {
    case "max":
    case "last":
      return s[rank];
    case "delta":
      return Math.abs(s.vs?.delta ?? 0);
    case "p95": {
      const [lo, hi] = wholeBuckets(s.values.length, partial);
      const list = s.values
        .slice(lo, hi)
        .map((v) => v ?? 0)
        .sort((a, b) => a - b);
      return list[list.length - 1 - Math.floor((list.length * 5) / 100)] ?? 0;
    }
  }
  return unit === "pct" ? s.avg : s.total;
}

/** The complete intervals of the range, from and before; all if none is complete. */
function wholeBuckets(length: number, partial: { first: boolean; last: boolean }): [number, number] {
  const [lo, hi] = [partial.first ? 1 : 0, partial.last ? length - 1 : length];
  return lo < hi ? [lo, hi] : [0, length];
}

/** The index of the interval that contains a time; -1 before the first. */
export function bucket(times: number[], t: number): number {
  let lo = 0;
  let hi = times.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (times[mid] <= t) lo = mid + 1;
    else hi = mid;
  }
  return lo - 1;
}

/** The colour of a layer, in the light or dark theme. */
export function layerColour(l: Pick<Layer, "colour">, isDark: boolean): string {
  if (l.colour >= 0) return palette[l.colour];
  return (l.colour < -1 ? greyLarger : grey)[isDark ? "dark" : "light"];
}

/** The direction above zero that is drawn without stripes: "in", or the first one. */
export const solidDir = (dirs: readonly string[]) => (dirs.includes("in") ? "in" : dirs.find((d) => d !== "out"));

/** The name of a layer. */
export function seriesName(l: Pick<Layer, "series">): string {
  const s = l.series;
  return s.larger ? "Larger" : s.other ? "Other" : s.label.length ? s.label.join(" · ") : `Total ${s.dir === "sum" ? "" : s.dir}`.trim();
}

/** The symbols of directions. */
export const arrows: Record<string, string> = { in: "↓", out: "↑", internal: "↻", transit: "→", unknown: "?", sum: "Σ" };
