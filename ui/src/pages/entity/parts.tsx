// The top values of the traffic, and its newest records.

import type { Facets, FlowsResult } from "../../api/api.ts";
import { ValueButton } from "../../parts/valuemenu.tsx";
import { deviceNames } from "../../state/names.ts";
import { fieldByName, follow, link, termTitle, zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { called, classOf, heading, numeric, text } from "../../text/records.ts";

export const Parts = ({ facets }: { facets: Facets }) => (
  <div class="parts">
    {facets.facets
      .filter((f) => f.values.length > 0)
      .map((f) => (
        <section key={f.by.join("/")} class="panel part" aria-label={f.by.map(termTitle).join(", ")}>
          <h2>
            {f.by.map(termTitle).join(" · ")}{" "}
            <span class="quiet">{f.distinct > f.values.length ? `${fmt.count(f.distinct)} in total` : ""}</span>
          </h2>
          <table class="data">
            <tbody>
              {f.values.slice(0, 8).map((x) => (
                <tr key={x.key.join("|")}>
                  <td class="text key">
                    <ValueButton value={{ by: f.by, key: x.key, label: x.label, filter: x.filter }} />
                  </td>
                  <td>{fmt.value(x.rate, facets.unit)}</td>
                  <td class="share">
                    {fmt.share(x.share)}
                    <i class="bar" style={{ width: Math.min(100, x.share * 100) + "%", background: "var(--accent)" }} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
  </div>
);

export function Newest({ records, q, now }: { records: FlowsResult; q: string; now: number }) {
  return (
    <section class="panel" aria-label="Newest records">
      <h2>
        Newest records <span class="quiet">{records.rows}</span>{" "}
        <a class="more" href={link("/flows", { q, by: [] })} onClick={follow}>
          All records
        </a>
      </h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Newest records, scrollable">
        <table class="data small recent">
          <thead>
            <tr>
              {records.columns.map((c) => (
                <th key={c.column} class={numeric(c, fieldByName.value.get(c.name)) ? "" : "text"}>
                  {heading(c)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: records.rows }, (_, i) => (
              <tr key={i}>
                {records.columns.map((c, j) => {
                  const field = fieldByName.value.get(c.name);
                  const name = called(
                    records.columns,
                    records.values.map((column) => column[i]),
                    j,
                    field,
                    { devices: deviceNames.value, as: records.as_names },
                  );
                  const shown = name || text(c, records.values[j][i], field, zone.value, now);
                  return (
                    <td key={c.column} class={classOf(c, field)} data-column={c.column} title={shown}>
                      {shown}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
