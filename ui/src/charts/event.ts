// What the marks of events and their menu share.

import type { Event } from "../api/api.ts";
import { zone } from "../state/state.ts";
import { moments } from "../text/time.ts";

export interface EventMarksProps {
  from: number;
  to: number;
  now: number;
  /** The plot inside the chart, in pixels. */
  area: { left: number; top: number; width: number; height: number };
  onZoom: (from: number, to: number) => void;
  /** Undefined: nothing on this page explains. */
  onExplain: ((from: number, to: number) => void) | undefined;
  onLink: (from: number, to: number) => void;
}

/** When it was, in the reader's zone. */
export function timesOf(e: Event, now: number): string {
  const tz = zone.value;
  return moments(e.start, tz, now) + (e.end > e.start ? ` – ${moments(e.end, tz, now)}` : "");
}
