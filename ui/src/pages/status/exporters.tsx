// The exporters, most flows first.

import type { Status } from "../../api/api.ts";
import { follow } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ago } from "../../text/time.ts";
import { levelOf } from "../health.ts";

export function Exporters({ s }: { s: Status }) {
  const exporters = [...(s.exporters ?? [])].sort((a, b) => b.flows - a.flows);
  return (
    <section class="panel" aria-label="Exporters">
      <h2>
        Exporters <span class="quiet">{exporters.length || ""}</span>{" "}
        <a class="more" href="/exporters" onClick={follow}>
          Exporter health
        </a>
      </h2>
      {exporters.length === 0 ? (
        <p class="quiet">
          No exporter has sent anything since start. <a href="/start">Set up an exporter</a>
        </p>
      ) : (
        <div class="table-scroll">
          <table class="data" id="exporters">
            <thead>
              <tr>
                <th class="text">Address</th>
                <th class="text">Type</th>
                <th>Last</th>
                <th>Datagrams</th>
                <th>Flows</th>
                <th>Sampling</th>
                <th class="text">Rate source</th>
                <th>Templates</th>
                <th>Lost</th>
              </tr>
            </thead>
            <tbody>
              {exporters.map((e) => {
                const known = e.sampling_known;
                return (
                  <tr key={e.address + e.type}>
                    <td class="text">
                      <a href={`/exporters/${e.address}`} onClick={follow}>
                        <b>{e.address}</b>
                      </a>
                      {e.name && <span class="quiet"> {e.name}</span>}
                    </td>
                    <td class="text">{e.type}</td>
                    <td class={levelOf(e, "silent")}>{ago(e.last, s.now)}</td>
                    <td>{fmt.count(e.datagrams)}</td>
                    <td>
                      {e.thinned > 0 && (
                        <span
                          class="warn"
                          title={`Over its limit: ${fmt.count(e.thinned)} records thinned; the sampling rate of the rest compensates`}
                        >
                          thinned{" "}
                        </span>
                      )}
                      {fmt.count(e.flows)}
                    </td>
                    <td
                      class={known ? "" : "warn"}
                      title={known ? undefined : "Traffic counted as unsampled; configure the exporter to send sampling options"}
                    >
                      {known ? `1:${fmt.grouped(e.sampling_rate)}` : "unknown"}
                    </td>
                    <td class="text quiet">{e.sampling_source}</td>
                    <td>{e.templates || <span class="quiet">–</span>}</td>
                    <td class={e.lost > 0 ? "warn" : "quiet"}>{fmt.count(e.lost)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {s.others && (
        <p class="quiet" id="others">
          Other exporters, evicted from the list or not in it: {fmt.count(s.others.datagrams)} datagrams, {fmt.count(s.others.flows)} flows
          {s.others.refused > 0 && `, ${fmt.count(s.others.refused)} not decoded`}.
        </p>
      )}
    </section>
  );
}
