// The uPlot options of a plot: scales, axes, series and hooks.

import uPlot from "uplot";
import { highlight } from "../../state/state.ts";
import { bucket } from "../stack.ts";
import { timeAxis, valueAxis } from "./axes.ts";
import type { Drawing } from "./drawing.ts";
import { besides, ceiling, overlay } from "./overlay.ts";
import { fills, lineDash, stroke } from "./paint.ts";

export function options(d: Drawing, width: number, height: number): uPlot.Options {
  const values = valueAxis(d);
  return {
    width,
    height,
    padding: [10, 16, 0, 0],
    legend: { show: false },
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), d.tz),
    cursor: cursor(d),
    scales: {
      x: { time: true, range: (_u, lo, hi) => (d.hand?.moving() ? [lo, hi] : [d.chart().result.from, d.chart().result.to]) },
      y: values.scale,
    },
    axes: [timeAxis(d), values.axis],
    series: [{}, ...series(d)],
    hooks: { draw: [(u) => finish(u, d)], setCursor: [(u) => hover(u, d)], setSelect: [(u) => select(u, d)] },
  };
}

const cursor = (d: Drawing): uPlot.Cursor => ({
  y: false,
  points: { show: false },
  drag: { x: true, y: false, setScale: false, dist: 4 },
  bind: {
    mousedown: (_u, _target, handler) => (e) => {
      if (!d.hand?.press(e)) handler(e);
      return null;
    },
    dblclick: () => () => {
      d.chart().onZoomOut();
      return null;
    },
  },
});

function series(d: Drawing): uPlot.Series[] {
  const paths = uPlot.paths.stepped!({ align: 1 });
  const fill = fills(d);
  return d.order.map((i): uPlot.Series => {
    const layer = d.layers[i];
    const how: uPlot.Series = d.stacked
      ? { width: 0.6, stroke: d.theme.page, fill: (u) => fill(u.ctx, layer) as string, fillTo: 0 }
      : { width: 1.6, dash: lineDash[layer.series.dir], stroke: () => stroke(d, layer) };
    return { paths, points: { show: false }, ...how };
  });
}

/** After the series are drawn. */
function finish(u: uPlot, d: Drawing): void {
  const p = d.chart();
  if (!d.percent) besides(u, p, d.theme);
  if (!d.percent && p.capacity) ceiling(u, p, d.theme);
  overlay(u, p, d.theme);
  // The position of the plot in the chart depends on its axes.
  const { offsetLeft: left, offsetTop: top, clientWidth: width, clientHeight: height } = u.over;
  d.setArea({ left, top, width, height });
}

function hover(u: uPlot, d: Drawing): void {
  const { left, top } = u.cursor;
  const { times } = d.chart().result;
  const index = left === undefined || left === null || left < 0 || times.length === 0 ? -1 : bucket(times, u.posToVal(left, "x"));
  if (left === undefined || index < 0) {
    d.setHover(null);
    return;
  }
  highlight.value = pick(u, d, index, top ?? -1);
  d.setHover({ index, left, top: top ?? 0 });
}

function select(u: uPlot, d: Drawing): void {
  if (u.select.width < 5) return;
  const from = u.posToVal(u.select.left, "x");
  const to = u.posToVal(u.select.left + u.select.width, "x");
  if (to - from < 1) {
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    return;
  }
  const box = u.over.getBoundingClientRect();
  d.setBrush({ from: Math.floor(from), to: Math.ceil(to), x: box.left + u.select.left + u.select.width + 8, y: box.top + 24 });
}

/** The maximum distance of a line from the pointer, in pixels. */
const reach = 24;

/** The series at a height: the layer that contains it in a stack, otherwise the nearest line. */
function pick(u: uPlot, d: Drawing, index: number, top: number): string | null {
  if (top < 0) return null;
  const y = u.posToVal(top, "y");
  let best: string | null = null;
  let least = Infinity;
  for (const [k, i] of d.order.entries()) {
    const v = u.data[k + 1][index];
    if (v === null || v === undefined) continue;
    const l = d.layers[i];
    const distance = d.stacked ? Math.abs(v) : Math.abs(u.valToPos(v, "y") - top);
    const meant = !d.stacked ? distance < reach : l.side > 0 ? y >= 0 && y <= v : y < 0 && y >= v;
    if (meant && distance < least) {
      best = l.id;
      least = distance;
    }
  }
  return best;
}
