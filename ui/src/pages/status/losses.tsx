// What was lost since the start, where, and what helps.

import type { Drop, Status } from "../../api/api.ts";
import { Icon } from "../../parts/ui.tsx";
import { follow } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";

export const dropsOf = (s: Status) => (s.drops ?? []).filter((d) => d.count > 0);

/**
 * How much was lost at a place. What the network lost is in the table alone: it is lost before the first stage, and its sequence numbers
 * count datagrams or records.
 */
export const lostAt = (s: Status, place: Drop["id"]) =>
  dropsOf(s)
    .filter((d) => d.id === place)
    .reduce((a, d) => a + d.count, 0);

export function Losses({ s }: { s: Status }) {
  const drops = dropsOf(s);
  const refused = (s.ignored ?? []).reduce((a, x) => a + x.datagrams, 0);
  return (
    <section class="panel" aria-label="Losses">
      <h2>Losses</h2>
      {drops.length === 0 ? (
        <p class="good-line">
          <Icon name="check" /> Nothing was lost since the start.
        </p>
      ) : (
        <div class="table-scroll">
          <table class="data" id="drops">
            <thead>
              <tr>
                <th class="text">Where</th>
                <th class="text">Why</th>
                <th>Count</th>
                <th class="text">What helps</th>
              </tr>
            </thead>
            <tbody>
              {drops.map((d) => (
                <tr key={d.where + d.reason}>
                  <td class="text">{d.where}</td>
                  <td class="text">{d.reason}</td>
                  <td>
                    <data value={d.count}>{fmt.count(d.count)}</data>
                  </td>
                  <td class="text hint-cell">{d.hint}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {refused > 0 && (
        <p class="facts">
          {fmt.count(refused)} datagram{refused === 1 ? "" : "s"} of ignored senders {refused === 1 ? "was" : "were"} refused, as somebody
          chose:{" "}
          <a href="/exporters" onClick={follow}>
            Exporters
          </a>{" "}
          lists them.
        </p>
      )}
    </section>
  );
}
