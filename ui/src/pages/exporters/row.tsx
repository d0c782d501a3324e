// An exporter in the list, with its problems below.

import type { Health, Trouble } from "../../api/api.ts";
import { Spark } from "../../parts/spark.tsx";
import { Icon } from "../../parts/ui.tsx";
import { follow, go } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ago } from "../../text/time.ts";
import { levelOf, samplingOf } from "../health.ts";
import { resolution } from "./words.ts";

export function Rows({
  e,
  troubles,
  now,
  rate,
  course,
}: {
  e: Health;
  troubles: Trouble[];
  now: number;
  rate?: [number, number];
  course: (number | null)[];
}) {
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
        <td class={levelOf(e, "silent")}>{ago(e.last, now)}</td>
        <td>{rate ? fmt.count(Math.round(rate[0])) : "…"}</td>
        <td class="text">
          <Spark values={course} />
        </td>
        <td class={e.sampling_known ? "" : "bad"}>{samplingOf(e)}</td>
        <td class={levelOf(e, "template-awaited", "template-late") && "warn"}>
          {e.announces.templates ? e.templates : <span class="quiet">–</span>}
        </td>
        <td class={levelOf(e, "loss") && "warn"}>{e.lost ? fmt.share(e.loss) : <span class="quiet">0%</span>}</td>
        <td>{e.announces.clock ? `${fmt.signed(e.clock_skew_ms)} ms` : <span class="quiet">–</span>}</td>
        <td class={levelOf(e, "resolution")}>{resolution(e)}</td>
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
