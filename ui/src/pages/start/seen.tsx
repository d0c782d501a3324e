// The exporters seen, each with its progress, or a check list while there are none.

import type { Exporter, Interfaces, Status } from "../../api/api.ts";
import { Decide, IgnoredList } from "../../parts/senders.tsx";
import { Icon } from "../../parts/ui.tsx";
import { follow, go } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ago } from "../../text/time.ts";
import { arrival } from "./arrival.ts";
import { Demo } from "./demo.tsx";
import { portOf } from "./ports.ts";

interface Props {
  /** Undefined: no answer yet. */
  s: Status | undefined;
  names: Interfaces | undefined;
  /** The port in the configuration of routers. */
  port: string;
  /** Called after a decision: load the state again. */
  told: () => void;
  onDemo: (runs: boolean) => void;
}

export function ExportersSeen({ s, names, port, told, onDemo }: Props) {
  const exporters = [...(s?.exporters ?? [])].sort((a, b) => (a.address < b.address ? -1 : 1));
  return (
    <section class="panel" aria-label="Exporters seen" aria-live="polite">
      <h2>
        Exporters seen <span class="quiet">{exporters.length > 0 ? exporters.length : ""}</span>{" "}
        {s?.demo && <span class="badge warn">demo data</span>}
      </h2>
      {s && exporters.length > 0 ? (
        <Lists s={s} exporters={exporters} names={names} told={told} />
      ) : (
        <div class="waiting">
          <span class="pulse" aria-hidden="true" />
          <div>
            <p>Waiting for the first datagram. If none arrives, check in this order:</p>
            {s && <Checks s={s} port={port} />}
          </div>
        </div>
      )}
      {s && <IgnoredList list={s.ignored ?? []} now={s.now} told={told} />}
      {s && <Demo runs={s.demo} asked={() => onDemo(!s.demo)} />}
      <div class="row end">
        <button type="button" class={`button ${exporters.length ? "primary" : ""}`} onClick={() => go("/explore?live=1")}>
          Explore traffic
        </button>
      </div>
    </section>
  );
}

/** The new senders, each with its decision, and the known exporters. */
function Lists({ s, exporters, names, told }: { s: Status; exporters: Exporter[]; names: Interfaces | undefined; told: () => void }) {
  const fresh = exporters.filter((e) => e.standing === "new");
  const known = exporters.filter((e) => e.standing !== "new");
  const strangers = [...new Set(fresh.map((e) => e.address))];
  return (
    <>
      {fresh.length > 0 && (
        <div class="new-head">
          <p>New senders. Their flows are stored until you ignore them.</p>
          {strangers.length > 1 && <Decide addresses={strangers} only="accept" back="forget" told={told} />}
        </div>
      )}
      <ul class="seen" id="new">
        {fresh.map((e) => (
          <Seen key={e.address + e.type} e={e} s={s} names={names} told={told} />
        ))}
      </ul>
      {known.length > 0 && (
        <details id="known" open={fresh.length === 0}>
          <summary>
            Known <span class="quiet">{known.length}</span>
          </summary>
          <ul class="seen">
            {known.map((e) => (
              <Seen key={e.address + e.type} e={e} s={s} names={names} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** The progress of an exporter and its next remedy. A new sender has `told` and the buttons to decide. */
function Seen({ e, s, names, told }: { e: Exporter; s: Status; names?: Interfaces; told?: () => void }) {
  const { steps, advice } = arrival(e, names);
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
        {steps.map(({ id, done, what }) => (
          <span key={id} class={done ? "ok" : "todo"}>
            {done ? <Icon name="check" /> : <i class="dot" />}
            {what}
          </span>
        ))}
      </div>
      {advice && <p class="facts">{advice}</p>}
      {told && <Decide addresses={[e.address]} back="forget" told={told} />}
    </li>
  );
}

/** The check list while no exporter is seen, each step with its state. */
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
          : "No port is open. Set sources.udp.listen in the configuration file."}
      </li>
      <li class={got > 0 ? "ok" : "todo"}>
        {got > 0 ? (
          `${fmt.count(got)} datagrams have arrived.`
        ) : (
          <>
            No datagram has arrived. Run <code>tcpdump -ni any udp port {port}</code> here. Nothing: check the router's route, ACLs and
            export address. Datagrams: check the firewall on this machine (<code>nft list ruleset</code>).
          </>
        )}
      </li>
      {lost > 0 && <li class="todo">{fmt.count(lost)} dropped by the kernel; raise net.core.rmem_max.</li>}
      {refused.map((d) => (
        <li key={d.where + d.reason} class="todo">
          {fmt.count(d.count)} not stored: {d.reason}. {d.hint}
        </li>
      ))}
      <li class="todo">
        NetFlow v9 and IPFIX need a template first, often sent only every 10 to 30 min. The configurations here set 60 s or less.
      </li>
      <li class="todo">Without a sampling rate, traffic is undercounted. See the Exporters page.</li>
    </ol>
  );
}
