// Interfaces: which are nearly full, and whether flows and counters agree.

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
