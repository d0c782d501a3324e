// The page of one exporter, by its address or by its name.

import { useState } from "preact/hooks";
import { api, type Event, noAnswer } from "../../api/api.ts";
import { Decide, ignoredFacts } from "../../parts/senders.tsx";
import { Figure, Icon, lazy, usePoll } from "../../parts/ui.tsx";
import { zone } from "../../state/state.ts";
import { isAddress } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { ago, moments } from "../../text/time.ts";
import { ByName } from "../entity/byname.tsx";
import { about, Entity } from "../entity/entity.tsx";
import { exporterLinkProblems, knowsRate, lossOf, problems, templated } from "../health.ts";
import { useInterfaces } from "../interfaces/asked.ts";
import { idOf, resolution, useCourses, useExporters } from "./exporters.tsx";

const LinkTable = lazy(() => import("../interfaces/table.tsx").then((m) => m.LinkTable));

export default function Exporter({ rest }: { rest: string }) {
  if (isAddress(rest)) return <OneExporter key={rest} address={rest} />;
  return <ByName key={rest} name={rest} page={(address) => `/exporters/${address}`} />;
}

const courseMS = 30_000;
const rateDays = 30;
const rateRows = 10;

/** The last changes of its sampling rates, which are events and so on every chart; nothing when there were none. */
function RateChanges({ address }: { address: string }) {
  const [list, setList] = useState<Event[]>([]);
  usePoll(courseMS, async (signal) => {
    const now = Math.ceil(Date.now() / 1000);
    try {
      const { body } = await api.events(now - rateDays * 86400, now + 60, "sampling", signal);
      setList(body.events.filter((e) => e.target === address).reverse());
    } catch {
      // The page is whole without them; they are asked for again.
    }
  });
  if (list.length === 0) return null;
  return (
    <section class="panel health" aria-label="Changes of sampling rates">
      <h2>
        Changes of sampling rates <span class="quiet">in {rateDays} days</span>
      </h2>
      <dl class="changes">
        {list.slice(0, rateRows).map((e) => (
          <div key={e.id}>
            <dt>{moments(e.start, zone.value, Date.now() / 1000, false)}</dt>
            <dd>{e.text}</dd>
          </div>
        ))}
      </dl>
      {list.length > rateRows && <p class="facts">{list.length - rateRows} more before</p>}
    </section>
  );
}

function OneExporter({ address }: { address: string }) {
  const [state, down, told] = useExporters();
  const courses = useCourses();
  const ignored = state?.ignored.find((x) => x.address === address);
  const mine = state?.list.filter((e) => e.address === address) ?? [];
  const samplings = mine.flatMap((e) => (e.samplings ?? []).map((s) => ({ ...s, type: e.type })));
  const name = mine.find((e) => e.name)?.name;
  const { list: all } = useInterfaces(address);
  const mineLinks = all?.interfaces ?? [];
  return (
    <Entity kind="Exporter" name={name ? `${name} · ${address}` : address} {...about("exporters", address)}>
      {down && down !== noAnswer && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {down}; trying again.
        </p>
      )}
      {state && ignored && (
        <p class="panel notice" data-ignored={address}>
          <Icon name="question" /> Ignored {ignoredFacts(ignored, state.now)}. What is stored of it is below.
          <Decide addresses={[address]} only="accept" back="ignore" told={told} />
        </p>
      )}
      {state && mine.length === 0 && !ignored && (
        <p class="panel notice">
          <Icon name="question" /> {address} has not sent anything since the start of NetMeta, or was forgotten. What is stored of it is
          below.
        </p>
      )}
      {mine[0]?.standing === "new" && (
        <p class="panel notice">
          <Icon name="question" /> Nobody has said yet whether it belongs here; what it sends is taken.
          <Decide addresses={[address]} back="forget" told={told} />
        </p>
      )}
      {mine.map((e) => {
        const troubles = [...problems(e, state?.now ?? 0, courses.get(e.address)), ...exporterLinkProblems(all, e.address)];
        const rate = state?.rates.get(idOf(e));
        return (
          <section key={idOf(e)} class="panel health" aria-label={`Health, ${e.type}`}>
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
            <dl class="figures">
              <Figure name="Last datagram" value={ago(e.last, state?.now ?? 0)} />
              <Figure
                name="Flows"
                value={rate ? `${fmt.count(Math.round(rate[0]))}/s` : "…"}
                more={`${fmt.count(e.flows)} since the start`}
              />
              <Figure
                name="Datagrams"
                value={rate ? `${fmt.count(Math.round(rate[1]))}/s` : "…"}
                more={`${fmt.count(e.datagrams)} since the start`}
              />
              <Figure
                name="Sampling"
                value={knowsRate(e) ? (e.sampling_rate === 1 ? "none" : `1:${fmt.grouped(e.sampling_rate)}`) : "not known"}
                more={`from ${e.sampling_source}`}
              />
              {templated(e.type) && (
                <Figure
                  name="Templates"
                  value={String(e.templates)}
                  more={`${fmt.count(e.waiting)} sets wait, ${fmt.count(e.dropped)} given up`}
                />
              )}
              <Figure
                name="Lost"
                value={fmt.share(lossOf(e))}
                more={`${fmt.count(e.lost)} missing, ${fmt.count(e.reordered)} out of order`}
              />
              {templated(e.type) && (
                <Figure name="Clock" value={`${e.clock_skew_ms > 0 ? "+" : ""}${e.clock_skew_ms} ms`} more="against the clock here" />
              )}
              <Figure name="Resolution" value={resolution(e)} more="median duration of its records" />
              <Figure name="Restarts" value={fmt.count(e.restarts)} />
              <Figure
                name="Not decoded"
                value={fmt.count(e.refused)}
                more={Object.entries(e.reasons ?? {})
                  .map(([r, n]) => `${r} ${fmt.count(n)}`)
                  .join(", ")}
              />
            </dl>
            {e.sample && (
              <p class="facts" data-sample>
                The last that was not decoded came {ago(e.sample.at, state?.now ?? 0)} ({e.sample.reason}, {fmt.count(e.sample.octets)}{" "}
                octets):{" "}
                <a
                  download={`${e.address}-${e.type}-${e.sample.reason}.hex`}
                  href={`data:text/plain,${e.sample.hex.replace(/(..)(?=.)/g, "$1 ")}%0A`}
                >
                  its first {e.sample.hex.length / 2} octets in hex
                </a>
              </p>
            )}
          </section>
        );
      })}
      {all && mineLinks.length > 0 && (
        <section class="panel health" aria-label="Interfaces">
          <h2>
            Interfaces <span class="quiet">{fmt.grouped(mineLinks.length + all.more)}, by what their records and counters carry</span>
          </h2>
          <LinkTable rows={mineLinks} />
        </section>
      )}
      <RateChanges address={address} />
      {mine[0]?.standing === "accepted" && (
        <p class="facts">
          Somebody has accepted it. <Decide addresses={[address]} only="ignore" back="accept" told={told} />
        </p>
      )}
      {samplings.length > 0 && (
        <section class="panel health" aria-label="Sampling rates">
          <h2>Sampling rates</h2>
          <div class="table-scroll">
            <table class="data" id="samplings">
              <thead>
                <tr>
                  <th class="text">Of</th>
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
                    <td class={s.effective && Math.abs(s.effective / s.rate - 1) > 0.2 ? "warn" : ""}>
                      {s.effective ? `1:${fmt.grouped(Math.round(s.effective))}` : "–"}
                    </td>
                    <td class="text">{s.source}</td>
                    <td>{s.samples ? fmt.count(s.samples) : "–"}</td>
                    <td class={s.dropped ? "warn" : ""}>{s.dropped ? fmt.count(s.dropped) : "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </Entity>
  );
}
