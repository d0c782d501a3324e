// The sampling rates of an exporter and their last changes.

import { useState } from "preact/hooks";
import { api, type Event, type Health } from "../../api/api.ts";
import { usePoll } from "../../parts/ui.tsx";
import { zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { moments } from "../../text/time.ts";

const changesMS = 30_000;
const rateDays = 30;
const rateRows = 10;

/** The last changes of its sampling rates, which are also events on every chart; nothing if there are none. */
export function RateChanges({ address }: { address: string }) {
  const [list, setList] = useState<Event[]>([]);
  usePoll(changesMS, async (signal) => {
    const now = Math.ceil(Date.now() / 1000);
    try {
      const { body } = await api.events(now - rateDays * 86400, now + 60, "sampling", signal);
      setList(body.events.filter((e) => e.target === address).reverse());
    } catch {
      // The page works without them; the next poll asks again.
    }
  });
  if (list.length === 0) return null;
  return (
    <section class="panel health" aria-label="Sampling rate changes">
      <h2>
        Sampling rate changes <span class="quiet">last {rateDays} days</span>
      </h2>
      <dl class="changes">
        {list.slice(0, rateRows).map((e) => (
          <div key={e.id}>
            <dt>{moments(e.start, zone.value, Date.now() / 1000, false)}</dt>
            <dd>{e.text}</dd>
          </div>
        ))}
      </dl>
      {list.length > rateRows && <p class="facts">{list.length - rateRows} older</p>}
    </section>
  );
}

/** The rates of all data from an address; nothing if none is known. */
export function Rates({ of }: { of: Health[] }) {
  const samplings = of.flatMap((e) => (e.samplings ?? []).map((s) => ({ ...s, type: e.type })));
  if (samplings.length === 0) return null;
  return (
    <section class="panel health" aria-label="Sampling rates">
      <h2>Sampling rates</h2>
      <div class="table-scroll">
        <table class="data" id="samplings">
          <thead>
            <tr>
              <th class="text">Scope</th>
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
                <td class={s.differs ? "warn" : ""}>{s.effective ? `1:${fmt.grouped(Math.round(s.effective))}` : "–"}</td>
                <td class="text">{s.source}</td>
                <td>{s.samples ? fmt.count(s.samples) : "–"}</td>
                <td class={s.dropped ? "warn" : ""}>{s.dropped ? fmt.count(s.dropped) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
