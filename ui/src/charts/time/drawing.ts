// The inputs of a plot while its shape stays the same.

import type { Layer } from "../stack.ts";
import type { Hand } from "./gestures.ts";
import type { Area, Brush, Hover, Props } from "./props.ts";

/** The colours of everything except series. */
export interface Theme {
  page: string;
  text: string;
  grid: string;
  zero: string;
  accent: string;
}

export interface Drawing {
  /** The current props of the chart: the same plot draws later results of the same shape. */
  chart: () => Props;
  /**
   * The layers of this shape. A later result of the same shape has other layers, equal in everything that is drawn from here. A result of
   * another shape gets another plot; until then this one may still paint.
   */
  layers: Layer[];
  /** The order of layers, outermost first, so that each layer is painted over the one outside it. */
  order: number[];
  stacked: boolean;
  percent: boolean;
  isDark: boolean;
  tz: string;
  theme: Theme;
  font: string;
  /** The gestures, once there is a plot. */
  hand: Hand | undefined;
  setHover: (h: Hover | null) => void;
  setBrush: (b: Brush) => void;
  setArea: (a: Area) => void;
}

/** The unit of the drawn values. */
export const unitOf = (d: Drawing) => (d.percent ? "pct" : d.chart().result.unit);
