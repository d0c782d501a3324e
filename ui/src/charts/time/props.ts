// What a time chart is given, and what its parts tell each other.

import type { QueryResult } from "../../api/api.ts";
import type { Layer } from "../stack.ts";

export interface Props {
  result: QueryResult;
  layers: Layer[];
  viz: string;
  /** The axis of values: lin, log or sqrt, and where it ends. */
  y?: string;
  ymax?: string;
  /** One of several on a page. */
  small?: boolean;
  now: number;
  /** What can be at most, on either side: a dashed line, if the values come near it. */
  capacity?: number;
  /** The share of the capacity from which on it is nearly full. */
  nearlyFull?: number;
  /** Rates that are known from elsewhere, bucket by bucket: a line on either side. */
  counters?: { in: (number | null)[]; out: (number | null)[] };
  summary: string;
  /** The window that Explain is about. */
  sel: [number, number] | undefined;
  onZoom: (from: number, to: number) => void;
  onExplain: (from: number, to: number) => void;
  onFlows: (from: number, to: number) => void;
  onLink: (from: number, to: number) => void;
  onZoomOut: () => void;
  onHover: (inside: boolean) => void;
}

/** The bucket under the pointer, and where the pointer is in the plot. */
export interface Hover {
  index: number;
  left: number;
  top: number;
}

/** A stretch of time that was chosen, and where its menu opens. */
export interface Brush {
  from: number;
  to: number;
  x: number;
  y: number;
}

/** Where the plot lies inside the chart, in pixels. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}
