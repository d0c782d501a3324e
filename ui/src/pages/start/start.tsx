// Start: where to point a router, how to tell it, and what has arrived. Also what a new installation shows first.

import { useState } from "preact/hooks";
import { api, type Exporter, type Interfaces, type Status } from "../../api/api.ts";
import { Decide, IgnoredList } from "../../parts/senders.tsx";
import { CopyButton, Icon, usePoll } from "../../parts/ui.tsx";
import { addressChoice, copy, follow, go } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ago } from "../../text/time.ts";
import { arrival } from "./arrival.ts";
import { vendors, withPort } from "./vendors.ts";

export const portOf = (addr: string) => addr.slice(addr.lastIndexOf(":") + 1);

/** How often names of interfaces are looked for: they come by timers of a minute and more. */
const namesMS = 10_000;

export default function Start() {
  const [status, setStatus] = useState<Status | null>(null);
  const [down, setDown] = useState(false);
  const [vendor, setVendor] = useState(vendors[0].id);
  const [names, setNames] = useState<Interfaces>();
  usePoll(namesMS, async (signal) => {
    try {
      setNames((await api.interfaces("from=-15m", signal)).body);
    } catch {
      // The step of the names is left out until they are known.
    }
  });
  const poll = async (signal?: AbortSignal) => {
    try {
      const { body } = await api.status(signal);
      setStatus(body);
      setDown(false);
    } catch {
      if (!signal?.aborted) setDown(true);
    }
  };
  usePoll(1000, poll);

  const host = addressChoice.signal.value || location.hostname.replace(/^\[|\]$/g, "");
  const local = /^(localhost|127\.|::1$)/.test(host);
  const v = vendors.find((x) => x.id === vendor) ?? vendors[0];
  const listeners = status?.listeners ?? [];
  // The usual port of the protocol when it is open; any other takes it as well.
  const listener =
    listeners.find((l) => portOf(l.addr) === String(v.port)) ??
    listeners.find((l) => l.kind.toLowerCase().includes(v.kind)) ??
    listeners[0];
  const port = listener ? portOf(listener.addr) : String(v.port);
  const config = v.config(local ? "COLLECTOR" : host, port);
  const exporters = [...(status?.exporters ?? [])].sort((a, b) => (a.address < b.address ? -1 : 1));
  const fresh = exporters.filter((e) => e.standing === "new");
  const known = exporters.filter((e) => e.standing !== "new");
  const strangers = [...new Set(fresh.map((e) => e.address))];
  const told = () => void poll();

  return (
    <main class="start" id="main">
      <header class="page-head">
        <h1>Point your routers here</h1>
        <p>Any version on any of these ports: NetMeta looks at the content. Flows show up within two seconds.</p>
      </header>

      <section class="panel" aria-label="Addresses">
        <div class="addresses">
          <label class="field">
            <span>Collector address</span>
            <input
              id="collector"
              value={addressChoice.signal.value || host}
              spellcheck={false}
              onInput={(e) => addressChoice.set(e.currentTarget.value.trim())}
            />
          </label>
          <ul class="listeners">
            {listeners.map((l) => (
              <li key={l.addr}>
                <button
                  type="button"
                  class="listener"
                  title="Copy"
                  onClick={() => void copy(withPort(host, portOf(l.addr)), withPort(host, portOf(l.addr)))}
                >
                  <b>{portOf(l.addr)}</b>
                  <span>{fmt.speaks[l.kind] ?? l.kind}</span>
                  <small>{l.datagrams > 0 ? `${fmt.count(l.datagrams)} datagrams` : "waiting"}</small>
                </button>
              </li>
            ))}
            {status && listeners.length === 0 && <li class="quiet">No listener is configured.</li>}
            {!status && <li class="quiet">{down ? "NetMeta does not answer; trying again." : "Asking …"}</li>}
          </ul>
        </div>
        {local && (
          <p class="hint">
            This page was opened on the machine itself. Write the address above under which routers reach it, or put it for{" "}
            <code>COLLECTOR</code> in the text below.
          </p>
        )}
      </section>

      <div class="start-grid">
        <section class="panel" aria-label="Configuration">
          <div class="vendor-list" role="tablist" aria-label="Vendor">
            {vendors.map((x) => (
              <button
                key={x.id}
                type="button"
                role="tab"
                aria-selected={x.id === v.id}
                class={x.id === v.id ? "on" : ""}
                onClick={() => setVendor(x.id)}
              >
                {x.name}
              </button>
            ))}
          </div>
          <div role="tabpanel" class="snippet">
            <div class="snippet-head">
              <p>
                <b>{v.name}</b>{" "}
                <span class="quiet">
                  {v.protocol} to {withPort(local ? "COLLECTOR" : host, port)}
                </span>
              </p>
              <CopyButton text={config} what="Configuration" />
            </div>
            <pre class="code" tabIndex={0}>
              {config}
            </pre>
            <p class="hint">{v.note}</p>
            <p class="checked-against">
              Checked against: {v.source}
              {v.tried && "; run, and its flows arrived"}.
            </p>
          </div>
        </section>

        <section class="panel" aria-label="Exporters seen" aria-live="polite">
          <h2>
            Exporters seen <span class="quiet">{exporters.length > 0 ? exporters.length : ""}</span>{" "}
            {status?.demo && <span class="badge warn">demo data</span>}
          </h2>
          {exporters.length === 0 ? (
            <div class="waiting">
              <span class="pulse" aria-hidden="true" />
              <div>
                <p>Waiting for the first datagram. If nothing comes, in this order:</p>
                {status && <Checks s={status} port={port} />}
              </div>
            </div>
          ) : (
            <>
              {fresh.length > 0 && (
                <div class="new-head">
                  <p>New, and taken as long as nobody says otherwise. Do they belong here?</p>
                  {strangers.length > 1 && <Decide addresses={strangers} only="accept" back="forget" told={told} />}
                </div>
              )}
              <ul class="seen" id="new">
                {fresh.map((e) => (
                  <Seen key={e.address + e.type} e={e} s={status as Status} names={names} told={told} />
                ))}
              </ul>
              {known.length > 0 && (
                <details id="known" open={fresh.length === 0}>
                  <summary>
                    Known <span class="quiet">{known.length}</span>
                  </summary>
                  <ul class="seen">
                    {known.map((e) => (
                      <Seen key={e.address + e.type} e={e} s={status as Status} names={names} />
                    ))}
                  </ul>
                </details>
              )}
            </>
          )}
          {status && <IgnoredList list={status.ignored ?? []} now={status.now} told={told} />}
          {status && <Demo runs={status.demo} asked={() => setStatus({ ...status, demo: !status.demo })} />}
          <div class="row end">
            <button type="button" class={`button ${exporters.length ? "primary" : ""}`} onClick={() => go("/explore?live=1")}>
              Explore the traffic
            </button>
          </div>
        </section>
      </div>
    </main>
  );
}

/** What to look at while no exporter is seen: each step with what is known of it. */
function Checks({ s, port }: { s: Status; port: string }) {
  const listeners = s.listeners ?? [];
  const got = listeners.reduce((a, l) => a + l.datagrams, 0);
  const lost = listeners.reduce((a, l) => a + l.dropped, 0);
  const refused = (s.drops ?? []).filter((d) => d.count > 0);
  return (
    <ol class="checks">
      <li class={listeners.length ? "ok" : "todo"}>
        {listeners.length
          ? `NetMeta listens on ${listeners.map((l) => portOf(l.addr)).join(", ")}.`
          : "No port is listened on: set sources.udp.listen in the configuration file."}
      </li>
      <li class={got > 0 ? "ok" : "todo"}>
        {got > 0 ? (
          `${fmt.count(got)} datagrams have arrived.`
        ) : (
          <>
            No datagram has arrived. Does <code>tcpdump -ni any udp port {port}</code> here show any? If not: the router's route, its access
            lists, the address it sends to. If it does: a firewall on this machine (<code>nft list ruleset</code>).
          </>
        )}
      </li>
      {lost > 0 && <li class="todo">{fmt.count(lost)} were dropped by the kernel: raise net.core.rmem_max.</li>}
      {refused.map((d) => (
        <li key={d.where + d.reason} class="todo">
          {fmt.count(d.count)} refused: {d.reason}. {d.hint}
        </li>
      ))}
      <li class="todo">
        NetFlow v9 and IPFIX show nothing before their template: it comes by a timer, often after 10 or 30 minutes; the snippets here set 60
        s.
      </li>
      <li class="todo">Then the sampling rate: without it traffic is under-counted. Exporters says so of each.</li>
    </ol>
  );
}

/** How far an exporter has come, and what helps it on; of a new one with `told`, and then to be decided about. */
function Seen({ e, s, names, told }: { e: Exporter; s: Status; names?: Interfaces; told?: () => void }) {
  const { steps, advice } = arrival(e, s, names);
  return (
    <li>
      <div class="seen-head">
        <a href={`/exporters/${e.address}`} onClick={follow}>
          <b>{e.name || e.address}</b>
        </a>
        {e.name && <span>{e.address}</span>}
        <span class="quiet">{ago(e.last, s.now)}</span>
      </div>
      <div class="steps">
        {steps.map(({ ok, text }) => (
          <span key={text.replace(/[\d.,]+/g, "")} class={ok ? "ok" : "todo"}>
            {ok ? <Icon name="check" /> : <i class="dot" />}
            {text}
          </span>
        ))}
      </div>
      {advice && <p class="facts">{advice}</p>}
      {told && <Decide addresses={[e.address]} back="forget" told={told} />}
    </li>
  );
}

/** Simulated exporters, for who has no router at hand yet. */
function Demo({ runs, asked }: { runs: boolean; asked: () => void }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const turn = async () => {
    setBusy(true);
    try {
      await api.demo(!runs);
      setWrong("");
      asked();
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    }
    setBusy(false);
  };
  return (
    <div class="demo">
      <p class="hint">
        {runs
          ? "Simulated exporters send, from 127.0.6.1, 127.0.9.1, 127.0.10.1 and the next ones. What they sent is kept like other flows."
          : "No router at hand? Six simulated exporters send an invented hour and then live. Their flows are kept like others, as of exporters in 127.0.0.0/8."}
      </p>
      <button type="button" class="button" id="demo" disabled={busy} onClick={() => void turn()}>
        {runs ? "Stop the demo" : "Start a demo"}
      </button>
      {wrong && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {wrong}
        </p>
      )}
    </div>
  );
}
