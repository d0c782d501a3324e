// Start: the address for routers, their configuration and the exporters seen. Also the first page of a new installation.

import { useState } from "preact/hooks";
import { api, type Interfaces, type Status } from "../../api/api.ts";
import { usePoll } from "../../parts/ui.tsx";
import { addressChoice } from "../../state/state.ts";
import { Addresses } from "./addresses.tsx";
import { Configuration } from "./configuration.tsx";
import { portFor } from "./ports.ts";
import { ExportersSeen } from "./seen.tsx";
import { vendors } from "./vendors.ts";

/** How often interface names are loaded; exporters send them every minute or more rarely. */
const namesMS = 10_000;
const statusMS = 1000;

export default function Start() {
  const [status, setStatus] = useState<Status>();
  const [down, setDown] = useState(false);
  const [vendor, setVendor] = useState(vendors[0].id);
  const [names, setNames] = useState<Interfaces>();
  usePoll(namesMS, async (signal) => {
    try {
      setNames((await api.interfaces("from=-15m", signal)).body);
    } catch {
      // Without names their step is left out.
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
  usePoll(statusMS, poll);

  const host = addressChoice.signal.value || location.hostname.replace(/^\[|\]$/g, "");
  const local = /^(localhost|127\.|::1$)/.test(host);
  const v = vendors.find((x) => x.id === vendor) ?? vendors[0];
  const port = portFor(v, status?.listeners ?? []);
  return (
    <main class="start" id="main">
      <header class="page-head">
        <h1>Point your routers here</h1>
        <p>Any protocol on any port; NetMeta detects it. Flows appear within 2 s.</p>
      </header>
      <Addresses host={host} local={local} listeners={status && (status.listeners ?? [])} down={down} />
      <div class="start-grid">
        <Configuration v={v} host={local ? "COLLECTOR" : host} port={port} onVendor={setVendor} />
        <ExportersSeen
          s={status}
          names={names}
          port={port}
          told={() => void poll()}
          onDemo={(demo) => status && setStatus({ ...status, demo })}
        />
      </div>
    </main>
  );
}
