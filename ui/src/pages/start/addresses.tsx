// The address and the ports to which routers send.

import type { Listener } from "../../api/api.ts";
import { addressChoice, copy } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { portOf } from "./ports.ts";
import { withPort } from "./vendors.ts";

interface Props {
  /** The address in the configuration of routers; `local`: routers cannot reach it. */
  host: string;
  local: boolean;
  /** Undefined: no answer yet. */
  listeners: Listener[] | undefined;
  down: boolean;
}

export function Addresses({ host, local, listeners, down }: Props) {
  return (
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
          {listeners?.map((l) => (
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
          {listeners?.length === 0 && <li class="quiet">No listener configured.</li>}
          {!listeners && <li class="quiet">{down ? "NetMeta does not answer; retrying." : "Loading …"}</li>}
        </ul>
      </div>
      {local && (
        <p class="hint">
          Enter the address your routers use to reach this machine; it replaces <code>COLLECTOR</code> below.
        </p>
      )}
    </section>
  );
}
