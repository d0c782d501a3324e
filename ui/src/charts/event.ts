// Shared by event marks and their menu.

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
  /** Undefined: this page has no Explain. */
  onExplain: ((from: number, to: number) => void) | undefined;
  onLink: (from: number, to: number) => void;
}

/** The time of an event, in the user's time zone. */
export function timesOf(e: Event, now: number): string {
  const tz = zone.value;
  return moments(e.start, tz, now) + (e.end > e.start ? ` – ${moments(e.end, tz, now)}` : "");
}
