// How well an exporter is: its problems, each with what helps, and the figures that they are judged by.

import type { Health, Interfaces } from "../../api/api.ts";
import { Figure, Icon } from "../../parts/ui.tsx";
import * as fmt from "../../text/format.ts";
import { ago } from "../../text/time.ts";
import { samplingOf, troublesOf } from "../health.ts";
import { resolution } from "./words.ts";

interface Props {
  e: Health;
  now: number;
  /** Flows and datagrams a second. */
  rate: [number, number] | undefined;
  links: Interfaces | undefined;
}

export function HealthOf({ e, now, rate, links }: Props) {
  const troubles = troublesOf(e, links);
  return (
    <section class="panel health" aria-label={`Health, ${e.type}`}>
      <h2>
        {e.type}{" "}
        <span class={`badge ${troubles[0]?.level ?? "good"}`}>
          {troubles.length ? `${troubles.length} problem${troubles.length > 1 ? "s" : ""}` : "ok"}
        </span>
      </h2>
      {troubles.map((t) => (
        <p key={t.what} class="trouble-line">
          <Icon name="warn" /> <b class={t.level}>{fmt.capital(t.what)}.</b> {t.remedy}
        </p>
      ))}
      <Figures e={e} now={now} rate={rate} />
      {e.sample && <NotDecoded e={e} sample={e.sample} now={now} />}
    </section>
  );
}

function Figures({ e, now, rate }: Pick<Props, "e" | "now" | "rate">) {
  const perSecond = (n: number | undefined) => (n === undefined ? "…" : `${fmt.count(Math.round(n))}/s`);
  const reasons = Object.entries(e.reasons ?? {}).map(([r, n]) => `${r} ${fmt.count(n)}`);
  return (
    <dl class="figures">
      <Figure name="Last datagram" value={ago(e.last, now)} />
      <Figure name="Flows" value={perSecond(rate?.[0])} more={`${fmt.count(e.flows)} since the start`} />
      <Figure name="Datagrams" value={perSecond(rate?.[1])} more={`${fmt.count(e.datagrams)} since the start`} />
      <Figure name="Sampling" value={samplingOf(e)} more={`from ${e.sampling_source}`} />
      {e.announces.templates && (
        <Figure name="Templates" value={String(e.templates)} more={`${fmt.count(e.waiting)} sets wait, ${fmt.count(e.dropped)} given up`} />
      )}
      <Figure name="Lost" value={fmt.share(e.loss)} more={`${fmt.count(e.lost)} missing, ${fmt.count(e.reordered)} out of order`} />
      {e.announces.clock && (
        <Figure name="Clock" value={`${e.clock_skew_ms > 0 ? "+" : ""}${e.clock_skew_ms} ms`} more="against the clock here" />
      )}
      <Figure name="Resolution" value={resolution(e)} more="median duration of its records" />
      <Figure name="Restarts" value={fmt.count(e.restarts)} />
      <Figure name="Not decoded" value={fmt.count(e.refused)} more={reasons.join(", ")} />
    </dl>
  );
}

/** The last that was not decoded, to be saved. */
function NotDecoded({ e, sample, now }: { e: Health; sample: NonNullable<Health["sample"]>; now: number }) {
  return (
    <p class="facts" data-sample>
      The last that was not decoded came {ago(sample.at, now)} ({sample.reason}, {fmt.count(sample.octets)} octets):{" "}
      <a download={`${e.address}-${e.type}-${sample.reason}.hex`} href={`data:text/plain,${sample.hex.replace(/(..)(?=.)/g, "$1 ")}%0A`}>
        its first {sample.hex.length / 2} octets in hex
      </a>
    </p>
  );
}
