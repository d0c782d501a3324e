// The axes of a plot, and the range of the value axis.

import type uPlot from "uplot";
import * as fmt from "../../text/format.ts";
import { clock, dayName } from "../../text/time.ts";
import { type Drawing, unitOf } from "./drawing.ts";
import { extras } from "./extras.ts";
import { capacityOf } from "./overlay.ts";
import { curve, ticks } from "./scale.ts";

const axisHeight = 42;
/** The minimum space between labels of a non-linear axis, in pixels. */
const tickSpace = 24;

export function timeAxis(d: Drawing): uPlot.Axis {
  return {
    stroke: d.theme.text,
    font: d.font,
    space: 78,
    size: axisHeight,
    gap: 7,
    grid: { show: false },
    ticks: { stroke: d.theme.zero, width: 1, size: 5 },
    // The day is below the first label of each day.
    values: (_u, splits, _a, _s, incr) => {
      let day = "";
      return splits.map((s) => {
        const name = dayName(s, d.tz);
        if (incr >= 86400) return name;
        const first = name !== day;
        day = name;
        const c = clock(s, d.tz, incr < 60);
        return first ? `${c}\n${name}` : c;
      });
    },
  };
}

/** The vertical scale and its axis; both follow the curve of `y`. */
export function valueAxis(d: Drawing): { scale: uPlot.Scale; axis: uPlot.Axis } {
  // Percentages are linear.
  const y = d.percent ? "lin" : (d.chart().y ?? "lin");
  let bent = curve(y, 1);
  const scale: uPlot.Scale = {
    ...(bent && { distr: 100 as uPlot.Scale.Distr, fwd: (v: number) => bent!.to(v), bwd: (h: number) => bent!.from(h) }),
    range: (u, lo, hi) => {
      if (d.hand?.moving()) return [u.scales.y.min ?? 0, u.scales.y.max ?? 1];
      const [least, most] = valueRange(d, lo ?? 0, hi ?? 0);
      bent = curve(y, Math.max(most, -least));
      return [least, most];
    },
  };
  const axis: uPlot.Axis = {
    stroke: d.theme.text,
    font: d.font,
    space: 42,
    gap: 8,
    size: (_u, values) => 22 + Math.max(...(values ?? [""]).map((v) => v.length), 3) * 6.1,
    grid: { stroke: d.theme.grid, width: 1 },
    ticks: { show: false },
    ...(bent && {
      splits: (u: uPlot, _i: number, lo: number, hi: number) => ticks(bent!, lo, hi, tickSpace / Math.max(1, u.height - axisHeight)),
      filter: (_u: uPlot, splits: number[]) => splits,
    }),
    values: (_u, splits) => (bent ? splits.map((s) => fmt.axis([0, s], unitOf(d))[1]) : fmt.axis(splits, unitOf(d))),
  };
  return { scale, axis };
}

/** The ends of the value axis, for series from lo to hi. */
function valueRange(d: Drawing, lo: number, hi: number): [number, number] {
  const p = d.chart();
  const out = p.layers.some((l) => l.side < 0);
  if (d.percent) return [out ? -100 : 0, 100];
  const cap = fmt.parseAmount(p.ymax ?? "");
  if (cap) return [out ? -cap : 0, cap];
  const beside = extras(p);
  const line = capacityOf(p, Math.max(hi, -lo));
  const most = (side: number) =>
    Math.max(side > 0 || out ? line : 0, ...beside.filter((e) => e.side === side).flatMap((e) => e.high.map((v) => v ?? 0)));
  const top = Math.max(hi, most(1)) * 1.06;
  const bottom = Math.min(lo, -most(-1)) * 1.06;
  return top === 0 && bottom === 0 ? [0, 1] : [bottom, top];
}
