// The colours of a plot: the theme, and the fill and stroke of layers.

import { dark, highlight } from "../../state/state.ts";
import { mix } from "../colour.ts";
import { type Layer, layerColour, solidDir } from "../stack.ts";
import type { Drawing, Theme } from "./drawing.ts";

export function theme(): Theme {
  return dark.value
    ? { page: "#14171c", text: "#9aa1ad", grid: "#22262e", zero: "#4a505c", accent: "#7aa2ff" }
    : { page: "#ffffff", text: "#626a78", grid: "#eceef2", zero: "#a3a9b5", accent: "#2f5fe0" };
}

/** Stripes distinguish the other directions that share the upper side. */
function stripes(ctx: CanvasRenderingContext2D, colour: string, dir: string, page: string): string | CanvasPattern {
  if (dir !== "internal" && dir !== "transit" && dir !== "unknown") return colour;
  const size = 8 * devicePixelRatio;
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const c = tile.getContext("2d");
  if (!c) return colour;
  c.fillStyle = mix(colour, page, 0.55);
  c.fillRect(0, 0, size, size);
  c.strokeStyle = colour;
  c.lineWidth = size / 4;
  c.beginPath();
  if (dir === "unknown") {
    c.moveTo(0, size / 2);
    c.lineTo(size, size / 2);
  } else {
    const down = dir === "internal";
    for (const o of [-size, 0, size]) {
      c.moveTo(o, down ? 0 : size);
      c.lineTo(o + size, down ? size : 0);
    }
  }
  c.stroke();
  return ctx.createPattern(tile, "repeat") ?? colour;
}

export const lineDash: Record<string, number[]> = { out: [6, 3], internal: [2, 3], transit: [8, 3, 2, 3], unknown: [1, 4] };

/** Whether another series is under the pointer. */
const faded = (l: Layer) => highlight.peek() !== null && highlight.peek() !== l.id;

/** Returns the fill of a layer of a stack; the fills of a plot are created once. */
export function fills(d: Drawing): (ctx: CanvasRenderingContext2D, l: Layer) => string | CanvasPattern {
  const made = new Map<string, string | CanvasPattern>();
  return (ctx, l) => {
    const base = layerColour(l, d.isDark);
    const key = base + l.series.dir + faded(l);
    let fill = made.get(key);
    if (fill === undefined) {
      const dir = solidDir(d.chart().result.dirs) === l.series.dir ? "" : l.series.dir;
      fill = stripes(ctx, faded(l) ? mix(base, d.theme.page, 0.38) : base, dir, d.theme.page);
      made.set(key, fill);
    }
    return fill;
  };
}

/** The colour of a line. */
export function stroke(d: Drawing, l: Layer): string {
  const base = layerColour(l, d.isDark);
  return faded(l) ? mix(base, d.theme.page, 0.3) : base;
}
