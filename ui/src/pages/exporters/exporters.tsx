// Exporters: who sends, how well, and what helps where it is not well; and the page of one of them.

import { useRef, useState } from "preact/hooks";
import { api, type Event, type Health, type Ignored, noAnswer } from "../../api/api.ts";
import { Decide, IgnoredList, ignoredFacts } from "../../parts/senders.tsx";
import { Figure, Icon, Spark, usePoll } from "../../parts/ui.tsx";
import { follow, go, link, zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ago, duration, moments } from "../../text/time.ts";
import { about, Entity } from "../entity/entity.tsx";
import { exporterLinkProblems, knowsRate, lossOf, type Problem, problems, templated } from "../health.ts";
import { LinkTable, useInterfaces } from "../interfaces/interfaces.tsx";

const pollMS = 2000;
const courseMS = 30_000;

interface State {
  list: Health[];
  others?: Health;
  ignored: Ignored[];
  now: number;
  /** Flows and datagrams per second, by address and type. */
  rates: Map<string, [number, number]>;
}

const idOf = (e: Health) => e.address + " " + e.type;

/** The exporters, asked again and again, with what the difference of two answers says. */
function useExporters(): [State | null, string, () => void] {
  const [state, setState] = useState<State | null>(null);
  const [down, setDown] = useState("");
  const before = useRef<{ at: number; list: Map<string, Health> } | null>(null);
  const poll = async (signal?: AbortSignal) => {
    try {
      const { body, now } = await api.exporters(signal);
      const at = performance.now();
      const b = before.current;
      const rates = new Map<string, [number, number]>();
      for (const e of body.exporters) {
        const old = b?.list.get(idOf(e));
        if (b && old && at > b.at)
          rates.set(
            idOf(e),
            [Math.max(0, e.flows - old.flows), Math.max(0, e.datagrams - old.datagrams)].map((n) => (n * 1000) / (at - b.at)) as [
              number,
              number,
            ],
          );
      }
      before.current = { at, list: new Map(body.exporters.map((e) => [idOf(e), e])) };
      setState({
        list: [...body.exporters].sort((x, y) => (x.address < y.address ? -1 : 1)),
        others: body.others,
        ignored: body.ignored ?? [],
        now,
        rates,
      });
      setDown("");
    } catch (e) {
      if (!signal?.aborted) setDown(e instanceof Error ? e.message : String(e));
    }
  };
  usePoll(pollMS, poll);
  return [state, down, () => void poll()];
}

/** The flows of each exporter over the last hour, by address. */
function useCourses(): Map<string, (number | null)[]> {
  const [courses, setCourses] = useState(new Map<string, (number | null)[]>());
  usePoll(courseMS, async (signal) => {
    const { body } = await api.query("by=exporter&from=-1h&unit=fps&dir=sum&n=50&step=60", signal);
    setCourses(new Map(body.series.filter((s) => !s.other).map((s) => [s.key[0], s.values.slice(1, -1)])));
  });
  return courses;
}

export function Exporters() {
  const [state, down, told] = useExporters();
  const courses = useCourses();
  const { list: all } = useInterfaces();
  if (!state)
    return (
      <main class="status" id="main">
        <header class="page-head">
          <h1>Exporters</h1>
          <p>{down || "Asking …"}</p>
        </header>
      </main>
    );
  const { list, others, now } = state;
  const rows = list.map((e) => ({ e, troubles: [...problems(e, now, courses.get(e.address)), ...exporterLinkProblems(all, e.address)] }));
  const sick = rows.filter((r) => r.troubles.length > 0).length;
  return (
    <main class="status exporters" id="main">
      <header class="page-head">
        <h1>
          Exporters{" "}
          {list.length > 0 && (
            <span class={`badge ${sick ? "warn" : "good"}`}>
              {sick ? `${sick} of ${list.length} with problems` : `all ${list.length} are well`}
            </span>
          )}
        </h1>
        <p>Who sends, and how far its data can be trusted. Counts are since the start of NetMeta.</p>
      </header>
      {down && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {down}; trying again.
        </p>
      )}
      {list.length === 0 ? (
        <section class="panel">
          <div class="empty" data-empty="no-exporter">
            <h2>No exporter has sent anything yet</h2>
            <p>Point a router here and it shows up within a second.</p>
            <a class="button primary" href="/start" onClick={follow}>
              How to point a router here
            </a>
          </div>
        </section>
      ) : (
        <section class="panel" aria-label="Exporters">
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Exporters, scrollable">
            <table class="data" id="exporters">
              <thead>
                <tr>
                  <th class="text">Exporter</th>
                  <th class="text">Type</th>
                  <th>Last</th>
                  <th>Flows/s</th>
                  <th class="text">Last hour</th>
                  <th>Sampling</th>
                  <th>Templates</th>
                  <th>Lost</th>
                  <th>Skew</th>
                  <th>Resolution</th>
                  <th class="text">Health</th>
                </tr>
              </thead>
              {rows.map(({ e, troubles }) => (
                <Rows
                  key={idOf(e)}
                  e={e}
                  troubles={troubles}
                  now={now}
                  rate={state.rates.get(idOf(e))}
                  course={courses.get(e.address) ?? []}
                />
              ))}
            </table>
          </div>
          {others && (
            <p class="others" id="others">
              <Icon name="question" /> Others: {fmt.count(others.datagrams)} datagrams and {fmt.count(others.flows)} flows came from
              exporters that were silent so long that they were forgotten, or for which there was no room
              {others.refused > 0 && <>; {fmt.count(others.refused)} were not decoded</>}. Their flows are stored like all others.
            </p>
          )}
        </section>
      )}
      {state.ignored.length > 0 && (
        <div class="panel">
          <IgnoredList list={state.ignored} now={now} told={told} />
        </div>
      )}
    </main>
  );
}

function Rows({
  e,
  troubles,
  now,
  rate,
  course,
}: {
  e: Health;
  troubles: Problem[];
  now: number;
  rate?: [number, number];
  course: (number | null)[];
}) {
  const silent = now - e.last;
  const level = troubles[0]?.level;
  const to = "/exporters/" + encodeURIComponent(e.address).replace(/%3A/g, ":");
  return (
    <tbody class="exporter" data-exporter={e.address}>
      <tr onClick={(ev) => (ev.target as Element).closest("a") || go(to)}>
        <td class="text">
          <a href={to} onClick={follow}>
            <b>{e.name || e.address}</b>
          </a>
          {e.name && <small class="quiet"> {e.address}</small>}
        </td>
        <td class="text">{e.type}</td>
        <td class={silent > 300 ? "bad" : silent > 30 ? "warn" : ""}>{ago(e.last, now)}</td>
        <td>{rate ? fmt.count(Math.round(rate[0])) : "…"}</td>
        <td class="text">
          <Spark values={course} />
        </td>
        <td class={knowsRate(e) ? "" : "bad"}>
          {knowsRate(e) ? (e.sampling_rate === 1 ? "none" : `1:${fmt.grouped(e.sampling_rate)}`) : "not known"}
        </td>
        <td class={e.waiting || e.dropped ? "warn" : ""}>{templated(e.type) ? e.templates : <span class="quiet">–</span>}</td>
        <td class={lossOf(e) > 0.001 ? "warn" : ""}>{e.lost ? fmt.share(lossOf(e)) : <span class="quiet">0 %</span>}</td>
        <td>{templated(e.type) ? `${e.clock_skew_ms} ms` : <span class="quiet">–</span>}</td>
        <td class={e.resolution_ms > 10_000 ? "warn" : ""}>{resolution(e)}</td>
        <td class={`text ${level ?? "good"}`}>
          <Icon name={level ? "warn" : "check"} /> {level ? `${troubles.length} problem${troubles.length > 1 ? "s" : ""}` : "ok"}
        </td>
      </tr>
      {troubles.map((t) => (
        <tr key={t.what} class="trouble">
          <td colSpan={11} class="text">
            <b class={t.level}>{fmt.capital(t.what)}.</b> {t.remedy}
          </td>
        </tr>
      ))}
    </tbody>
  );
}

const resolution = (e: Health) => (e.resolution_ms < 1000 ? "1 s" : duration(e.resolution_ms / 1000));

const rateDays = 30;
const rateRows = 10;

/** The last changes of its sampling rates, which are events and so on every chart; nothing when there were none. */
function RateChanges({ address }: { address: string }) {
  const [list, setList] = useState<Event[]>([]);
  usePoll(courseMS, async (signal) => {
    const now = Math.ceil(Date.now() / 1000);
    try {
      const { body } = await api.events(now - rateDays * 86400, now + 60, "sampling", signal);
      setList(body.events.filter((e) => e.target === address).reverse());
    } catch {
      // The page is whole without them; they are asked for again.
    }
  });
  if (list.length === 0) return null;
  return (
    <section class="panel health" aria-label="Changes of sampling rates">
      <h2>
        Changes of sampling rates <span class="quiet">in {rateDays} days</span>
      </h2>
      <dl class="changes">
        {list.slice(0, rateRows).map((e) => (
          <div key={e.id}>
            <dt>{moments(e.start, zone.value, Date.now() / 1000, false)}</dt>
            <dd>{e.text}</dd>
          </div>
        ))}
      </dl>
      {list.length > rateRows && <p class="facts">{list.length - rateRows} more before</p>}
    </section>
  );
}

/** The page of an exporter that is called by its name: leads to that of its address. */
export function ByName({ name, page }: { name: string; page: (address: string) => string }) {
  const [said, say] = useState("Asking …");
  usePoll(pollMS, async (signal) => {
    try {
      const { body } = await api.exporters(signal);
      const one = body.exporters.find((e) => e.name === name);
      if (one) go(link(page(one.address)), "replace");
      else
        say(
          "No exporter that has sent something since the start of NetMeta has this name. One that sends again shows up here; its address works in any case.",
        );
    } catch (e) {
      if (!signal.aborted) say(e instanceof Error ? e.message : String(e));
    }
  });
  return (
    <main class="status" id="main">
      <header class="page-head">
        <h1>{name}</h1>
        <p role="status">
          {said}{" "}
          <a href="/exporters" onClick={follow}>
            All exporters
          </a>
        </p>
      </header>
    </main>
  );
}

export function OneExporter({ address }: { address: string }) {
  const [state, down, told] = useExporters();
  const courses = useCourses();
  const ignored = state?.ignored.find((x) => x.address === address);
  const mine = state?.list.filter((e) => e.address === address) ?? [];
  const samplings = mine.flatMap((e) => (e.samplings ?? []).map((s) => ({ ...s, type: e.type })));
  const name = mine.find((e) => e.name)?.name;
  const { list: all } = useInterfaces(address);
  const mineLinks = all?.interfaces ?? [];
  return (
    <Entity kind="Exporter" name={name ? `${name} · ${address}` : address} {...about("exporters", address)}>
      {down && down !== noAnswer && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {down}; trying again.
        </p>
      )}
      {state && ignored && (
        <p class="panel notice" data-ignored={address}>
          <Icon name="question" /> Ignored {ignoredFacts(ignored, state.now)}. What is stored of it is below.
          <Decide addresses={[address]} only="accept" back="ignore" told={told} />
        </p>
      )}
      {state && mine.length === 0 && !ignored && (
        <p class="panel notice">
          <Icon name="question" /> {address} has not sent anything since the start of NetMeta, or was forgotten. What is stored of it is
          below.
        </p>
      )}
      {mine[0]?.standing === "new" && (
        <p class="panel notice">
          <Icon name="question" /> Nobody has said yet whether it belongs here; what it sends is taken.
          <Decide addresses={[address]} back="forget" told={told} />
        </p>
      )}
      {mine.map((e) => {
        const troubles = [...problems(e, state?.now ?? 0, courses.get(e.address)), ...exporterLinkProblems(all, e.address)];
        const rate = state?.rates.get(idOf(e));
        return (
          <section key={idOf(e)} class="panel health" aria-label={`Health, ${e.type}`}>
            <h2>
              {e.type}{" "}
              <span class={`badge ${troubles[0]?.level ?? "good"}`}>
                {troubles.length ? `${troubles.length} problem${troubles.length > 1 ? "s" : ""}` : "ok"}
              </span>
            </h2>
            {troubles.map((t) => (
              <p key={t.what} class="trouble-line">
                <Icon name="warn" /> <b class={t.level}>{fmt.capital(t.what)}.</b> {t.remedy}
              </p>
            ))}
            <dl class="figures">
              <Figure name="Last datagram" value={ago(e.last, state?.now ?? 0)} />
              <Figure
                name="Flows"
                value={rate ? `${fmt.count(Math.round(rate[0]))}/s` : "…"}
                more={`${fmt.count(e.flows)} since the start`}
              />
              <Figure
                name="Datagrams"
                value={rate ? `${fmt.count(Math.round(rate[1]))}/s` : "…"}
                more={`${fmt.count(e.datagrams)} since the start`}
              />
              <Figure
                name="Sampling"
                value={knowsRate(e) ? (e.sampling_rate === 1 ? "none" : `1:${fmt.grouped(e.sampling_rate)}`) : "not known"}
                more={`from ${e.sampling_source}`}
              />
              {templated(e.type) && (
                <Figure
                  name="Templates"
                  value={String(e.templates)}
                  more={`${fmt.count(e.waiting)} sets wait, ${fmt.count(e.dropped)} given up`}
                />
              )}
              <Figure
                name="Lost"
                value={fmt.share(lossOf(e))}
                more={`${fmt.count(e.lost)} missing, ${fmt.count(e.reordered)} out of order`}
              />
              {templated(e.type) && (
                <Figure name="Clock" value={`${e.clock_skew_ms > 0 ? "+" : ""}${e.clock_skew_ms} ms`} more="against the clock here" />
              )}
              <Figure name="Resolution" value={resolution(e)} more="median duration of its records" />
              <Figure name="Restarts" value={fmt.count(e.restarts)} />
              <Figure
                name="Not decoded"
                value={fmt.count(e.refused)}
                more={Object.entries(e.reasons ?? {})
                  .map(([r, n]) => `${r} ${fmt.count(n)}`)
                  .join(", ")}
              />
            </dl>
            {e.sample && (
              <p class="facts" data-sample>
                The last that was not decoded came {ago(e.sample.at, state?.now ?? 0)} ({e.sample.reason}, {fmt.count(e.sample.octets)}{" "}
                octets):{" "}
                <a
                  download={`${e.address}-${e.type}-${e.sample.reason}.hex`}
                  href={`data:text/plain,${e.sample.hex.replace(/(..)(?=.)/g, "$1 ")}%0A`}
                >
                  its first {e.sample.hex.length / 2} octets in hex
                </a>
              </p>
            )}
          </section>
        );
      })}
      {all && mineLinks.length > 0 && (
        <section class="panel health" aria-label="Interfaces">
          <h2>
            Interfaces <span class="quiet">{fmt.grouped(mineLinks.length + all.more)}, by what their records and counters carry</span>
          </h2>
          <LinkTable rows={mineLinks} />
        </section>
      )}
      <RateChanges address={address} />
      {mine[0]?.standing === "accepted" && (
        <p class="facts">
          Somebody has accepted it. <Decide addresses={[address]} only="ignore" back="accept" told={told} />
        </p>
      )}
      {samplings.length > 0 && (
        <section class="panel health" aria-label="Sampling rates">
          <h2>Sampling rates</h2>
          <div class="table-scroll">
            <table class="data" id="samplings">
              <thead>
                <tr>
                  <th class="text">Of</th>
                  <th>Domain</th>
                  <th>Declared</th>
                  <th>Effective</th>
                  <th class="text">Source</th>
                  <th>Samples</th>
                  <th>Dropped</th>
                </tr>
              </thead>
              <tbody>
                {samplings.map((s) => (
                  <tr key={`${s.type} ${s.domain} ${s.of} ${s.id}`}>
                    <td class="text">
                      {s.of} {s.id > 0 || s.of !== "exporter" ? s.id : ""}
                    </td>
                    <td>{s.domain}</td>
                    <td>1:{fmt.grouped(s.rate)}</td>
                    <td class={s.effective && Math.abs(s.effective / s.rate - 1) > 0.2 ? "warn" : ""}>
                      {s.effective ? `1:${fmt.grouped(Math.round(s.effective))}` : "–"}
                    </td>
                    <td class="text">{s.source}</td>
                    <td>{s.samples ? fmt.count(s.samples) : "–"}</td>
                    <td class={s.dropped ? "warn" : ""}>{s.dropped ? fmt.count(s.dropped) : "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </Entity>
  );
}
