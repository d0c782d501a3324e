// The health of an exporter: its problems with remedies, and their figures.

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
      <Figure name="Flows" value={perSecond(rate?.[0])} more={`${fmt.count(e.flows)} since start`} />
      <Figure name="Datagrams" value={perSecond(rate?.[1])} more={`${fmt.count(e.datagrams)} since start`} />
      <Figure name="Sampling" value={samplingOf(e)} more={`from ${e.sampling_source}`} />
      {e.announces.templates && (
        <Figure
          name="Templates"
          value={String(e.templates)}
          more={`${fmt.count(e.waiting)} sets waiting, ${fmt.count(e.dropped)} dropped`}
        />
      )}
      <Figure name="Lost" value={fmt.share(e.loss)} more={`${fmt.count(e.lost)} lost, ${fmt.count(e.reordered)} out of order`} />
      {e.announces.clock && (
        <Figure
          name="Clock"
          value={`${e.clock_skew_ms > 0 ? "+" : ""}${fmt.signed(e.clock_skew_ms)} ms`}
          more="relative to NetMeta's clock"
        />
      )}
      <Figure name="Resolution" value={resolution(e)} more="median duration of its flow records" />
      <Figure name="Restarts" value={fmt.count(e.restarts)} />
      <Figure name="Not decoded" value={fmt.count(e.refused)} more={reasons.join(", ")} />
    </dl>
  );
}

/** The last data that was not decoded, as a download. */
function NotDecoded({ e, sample, now }: { e: Health; sample: NonNullable<Health["sample"]>; now: number }) {
  return (
    <p class="facts" data-sample>
      Last not decoded: {ago(sample.at, now)} ({sample.reason}, {fmt.count(sample.octets)} bytes).{" "}
      <a download={`${e.address}-${e.type}-${sample.reason}.hex`} href={`data:text/plain,${sample.hex.replace(/(..)(?=.)/g, "$1 ")}%0A`}>
        Download the first {sample.hex.length / 2} bytes in hex
      </a>
    </p>
  );
}
