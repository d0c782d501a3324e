// The chart by keyboard: arrow keys go from bucket to bucket, and what stands there is said.

import type uPlot from "uplot";
import * as fmt from "../../text/format.ts";
import { clock } from "../../text/time.ts";
import type { Hover, Props } from "./props.ts";

const jumps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

/** Where a key leads from `at`, undefined for keys that are not of the chart. */
export function step(e: KeyboardEvent, at: number | undefined, length: number): number | undefined {
  const jump = jumps[e.key];
  if (jump === undefined || length === 0 || e.ctrlKey || e.metaKey || e.altKey) return undefined;
  return Math.max(0, Math.min(length - 1, (at ?? (jump > 0 ? -1 : length)) + jump));
}

/** Puts the cursor on a bucket, in the middle of what is shown of it. */
export function point(u: uPlot, { result }: Props, index: number): Hover {
  const left = u.valToPos(Math.max(result.from, result.times[index]) + result.step / 2, "x");
  u.setCursor({ left: Math.max(0, Math.min(left, u.over.clientWidth - 1)), top: -1 }, false);
  return { index, left, top: 0 };
}

/** A bucket in words. */
export const words = ({ result }: Props, index: number, tz: string) =>
  `${clock(result.times[index], tz)}: ${result.total.map((t) => `${t.dir} ${fmt.value(t.values[index], result.unit)}`).join(", ")}`;
