// Interfaces: utilisation of each, and whether flows and counters agree.

import { useState } from "preact/hooks";
import { useAlive } from "../../parts/alive.ts";
import { RefreshButton, TimeRange } from "../../parts/range.tsx";
import { Icon } from "../../parts/ui.tsx";
import * as fmt from "../../text/format.ts";
import { useInterfaces } from "./asked.ts";
import { LinkTable } from "./table.tsx";

export default function Interfaces() {
  const { list, error, loading } = useInterfaces();
  const wrong = useAlive(error);
  const [filter, setFilter] = useState("");
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const all = list?.interfaces ?? [];
  const rows = all.filter((i) => {
    const text = [i.name, i.exporter, i.interface, i.description, i.boundary, `if ${i.index}`].join(" ").toLowerCase();
    return words.every((w) => text.includes(w));
  });
  const sick = all.filter((i) => i.problems.length > 0).length;
  return (
    <main class="status exporters entity" id="main">
      <div class="entity-head">
        <header class="page-head">
          <h1>Interfaces {sick > 0 && <span class="badge warn">{`${sick} of ${all.length} with problems`}</span>}</h1>
          <p>
            Traffic per interface, busiest first. Rates are layer 2, like SNMP counters. 95th percentile and peak are of{" "}
            {list && list.step > 60 ? list.step / 60 : 1}-minute averages.
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
              <h2>{all.length ? "No matching interface" : "No interface data in this range"}</h2>
              <p>
                {all.length
                  ? `${fmt.grouped(all.length)} ${all.length === 1 ? "interface does" : "interfaces do"} not match the filter.`
                  : "Exporters report interfaces in their flow records. See the Exporters page for remedies."}
              </p>
            </div>
          ) : (
            <LinkTable rows={rows} exporter />
          )}
          {list.more > 0 && (
            <p class="quiet">
              {fmt.grouped(list.more)} more with less traffic are not listed. The page of each exporter lists all its interfaces.
            </p>
          )}
        </section>
      )}
    </main>
  );
}
