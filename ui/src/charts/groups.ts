// The groups of a chart without a time axis, each with its average in and out. Pure.

import type { Dir, QueryResult } from "../api/api.ts";
import { isTime, timeLength } from "../text/url.ts";
import type { Layer } from "./stack.ts";

export interface Group {
  layer: Layer;
  /** Averages above and below zero, and of the earlier range. */
  up: number;
  down: number;
  before: number | undefined;
}

/** The groups by size, Other last. */
export function groups(list: Layer[]): Group[] {
  const out = new Map<string, Group>();
  for (const l of list) {
    const g = out.get(l.id) ?? { layer: l, up: 0, down: 0, before: undefined };
    if (l.side > 0) g.up += l.series.avg;
    else g.down += l.series.avg;
    if (l.series.vs) g.before = (g.before ?? 0) + l.series.vs.avg;
    out.set(l.id, g);
  }
  return [...out.values()].sort((a, b) => Number(a.layer.series.other) - Number(b.layer.series.other) || b.up + b.down - a.up - a.down);
}

/** The values of a group over time, summed over its directions. */
export function course(list: Layer[], id: string): (number | null)[] {
  const own = list.filter((l) => l.id === id);
  return (own[0]?.values ?? []).map((_, i) =>
    own.reduce<number | null>((a, l) => (l.values[i] === null ? a : (a ?? 0) + (l.values[i] ?? 0)), null),
  );
}

/** A row of the heat map: a group, and its cells from left to right. */
export interface Lane {
  group: Group;
  /** The second at its left end. */
  base: number;
  cells: { from: number; to: number; value: number | null }[];
}

/**
 * The rows of the heat map and its width in seconds. If grouped by time alone, each row starts at its own time and rows are in order of
 * time, so that days below days show the daily trend.
 */
export function lanes(r: QueryResult, list: Layer[]): { lanes: Lane[]; span: number; apart: boolean } {
  // Other would dominate the scale.
  const all = groups(list).filter((g) => !g.layer.series.other);
  const apart = r.by.length === 1 && isTime(r.by[0]);
  const end = (i: number) => r.times[i + 1] ?? r.times[i] + r.step;
  const rows = all.map((group): Lane => {
    const [from, to] = (apart && group.layer.series.time) || [r.from, r.to];
    const base = apart ? Date.parse(group.layer.series.key[0]) / 1000 : r.from;
    const cells = course(list, group.layer.id)
      .map((value, i) => ({ from: Math.max(from, r.times[i]), to: Math.min(to, end(i)), value }))
      .filter((c) => c.from < c.to);
    return { group, base, cells };
  });
  if (apart) rows.sort((a, b) => a.base - b.base);
  const span = apart ? Math.max(timeLength(r.by[0]), ...rows.flatMap((l) => l.cells.map((c) => c.to - l.base))) : r.to - r.from;
  return { lanes: rows, span: span || 1, apart };
}

export interface Flow {
  nodes: {
    id: string;
    column: number;
    key: string;
    label: string;
    filter: string | undefined;
    time?: [number, number] | null;
    other: boolean;
    value: number;
  }[];
  links: { source: string; target: string; value: number }[];
}

export const otherLabel = "Other";

/** Converts series to a sankey: a node for each value of each field, a link for each pair of adjacent values. */
export function flow(r: QueryResult, dirs: ReadonlySet<Dir>): Flow {
  const nodes = new Map<string, Flow["nodes"][number]>();
  const links = new Map<string, Flow["links"][number]>();
  for (const s of r.series) {
    if (!dirs.has(s.dir) || !(s.avg > 0)) continue;
    let last = "";
    r.by.forEach((term, column) => {
      const key = s.other ? "" : s.key[column];
      const id = `${column}|${s.other ? "\u0000" : key}`;
      const n = nodes.get(id) ?? {
        id,
        column,
        key,
        label: s.other ? otherLabel : s.label[column] || key || "(empty)",
        filter: s.filter?.[column],
        time: isTime(term) ? s.time : null,
        other: s.other,
        value: 0,
      };
      n.value += s.avg;
      nodes.set(id, n);
      if (last) {
        const k = last + "\n" + id;
        const l = links.get(k) ?? { source: last, target: id, value: 0 };
        l.value += s.avg;
        links.set(k, l);
      }
      last = id;
    });
  }
  return { nodes: [...nodes.values()], links: [...links.values()] };
}
