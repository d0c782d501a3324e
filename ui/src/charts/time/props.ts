// The props of a time chart, and the types shared by its parts.

import type { QueryResult } from "../../api/api.ts";
import type { Layer } from "../stack.ts";

export interface Props {
  result: QueryResult;
  layers: Layer[];
  viz: string;
  /** The scale of the value axis: lin, log or sqrt, and its end. */
  y?: string;
  ymax?: string;
  /** One of several on a page. */
  small?: boolean;
  now: number;
  /** The capacity on either side: a dashed line, if the values come near it. */
  capacity?: number;
  /** The share of the capacity above which the interface is nearly full. */
  nearlyFull?: number;
  /** Counter rates by interval: a line on either side. */
  counters?: { in: (number | null)[]; out: (number | null)[] };
  summary: string;
  /** The range of Explain. */
  sel: [number, number] | undefined;
  onZoom: (from: number, to: number) => void;
  onExplain: (from: number, to: number) => void;
  onFlows: (from: number, to: number) => void;
  onLink: (from: number, to: number) => void;
  onZoomOut: () => void;
  onHover: (inside: boolean) => void;
}

/** The interval under the pointer, and the position of the pointer in the plot. */
export interface Hover {
  index: number;
  left: number;
  top: number;
}

/** A selected range, and the position of its menu. */
export interface Brush {
  from: number;
  to: number;
  x: number;
  y: number;
}

/** The position of the plot in the chart, in pixels. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}
