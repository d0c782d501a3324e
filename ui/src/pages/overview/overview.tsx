// Overview, the first page: how much flows and how that compares, what needs a person, who it is and what has changed. All of it
// comes from the rollups and from what the server counts of itself, so that it may stay open on a wall. A new installation sees
// Start instead.

import { useEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type Event, type Health, type Interfaces, type QueryResult, type Status, type Total } from "../../api/api.ts";
import { arrows, layers } from "../../charts/stack.ts";
import { TimeChart } from "../../charts/time/chart.tsx";
import { FilterLine } from "../../parts/filter/filterline.tsx";
import { Nothing } from "../../parts/nothing.tsx";
import { RefreshButton, TimeRange } from "../../parts/range.tsx";
import { Spark } from "../../parts/spark.tsx";
import { Icon, lazy } from "../../parts/ui.tsx";
import { groupOf, ValueButton } from "../../parts/valuemenu.tsx";
import { savedViews } from "../../state/saved.ts";
import { follow, go, link, reload, shown, termTitle, view, zone } from "../../state/state.ts";
import { doors } from "../../state/window.ts";
import * as fmt from "../../text/format.ts";
import { clock, duration, resolve } from "../../text/time.ts";
import { ask } from "../../text/url.ts";
import { linkName, useLevel } from "../health.ts";
import { atOnce } from "../views/boards.ts";
import { comparison, concerns, dull, usual } from "./glance.ts";

const Start = lazy(() => import("../start/start.tsx").then((m) => m.default));
const Tile = lazy(() => import("../views/board.tsx").then((m) => m.Tile));

/** Who it is, the most telling first; one that tells nothing apart here is passed over. The rollups keep all of them. */
const groupings = ["remote.as", "src.as", "exporter"];
const listed = 6;
const mostPinned = 4;
/** The page asks this many questions at once, so that it leaves the engine to others too. */
const run = atOnce(2);

export default function Home() {
  const [status, setStatus] = useState<Status | null>(null);
  const [down, setDown] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    api.status(stop.signal).then(
      ({ body }) => setStatus(body),
      () => stop.signal.aborted || setDown(true),
    );
    return () => stop.abort();
  }, []);
  const timed = view.value && /[?&](from|to)=/.test(location.search);
  useEffect(() => {
    if (status && status.storage.rows > 0 && !timed) go(link("/", { from: usual(status.now - status.storage.oldest) }), "replace");
  }, [status, timed]);
  if (down) return <Start />; // says that nothing answers, and goes on asking
  if (!status) return null;
  return (status.exporters ?? []).length === 0 && status.storage.rows === 0 ? <Start /> : <Overview first={status} />;
}

const comparedWith: Record<string, string> = { "-7d": "the week before", "-1d": "the day before", prev: "the time before" };

interface Found {
  /** The question that all of it answers. */
  keys: string;
  status: Status;
  exporters: Health[];
  events: Event[];
  vs: string;
  total?: QueryResult;
  now: number;
  who?: QueryResult;
  changes?: QueryResult;
  links?: Interfaces;
  /** All of it was asked, and how much of it was answered. */
  looked?: "partly" | "whole";
}

/** Asks all of it, and tells each part when it is known. */
async function look(keys: string, status: Status, stop: AbortSignal, told: (part: Partial<Found>) => void): Promise<void> {
  const { from, to } = view.peek();
  const [begin, end] = [from, to].map((t) => resolve(t, status.now, zone.peek()) ?? status.now);
  const vs = comparison(begin, end, status.storage.oldest);
  const against = vs && `&vs=${vs}`;
  told({ status, vs });
  const total = api.query(`${keys}&px=400${against}`, stop).then(({ body, now }) => told({ total: body, now }));
  const who = async () => {
    let by = groupings[0];
    for (by of groupings) {
      const { body } = await api.query(`${keys}&by=${by}&n=${listed}&px=60${against}`, stop);
      told({ who: body });
      if (!dull(body)) break;
    }
    if (vs)
      await api.query(`${keys}&by=${by}&n=${listed}&dir=sum&rank=delta&px=10${against}`, stop).then(({ body }) => told({ changes: body }));
  };
  const parts: (() => Promise<unknown>)[] = [
    () => api.interfaces(ask(view.peek(), zone.peek(), ["from", "to"]), stop).then(({ body }) => told({ links: body })),
    who,
    () => api.events(Math.floor(begin), Math.ceil(end), "", stop).then(({ body }) => told({ events: body.events })),
    () => api.exporters(stop).then(({ body }) => told({ exporters: body.exporters })),
  ];
  // A part that fails is left out; the others stand.
  let looked: Found["looked"] = "whole";
  const quietly = (p: Promise<unknown>) =>
    p.catch((e) => {
      looked = "partly";
      if (!stop.aborted) console.debug(e);
    });
  await Promise.all([total, ...parts.map((part) => quietly(run(part, stop)))]);
  told({ looked });
}

function Overview({ first }: { first: Status }) {
  const v = view.value;
  const [known, setFound] = useState<Found | null>(null);
  const [error, setError] = useState("");
  const [loading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  const fresh = useRef<Status | null>(first);
  const keys = ask({ ...v, dir: "both" }, zone.value, ["q", "from", "to"]) || "dir=both";
  useEffect(() => {
    const stop = new AbortController();
    setLoading(true);
    // What was known stays until there is newer, of the same question.
    const told = (part: Partial<Found>) =>
      stop.signal.aborted ||
      setFound((old) => ({
        ...(old?.keys === keys ? old : { status: first, exporters: first.exporters ?? [], events: [], vs: "", now: first.now }),
        keys,
        ...part,
      }));
    const status = fresh.current ? Promise.resolve(fresh.current) : api.status(stop.signal).then(({ body }) => body);
    fresh.current = null;
    status
      .then((s) => look(keys, s, stop.signal, told))
      .then(
        () => {
          if (stop.signal.aborted) return;
          setLoading(false);
          setError("");
        },
        (e: unknown) => {
          if (stop.signal.aborted) return;
          setLoading(false);
          setError(e instanceof APIError ? e.message : String(e));
        },
      );
    return () => stop.abort();
  }, [keys, turn, reload.value]);
  const found = known?.total ? { ...known, total: known.total } : null;

  // A page that goes on by itself: as often as there is something new to see, and not while nobody looks.
  const every = Math.max(10, Math.min(60, found?.total.step ?? 60));
  useEffect(() => {
    if (v.to !== "now") return;
    const timer = setInterval(() => document.hidden || setTurn((t) => t + 1), every * 1000);
    return () => clearInterval(timer);
  }, [v.to, every]);

  useEffect(() => {
    shown.value = found ? { from: found.total.from, to: found.total.to, step: found.total.step, now: found.now, ids: [] } : null;
    return () => {
      shown.value = null;
    };
  }, [known?.total]);

  const pinned = savedViews.value.filter((x) => x.pinned && x.of.length === 0).slice(0, mostPinned);
  const none = found !== null && found.total.series.length === 0;
  return (
    <main class="overview entity" id="main">
      <h1 class="offscreen">Overview</h1>
      <div class="question">
        <FilterLine serverError={undefined} />
        <div class="when">
          <TimeRange />
          <RefreshButton loading={loading} />
        </div>
      </div>
      {error && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {error}
        </p>
      )}
      {!found && !error && <Awaited />}
      {found && (
        <>
          <div class="overview-top" data-overview={loading ? undefined : "whole"}>
            {!none && found.total.total.filter((t) => t.total > 0).map((t) => <Tell key={t.dir} total={t} result={found.total} />)}
            <Attention found={found} known={error ? "old" : (found.looked ?? "asking")} />
          </div>
          {none ? (
            <section class="panel" aria-label="Traffic">
              <Nothing q={v.q} now={found.now} />
            </section>
          ) : (
            <div class="overview-grid">
              <section class="panel figure" aria-label="Traffic" aria-busy={loading}>
                <div class="figure-head">
                  <h2>Traffic by direction</h2>
                  <p class="facts">
                    <span>{duration(found.total.step)} buckets</span>
                    {found.total.vs && <span>dashed: {comparedWith[found.vs]}</span>}
                  </p>
                  <p class="facts right">
                    <a href={link("/explore", { vs: found.vs })} onClick={follow}>
                      Explore
                    </a>
                  </p>
                </div>
                <TimeChart
                  result={found.total}
                  layers={layers(found.total)}
                  viz="stack"
                  small
                  now={found.now}
                  summary={`Traffic by direction: ${found.total.total.map((t) => `${t.dir} average ${fmt.value(t.avg, found.total.unit)}`).join(", ")}`}
                  {...doors()}
                />
              </section>
              <div class="overview-side">
                {found.changes && <Changes r={found.changes} vs={found.vs} />}
                {found.who && <Who r={found.who} />}
                {found.links && <Links list={found.links} />}
              </div>
              {pinned.length > 0 && (
                <div class="tiles" role="region" aria-label="Pinned views">
                  {pinned.map((x) => (
                    <Tile key={x.slug} slug={x.slug} time={undefined} q={v.q} asking={asking} />
                  ))}
                </div>
              )}
            </div>
          )}
        </>
      )}
    </main>
  );
}

/** What stands where the answers will be. */
function Awaited() {
  return (
    <>
      <div class="overview-top" aria-hidden="true">
        <section class="panel tell awaited" />
        <section class="panel tell awaited" />
        <section class="panel attention" />
      </div>
      <div class="overview-grid">
        <section class="panel figure awaited" aria-label="Traffic" aria-busy="true">
          <div class="progress on" aria-hidden="true" />
        </section>
      </div>
    </>
  );
}

const asking = new Set<AbortController>();

/** What one direction carries. */
function Tell({ total, result }: { total: Total; result: QueryResult }) {
  const { unit, step } = result;
  return (
    <section class="panel tell" aria-label={total.dir} data-dir={total.dir}>
      <h2>
        <span aria-hidden="true">{arrows[total.dir]}</span> {total.dir === "sum" ? "all" : total.dir}
      </h2>
      <p class="now">{fmt.value(total.last, unit)}</p>
      <p class="facts">
        <span>average {fmt.value(total.avg, unit)}</span>
        <span title={`The largest average of ${duration(step)}`}>peak {fmt.value(total.max, unit)}</span>
        {total.vs && <Change of={total.vs.change} />}
      </p>
      <Spark values={total.values} width={240} height={34} />
    </section>
  );
}

/** How much more or less, of the average. */
function Change({ of }: { of: number | null }) {
  if (of === null) return <span>new</span>;
  return <span>{Math.abs(of) < 0.0005 ? "as before" : `${of < 0 ? "−" : "+"}${fmt.share(Math.abs(of))}`}</span>;
}

/** `known` is how much of what it looks at is there: that nothing is wrong is only said when all of it is, and of now. */
function Attention({
  found,
  known,
}: {
  found: Pick<Found, "status" | "exporters" | "links" | "events">;
  known: "asking" | "old" | "partly" | "whole";
}) {
  const [all, setAll] = useState(false);
  const list = concerns(found.status, found.exporters, found.links, found.events);
  return (
    <section class="panel attention" aria-label="What needs attention">
      <h2>
        {list.length > 0 ? "Needs attention" : known === "whole" ? "Nothing needs attention" : "What needs attention"}{" "}
        <span class="quiet">{list.length > 0 ? list.length : ""}</span>
      </h2>
      {known === "old" && <p class="quiet">As it was at {clock(found.status.now, zone.value)}; trying again.</p>}
      {known === "partly" && <p class="quiet">Not all that is looked at answers; trying again.</p>}
      {known === "asking" && list.length === 0 && <p class="quiet">Looking …</p>}
      {list.length === 0 && known === "whole" && (
        <p class="quiet">
          <Icon name="check" /> All that was received is stored; exporters and interfaces are well.
        </p>
      )}
      <ul>
        {list.slice(0, all ? undefined : 4).map((c) => (
          <li key={c.of + c.what} class={c.level}>
            <Icon name="warn" />
            <a href={c.to} onClick={follow}>
              <b>{c.of}</b> {c.what}
            </a>
          </li>
        ))}
      </ul>
      {list.length > 4 && (
        <button type="button" class="facet-more" onClick={() => setAll(!all)}>
          {all ? "Fewer" : `${list.length - 4} more`}
        </button>
      )}
    </section>
  );
}

/** Who it is: the largest groups, each with its directions. */
function Who({ r }: { r: QueryResult }) {
  const rows = layers(r)
    .filter((l) => !l.series.other)
    .map((l) => l.series)
    .sort((a, b) => b.total - a.total)
    .slice(0, listed);
  const top = Math.max(1, ...rows.map((s) => s.share));
  return (
    <section class="panel" aria-label="Largest">
      <h2>
        Largest {termTitle(r.by[0])}{" "}
        <a class="more" href={link("/explore", { by: r.by })} onClick={follow}>
          All
        </a>
      </h2>
      <table class="data small">
        <tbody>
          {rows.map((s) => (
            <tr key={s.key.join() + s.dir}>
              <td class="text key">
                <ValueButton value={groupOf(s, r.by)} />
              </td>
              <td class="text quiet">{s.dir}</td>
              <td class="text">
                <Spark values={s.values} width={64} />
              </td>
              <td>{fmt.value(s.avg, r.unit)}</td>
              <td class="share">
                {fmt.share(s.share)}
                <i class="bar" style={{ width: Math.min(100, (s.share / top) * 100) + "%", background: "var(--accent)" }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What has changed most: more to the right, less to the left. */
function Changes({ r, vs }: { r: QueryResult; vs: string }) {
  const rows = r.series
    .filter((s) => !s.other && s.vs && s.vs.delta !== 0)
    .sort((a, b) => Math.abs(b.vs?.delta ?? 0) - Math.abs(a.vs?.delta ?? 0));
  const top = Math.max(...rows.map((s) => Math.abs(s.vs?.delta ?? 0)), 1);
  return (
    <section class="panel" aria-label="Biggest changes">
      <h2>
        Biggest changes <span class="quiet">against {comparedWith[vs]}</span>{" "}
        <a class="more" href={link("/explore", { by: r.by, vs, rank: "delta", dir: "sum" })} onClick={follow}>
          All
        </a>
      </h2>
      {rows.length === 0 && <p class="quiet">None.</p>}
      <table class="data small">
        <tbody>
          {rows.map((s) => {
            const delta = s.vs?.delta ?? 0;
            return (
              <tr key={s.key.join()}>
                <td class="text key">
                  <ValueButton value={groupOf(s, r.by)} />
                </td>
                <td class="text diverging">
                  <i class={delta < 0 ? "less" : ""} style={{ width: (Math.abs(delta) / top) * 50 + "%" }} />
                </td>
                <td>
                  {delta < 0 ? "−" : "+"}
                  {fmt.value(delta, r.unit)}
                </td>
                <td class="quiet">
                  <Change of={s.vs?.change ?? null} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** The fullest lines; without speeds, those with most traffic. */
function Links({ list }: { list: Interfaces }) {
  const fuller = (i: Interfaces["interfaces"][number]) =>
    Math.max(i.out.use_p95 ?? -1, i.out.p95 / 1e18) > Math.max(i.in.use_p95 ?? -1, i.in.p95 / 1e18)
      ? { s: i.out, verb: "out" }
      : { s: i.in, verb: "in" };
  const rows = list.interfaces
    .map((i) => ({ i, ...fuller(i) }))
    .sort((a, b) => (b.s.use_p95 ?? -1) - (a.s.use_p95 ?? -1) || b.s.p95 - a.s.p95)
    .slice(0, listed);
  if (rows.length === 0) return null;
  return (
    <section class="panel" aria-label="Fullest interfaces">
      <h2>
        Fullest interfaces{" "}
        <a class="more" href={link("/if", { q: "" })} onClick={follow}>
          All
        </a>
      </h2>
      <table class="data small">
        <tbody>
          {rows.map(({ i, s, verb }) => (
            <tr key={`${i.exporter} ${i.index}`}>
              <td class="text key">
                <a href={link(`/if/${i.exporter}/${i.index}`, { q: "" })} onClick={follow}>
                  {i.name || i.exporter} <b>{linkName(i)}</b>
                </a>
              </td>
              <td class="text quiet">{verb}</td>
              <td class="text">
                <Spark values={s.course} width={64} />
              </td>
              <td title="95th percentile">{fmt.value(s.p95, "bps")}</td>
              <td class={useLevel(s.use_p95)} title="95th percentile of its speed">
                {fmt.share(s.use_p95)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
