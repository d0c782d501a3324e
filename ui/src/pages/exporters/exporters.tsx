// Exporters: the list of exporters with their data quality, problems and remedies.

import { IgnoredList } from "../../parts/senders.tsx";
import { Icon } from "../../parts/ui.tsx";
import { follow } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { troublesOf } from "../health.ts";
import { useInterfaces } from "../interfaces/asked.ts";
import { idOf, useCourses, useExporters } from "./asked.ts";
import { Rows } from "./row.tsx";

export default function Exporters() {
  const [state, down, told] = useExporters();
  const courses = useCourses();
  const { list: all } = useInterfaces();
  if (!state)
    return (
      <main class="status" id="main">
        <header class="page-head">
          <h1>Exporters</h1>
          <p>{down || "Loading …"}</p>
        </header>
      </main>
    );
  const { list, others, now } = state;
  const rows = list.map((e) => ({ e, troubles: troublesOf(e, all) }));
  const sick = rows.filter((r) => r.troubles.length > 0).length;
  return (
    <main class="status exporters" id="main">
      <header class="page-head">
        <h1>
          Exporters{" "}
          {list.length > 0 && (
            <span class={`badge ${sick ? "warn" : "good"}`}>
              {sick ? `${sick} of ${list.length} with problems` : `all ${list.length} healthy`}
            </span>
          )}
        </h1>
        <p>All exporters and the quality of their data. Counts start when NetMeta starts.</p>
      </header>
      {down && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {down}; retrying.
        </p>
      )}
      {list.length === 0 ? (
        <section class="panel">
          <div class="empty" data-empty="no-exporter">
            <h2>No exporter has sent anything yet</h2>
            <p>Point a router here; it appears within a second.</p>
            <a class="button primary" href="/start" onClick={follow}>
              Set up an exporter
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
              <Icon name="question" /> Others: {fmt.count(others.datagrams)} datagrams and {fmt.count(others.flows)} flows from exporters
              that were evicted after long silence or did not fit in the list
              {others.refused > 0 && <>; {fmt.count(others.refused)} not decoded</>}. Their flows are stored like all others.
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
