// Status: the way of a flow through the machine, with what every stage has done and lost.

import { useRef, useState } from "preact/hooks";
import { APIError, api, type RunningQuery, type Status as StatusBody } from "../../api/api.ts";
import { Spark } from "../../parts/spark.tsx";
import { Icon, usePoll } from "../../parts/ui.tsx";
import { copy, follow, say, zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ago, duration, moments } from "../../text/time.ts";

const pollMS = 2000;
const kept = 90; // points in the small charts: three minutes

interface History {
  datagrams: (number | null)[];
  flows: (number | null)[];
  rows: (number | null)[];
  queue: (number | null)[];
}

export default function Status() {
  const [s, setStatus] = useState<StatusBody | null>(null);
  const [down, setDown] = useState("");
  const history = useRef<History>({ datagrams: [], flows: [], rows: [], queue: [] });
  const before = useRef<StatusBody | null>(null);
  const inserted = useRef<number | null>(null);
  usePoll(pollMS, async (signal) => {
    try {
      const { body } = await api.status(signal);
      const h = history.current;
      const b = before.current;
      const dt = b ? body.now - b.now : 0;
      // Rows have no rate of their own in the contract: the difference of two polls is one.
      if (b && dt > 0) inserted.current = Math.max(0, (body.pipeline.inserted_rows - b.pipeline.inserted_rows) / dt);
      for (const [list, value] of [
        [h.datagrams, body.rates.datagrams],
        [h.flows, body.rates.flows],
        [h.rows, inserted.current],
        [h.queue, body.pipeline.queue_blocks],
      ] as [(number | null)[], number | null][]) {
        list.push(value);
        if (list.length > kept) list.shift();
      }
      before.current = body;
      setStatus(body);
      setDown("");
    } catch (e) {
      if (!signal.aborted) setDown(e instanceof Error ? e.message : String(e));
    }
  });

  if (!s) {
    return (
      <main class="status" id="main">
        <header class="page-head">
          <h1>Status</h1>
          <p>{down || "Asking …"}</p>
        </header>
      </main>
    );
  }

  const { pipeline: p, spool, rates, engine, storage } = s;
  const tz = zone.value;
  const drops = (s.drops ?? []).filter((d) => d.count > 0);
  const refused = (s.ignored ?? []).reduce((a, x) => a + x.datagrams, 0);
  const lost = (where: RegExp) => drops.filter((d) => where.test(d.where)).reduce((a, d) => a + d.count, 0);
  const listeners = s.listeners ?? [];
  const socketLoss = Math.max(
    lost(/kernel|udp/i),
    listeners.reduce((a, l) => a + l.dropped, 0),
  );
  const decodeLoss = lost(/decode/i);
  const queueLoss = lost(/queue|pipe/i);
  const spoolLoss = lost(/spool/i);
  const enrichLoss = lost(/enrich/i);
  const enrich = s.enrich ?? [];
  const storeLoss = lost(/store|engine/i);
  const h = history.current;
  const fill = Math.max(
    p.queue_capacity > 0 ? p.queue_blocks / p.queue_capacity : 0,
    p.queue_max_bytes > 0 ? p.queue_bytes / p.queue_max_bytes : 0,
  );
  const exporters = [...(s.exporters ?? [])].sort((a, b) => b.flows - a.flows);
  const diskUsed = storage.disk_total > 0 ? 1 - storage.disk_free / storage.disk_total : 0;
  const waits = spool.rows > 0;
  const troubles = [
    p.insert_error && `The store does not take rows: ${p.insert_error}`,
    spool.error && `The spool cannot be written: ${spool.error}`,
  ].filter((t) => !!t);
  const healthy = engine.up && drops.length === 0 && !waits && troubles.length === 0 && !down;
  const state = healthy
    ? "all received, all stored"
    : down
      ? "no answer"
      : !engine.up
        ? "engine down"
        : drops.length > 0
          ? "losses, see below"
          : waits
            ? "rows wait on disk"
            : "store in trouble";

  return (
    <main class="status" id="main">
      <header class="page-head">
        <h1>
          Status <span class={`badge ${healthy ? "good" : "warn"}`}>{state}</span>
        </h1>
        <p>
          NetMeta {s.version} · up {duration(Math.max(0, s.now - s.started))}
        </p>
      </header>
      {down && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {down}. The figures are from {moments(s.now, tz, s.now)}; trying again.
        </p>
      )}

      {troubles.map((t) => (
        <p class="notice bad" role="alert" key={t}>
          <Icon name="warn" /> {t}
        </p>
      ))}

      <section class="pipeline" aria-label="Pipeline">
        <Stage
          name="UDP"
          rate={`${fmt.count(round(rates.datagrams))} datagrams/s`}
          total={`${fmt.count(p.datagrams)} datagrams`}
          loss={socketLoss}
          values={h.datagrams}
          id="udp"
        />
        <Stage
          name="Decode"
          rate={`${fmt.count(round(rates.flows))} flows/s`}
          total={`${fmt.count(p.flows)} flows`}
          loss={decodeLoss}
          values={h.flows}
          id="decode"
        />
        <Stage
          name="Enrich"
          rate={`${fmt.count(enrich.reduce((a, t) => a + t.entries, 0))} entries`}
          total={`${enrich.length} ${enrich.length === 1 ? "table" : "tables"}`}
          loss={enrichLoss}
          what="refused"
          extra={
            enrich.length
              ? `oldest loaded ${ago(Math.min(...enrich.map((t) => t.loaded)), s.now)}`
              : "no table is loaded: values keep their numbers"
          }
          id="enrich"
        />
        <Stage
          name="Queue"
          rate={`${p.queue_blocks} of ${p.queue_capacity} blocks`}
          total={`${fmt.count(p.blocks)} blocks`}
          loss={queueLoss}
          values={h.queue}
          max={p.queue_capacity}
          warn={fill > 0.5 ? `${Math.round(fill * 100)} % full: the store is slower than the sources` : ""}
          id="queue"
        />
        <Stage
          name="Spool"
          rate={`${fmt.count(spool.rows)} rows`}
          total={`${fmt.count(spool.written_rows)} written since the start`}
          loss={spoolLoss}
          warn={
            spool.error
              ? "It cannot be written: see below"
              : waits
                ? `the oldest since ${ago(spool.oldest, s.now)}: the store is away or too slow`
                : ""
          }
          extra={`${fmt.bytes(spool.bytes)} of ${fmt.bytes(spool.max_bytes)}`}
          id="spool"
        />
        <Stage
          name="ClickHouse"
          rate={inserted.current === null ? "…" : `${fmt.count(round(inserted.current))} rows/s`}
          total={`${fmt.count(p.inserted_rows)} rows`}
          loss={storeLoss}
          values={h.rows}
          warn={engine.up ? "" : "The engine is down and is started again; what arrives waits in the spool"}
          id="store"
          extra={`insert ${ms(p.insert_ms)}${p.lag_ms > 0 ? ` · ${ms(p.lag_ms)} since the last` : ""}`}
        />
      </section>

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

      <section class="panel" aria-label="Exporters">
        <h2>
          Exporters <span class="quiet">{exporters.length || ""}</span>{" "}
          <a class="more" href="/exporters" onClick={follow}>
            How well each is
          </a>
        </h2>
        {exporters.length === 0 ? (
          <p class="quiet">
            None has sent anything since the start. <a href="/start">How to point a router here</a>
          </p>
        ) : (
          <div class="table-scroll">
            <table class="data" id="exporters">
              <thead>
                <tr>
                  <th class="text">Address</th>
                  <th class="text">Type</th>
                  <th>Last</th>
                  <th>Datagrams</th>
                  <th>Flows</th>
                  <th>Sampling</th>
                  <th class="text">from</th>
                  <th>Templates</th>
                  <th>Lost</th>
                </tr>
              </thead>
              <tbody>
                {exporters.map((e) => {
                  const known = e.sampling_rate > 0 && !/^(none|unknown)?$/.test(e.sampling_source);
                  const silent = s.now - e.last;
                  return (
                    <tr key={e.address + e.type}>
                      <td class="text">
                        <a href={`/exporters/${e.address}`} onClick={follow}>
                          <b>{e.address}</b>
                        </a>
                        {e.name && <span class="quiet"> {e.name}</span>}
                      </td>
                      <td class="text">{e.type}</td>
                      <td class={silent > 300 ? "bad" : silent > 30 ? "warn" : ""}>{ago(e.last, s.now)}</td>
                      <td>{fmt.count(e.datagrams)}</td>
                      <td>
                        {e.thinned > 0 && (
                          <span
                            class="warn"
                            title={`Over its limit: ${fmt.count(e.thinned)} records were left out, and the sampling rate of the others stands for them.`}
                          >
                            thinned{" "}
                          </span>
                        )}
                        {fmt.count(e.flows)}
                      </td>
                      <td
                        class={known ? "" : "warn"}
                        title={
                          known ? undefined : "Traffic is counted as if it were not sampled. Let the exporter send its sampling options."
                        }
                      >
                        {known ? `1:${fmt.grouped(e.sampling_rate)}` : "not known"}
                      </td>
                      <td class="text quiet">{e.sampling_source}</td>
                      <td>{e.templates || <span class="quiet">–</span>}</td>
                      <td class={e.lost > 0 ? "warn" : "quiet"}>{fmt.count(e.lost)}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
        {s.others && (
          <p class="quiet" id="others">
            Others, forgotten or without room in the list: {fmt.count(s.others.datagrams)} datagrams, {fmt.count(s.others.flows)} flows
            {s.others.refused > 0 && `, ${fmt.count(s.others.refused)} not decoded`}.
          </p>
        )}
      </section>

      <Running />

      {enrich.length > 0 && (
        <section class="panel" aria-label="Enrichment">
          <h2>Enrichment</h2>
          <div class="table-scroll">
            <table class="data" id="enrich">
              <thead>
                <tr>
                  <th class="text">Table</th>
                  <th>Entries</th>
                  <th>Loaded</th>
                  <th class="text">From</th>
                </tr>
              </thead>
              <tbody>
                {enrich.map((t) => (
                  <tr key={t.name}>
                    <td class="text">{t.name}</td>
                    <td>{fmt.count(t.entries)}</td>
                    <td>{t.loaded > 0 ? ago(t.loaded, s.now) : "never"}</td>
                    <td class="text quiet">{t.source}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}

      <div class="status-grid">
        <section class="panel" aria-label="Listeners">
          <h2>Listeners</h2>
          <div class="table-scroll">
            <table class="data" id="listeners">
              <thead>
                <tr>
                  <th class="text">Address</th>
                  <th class="text">Speaks</th>
                  <th>Datagrams</th>
                  <th>Sockets</th>
                  <th>Queue</th>
                  <th>Lost</th>
                </tr>
              </thead>
              <tbody>
                {listeners.map((l) => (
                  <tr key={l.addr}>
                    <td class="text">
                      <code>{l.addr}</code>
                    </td>
                    <td class="text">{fmt.speaks[l.kind] ?? l.kind}</td>
                    <td>{fmt.count(l.datagrams)}</td>
                    <td title={`Receive buffer of each: ${fmt.bytes(l.buffer)}`}>{(l.sockets ?? []).length}</td>
                    <td title="Fullest receive buffer">{fmt.share(Math.max(0, ...(l.sockets ?? []).map((s) => s.queued / s.buffer)))}</td>
                    <td class={l.dropped > 0 ? "bad" : "quiet"}>{fmt.count(l.dropped)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>

        <section class="panel" aria-label="Storage">
          <h2>Storage</h2>
          <dl class="facts-list">
            <Fact name="Rows" value={fmt.count(storage.rows)} />
            <Fact name="Size" value={fmt.bytes(storage.bytes)} />
            <Fact name="Per row" value={storage.rows > 0 ? fmt.bytes(storage.bytes_per_row) : "–"} />
            <Fact name="Written" value={fmt.bytes(rates.bytes_stored) + "/s"} />
            <Fact
              name="Oldest"
              value={storage.oldest > 0 ? `${moments(storage.oldest, tz, s.now)} (${duration(s.now - storage.oldest)})` : "–"}
            />
            <Fact name="Newest" value={storage.newest > 0 ? ago(storage.newest, s.now) : "–"} />
            <Fact name="Kept for" value={storage.ttl_days > 0 ? `${storage.ttl_days} days` : "ever"} />
            <Fact name="At this rate" value={forecast(storage)} />
          </dl>
          {storage.disk_total > 0 && (
            <div class="disk">
              <div
                class="meter"
                role="meter"
                aria-valuenow={Math.round(diskUsed * 100)}
                aria-valuemin={0}
                aria-valuemax={100}
                aria-label="Disk used"
              >
                <i class={diskUsed > 0.9 ? "bad" : ""} style={{ width: (diskUsed * 100).toFixed(1) + "%" }} />
              </div>
              <small class={diskUsed > 0.9 ? "bad" : "quiet"}>
                {fmt.bytes(storage.disk_free)} free of {fmt.bytes(storage.disk_total)}
                {storage.keep_free > 0 && `; with less than ${fmt.bytes(storage.keep_free)} the oldest hours are dropped`}
              </small>
              {storage.temporary > 0 && storage.disk_free < storage.keep_free && (
                <p class="warn" id="temporary">
                  Temporary data take space that is to be kept free: {storage.temporary_of}. No rows are dropped for them.
                </p>
              )}
              {storage.dropped_at > 0 && (
                <p class="warn" id="dropped">
                  {fmt.count(storage.dropped_rows)} of the oldest rows were dropped for want of space, the last{" "}
                  {ago(storage.dropped_at, s.now)}
                </p>
              )}
            </div>
          )}
          {(storage.unreadable ?? []).map((p) => (
            <p class="bad" key={p.table + p.name} title={p.error}>
              Part {p.table}/{p.name} cannot be read. Missing: {fmt.count(p.rows)} rows, {moments(p.from, tz, s.now)} to{" "}
              {moments(p.to, tz, s.now)}. {p.remedy}
            </p>
          ))}
          {(storage.detached ?? [])
            .filter((p) => p.reason !== "")
            .map((p) => (
              <p class="warn" key={p.path}>
                Part {p.table}/{p.name} was detached by the engine ({p.reason}): {fmt.bytes(p.bytes)} in {p.path}
              </p>
            ))}
        </section>

        <section class="panel" aria-label="Spool">
          <h2>
            Spool{" "}
            <span class={`badge ${spool.error ? "bad" : waits ? "warn" : "good"}`}>
              {spool.error ? "cannot be written" : waits ? "rows wait" : "empty"}
            </span>
          </h2>
          <dl class="facts-list" id="spool">
            <Fact name="Rows" value={fmt.count(spool.rows)} />
            <Fact name="Blocks" value={fmt.count(spool.blocks)} />
            <Fact name="Size" value={`${fmt.bytes(spool.bytes)} of ${fmt.bytes(spool.max_bytes)}`} />
            <Fact name="Oldest" value={spool.oldest > 0 ? ago(spool.oldest, s.now) : "–"} />
            <Fact name="Rows lost" value={fmt.count(spool.dropped_rows)} />
            <Fact name="Files refused" value={fmt.count(spool.refused_files)} />
          </dl>
        </section>

        <section class="panel" aria-label="Engine">
          <h2>
            Engine <span class={`badge ${engine.up ? "good" : "bad"}`}>{engine.up ? "up" : "down"}</span>
          </h2>
          {engine.error && <p class={engine.up ? "warn" : "bad"}>{engine.error}</p>}
          {engine.crashes?.map((c) => (
            <p class={c.until ? "bad" : "warn"} key={c.user}>
              The engine crashed {c.crashes === 1 ? "once" : `${c.crashes} times`} while statements of user {c.user} ran
              {c.until ? `; the user is shut out until ${new Date(c.until * 1000).toLocaleTimeString()}` : ""}. The last began with:{" "}
              <code>{c.statement.slice(0, 200)}</code>
            </p>
          ))}
          {engine.unprotected?.map((u) => (
            <p class="warn" key={u}>
              Missing protection: {u}
            </p>
          ))}
          <dl class="facts-list">
            <Fact name="NetMeta" value={s.version} />
            <Fact name="ClickHouse" value={`${engine.version || "–"}${engine.embedded ? ", embedded" : ""}`} />
            <Fact name="HTTP" value={engine.url} />
            <Fact name="Restarts" value={String(engine.restarts)} />
            {engine.confinement && <Fact name="Confined" value={engine.confinement} />}
            <Fact name="Insert errors" value={fmt.count(p.insert_errors)} />
            <Fact name="Insert takes" value={ms(p.insert_ms)} />
            <Fact name="Flows waiting for" value={ms(p.lag_ms)} />
          </dl>
        </section>
      </div>
    </main>
  );
}

/** How far back the store will reach if flows go on coming like this. */
function forecast({ forecast: f, keep_free }: StatusBody["storage"]): string {
  if (f.days <= 0) return "not known before an hour has passed";
  const days = (x: number) =>
    x >= 10 ? `${Math.round(x)} days` : x >= 2 ? `${fmt.fixed(x, 1)} days` : `${Math.max(1, Math.round(x * 24))} hours`;
  const a = `${fmt.bytes(f.bytes_per_day)} a day: `;
  if (f.limited_by === "age") return `${a}${days(f.days)} fit`;
  return (
    `${a}${days(f.days)} fit, ` +
    (keep_free > 0 ? `the oldest are dropped in ${days(f.full_in_days)}` : `the disk is full in ${days(f.full_in_days)}`)
  );
}

/** What the store works on now, whoever asked, each with the means to end it. */
function Running() {
  const [list, setList] = useState<RunningQuery[] | null>(null);
  usePoll(1000, async (signal) => {
    const { body } = await api.running(signal).catch(() => ({ body: { queries: null } }));
    if (!signal.aborted) setList(body.queries);
  });
  const end = async (q: RunningQuery) => {
    try {
      await api.end(q.id);
      say("Query ended");
    } catch (e) {
      say(e instanceof APIError && e.status === 404 ? "It had ended by itself" : e instanceof Error ? e.message : String(e));
    }
  };
  return (
    <section class="panel" aria-label="Queries">
      <h2>
        Queries running <span class="quiet">{list?.length || ""}</span>
      </h2>
      {list === null ? (
        <p class="quiet">The store does not say.</p>
      ) : list.length === 0 ? (
        <p class="quiet">None.</p>
      ) : (
        <div class="table-scroll">
          <table class="data" id="queries">
            <thead>
              <tr>
                <th class="text">Query</th>
                <th class="text">Asked by</th>
                <th>For</th>
                <th>Rows read</th>
                <th>Memory</th>
                <th>
                  <span class="offscreen">End</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map((q) => (
                <tr key={q.id} data-query={q.id}>
                  <td class="text sql-cell">
                    <button type="button" class="value" title={q.sql} onClick={() => void copy(q.sql, "SQL")}>
                      <code>{q.sql.replace(/\s+/g, " ").slice(0, 160)}</code>
                    </button>
                  </td>
                  <td class="text">{askedBy(q)}</td>
                  <td>{fmt.fixed(q.elapsed, 1)} s</td>
                  <td>
                    {fmt.count(q.rows)}
                    {q.of > 0 && <span class="quiet"> of {fmt.count(q.of)}</span>}
                  </td>
                  <td>{fmt.bytes(q.memory)}</td>
                  <td>
                    <button type="button" class="button end" onClick={() => void end(q)}>
                      End
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** The tags that Explore makes up say nothing to people. */
const askedBy = (q: RunningQuery) => [q.what, q.tag.startsWith("page-") ? "on a page" : q.tag].filter(Boolean).join(" · ") || q.user;

const round = (x: number) => (x >= 10 ? Math.round(x) : Math.round(x * 10) / 10);
const ms = (x: number) => (x >= 1000 ? `${fmt.fixed(x / 1000, 1)} s` : `${fmt.millis(x)} ms`);

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
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
