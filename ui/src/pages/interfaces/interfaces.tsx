// Interfaces: which are nearly full, whether flows and counters agree; and the page of one of them.

import { useEffect, useState } from "preact/hooks";
import { api, type Interface, type LinkCourse, type LinkSide, type Interfaces as List, noAnswer } from "../../api/api.ts";
import { WeekMap } from "../../charts/week.tsx";
import { useAlive } from "../../parts/alive.ts";
import { RefreshButton, TimeRange } from "../../parts/range.tsx";
import { Figure, Icon, SortHead, Spark } from "../../parts/ui.tsx";
import { follow, go, link, reload, view, zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ask } from "../../text/url.ts";
import { about, Entity } from "../entity/entity.tsx";
import { linkName, linkProblems, nearlyFullIn, uncovered, useLevel } from "../health.ts";

/** The interfaces in the time of the URL, of one exporter or of all; asked anew when that changes and once a minute. */
export function useInterfaces(exporter = ""): { list?: List; error: string; loading: boolean } {
  const [state, setState] = useState<{ list?: List; error: string; loading: boolean }>({ error: "", loading: true });
  const [minute, setMinute] = useState(0);
  const keys = ask(view.value, zone.value, ["from", "to"]) + (exporter && `&exporter=${exporter}`);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setMinute((m) => m + 1), 60_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    setState((s) => ({ ...s, loading: true }));
    api.interfaces(keys, stop.signal).then(
      ({ body }) => setState({ list: body, error: "", loading: false }),
      (e) => stop.signal.aborted || setState((s) => ({ ...s, error: e instanceof Error ? e.message : String(e), loading: false })),
    );
    return () => stop.abort();
  }, [keys, minute, reload.value]);
  return state;
}

const pageOf = (i: Interface) => link(`/if/${i.exporter}/${i.index}`, { q: "", by: [], hide: [], sel: "" });

/** What the list can be sorted by: the text or number of a row; null is last either way. */
const sorts: Record<string, (i: Interface) => string | number | null> = {
  Exporter: (i) => i.name || i.exporter,
  Interface: (i) => linkName(i),
  Speed: (i) => i.speed || null,
  "Errors/s": (i) => errorsOf(i),
  Coverage: (i) => i.in.coverage ?? i.out.coverage,
  ...Object.fromEntries(
    (["in", "out"] as const).flatMap((d) => [
      [`${d} Avg`, (i: Interface) => i[d].avg],
      [`${d} p95`, (i: Interface) => i[d].p95],
      [`${d} Peak`, (i: Interface) => i[d].max],
      [`${d} % p95`, (i: Interface) => i[d].use_p95],
    ]),
  ),
};

/** Errors and discards a second, both directions. */
const errorsOf = (i: Interface) =>
  [i.in, i.out].reduce<number | null>((a, s) => (s.errors === null ? a : (a ?? 0) + s.errors + (s.discards ?? 0)), null);

interface Sort {
  column: string;
  up: boolean;
}

/** Of two rows the one that comes first; equal ones stay as they were. */
export function compareBy({ column, up }: Sort, a: Interface, b: Interface): number {
  const [x, y] = [sorts[column](a), sorts[column](b)];
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  const order = typeof x === "string" ? x.localeCompare(String(y), "en", { numeric: true }) : x - Number(y);
  return up ? order : -order;
}

/** The fullest first; those whose speed nobody knows by their traffic. */
function byUse(a: Interface, b: Interface): number {
  const use = (i: Interface) => Math.max(i.in.use_p95 ?? -1, i.out.use_p95 ?? -1);
  return use(b) - use(a) || Math.max(b.in.p95, b.out.p95) - Math.max(a.in.p95, a.out.p95);
}

export function Interfaces() {
  const { list, error, loading } = useInterfaces();
  const wrong = useAlive(error);
  const [filter, setFilter] = useState("");
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const all = list?.interfaces ?? [];
  const rows = all.filter((i) => {
    const text = [i.name, i.exporter, i.interface, i.description, i.boundary, `if ${i.index}`].join(" ").toLowerCase();
    return words.every((w) => text.includes(w));
  });
  const sick = all.filter((i) => linkProblems(i).length > 0).length;
  return (
    <main class="status exporters entity" id="main">
      <div class="entity-head">
        <header class="page-head">
          <h1>Interfaces {sick > 0 && <span class="badge warn">{`${sick} of ${all.length} with problems`}</span>}</h1>
          <p>
            What each carries, the fullest first until a header is clicked. Bits per second of layer 2, as its counters count; 95th
            percentile and peak of {list && list.step > 60 ? `${list.step / 60} minutes` : "a minute"}.
          </p>
        </header>
        <input
          type="search"
          class="links-filter"
          placeholder="Exporter, name, description …"
          aria-label="Filter interfaces"
          value={filter}
          onInput={(e) => setFilter(e.currentTarget.value)}
        />
        <TimeRange />
        <RefreshButton loading={loading} />
      </div>
      {wrong && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {wrong}
        </p>
      )}
      {list && (
        <section class="panel" aria-label="Interfaces">
          {rows.length === 0 ? (
            <div class="empty">
              <h2>{all.length ? "No interface has these words" : "No record of this time names an interface"}</h2>
              <p>
                {all.length
                  ? `There are ${fmt.grouped(all.length)} without them.`
                  : "Exporters put the interfaces into their records; Exporters says which do and what helps."}
              </p>
            </div>
          ) : (
            <LinkTable rows={rows} exporter />
          )}
          {list.more > 0 && (
            <p class="quiet">{fmt.grouped(list.more)} more with less traffic are not listed; the page of an exporter has all of its own.</p>
          )}
        </section>
      )}
    </main>
  );
}

/** Rows drawn at first; a click shows all. */
const firstRows = 200;

export function LinkTable({ rows, exporter = false }: { rows: Interface[]; exporter?: boolean }) {
  const [whole, setWhole] = useState(false);
  const [sort, setSort] = useState<Sort | null>(null);
  const sorted = [...rows].sort(byUse);
  if (sort) sorted.sort((a, b) => compareBy(sort, a, b));
  const head = (column: string, title = column, text = false, whole = true) => {
    const on = sort?.column === column;
    // Names begin with A, numbers with the largest; a third click is the order that was.
    const next = on ? (sort.up === text ? { column, up: !text } : null) : { column, up: text };
    return (
      <SortHead
        key={column}
        rowSpan={whole ? 2 : undefined}
        class={text ? "text" : ""}
        data-column={column}
        on={on}
        up={sort?.up ?? false}
        onSort={() => setSort(next)}
      >
        {title}
      </SortHead>
    );
  };
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Interfaces, scrollable">
        <table class="data links" id="interfaces">
          <thead>
            <tr>
              {exporter && head("Exporter", "Exporter", true)}
              {head("Interface", "Interface", true)}
              {head("Speed")}
              <th colSpan={5} class="group">
                Received
              </th>
              <th colSpan={5} class="group">
                Sent
              </th>
              {head("Errors/s")}
              {head("Coverage")}
            </tr>
            <tr>
              {["in", "out"].flatMap((d) =>
                ["Avg", "p95", "Peak", "% p95", "Course"].map((t) =>
                  t === "Course" ? (
                    <th key={d + t} class="text" data-column={t}>
                      {t}
                    </th>
                  ) : (
                    head(`${d} ${t}`, t, false, false)
                  ),
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, whole ? undefined : firstRows).map((i) => (
              <Row key={`${i.exporter} ${i.index}`} i={i} exporter={exporter} />
            ))}
          </tbody>
        </table>
      </div>
      {!whole && sorted.length > firstRows && (
        <button type="button" class="button" onClick={() => setWhole(true)}>
          Show all {fmt.grouped(sorted.length)}
        </button>
      )}
    </>
  );
}

function Row({ i, exporter }: { i: Interface; exporter: boolean }) {
  const troubles = linkProblems(i);
  const to = pageOf(i);
  const errors = errorsOf(i);
  return (
    <>
      <tr class="link-row" data-link={`${i.exporter}#${i.index}`} onClick={(e) => (e.target as Element).closest("a") || go(to)}>
        {exporter && (
          <td class="text">
            <a href={"/exporters/" + i.exporter} onClick={follow}>
              {i.name || i.exporter}
            </a>
          </td>
        )}
        <td class="text">
          <a href={to} onClick={follow}>
            <b>{linkName(i)}</b>
          </a>{" "}
          <small class="quiet">
            {i.description} {down(i)}
          </small>
        </td>
        <td>{i.speed ? fmt.value(i.speed, "bps") : "–"}</td>
        {[i.in, i.out].flatMap((s, k) => [
          <td key={`a${k}`}>{fmt.value(s.avg, "bps")}</td>,
          <td key={`p${k}`}>{fmt.value(s.p95, "bps")}</td>,
          <td key={`m${k}`}>{fmt.value(s.max, "bps")}</td>,
          <td key={`u${k}`} class={`use ${useLevel(s.use_p95)}`}>
            {fmt.share(s.use_p95)}
          </td>,
          <td key={`c${k}`} class="text course">
            <Spark values={s.course} width={64} />
          </td>,
        ])}
        <td class={errors ? "warn" : ""} title="Errors and discards, both directions">
          {errors === null ? "–" : perSecond(errors)}
        </td>
        <td class={troubles.some((t) => t.level === "warn") ? "warn" : ""} title="Flows over counters: received, sent">
          {[i.in, i.out].some((s) => s.coverage !== null) ? [i.in, i.out].map((s) => quotient(s.coverage)).join(" / ") : "–"}
        </td>
      </tr>
      {troubles.map((t) => (
        <tr key={t.what} class="trouble">
          <td colSpan={exporter ? 15 : 14} class="text">
            <b class={t.level}>{fmt.capital(t.what)}.</b> {t.remedy}
          </td>
        </tr>
      ))}
    </>
  );
}

const quotient = (c: number | null) => (c === null ? "–" : fmt.fixed(c, 2));
const perSecond = (n: number) => (n === 0 ? "0" : n < 0.01 ? "<" + fmt.fixed(0.01, 2) : fmt.fixed(n, n < 10 ? 2 : 0));
const down = (i: Interface) => (i.status === undefined || i.status === 3 ? "" : i.status & 1 ? "down" : "shut down");

/** What the device counted in the time of the URL, and the last weeks; asked anew as the chart is. */
function useCourse(of: string): LinkCourse | undefined {
  const [course, setCourse] = useState<LinkCourse>();
  const keys = ask(view.value, zone.value, ["from", "to"]) + "&px=400"; // the buckets of the chart
  useEffect(() => {
    const stop = new AbortController();
    api.link(of, keys, stop.signal).then(
      ({ body }) => setCourse(body),
      () => undefined, // what is wrong with the time the chart says
    );
    return () => stop.abort();
  }, [of, keys, reload.value]);
  return course;
}

/** How far flows and counters agree, and when the line will be nearly full. */
function Badges({ i, course }: { i: Interface; course: LinkCourse | undefined }) {
  const sides = [
    ["received", i.in, course?.weeks?.trend?.in],
    ["sent", i.out, course?.weeks?.trend?.out],
  ] as const;
  const days = sides.map(([name, , trend]) => ({ name, days: nearlyFullIn(trend, i.speed) })).filter((d) => d.days !== null);
  return (
    <span class="link-badges">
      {sides.map(
        ([name, s]) =>
          s.coverage !== null && (
            <span
              key={name}
              class={`badge ${uncovered(s) ? "warn" : "good"}`}
              title="What flows say over what the counters of the device say"
            >
              coverage {name} {quotient(s.coverage)} <Icon name={uncovered(s) ? "warn" : "check"} />
            </span>
          ),
      )}
      {days.map((d) => (
        <span
          key={d.name}
          class={`badge ${(d.days ?? 0) < 90 ? "warn" : "plain"}`}
          title={`The straight line through the 95th percentiles of the last ${course?.weeks?.trend?.days} days`}
        >
          80 % {d.name} in ~{d.days} days
        </span>
      ))}
    </span>
  );
}

/** The page of one interface: what it received above zero, what it sent below. */
export function Link({ exporter, index }: { exporter: string; index: number }) {
  const { list, error } = useInterfaces(exporter);
  const i = list?.interfaces.find((x) => x.index === index);
  const of = `exporter = ${exporter} and `;
  const course = useCourse(`${exporter}/${index}`);
  const name = i ? [i.name || exporter, linkName(i)].join(" · ") : `${exporter} · if ${index}`;
  const troubles = i ? linkProblems(i) : [];
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
      <section class="panel health" aria-label="Use">
        <h2>
          {i?.description || linkName(i ?? { index })}{" "}
          <span class="quiet">
            {[i?.boundary, i?.speed ? fmt.value(i.speed, "bps") : list && "speed not known", i && down(i)].filter(Boolean).join(" · ")}{" "}
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
            <Icon name="question" /> Neither flows nor counters name this interface in this time.
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
                <Figure name={title} value={fmt.value(s.last, "bps")} more={list && list.step > 60 ? "the last step" : "the last minute"} />
                <Figure name="Average" value={fmt.value(s.avg, "bps")} more={s.error ? fmt.error(s.error) : undefined} />
                <Figure
                  name="95th percentile"
                  value={fmt.value(s.p95, "bps")}
                  more={s.use_p95 === null ? undefined : <span class={useLevel(s.use_p95)}>{fmt.share(s.use_p95)} of the speed</span>}
                />
                <Figure
                  name="Peak"
                  value={fmt.value(s.max, "bps")}
                  more={s.use_max === null ? undefined : `${fmt.share(s.use_max)} of the speed`}
                />
                <Figure
                  name="Counters"
                  value={fmt.value(s.counter, "bps")}
                  more={s.counter === null ? "the device sends none" : `coverage ${quotient(s.coverage)}`}
                />
                <Figure
                  name="Errors, discards"
                  value={s.errors === null ? "–" : `${perSecond(s.errors)}, ${perSecond(s.discards ?? 0)}`}
                  more="a second"
                />
              </dl>
            ),
        )}
      </section>
    </Entity>
  );
}
