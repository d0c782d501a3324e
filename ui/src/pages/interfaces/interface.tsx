// The page of one interface, by the address or name of its exporter.

import { useEffect, useState } from "preact/hooks";
import { api, type Interface as Line, type LinkCourse, type LinkSide, noAnswer } from "../../api/api.ts";
import { WeekMap } from "../../charts/week.tsx";
import { NotFound } from "../../parts/notfound.tsx";
import { Figure, Icon } from "../../parts/ui.tsx";
import { follow, reload, view, zone } from "../../state/state.ts";
import { isAddress } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { ask } from "../../text/url.ts";
import { ByName } from "../entity/byname.tsx";
import { about, Entity } from "../entity/entity.tsx";
import { linkName } from "../health.ts";
import { useInterfaces } from "./asked.ts";
import { down, perSecond, quotient } from "./words.ts";

export default function Interface({ rest }: { rest: string }) {
  const [, exporter, index] = rest.match(/^(.+)\/(\d+)$/) ?? [];
  if (!exporter) return <NotFound />;
  if (isAddress(exporter)) return <Link key={rest} exporter={exporter} index={Number(index)} />;
  return <ByName key={rest} name={exporter} page={(address) => `/if/${address}/${index}`} />;
}

/** The counters of the device in the range of the URL and over the last weeks; loaded again with the chart. */
function useCourse(exporter: string, index: number): LinkCourse | undefined {
  const [course, setCourse] = useState<LinkCourse>();
  const keys = ask(view.value, zone.value, ["from", "to"]) + "&px=400"; // the intervals of the chart
  useEffect(() => {
    const stop = new AbortController();
    api.link(exporter, String(index), keys, stop.signal).then(
      ({ body }) => setCourse(body),
      () => undefined, // the chart shows errors of the range
    );
    return () => stop.abort();
  }, [exporter, index, keys, reload.value]);
  return course;
}

/** The coverage, and when the interface will be nearly full. */
function Badges({ i, course }: { i: Line; course: LinkCourse | undefined }) {
  const sides = [
    ["received", i.in, course?.nearly_full.in],
    ["sent", i.out, course?.nearly_full.out],
  ] as const;
  return (
    <span class="link-badges">
      {sides.map(
        ([name, s]) =>
          s.coverage !== null && (
            <span key={name} class={`badge ${s.uncovered ? "warn" : "good"}`} title="Flow bytes ÷ counter bytes of the device">
              coverage {name} {quotient(s.coverage)} <Icon name={s.uncovered ? "warn" : "check"} />
            </span>
          ),
      )}
      {sides.map(
        ([name, , full]) =>
          full && (
            <span
              key={name}
              class={`badge ${full.level || "plain"}`}
              title={`Trend of the 95th percentile over the last ${course?.weeks?.trend?.days} days`}
            >
              {(course?.nearly_full.share ?? 0) * 100}% {name} in ~{full.days} days
            </span>
          ),
      )}
    </span>
  );
}

/** Received traffic is above zero, sent traffic below. */
function Link({ exporter, index }: { exporter: string; index: number }) {
  const { list, error } = useInterfaces(exporter);
  const i = list?.interfaces.find((x) => x.index === index);
  const of = `exporter = ${exporter} and `;
  const course = useCourse(exporter, index);
  const name = i ? [i.name || exporter, linkName(i)].join(" · ") : `${exporter} · if ${index}`;
  const troubles = i?.problems ?? [];
  const sides: [string, LinkSide | undefined][] = [
    ["Received", i?.in],
    ["Sent", i?.out],
  ];
  return (
    <Entity
      kind="Interface"
      name={name}
      {...about("if", `${exporter}/${index}`)}
      sides={[`${of}in.if = ${index}`, `${of}out.if = ${index}`]}
      capacity={i?.speed || undefined}
      course={course}
      below={course?.weeks && <WeekMap weeks={course.weeks} speed={i?.speed ?? 0} />}
    >
      <section class="panel health" aria-label="Utilisation">
        <h2>
          {i?.description || linkName(i ?? { index })}{" "}
          <span class="quiet">
            {[i?.boundary, i?.speed ? fmt.value(i.speed, "bps") : list && "speed unknown", i && down(i)].filter(Boolean).join(" · ")}{" "}
            <a href={"/exporters/" + exporter} onClick={follow}>
              {i?.name || exporter}
            </a>
          </span>
          {i && <Badges i={i} course={course} />}
        </h2>
        {error && error !== noAnswer && (
          <p class="notice bad" role="alert">
            <Icon name="warn" /> {error}
          </p>
        )}
        {list && !i && (
          <p class="notice">
            <Icon name="question" /> No flows or counters of this interface in this range.
          </p>
        )}
        {troubles.map((t) => (
          <p key={t.what} class="trouble-line">
            <Icon name="warn" /> <b class={t.level}>{fmt.capital(t.what)}.</b> {t.remedy}
          </p>
        ))}
        {sides.map(
          ([title, s]) =>
            s && (
              <dl key={title} class="figures" aria-label={title}>
                <Figure name={title} value={fmt.value(s.last, "bps")} more={list && list.step > 60 ? "last interval" : "last minute"} />
                <Figure name="Average" value={fmt.value(s.avg, "bps")} more={s.error ? fmt.error(s.error) : undefined} />
                <Figure
                  name="95th percentile"
                  value={fmt.value(s.p95, "bps")}
                  more={s.use_p95 === null ? undefined : <span class={s.use_level}>{fmt.share(s.use_p95)} utilisation</span>}
                />
                <Figure
                  name="Peak"
                  value={fmt.value(s.max, "bps")}
                  more={s.use_max === null ? undefined : `${fmt.share(s.use_max)} utilisation`}
                />
                <Figure
                  name="Counters"
                  value={fmt.value(s.counter, "bps")}
                  more={s.counter === null ? "not sent by the device" : `coverage ${quotient(s.coverage)}`}
                />
                <Figure
                  name="Errors, discards"
                  value={s.errors === null ? "–" : `${perSecond(s.errors)}, ${perSecond(s.discards ?? 0)}`}
                  more="per second"
                />
              </dl>
            ),
        )}
      </section>
    </Entity>
  );
}
