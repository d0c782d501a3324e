// The columns of a plot.

import type uPlot from "uplot";
import type { QueryResult } from "../../api/api.ts";
import type { Layer } from "../stack.ts";

/** The columns for uPlot: the times, and the edges or values of each layer in drawing order. */
export function columns({ times, step, from, to }: QueryResult, order: number[], values: (number | null)[][]): uPlot.AlignedData {
  if (times.length === 0) return [[from, to], ...order.map(() => [null, null])];
  // One point more than intervals, because the last interval has a width too.
  const x = [...times, times[times.length - 1] + step];
  return [x, ...order.map((i) => [...values[i], values[i][values[i].length - 1] ?? null])];
}

/** The largest edge of the layers of a side. */
export function reachOf(layers: Layer[], edges: (number | null)[][], side: 1 | -1): number {
  let top = 0;
  for (const [i, l] of layers.entries()) if (l.side === side) for (const v of edges[i]) top = Math.max(top, Math.abs(v ?? 0));
  return top;
}
