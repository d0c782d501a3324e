// The times below the cells of the heat map.

import { zone } from "../../state/state.ts";
import { clock, dayName, duration } from "../../text/time.ts";

const day = 86400;

interface Props {
  /** The start of the cells, and their length in seconds. */
  base: number;
  span: number;
  /** Each row has its own time, so there is no common date. */
  apart: boolean;
  width: number;
}

export function Ticks({ base, span, apart, width }: Props) {
  const words = (t: number) => {
    if (apart && span < day) return "+" + duration(t - base);
    if (span <= 2 * day) return clock(t, zone.value, false);
    return apart ? weekday(t, zone.value) : dayName(t, zone.value);
  };
  return (
    <div class="heat-ticks" aria-hidden="true">
      {ticks(base, span, Math.max(2, Math.floor(width / 130))).map((t) => (
        <span key={t.at} style={{ left: t.at * width + "px" }}>
          {words(t.time)}
        </span>
      ))}
    </div>
  );
}

/** The times below the cells, each with its position from 0 to 1. */
const ticks = (base: number, span: number, n: number) =>
  Array.from({ length: n }, (_, i) => {
    const time = Math.round((base + ((i + 0.5) / n) * span) / 60) * 60;
    return { time, at: (time - base) / span };
  }).filter((t) => t.at > 0.03 && t.at < 0.97);

const weekday = (t: number, timeZone: string) => new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone }).format(t * 1000);
