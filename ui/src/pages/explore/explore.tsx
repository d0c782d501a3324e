// Explore: a question (filter, grouping, range, unit) and its answer (chart, table, SQL).

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { APIError, api, type QueryResult } from "../../api/api.ts";
import { updated, useStream } from "../../api/live.ts";
import { drawnAs, layers as layersOf } from "../../charts/stack.ts";
import { ResultTable } from "../../charts/table.tsx";
import { TimeChart } from "../../charts/time/chart.tsx";
import { CostHint, dear, type Hint } from "../../parts/cost.tsx";
import { FilterLine } from "../../parts/filterline.tsx";
import { Empty } from "../../parts/nothing.tsx";
import { Refresh, TimeRange } from "../../parts/range.tsx";
import { Icon, IconButton, lazy, Popover, Select, useWidth } from "../../parts/ui.tsx";
import { comparisons, dirs, vizzes } from "../../state/choices.ts";
import { kindsSeen, markHere, switched } from "../../state/events.ts";
import {
  copy,
  copyLink,
  dark,
  facetsChoice,
  go,
  hiddenKinds,
  refreshChoice,
  reload,
  show,
  shown,
  sqlOpen,
  termTitle,
  units,
  view,
  zone,
} from "../../state/state.ts";
import { refreshSeconds, zoomBy } from "../../state/window.ts";
import { narrow } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { absolute, clock, duration, moments } from "../../text/time.ts";
import { format, notMet, request, selected, type View } from "../../text/url.ts";
import { GroupBy } from "./by.tsx";

const OtherCharts = lazy(() => import("../../charts/charts.tsx").then((m) => m.OtherCharts));
const Sankey = lazy(() => import("../../charts/sankey.tsx").then((m) => m.Sankey));
const Facets = lazy(() => import("./facets.tsx").then((m) => m.Facets));
const Explain = lazy(() => import("./explain.tsx").then((m) => m.Explain));
const SQLDrawer = lazy(() => import("../../parts/sql.tsx").then((m) => m.SQLDrawer));

interface Answer {
  result: QueryResult;
  now: number;
  /** The view that was asked, so that a late answer is never shown under another question. */
  asked: string;
  ms: number;
}

const layerChoices = [
  { value: "l3", title: "L3, IP" },
  { value: "l2", title: "L2, Ethernet" },
  { value: "l1", title: "L1, on the line" },
];
const aggs = [
  { value: "avg", title: "average" },
  { value: "peak", title: "average, peak" },
  { value: "spread", title: "average, records spread" },
];
const scales = [
  { value: "lin", title: "linear" },
  { value: "log", title: "logarithmic" },
  { value: "sqrt", title: "square root" },
];
const ranks = [
  { value: "avg", title: "average" },
  { value: "max", title: "maximum" },
  { value: "last", title: "last" },
  { value: "p95", title: "95th perc." },
];
/** Behind a statistic: over all directions. */
const together = " sum";
/** The units in which the length of a packet counts. */
const layered = new Set(["bps", "bytes", "bpp", "pct"]);
const tops = [1, 3, 5, 8, 12, 20, 30, 50];

/** The most points worth asking for: one every two pixels. */
const pixelsPerPoint = 2;
const slowMS = 300;

const pollMS = 400;
/** Asks for the chart as a file; PNG and SVG where the page has drawn one. */
function ExportMenu({ answer, drawn }: { answer: Answer; drawn: string }) {
  const [open, setOpen] = useState(false);
  const { result, now, asked } = answer;
  const picture = drawn === "sankey" ? "svg" : ["stack", "stack100", "line", "heat"].includes(drawn) ? "png" : "";
  const done = (f: () => void) => () => {
    setOpen(false);
    f();
  };
  const load = (what: "saveSVG" | "savePNG") => void import("../../charts/export.tsx").then((m) => m[what](result, now));
  const file = `netmeta-${result.from}-${result.to}`;
  return (
    <span class="anchor">
      <button
        type="button"
        class="button"
        id="export"
        data-opens
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label="Export"
        title="Export"
        onClick={() => setOpen(!open)}
      >
        <Icon name="download" />
      </button>
      <Popover open={open} onClose={() => setOpen(false)} class="menu" label="Export">
        <div role="menu" aria-label="Export" class="menu-list">
          <a role="menuitem" href={`/api/v1/query.csv?${asked}`} download={file + ".csv"} onClick={done(() => undefined)}>
            CSV <span class="quiet">each bucket</span>
          </a>
          <a role="menuitem" href={`/api/v1/query.csv?${asked}&of=table`} download={file + "-table.csv"} onClick={done(() => undefined)}>
            CSV <span class="quiet">the table</span>
          </a>
          <a role="menuitem" href={`/api/v1/query?${asked}`} download={file + ".json"} onClick={done(() => undefined)}>
            JSON
          </a>
          {picture === "png" && (
            <button type="button" role="menuitem" onClick={done(() => load("savePNG"))}>
              PNG <span class="quiet">at twice the size</span>
            </button>
          )}
          {picture === "svg" && (
            <button type="button" role="menuitem" onClick={done(() => load("saveSVG"))}>
              SVG
            </button>
          )}
          <button
            type="button"
            role="menuitem"
            onClick={done(() => void copy(`curl -s '${location.origin}/api/v1/query.csv?${asked.replace(/'/g, "%27")}'`, "curl command"))}
          >
            Copy as curl
          </button>
        </div>
      </Popover>
    </span>
  );
}

/** Which events the charts show, by kind, and a way to mark one. */
function EventsMenu() {
  const [open, setOpen] = useState(false);
  const hidden = hiddenKinds.signal.value;
  const kinds = kindsSeen.value;
  return (
    <span class="anchor events">
      <IconButton
        icon="flag"
        class={`icon-button ${hidden === "*" ? "" : "on"}`}
        id="events"
        data-opens
        aria-haspopup="dialog"
        aria-expanded={open}
        label="Events on the charts"
        onClick={() => setOpen(!open)}
      />
      <Popover open={open} onClose={() => setOpen(false)} class="menu right events-menu" label="Events">
        <label class="check">
          <input type="checkbox" checked={hidden !== "*"} onChange={(e) => hiddenKinds.set(e.currentTarget.checked ? "" : "*")} /> Events on
          the charts
        </label>
        {hidden !== "*" &&
          kinds.map((k) => (
            <label key={k} class="check kind">
              <input
                type="checkbox"
                checked={switched(hidden, k).length > hidden.length}
                onChange={() => hiddenKinds.set(switched(hidden, k))}
              />{" "}
              {k}
            </label>
          ))}
        <button
          type="button"
          class="button"
          onClick={() => {
            setOpen(false);
            markHere();
          }}
        >
          Mark an event … <kbd>m</kbd>
        </button>
      </Popover>
    </span>
  );
}

export function Explore() {
  const v = view.value;
  const [width, setWidth] = useWidth<HTMLDivElement>();
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<APIError | null>(null);
  const [loading, setLoading] = useState(false);
  const [slow, setSlow] = useState(false);
  const [hovered, setHovered] = useState(false);
  const [hint, setHint] = useState<Hint | null>(null);
  const [part, setPart] = useState(0);
  const [streamless, setStreamless] = useState(""); // the question of which there is no stream
  const running = useRef<AbortController | null>(null);

  // Asked again when the question changes or when somebody asks; a few pixels more or less are the same question.
  const px = setWidth > 0 ? Math.max(100, Math.round(setWidth / pixelsPerPoint / 50) * 50) : 0;
  const keys = px > 0 ? request(v, zone.value, px) : "";
  const turn = reload.value;

  useEffect(() => {
    if (keys === "") return;
    const stop = new AbortController();
    running.current = stop;
    const began = performance.now();
    const tag = `page-${began.toString(36).replace(".", "-")}-${Math.random().toString(36).slice(2)}`;
    setLoading(true);
    let finished = false;
    const timer = window.setTimeout(() => {
      setSlow(true);
      void progress();
    }, slowMS);
    const done = () => {
      finished = true;
      setPart(0);
      clearTimeout(timer);
      setLoading(false);
      setSlow(false);
    };
    // How far it is, once it is slow: the engine knows it by its tag.
    const progress = async () => {
      while (!stop.signal.aborted && !finished) {
        const mine = await api.running(stop.signal).then(
          ({ body }) => body.queries.find((r) => r.tag === tag),
          () => undefined,
        );
        if (mine && mine.of > 0 && !finished) setPart(Math.min(0.99, mine.rows / mine.of));
        await new Promise((next) => setTimeout(next, pollMS));
      }
    };
    const ask = async () => {
      const cost = await dear(keys, stop.signal);
      if (stop.signal.aborted) return;
      if (cost) {
        done();
        setHint(cost);
        return;
      }
      const { body, now } = await api.query(keys, stop.signal, tag);
      if (stop.signal.aborted) return;
      done();
      setError(null);
      setAnswer({ result: body, now, asked: keys, ms: performance.now() - began });
    };
    setHint(null);
    ask().catch((e: unknown) => {
      done();
      if (stop.signal.aborted) return;
      setError(e instanceof APIError ? e : new APIError(0, { title: String(e) }));
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [keys, turn]);

  const result = answer?.result;
  const all = useMemo(() => (result ? layersOf(result) : []), [result]);
  const ids = useMemo(() => [...new Set(all.map((l) => l.id))], [all]);
  const hidden = useMemo(() => new Set(v.hide.filter((h) => ids.includes(h))), [v.hide.join("\n"), ids]);
  const visible = useMemo(() => all.filter((l) => !hidden.has(l.id)), [all, hidden]);

  useEffect(() => {
    shown.value = answer ? { from: answer.result.from, to: answer.result.to, step: answer.result.step, now: answer.now, ids } : null;
  }, [answer, ids]);
  useEffect(
    () => () => {
      shown.value = null;
    },
    [],
  );

  // Live: the server sends what changed, once there is an answer that it changes. A pointer on the chart, a hidden tab or a range in
  // the past stops it.
  const step = result?.step ?? 10;
  const every = refreshSeconds(step);
  const live = v.live && v.to === "now" && !hovered;
  const follows = live && refreshChoice.signal.value === "auto" && answer?.asked === keys && !error && streamless !== keys;
  useStream(follows ? keys : "", {
    result: (r) => setAnswer({ result: r, now: r.to, asked: keys, ms: r.meta.ms }),
    update: (u) => setAnswer((old) => old && { ...old, result: updated(old.result, u), now: u.to }),
    problem: setError,
    broken: () => reload.value++, // what asks says what is wrong
    none: () => setStreamless(keys),
  });
  // At an interval of its own, or without a stream: the next round begins after the last has ended.
  useEffect(() => {
    if (!live || follows || loading) return;
    let timer = 0;
    const tick = () => {
      if (document.hidden) timer = window.setTimeout(tick, 500);
      else reload.value += 1;
    };
    timer = window.setTimeout(tick, every * 1000);
    return () => clearTimeout(timer);
  }, [live, follows, loading, every, turn]);

  // Escape gives up a running query.
  useEffect(() => {
    const cancel = (e: KeyboardEvent) => {
      if (e.key !== "Escape" || !loading) return;
      running.current?.abort(); // the server ends it in the engine
      setLoading(false);
      setPart(0);
      setSlow(false);
    };
    addEventListener("keydown", cancel);
    return () => removeEventListener("keydown", cancel);
  }, [loading]);

  const isolate = (id: string) => {
    const others = ids.filter((x) => x !== id);
    const alone = hidden.size === others.length && !hidden.has(id);
    show({ hide: alone ? [] : others });
  };
  const toggle = (id: string) => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    show({ hide: next.size === ids.length ? [] : [...next] });
  };

  const facets = facetsChoice.signal.value === "on";
  const bytesFilter = error?.filter;
  const viz = drawnAs(v.viz, v.unit);
  const known = vizzes.some((z) => z.value === viz) ? viz : "stack";
  // A sankey needs room; on a phone the same numbers are bars.
  const drawn = known === "sankey" && setWidth > 0 && setWidth < 600 ? "bar" : known;
  // Directions may each have their own largest groups.
  const directed = v.dir === "both" && v.by.length > 0;
  const statistics = v.vs ? [...ranks, { value: "delta", title: "change" }] : ranks;
  const empty = result ? (result.meta.empty ?? (result.series.length === 0 ? "no-match" : null)) : null;

  return (
    <main class="explore" id="main">
      <h1 class="offscreen">Explore</h1>
      <div class="question">
        <FilterLine serverError={bytesFilter} />
        <div class="when">
          <TimeRange />
          <Refresh loading={loading} paused={hovered} />
        </div>
      </div>
      <div class="controls">
        <GroupBy />
        <div class="options">
          <div class="segments" role="radiogroup" aria-label="Visualization">
            {vizzes.map((z) => (
              <button
                key={z.value}
                type="button"
                role="radio"
                aria-checked={viz === z.value}
                class={viz === z.value ? "on" : ""}
                onClick={() => show({ viz: z.value })}
              >
                {z.title}
              </button>
            ))}
          </div>
          <Select
            label="Unit"
            id="unit"
            value={v.unit}
            choices={units.value.map((u) => ({ value: u.name, title: u.title }))}
            onChange={(unit) => show({ unit })}
          />
          {layered.has(v.unit) && (
            <Select label="of" id="layer" value={v.layer} choices={layerChoices} onChange={(layer) => show({ layer })} />
          )}
          <Select label="Direction" id="dir" value={v.dir} choices={dirs} onChange={(dir) => show({ dir })} />
          <Select
            label="Top"
            id="top"
            value={String(v.n)}
            choices={tops.map((n) => ({ value: String(n), title: String(n) }))}
            onChange={(n) => show({ n: Number(n), hide: [] })}
          />
          <Select
            label="by"
            id="rank"
            value={v.rankdir === "sum" && directed ? v.rank + together : v.rank}
            choices={
              directed
                ? [...statistics, ...statistics.map((r) => ({ value: r.value + together, title: `${r.title} over all` }))]
                : statistics
            }
            onChange={(s) => show({ rank: s.replace(together, ""), rankdir: s.endsWith(together) ? "sum" : "each", hide: [] })}
          />
          <Select
            label="vs"
            id="vs"
            value={v.vs}
            choices={comparisons}
            onChange={(vs) => show({ vs, rank: vs === "" && v.rank === "delta" ? "avg" : v.rank })}
          />
          <Select
            label="Show"
            id="agg"
            value={v.spread ? "spread" : v.agg}
            choices={aggs}
            onChange={(agg) => show(agg === "spread" ? { agg: "avg", spread: true } : { agg, spread: false })}
          />
          <button
            type="button"
            class={`button sql-button ${sqlOpen.value ? "on" : ""}`}
            aria-pressed={sqlOpen.value}
            title="The SQL behind this chart  x"
            onClick={() => (sqlOpen.value = !sqlOpen.value)}
          >
            <Icon name="code" /> SQL
          </button>
          {answer && <ExportMenu answer={answer} drawn={drawn} />}
          <button
            type="button"
            class={`button ${facets ? "on" : ""}`}
            aria-pressed={facets}
            aria-label="Facets"
            title="Facets: the largest values of several fields  f"
            onClick={() => facetsChoice.set(facets ? "off" : "on")}
          >
            <Icon name="panel" />
          </button>
        </div>
      </div>

      <div class={`split ${facets ? "with-facets" : ""}`}>
        <div class="column">
          <section
            class={`panel figure ${drawn === "table" && result && !empty ? "bare" : ""}`}
            aria-label="Chart"
            aria-busy={loading}
            ref={width}
          >
            <div
              class={`progress ${slow ? "on" : ""} ${part > 0 ? "known" : ""}`}
              style={part > 0 ? { "--part": part } : undefined}
              aria-hidden="true"
            />
            {slow && (
              <p class="running" role="status">
                {part > 0 ? `${Math.round(part * 100)} % read` : "Running"} <kbd>Esc</kbd> cancels
              </p>
            )}
            {hint && <CostHint hint={hint} />}
            {error && !bytesFilter && (
              <p class="notice bad" role="alert">
                <Icon name="warn" />
                <span>
                  {error.message}
                  {error.problem.detail && error.problem.title && error.problem.detail !== error.problem.title ? (
                    <em> ({error.problem.title})</em>
                  ) : null}
                </span>
                <button type="button" class="button" onClick={() => (reload.value += 1)}>
                  Try again
                </button>
              </p>
            )}
            {result && answer ? (
              <>
                <Header answer={answer} v={v} bends={!empty && (drawn === "stack" || drawn === "line")} />
                {empty ? (
                  <Empty kind={empty} q={v.q} now={answer.now} matches={result.meta.matches_7d} />
                ) : drawn === "table" ? null : drawn === "sankey" ? (
                  result.by.length < 2 ? (
                    <div class="empty">
                      <h2>A sankey needs two groupings</h2>
                      <p>Traffic flows from the values of one field to those of the next.</p>
                      <button type="button" class="button primary" data-opens onClick={() => document.getElementById("by-add")?.click()}>
                        Group by another field
                      </button>
                    </div>
                  ) : (
                    <Sankey result={result} summary={summary(result)} />
                  )
                ) : drawn === "grid" || drawn === "bar" || drawn === "heat" ? (
                  <OtherCharts result={result} layers={visible} viz={drawn} now={answer.now} summary={summary(result)} />
                ) : (
                  <TimeChart
                    result={result}
                    layers={visible}
                    viz={drawn}
                    y={v.y}
                    ymax={v.ymax}
                    now={answer.now}
                    summary={summary(result)}
                    sel={selected(v.sel)}
                    onZoom={(a, b) => show({ from: absolute(a), to: absolute(b) })}
                    onExplain={(a, b) => show({ sel: `${a}~${b}` })}
                    onFlows={(a, b) => go("/flows?" + format({ ...v, from: absolute(a), to: absolute(b), sel: "", live: false, hide: [] }))}
                    onLink={(a, b) =>
                      void copyLink("/explore?" + format({ ...v, from: absolute(a), to: absolute(b), live: false }), "Link to this time")
                    }
                    onZoomOut={() => zoomBy(2)}
                    onHover={setHovered}
                  />
                )}
              </>
            ) : (
              <div class="chart-placeholder">{bytesFilter && <p class="quiet">The chart comes back when the filter is right.</p>}</div>
            )}
          </section>
          {v.sel && <Explain />}
          {result && !empty && (
            <section class="panel" aria-label="Table">
              <ResultTable result={result} rank={v.rank} layers={all} hidden={hidden} onIsolate={isolate} onToggle={toggle} />
            </section>
          )}
        </div>
        {facets && result && <Facets from={result.from} to={result.to} zone={zone.value} />}
      </div>
      {sqlOpen.value && <SQLDrawer result={result} keys={keys} />}
      <span hidden data-dark={dark.value} data-answer={answer?.asked} data-to={result?.to} />
    </main>
  );
}

/** What every number on this chart is: length, bucket, statistic, error, and how far the data reaches. */
function Header({ answer, v, bends }: { answer: Answer; v: View; bends: boolean }) {
  const { result, now } = answer;
  const { meta, step } = result;
  const tz = zone.value;
  const behind = now - meta.through;
  const reaches = result.to >= now - Math.max(60, 2 * step);
  const worst = Math.max(
    0,
    ...result.total.map((_, i) => {
      // The error of the sum of a direction follows from all its samples.
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
        <span>{duration(step)} buckets</span>
        <span>{fmt.isRate(result.unit) ? `max of ${duration(step)} averages` : `sums of ${duration(step)}`}</span>
        {worst > 0 && <span title="95 % error of the total that sampling alone explains">total {fmt.error(worst)}</span>}
        {reaches && meta.through > 0 && (
          <span
            class={behind > Math.max(30, 3 * step) ? "warn" : ""}
            title={`The newest record was received at ${moments(meta.through, tz, now)}`}
          >
            data through {behind < 0.5 ? "now" : behind < 600 ? `−${Math.round(behind)} s` : moments(meta.through, tz, now)}
          </span>
        )}
        {(meta.partial.first || meta.partial.last) && (
          <span title="Not a whole bucket inside the range: veiled, and not counted for max and last">
            {meta.partial.first ? (meta.partial.last ? "first and last" : "first") : "last"} bucket partial
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
          <Icon name="warn" /> The exporters report every {duration(meta.resolution)}: buckets of {duration(step)} are finer than their
          data.{" "}
          {!view.value.spread && (
            <button type="button" class="button" onClick={() => show({ agg: "avg", spread: true })}>
              Spread records over their time
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
          <Icon name="warn" /> {fmt.grouped(meta.implausible)} implausible {meta.implausible > 1 ? "records" : "record"}: more than networks
          carry.{" "}
          <button type="button" class="button" onClick={() => show({ q: narrow(v.q, "quality != implausible") })}>
            Exclude
          </button>
        </p>
      )}
      {v.ymax && (
        <p class="facts warn">
          {fmt.parseAmount(v.ymax)
            ? `The axis ends at ${fmt.value(fmt.parseAmount(v.ymax), result.unit)}.`
            : `“${v.ymax}” is no end of an axis: write ymax=10g.`}{" "}
          <button type="button" class="button" onClick={() => show({ ymax: "" })}>
            Show all
          </button>
        </p>
      )}
      {kept.length > 0 && (
        <p class="facts warn">
          <Icon name="warn" /> Not understood in this URL, and kept: {kept.join(", ")}
        </p>
      )}
      {unmet.length > 0 && (
        <p class="facts warn">
          <Icon name="warn" /> {unmet.join(", ")}
        </p>
      )}
      {!vizzes.some((z) => z.value === v.viz) && (
        <p class="facts warn">
          <Icon name="warn" /> This version cannot draw “{v.viz}” and shows a stack.
        </p>
      )}
    </div>
  );
}

/** The chart in one sentence, for those who do not see it. */
function summary(r: QueryResult): string {
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
