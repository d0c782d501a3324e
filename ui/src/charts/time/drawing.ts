// One plot: what it is drawn from while its shape stays the same.

import type { Layer } from "../stack.ts";
import type { Hand } from "./gestures.ts";
import type { Area, Brush, Hover, Props } from "./props.ts";

/** The colours of what is no series. */
export interface Theme {
  page: string;
  text: string;
  grid: string;
  zero: string;
  accent: string;
}

export interface Drawing {
  /** The chart as it is now: a later answer of the same shape is drawn by the same plot. */
  chart: () => Props;
  /**
   * The layers of this shape. A later answer of the same shape has others, alike in all that is drawn from here; one of another
   * shape gets another plot, and until then this one may still be asked to paint.
   */
  layers: Layer[];
  /** Their places, outermost first, so that each layer is painted over the one outside it. */
  order: number[];
  stacked: boolean;
  percent: boolean;
  isDark: boolean;
  tz: string;
  theme: Theme;
  font: string;
  /** The hand that moves it, once there is a plot. */
  hand: Hand | undefined;
  setHover: (h: Hover | null) => void;
  setBrush: (b: Brush) => void;
  setArea: (a: Area) => void;
}

/** The unit of the values that are drawn. */
export const unitOf = (d: Drawing) => (d.percent ? "pct" : d.chart().result.unit);
