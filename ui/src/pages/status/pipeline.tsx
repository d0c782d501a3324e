// The path of a flow through NetMeta: each stage with its rate, total and losses.

import type { Status } from "../../api/api.ts";
import { Spark } from "../../parts/spark.tsx";
import * as fmt from "../../text/format.ts";
import { ago } from "../../text/time.ts";
import type { History } from "./asked.ts";
import { lostAt } from "./losses.tsx";
import { ms } from "./panels.tsx";

const round = (x: number) => (x >= 10 ? Math.round(x) : Math.round(x * 10) / 10);

export function Pipeline({ s, history: h, inserted }: { s: Status; history: History; inserted: number | null }) {
  const { pipeline: p, spool, rates, engine } = s;
  const enrich = s.enrich ?? [];
  const loaded = enrich.map((t) => t.loaded).filter((at) => at > 0);
  const dropped = (s.listeners ?? []).reduce((a, l) => a + l.dropped, 0);
  const sockets = Math.max(lostAt(s, "kernel"), dropped);
  const waits = spool.rows > 0;
  return (
    <section class="pipeline" aria-label="Pipeline">
      <Stage
        name="UDP"
        rate={`${fmt.count(round(rates.datagrams))} datagrams/s`}
        total={`${fmt.count(p.datagrams)} datagrams`}
        loss={sockets}
        values={h.datagrams}
        id="udp"
      />
      <Stage
        name="Decode"
        rate={`${fmt.count(round(rates.flows))} flows/s`}
        total={`${fmt.count(p.flows)} flows`}
        loss={lostAt(s, "decoder")}
        values={h.flows}
        id="decode"
      />
      <Stage
        name="Enrich"
        rate={`${fmt.count(enrich.reduce((a, t) => a + t.entries, 0))} entries`}
        total={`${enrich.length} ${enrich.length === 1 ? "table" : "tables"}`}
        loss={lostAt(s, "enrichment")}
        what="dropped"
        extra={loaded.length ? `oldest loaded ${ago(Math.min(...loaded), s.now)}` : "no table loaded; values have no names"}
        id="enrich"
      />
      <Stage
        name="Queue"
        rate={`${p.queue_blocks} of ${p.queue_capacity} blocks`}
        total={`${fmt.count(p.blocks)} blocks`}
        loss={0}
        values={h.queue}
        max={p.queue_capacity}
        warn={s.problems.find((p) => p.id === "queue-full")?.what}
        id="queue"
      />
      <Stage
        name="Spool"
        rate={`${fmt.count(spool.rows)} rows`}
        total={`${fmt.count(spool.written_rows)} written since start`}
        loss={lostAt(s, "spool")}
        warn={spool.error ? "cannot be written; see below" : waits ? `oldest ${ago(spool.oldest, s.now)}; store down or too slow` : ""}
        extra={`${fmt.bytes(spool.bytes)} of ${fmt.bytes(spool.max_bytes)}`}
        id="spool"
      />
      <Stage
        name="ClickHouse"
        rate={inserted === null ? "…" : `${fmt.count(round(inserted))} rows/s`}
        total={`${fmt.count(p.inserted_rows)} rows`}
        loss={lostAt(s, "store")}
        values={h.rows}
        warn={engine.up ? "" : "The engine is down, restarting; new rows go to the spool"}
        id="store"
        extra={`insert ${ms(p.insert_ms)}${p.lag_ms > 0 ? ` · last insert ${ms(p.lag_ms)} ago` : ""}`}
      />
    </section>
  );
}

function Stage({
  name,
  rate,
  total,
  loss,
  values,
  max,
  warn,
  extra,
  what = "lost",
  id,
}: {
  name: string;
  rate: string;
  total: string;
  loss: number;
  what?: string;
  values?: (number | null)[];
  max?: number;
  warn?: string;
  extra?: string;
  id: string;
}) {
  return (
    <div class={`stage ${loss > 0 ? "lossy" : ""}`} data-stage={id}>
      <h2>{name}</h2>
      <b class="stage-rate">{rate}</b>
      {values && <Spark values={[...values]} max={max} width={160} height={28} />}
      <p class="stage-total">{total}</p>
      <p class={loss > 0 ? "bad" : "quiet"}>{loss > 0 ? `${fmt.count(loss)} ${what}` : `none ${what}`}</p>
      {extra && <p class="quiet">{extra}</p>}
      {warn && <p class="warn">{warn}</p>}
    </div>
  );
}
