// The line above the chart.

import type { QueryResult } from "../../api/api.ts";
import { Icon, Select } from "../../parts/ui.tsx";
import { vizzes } from "../../state/choices.ts";
import { show, termTitle, view, zone } from "../../state/state.ts";
import { narrow } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { clock, duration, moments } from "../../text/time.ts";
import { notMet, type View } from "../../text/url.ts";
import type { Answer } from "./answer.ts";
import { EventsMenu } from "./eventsmenu.tsx";

const scales = [
  { value: "lin", title: "linear" },
  { value: "log", title: "logarithmic" },
  { value: "sqrt", title: "square root" },
];

/** The facts of the numbers on this chart: range, interval, statistic, error, and the newest data. */
export function Header({ answer, v, bends }: { answer: Answer; v: View; bends: boolean }) {
  const { result, now } = answer;
  const { meta, step } = result;
  const tz = zone.value;
  const behind = now - meta.through;
  const reaches = result.to >= now - Math.max(60, 2 * step);
  const worst = Math.max(
    0,
    ...result.total.map((_, i) => {
      // The error of a direction's sum depends on all its samples.
      const dir = result.total[i].dir;
      let n = 0;
      for (const s of result.series) if (s.dir === dir) for (const c of s.n ?? []) n += c ?? 0;
      return n > 0 ? 1.96 / Math.sqrt(n) : 0;
    }),
  );
  const unmet = notMet(location.search, v);
  const kept = [...new Set([...v.extra.map(([k]) => k), ...(meta.unknown_keys ?? [])])].filter((k) => k !== "px");
  return (
    <div class="figure-head">
      <p class="facts">
        <span title={`${moments(result.from, tz, now)} – ${moments(result.to, tz, now)}`}>{duration(result.to - result.from)}</span>
        <span>{duration(step)} intervals</span>
        <span>{fmt.isRate(result.unit) ? `max = highest ${duration(step)} average` : `sums per ${duration(step)}`}</span>
        {worst > 0 && <span title="Error of the total from sampling alone, with 95% confidence">sampling error {fmt.error(worst)}</span>}
        {reaches && meta.through > 0 && (
          <span
            class={behind > Math.max(30, 3 * step) ? "warn" : ""}
            title={`The newest record was received at ${moments(meta.through, tz, now)}`}
          >
            {behind < 0.5 ? "up to date" : `data up to ${behind < 600 ? `${Math.round(behind)} s ago` : moments(meta.through, tz, now)}`}
          </span>
        )}
        {(meta.partial.first || meta.partial.last) && (
          <span title="Interval partly in range; dimmed, not used for max and last">
            {meta.partial.first ? (meta.partial.last ? "first and last" : "first") : "last"} interval incomplete
          </span>
        )}
      </p>
      <div class="facts right">
        <span class="quiet" title={`${fmt.grouped(meta.rows)} rows and ${fmt.bytes(meta.bytes)} read from ${meta.table}`}>
          {fmt.count(meta.rows)} rows · {fmt.millis(meta.ms)} ms{meta.table !== "flows" && <> · {meta.table}</>}
        </span>
        {bends && <Select label="Axis" id="y" value={v.y} choices={scales} onChange={(y) => show({ y })} />}
        <EventsMenu />
      </div>
      {meta.resolution > step && (
        <p class="facts warn">
          <Icon name="warn" /> Exporters report every {duration(meta.resolution)}; {duration(step)} intervals are finer than the data.{" "}
          {!view.value.spread && (
            <button type="button" class="button" onClick={() => show({ agg: "avg", spread: true })}>
              Spread records over their duration
            </button>
          )}
        </p>
      )}
      {meta.notes?.map((n) => (
        <p key={n} class="facts warn">
          <Icon name="warn" /> {n}
        </p>
      ))}
      {!!meta.implausible && (
        <p class="facts warn">
          <Icon name="warn" /> {fmt.grouped(meta.implausible)} implausible {meta.implausible > 1 ? "records" : "record"}, with more traffic
          than networks carry.{" "}
          <button type="button" class="button" onClick={() => show({ q: narrow(v.q, "quality != implausible") })}>
            Exclude
          </button>
        </p>
      )}
      {v.ymax && (
        <p class="facts warn">
          {fmt.parseAmount(v.ymax)
            ? `The axis ends at ${fmt.value(fmt.parseAmount(v.ymax), result.unit)}.`
            : `ymax=${v.ymax} is not a number; use e.g. ymax=10g.`}{" "}
          <button type="button" class="button" onClick={() => show({ ymax: "" })}>
            Show all
          </button>
        </p>
      )}
      {kept.length > 0 && (
        <p class="facts warn">
          <Icon name="warn" /> Unknown URL parameters (kept): {kept.join(", ")}
        </p>
      )}
      {unmet.length > 0 && (
        <p class="facts warn">
          <Icon name="warn" /> {unmet.join(", ")}
        </p>
      )}
      {!vizzes.some((z) => z.value === v.viz) && (
        <p class="facts warn">
          <Icon name="warn" /> Unknown visualisation “{v.viz}”; showing a stack.
        </p>
      )}
    </div>
  );
}

/** The chart in one sentence, for screen readers. */
export function summary(r: QueryResult): string {
  const tz = zone.value;
  const peaks = r.total.map((t) => {
    let at = 0;
    t.values.forEach((x, i) => {
      if ((x ?? 0) > (t.values[at] ?? 0)) at = i;
    });
    return `${t.dir} peak ${fmt.value(t.max, r.unit)}${r.times.length ? ` at ${clock(r.times[at], tz)}` : ""}, average ${fmt.value(t.avg, r.unit)}`;
  });
  const first = r.series.find((s) => !s.other && s.label.length > 0);
  return `Traffic${r.by.length ? " by " + r.by.map(termTitle).join(", ") : ""}: ${peaks.join("; ")}.${first ? ` Largest: ${first.label.join(" ")} ${first.dir}, ${fmt.share(first.share)}.` : ""} Arrow keys read the values.`;
}
