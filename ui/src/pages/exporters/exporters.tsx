// Exporters: who sends, how well, and what helps where it is not well; and the page of one of them.

import { useRef, useState } from "preact/hooks";
import { api, type Health, type Ignored } from "../../api/api.ts";
import { IgnoredList } from "../../parts/senders.tsx";
import { Spark } from "../../parts/spark.tsx";
import { Icon, usePoll } from "../../parts/ui.tsx";
import { follow, go } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ago, duration } from "../../text/time.ts";
import { exporterLinkProblems, knowsRate, lossOf, type Problem, problems, templated } from "../health.ts";
import { useInterfaces } from "../interfaces/asked.ts";

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

export const idOf = (e: Health) => e.address + " " + e.type;

/** The exporters, asked again and again, with what the difference of two answers says. */
export function useExporters(): [State | null, string, () => void] {
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
export function useCourses(): Map<string, (number | null)[]> {
  const [courses, setCourses] = useState(new Map<string, (number | null)[]>());
  usePoll(courseMS, async (signal) => {
    const { body } = await api.query("by=exporter&from=-1h&unit=fps&dir=sum&n=50&step=60", signal);
    setCourses(new Map(body.series.filter((s) => !s.other).map((s) => [s.key[0], s.values.slice(1, -1)])));
  });
  return courses;
}

export default function Exporters() {
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

export const resolution = (e: Health) => (e.resolution_ms < 1000 ? "1 s" : duration(e.resolution_ms / 1000));
