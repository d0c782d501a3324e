// Keyboard control of the chart: arrow keys move between intervals, and the values are announced.

import type uPlot from "uplot";
import * as fmt from "../../text/format.ts";
import { clock } from "../../text/time.ts";
import type { Hover, Props } from "./props.ts";

const jumps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

/** The interval that a key selects from `at`; undefined for other keys. */
export function step(e: KeyboardEvent, at: number | undefined, length: number): number | undefined {
  const jump = jumps[e.key];
  if (jump === undefined || length === 0 || e.ctrlKey || e.metaKey || e.altKey) return undefined;
  return Math.max(0, Math.min(length - 1, (at ?? (jump > 0 ? -1 : length)) + jump));
}

/** Moves the cursor to the middle of the visible part of an interval. */
export function point(u: uPlot, { result }: Props, index: number): Hover {
  const left = u.valToPos(Math.max(result.from, result.times[index]) + result.step / 2, "x");
  u.setCursor({ left: Math.max(0, Math.min(left, u.over.clientWidth - 1)), top: -1 }, false);
  return { index, left, top: 0 };
}

/** An interval in words. */
export const words = ({ result }: Props, index: number, tz: string) =>
  `${clock(result.times[index], tz)}: ${result.total.map((t) => `${t.dir} ${fmt.value(t.values[index], result.unit)}`).join(", ")}`;
