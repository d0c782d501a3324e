// The positions of the cells of the heat map, their colours and painting.

import { mix } from "../colour.ts";
import type { Lane } from "../groups.ts";

export const rowHeight = 24;

/** A cell by row and index; `spoken` if reached by keyboard, so that it is announced. */
export interface At {
  row: number;
  index: number;
  spoken?: boolean;
}

/** The rows, each starting at its own `base` and `span` seconds long, in `width` pixels. */
export interface Grid {
  lanes: Lane[];
  span: number;
  width: number;
}

export const heightOf = ({ lanes }: Grid) => lanes.length * rowHeight;

/** The horizontal pixel of a time in a row. */
export const x = ({ span, width }: Grid, l: Lane, t: number) => ((t - l.base) / span) * width;

/** The cell at a point, given as a share of the width and in rows; null: none. */
export function under({ lanes, span }: Grid, across: number, down: number): At | null {
  const row = Math.floor(down);
  const l = lanes[row];
  if (!l) return null;
  const t = l.base + across * span;
  const index = l.cells.findIndex((c) => c.from <= t && t < c.to);
  return index < 0 ? null : { row, index };
}

const arrows: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The cell that an arrow key selects; undefined for other keys, null if there is no cell. */
export function moved({ lanes }: Grid, at: At | null, key: string): At | null | undefined {
  const arrow = arrows[key];
  if (!arrow) return undefined;
  const [across, down] = at ? arrow : [0, 0];
  const row = Math.max(0, Math.min(lanes.length - 1, (at?.row ?? 0) + down));
  const most = (lanes[row]?.cells.length ?? 0) - 1;
  return most < 0 ? null : { row, index: Math.max(0, Math.min(most, (at?.index ?? 0) + across)), spoken: true };
}

/** The colour of a value, on a scale up to `top`. */
export const shading = (top: number, isDark: boolean) => (v: number) =>
  mix(isDark ? "#8fd0ff" : "#123a9c", isDark ? "#191d25" : "#eef2fc", Math.sqrt(v / (top || 1)));

export function paint(canvas: HTMLCanvasElement | null, grid: Grid, shade: (v: number) => string) {
  const c = canvas?.getContext("2d");
  if (!c || !canvas || grid.width === 0) return;
  const ratio = devicePixelRatio;
  canvas.width = grid.width * ratio;
  canvas.height = heightOf(grid) * ratio;
  c.scale(ratio, ratio);
  for (const [r, l] of grid.lanes.entries())
    for (const k of l.cells) {
      if (k.value === null) continue;
      const a = Math.floor(x(grid, l, k.from) * ratio) / ratio;
      c.fillStyle = shade(k.value);
      c.fillRect(a, r * rowHeight, Math.ceil(x(grid, l, k.to) * ratio) / ratio - a, rowHeight - 2);
    }
}
