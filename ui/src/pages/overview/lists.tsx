// The lists next to the chart: top talkers, changes, and the busiest interfaces.

import type { Interfaces, QueryResult } from "../../api/api.ts";
import { layers } from "../../charts/stack.ts";
import { Spark } from "../../parts/spark.tsx";
import { groupOf, ValueButton } from "../../parts/valuemenu.tsx";
import { follow, link, termTitle } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { linkName } from "../health.ts";
import { listed } from "./asked.ts";
import { Change, comparedWith } from "./change.tsx";

/** The top groups, each with its directions. */
export function Who({ r }: { r: QueryResult }) {
  const rows = layers(r)
    .filter((l) => !l.series.other)
    .map((l) => l.series)
    .sort((a, b) => b.total - a.total)
    .slice(0, listed);
  const top = Math.max(1, ...rows.map((s) => s.share));
  return (
    <section class="panel" aria-label="Top">
      <h2>
        Top {termTitle(r.by[0])}{" "}
        <a class="more" href={link("/explore", { by: r.by })} onClick={follow}>
          All
        </a>
      </h2>
      <table class="data small">
        <tbody>
          {rows.map((s) => (
            <tr key={s.key.join() + s.dir}>
              <td class="text key">
                <ValueButton value={groupOf(s, r.by)} />
              </td>
              <td class="text quiet">{s.dir}</td>
              <td class="text">
                <Spark values={s.values} width={64} />
              </td>
              <td>{fmt.value(s.avg, r.unit)}</td>
              <td class="share">
                {fmt.share(s.share)}
                <i class="bar" style={{ width: Math.min(100, (s.share / top) * 100) + "%", background: "var(--accent)" }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The biggest changes: increases to the right, decreases to the left. */
export function Changes({ r, vs }: { r: QueryResult; vs: string }) {
  const rows = r.series
    .filter((s) => !s.other && s.vs && s.vs.delta !== 0)
    .sort((a, b) => Math.abs(b.vs?.delta ?? 0) - Math.abs(a.vs?.delta ?? 0));
  const top = Math.max(...rows.map((s) => Math.abs(s.vs?.delta ?? 0)), 1);
  return (
    <section class="panel" aria-label="Biggest changes">
      <h2>
        Biggest changes <span class="quiet">against {comparedWith[vs]}</span>{" "}
        <a class="more" href={link("/explore", { by: r.by, vs, rank: "delta", dir: "sum" })} onClick={follow}>
          All
        </a>
      </h2>
      {rows.length === 0 && <p class="quiet">None.</p>}
      <table class="data small">
        <tbody>
          {rows.map((s) => {
            const delta = s.vs?.delta ?? 0;
            return (
              <tr key={s.key.join()}>
                <td class="text key">
                  <ValueButton value={groupOf(s, r.by)} />
                </td>
                <td class="text diverging">
                  <i class={delta < 0 ? "less" : ""} style={{ width: (Math.abs(delta) / top) * 50 + "%" }} />
                </td>
                <td>
                  {delta < 0 ? "−" : "+"}
                  {fmt.value(delta, r.unit)}
                </td>
                <td class="quiet">
                  <Change of={s.vs?.change ?? null} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** The busiest interfaces; without speeds, those with most traffic. */
export function Links({ list }: { list: Interfaces }) {
  const fuller = (i: Interfaces["interfaces"][number]) =>
    Math.max(i.out.use_p95 ?? -1, i.out.p95 / 1e18) > Math.max(i.in.use_p95 ?? -1, i.in.p95 / 1e18)
      ? { s: i.out, verb: "sent" }
      : { s: i.in, verb: "received" };
  const rows = list.interfaces
    .map((i) => ({ i, ...fuller(i) }))
    .sort((a, b) => (b.s.use_p95 ?? -1) - (a.s.use_p95 ?? -1) || b.s.p95 - a.s.p95)
    .slice(0, listed);
  if (rows.length === 0) return null;
  return (
    <section class="panel" aria-label="Busiest interfaces">
      <h2>
        Busiest interfaces{" "}
        <a class="more" href={link("/if", { q: "" })} onClick={follow}>
          All
        </a>
      </h2>
      <table class="data small">
        <tbody>
          {rows.map(({ i, s, verb }) => (
            <tr key={`${i.exporter} ${i.index}`}>
              <td class="text key">
                <a href={link(`/if/${i.exporter}/${i.index}`, { q: "" })} onClick={follow}>
                  {i.name || i.exporter} <b>{linkName(i)}</b>
                </a>
              </td>
              <td class="text quiet">{verb}</td>
              <td class="text">
                <Spark values={s.course} width={64} />
              </td>
              <td title="95th percentile">{fmt.value(s.p95, "bps")}</td>
              <td class={s.use_level} title="95th percentile of utilisation">
                {fmt.share(s.use_p95)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
