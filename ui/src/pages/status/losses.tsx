// Losses since start: place, reason and remedy.

import type { Drop, Status } from "../../api/api.ts";
import { Icon } from "../../parts/ui.tsx";
import { follow } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";

export const dropsOf = (s: Status) => (s.drops ?? []).filter((d) => d.count > 0);

/**
 * lostAt returns the losses at a stage. Losses in the network are only in the table, because they occur before the first stage and
 * their sequence numbers count datagrams or records.
 */
export const lostAt = (s: Status, place: Drop["id"]) =>
  dropsOf(s)
    .filter((d) => d.id === place)
    .reduce((a, d) => a + d.count, 0);

export function Losses({ s }: { s: Status }) {
  const drops = dropsOf(s);
  const dropped = (s.ignored ?? []).reduce((a, x) => a + x.datagrams, 0);
  return (
    <section class="panel" aria-label="Losses">
      <h2>Losses</h2>
      {drops.length === 0 ? (
        <p class="good-line">
          <Icon name="check" /> No losses since start.
        </p>
      ) : (
        <div class="table-scroll">
          <table class="data" id="drops">
            <thead>
              <tr>
                <th class="text">Place</th>
                <th class="text">Reason</th>
                <th>Count</th>
                <th class="text">Remedy</th>
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
      {dropped > 0 && (
        <p class="facts">
          {fmt.count(dropped)} datagram{dropped === 1 ? "" : "s"} of ignored senders dropped; see{" "}
          <a href="/exporters" onClick={follow}>
            Exporters
          </a>
          .
        </p>
      )}
    </section>
  );
}
