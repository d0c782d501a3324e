// The panels of NetMeta's parts.

import type { Status } from "../../api/api.ts";
import { zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ago, duration, moments } from "../../text/time.ts";

export const ms = (x: number) => (x >= 1000 ? `${fmt.fixed(x / 1000, 1)} s` : `${fmt.millis(x)} ms`);

export function Enrichment({ s }: { s: Status }) {
  const enrich = s.enrich ?? [];
  if (enrich.length === 0) return null;
  return (
    <section class="panel" aria-label="Enrichment">
      <h2>Enrichment</h2>
      <div class="table-scroll">
        <table class="data" id="enrich">
          <thead>
            <tr>
              <th class="text">Table</th>
              <th>Entries</th>
              <th>Loaded</th>
              <th class="text">Source</th>
            </tr>
          </thead>
          <tbody>
            {enrich.map((t) => (
              <tr key={`${t.name} ${t.source}`}>
                <td class="text">{t.name}</td>
                <td>{fmt.count(t.entries)}</td>
                <td>{t.loaded > 0 ? ago(t.loaded, s.now) : "never"}</td>
                <td class="text quiet">{t.error ? `${t.source}: ${t.error}` : t.source}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function Listeners({ s }: { s: Status }) {
  const listeners = s.listeners ?? [];
  return (
    <section class="panel" aria-label="Listeners">
      <h2>Listeners</h2>
      <div class="table-scroll">
        <table class="data" id="listeners">
          <thead>
            <tr>
              <th class="text">Address</th>
              <th class="text">Protocols</th>
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
  );
}

export function Storage({ s }: { s: Status }) {
  const { storage, rates } = s;
  const tz = zone.value;
  const diskUsed = storage.disk_total > 0 ? 1 - storage.disk_free / storage.disk_total : 0;
  return (
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
        <Fact name="Retention" value={storage.ttl_days > 0 ? `${storage.ttl_days} days` : "forever"} />
        <Fact name="Forecast" value={forecast(storage)} />
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
            <i class={storage.disk_level} style={{ width: (diskUsed * 100).toFixed(1) + "%" }} />
          </div>
          <small class={storage.disk_level || "quiet"}>
            {fmt.bytes(storage.disk_free)} free of {fmt.bytes(storage.disk_total)}
            {storage.keep_free > 0 && `; below ${fmt.bytes(storage.keep_free)} the oldest hours are dropped`}
          </small>
          {storage.temporary > 0 && storage.disk_free < storage.keep_free && (
            <p class="warn" id="temporary">
              Temporary data uses space reserved to stay free: {storage.temporary_of}. No rows are dropped for it.
            </p>
          )}
          {storage.dropped_at > 0 && (
            <p class="warn" id="dropped">
              {fmt.count(storage.dropped_rows)} of the oldest rows dropped for lack of disk space, last {ago(storage.dropped_at, s.now)}
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
  );
}

/** How many days of flows fit at the current rate. */
function forecast({ forecast: f, keep_free }: Status["storage"]): string {
  if (f.days <= 0) return "unknown for the first hour";
  const days = (x: number) =>
    x >= 10 ? `${Math.round(x)} days` : x >= 2 ? `${fmt.fixed(x, 1)} days` : `${Math.max(1, Math.round(x * 24))} hours`;
  const a = `${fmt.bytes(f.bytes_per_day)}/day; `;
  if (f.limited_by === "age") return `${a}${days(f.days)} fit`;
  return (
    `${a}${days(f.days)} fit, ` + (keep_free > 0 ? `the oldest dropped in ${days(f.full_in_days)}` : `disk full in ${days(f.full_in_days)}`)
  );
}

export function Spool({ s }: { s: Status }) {
  const { spool } = s;
  const waits = spool.rows > 0;
  return (
    <section class="panel" aria-label="Spool">
      <h2>
        Spool{" "}
        <span class={`badge ${spool.error ? "bad" : waits ? "warn" : "good"}`}>
          {spool.error ? "cannot be written" : waits ? "rows waiting" : "empty"}
        </span>
      </h2>
      <dl class="facts-list" id="spool">
        <Fact name="Rows" value={fmt.count(spool.rows)} />
        <Fact name="Blocks" value={fmt.count(spool.blocks)} />
        <Fact name="Size" value={`${fmt.bytes(spool.bytes)} of ${fmt.bytes(spool.max_bytes)}`} />
        <Fact name="Oldest" value={spool.oldest > 0 ? ago(spool.oldest, s.now) : "–"} />
        <Fact name="Rows dropped" value={fmt.count(spool.dropped_rows)} />
        <Fact name="Files rejected" value={fmt.count(spool.refused_files)} />
      </dl>
    </section>
  );
}

export function Engine({ s }: { s: Status }) {
  const { engine, pipeline: p } = s;
  return (
    <section class="panel" aria-label="Engine">
      <h2>
        Engine <span class={`badge ${engine.up ? "good" : "bad"}`}>{engine.up ? "up" : "down"}</span>
      </h2>
      {engine.error && <p class={engine.up ? "warn" : "bad"}>{engine.error}</p>}
      {engine.crashes?.map((c) => (
        <p class={c.until ? "bad" : "warn"} key={c.user}>
          The engine crashed {c.crashes === 1 ? "once" : `${c.crashes} times`} while statements of user {c.user} ran
          {c.until ? `; the user is blocked until ${new Date(c.until * 1000).toLocaleTimeString()}` : ""}. Last statement:{" "}
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
        {engine.confinement && <Fact name="Confinement" value={engine.confinement} />}
        <Fact name="Insert errors" value={fmt.count(p.insert_errors)} />
        <Fact name="Insert time" value={ms(p.insert_ms)} />
        <Fact name="Oldest unsaved flow" value={ms(p.lag_ms)} />
      </dl>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
