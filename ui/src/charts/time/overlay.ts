// Drawing on the canvas after the series.

import uPlot from "uplot";
import { dark } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import type { Theme } from "./drawing.ts";
import { extras } from "./extras.ts";
import type { Props } from "./props.ts";

/** Draws lines and bands: the earlier range, the highest seconds, counters. */
export function besides(u: uPlot, p: Props, t: Theme): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const { times, step } = p.result;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const x = (v: number) => u.valToPos(v, "x", true);
  const y = (v: number, side: number) => u.valToPos(v * side, "y", true);
  for (const e of extras(p)) {
    const ink = e.colour ?? (dark.peek() ? "#d8dce4" : "#3c4350");
    if (e.low) {
      ctx.fillStyle = e.kind === "band" ? t.text : ink;
      ctx.globalAlpha = e.kind === "band" ? 0.22 : 0.2;
      times.forEach((at, i) => {
        const hi = e.high[i];
        const lo = e.low?.[i];
        if (hi == null || lo == null) return;
        const a = Math.round(x(at));
        ctx.fillRect(a, y(hi, e.side), Math.round(x(at + step)) - a, y(lo, e.side) - y(hi, e.side));
      });
      ctx.globalAlpha = 1;
      continue;
    }
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1.4 * ratio;
    if (e.kind !== "counter") ctx.setLineDash([5 * ratio, 4 * ratio]);
    ctx.beginPath();
    let pen = false;
    times.forEach((at, i) => {
      const v = e.high[i];
      if (v == null) {
        pen = false;
        return;
      }
      if (pen) ctx.lineTo(x(at), y(v, e.side));
      else ctx.moveTo(x(at), y(v, e.side));
      ctx.lineTo(x(at + step), y(v, e.side));
      pen = true;
    });
    ctx.stroke();
    ctx.setLineDash([]);
  }
  ctx.restore();
}

/** Nearly idle interfaces keep their own scale, because their capacity would flatten the chart. */
const nearCapacity = 0.2;

/** The capacity if it is drawn, else 0. */
export const capacityOf = (p: Props, top: number) => (p.capacity && top > nearCapacity * p.capacity ? p.capacity : 0);

/** Draws the capacity as a dashed line on each side, and a thin line where the interface is nearly full. */
export function ceiling(u: uPlot, p: Props, t: Theme): void {
  const { ctx, bbox } = u;
  const { min = 0, max = 0 } = u.scales.y;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = t.text;
  ctx.lineWidth = 1.2 * ratio;
  ctx.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textAlign = "left";
  for (const side of [1, -1]) {
    for (const share of [1, p.nearlyFull ?? 0]) {
      const v = side * share * (p.capacity ?? 0);
      if (v > max || v < min || v === 0) continue;
      const y = Math.round(u.valToPos(v, "y", true)) + 0.5;
      ctx.lineWidth = (share < 1 ? 0.7 : 1.2) * ratio;
      ctx.setLineDash(share < 1 ? [2 * ratio, 3 * ratio] : [7 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.textBaseline = side > 0 ? "top" : "bottom";
      ctx.fillText(
        share < 1 ? fmt.share(share).replace(".0", "") : `speed ${fmt.value(p.capacity, p.result.unit)}`,
        bbox.left + 4 * ratio,
        y + side * 3 * ratio,
      );
    }
  }
  ctx.restore();
}

/** Draws the zero line, and dims incomplete intervals and time without data, which are never drawn as zero. */
export function overlay(u: uPlot, p: Props, t: Theme): void {
  const { ctx, bbox } = u;
  const r = p.result;
  const ratio = uPlot.pxRatio;
  const x = (v: number) => Math.round(Math.max(bbox.left, Math.min(bbox.left + bbox.width, u.valToPos(v, "x", true))));
  ctx.save();
  const veil = (from: number, to: number, edge: number) => {
    const a = x(from);
    const b = x(to);
    if (b - a < 1) return;
    ctx.fillStyle = t.page;
    ctx.globalAlpha = 0.6;
    ctx.fillRect(a, bbox.top, b - a, bbox.height);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = t.zero;
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x(edge) + 0.5, bbox.top);
    ctx.lineTo(x(edge) + 0.5, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
  };
  const n = r.times.length;
  if (n > 0 && r.meta.partial.first) veil(r.from, r.times[0] + r.step, r.times[0] + r.step);
  if (n > 0 && r.meta.partial.last) veil(r.times[n - 1], r.to, r.times[n - 1]);
  if (p.sel && p.sel[1] > r.from && p.sel[0] < r.to) {
    const [a, b] = p.sel.map(x);
    ctx.fillStyle = t.accent;
    ctx.globalAlpha = 0.13;
    ctx.fillRect(a, bbox.top, Math.max(2 * ratio, b - a), bbox.height);
    ctx.globalAlpha = 0.9;
    for (const e of [a, b]) ctx.fillRect(e, bbox.top, ratio, bbox.height);
    ctx.globalAlpha = 1;
  }
  const zero = Math.round(u.valToPos(0, "y", true)) + 0.5;
  if (zero >= bbox.top && zero <= bbox.top + bbox.height + 1) {
    ctx.strokeStyle = t.zero;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(bbox.left, zero);
    ctx.lineTo(bbox.left + bbox.width, zero);
    ctx.stroke();
  }
  // The labels of the sides.
  const dirs = r.dirs.filter((d) => d !== "sum");
  if (dirs.includes("out")) {
    ctx.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textAlign = "right";
    const word = (s: string, y: number, base: CanvasTextBaseline) => {
      ctx.textBaseline = base;
      ctx.lineWidth = 3 * ratio;
      ctx.strokeStyle = t.page;
      ctx.lineJoin = "round";
      ctx.fillStyle = t.text;
      ctx.strokeText(s, bbox.left + bbox.width - 6 * ratio, y);
      ctx.fillText(s, bbox.left + bbox.width - 6 * ratio, y);
    };
    const up = dirs.filter((d) => d !== "out");
    if (up.length) word(up.join(", "), bbox.top + 4 * ratio, "top");
    word("out", bbox.top + bbox.height - 4 * ratio, "bottom");
  }
  ctx.restore();
}
