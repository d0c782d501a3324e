// Lines and bands drawn over the series.

import { dark } from "../../state/state.ts";
import { layerColour } from "../stack.ts";
import type { Props } from "./props.ts";

/** A line or band over the series: the earlier range as a dashed line, the 4-week range, the highest seconds, counters as a line. */
export interface Extra {
  kind: "before" | "band" | "peak" | "counter";
  side: 1 | -1;
  high: (number | null)[];
  /** Lower edge of a band. */
  low: (number | null)[] | undefined;
  colour: string | undefined;
}

type Points = (number | null)[] | null | undefined;

export function extras(p: Props): Extra[] {
  const out: Extra[] = [];
  const one = (
    side: 1 | -1,
    s: { vs?: { values?: Points; min?: Points; max?: Points }; peaks?: Points; values: (number | null)[] },
    colour: string | undefined,
  ) => {
    if (s.vs?.max && s.vs.min) out.push({ kind: "band", side, high: s.vs.max, low: s.vs.min, colour: undefined });
    if (s.vs?.values) out.push({ kind: "before", side, high: s.vs.values, low: undefined, colour });
    if (s.peaks) out.push({ kind: "peak", side, high: s.peaks, low: s.values, colour });
  };
  if (p.viz === "line") for (const l of p.layers) one(l.side, l.series, layerColour(l, dark.peek()));
  else {
    // A stack shows totals: one edge above zero, for all its directions.
    for (const side of [1, -1] as const) {
      const all = p.result.total.filter((t) => (t.dir === "out") === side < 0);
      if (all.length === 0) continue;
      const add = (get: (t: (typeof all)[number]) => Points) =>
        all.some(get)
          ? p.result.times.map((_, i) => all.reduce<number | null>((a, t) => (get(t)?.[i] == null ? a : (a ?? 0) + get(t)![i]!), null))
          : undefined;
      const vs = all.find((t) => t.vs)?.vs;
      one(
        side,
        {
          values: add((t) => t.values) ?? [],
          peaks: add((t) => t.peaks),
          vs: vs && { values: add((t) => t.vs?.values), min: add((t) => t.vs?.min), max: add((t) => t.vs?.max) },
        },
        undefined,
      );
    }
  }
  if (p.counters)
    for (const [side, high] of [
      [1, p.counters.in],
      [-1, p.counters.out],
    ] as const)
      out.push({ kind: "counter", side, high, low: undefined, colour: undefined });
  return out;
}
