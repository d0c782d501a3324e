// The week of an interface: mean utilisation of each hour of each weekday, in the time zone of the page.

import type { Weeks } from "../api/api.ts";
import { dark, zone } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { parts } from "../text/time.ts";
import { mix } from "./colour.ts";

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** The mean of each hour of the week, [weekday][hour]; null if no week has data. */
export function meanWeek(from: number, hours: number[], tz: string): (number | null)[][] {
  const sum = weekdays.map(() => new Array<number>(24).fill(0));
  const n = weekdays.map(() => new Array<number>(24).fill(0));
  hours.forEach((v, i) => {
    const p = parts(from + i * 3600, tz);
    const day = weekdays.indexOf(p.weekday);
    sum[day][p.hour] += v;
    n[day][p.hour]++;
  });
  return sum.map((row, d) => row.map((v, h) => (n[d][h] ? v / n[d][h] : null)));
}

export function WeekMap({ weeks, speed }: { weeks: Weeks; speed: number }) {
  const sides = (
    [
      ["Received", weeks.in],
      ["Sent", weeks.out],
    ] as const
  ).map(([name, hours]) => ({ name, week: meanWeek(weeks.from, hours, zone.value) }));
  const top = Math.max(...sides.flatMap((s) => s.week.flat().map((v) => v ?? 0)));
  // Interfaces with little traffic have their own scale, as in the chart.
  const full = speed && top > speed / 5 ? speed : top;
  const [empty, ink] = dark.value ? ["#1d2129", "#7aa2ff"] : ["#eef1f6", "#2f5fe0"];
  const text = (v: number | null) =>
    v === null ? "unknown" : speed ? `${fmt.share(v / speed)} utilisation, ${fmt.value(v, "bps")}` : fmt.value(v, "bps");
  const days = Math.ceil(weeks.in.length / 24);
  return (
    <section class="panel week" aria-label="Week">
      <h2>
        Hours of the week{" "}
        <span class="quiet">
          mean of the last {days === 1 ? "day" : `${days} days`}, {speed ? "utilisation" : "bits per second"}; darkest colour:{" "}
          {full === speed ? "full speed" : fmt.value(full, "bps")}
        </span>
      </h2>
      <div class="weeks">
        {sides.map(({ name, week }) => {
          const known = week.flatMap((row, d) => row.map((v, h) => ({ v, d, h }))).filter((x) => x.v !== null);
          const most = known.reduce((a, b) => ((b.v ?? 0) > (a.v ?? 0) ? b : a), known[0]);
          const hour = (h: number) => String(h).padStart(2, "0");
          return (
            <figure key={name}>
              <figcaption>
                <b>{name}</b> <span class="quiet">{most ? `peak on ${weekdays[most.d]} ${hour(most.h)}:00, ${text(most.v)}` : ""}</span>
              </figcaption>
              <svg
                viewBox="0 0 520 138"
                role="img"
                aria-label={`${name}, hours of the week. ${weekdays.map((day, d) => `${day}: peak ${text(week[d].some((v) => v !== null) ? Math.max(...week[d].map((v) => v ?? 0)) : null)}`).join(". ")}`}
              >
                {weekdays.map((day, d) => (
                  <text key={day} x="0" y={d * 17 + 12}>
                    {day}
                  </text>
                ))}
                {week.flatMap((row, d) =>
                  row.map((v, h) => (
                    <rect
                      key={`${d} ${h}`}
                      x={40 + h * 20}
                      y={d * 17}
                      width="19"
                      height="16"
                      rx="2"
                      fill={v === null ? "none" : mix(ink, empty, full ? Math.min(1, v / full) : 0)}
                      stroke={v === null ? empty : "none"}
                    >
                      <title>{`${weekdays[d]} ${hour(h)}:00  ${text(v)}`}</title>
                    </rect>
                  )),
                )}
                {[0, 6, 12, 18].map((h) => (
                  <text key={h} x={40 + h * 20} y="134">
                    {hour(h)}
                  </text>
                ))}
              </svg>
            </figure>
          );
        })}
      </div>
    </section>
  );
}
