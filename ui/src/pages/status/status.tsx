// Status: the way of a flow through the machine, with what every stage has done and lost.

import type { Status as Body } from "../../api/api.ts";
import { Icon } from "../../parts/ui.tsx";
import { zone } from "../../state/state.ts";
import { duration, moments } from "../../text/time.ts";
import { useStatus } from "./asked.ts";
import { Exporters } from "./exporters.tsx";
import { Losses } from "./losses.tsx";
import { Engine, Enrichment, Listeners, Spool, Storage } from "./panels.tsx";
import { Pipeline } from "./pipeline.tsx";
import { Running } from "./queries.tsx";

export default function Status() {
  const { status: s, down, history, inserted } = useStatus();
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

  const tz = zone.value;
  const troubles = [
    s.pipeline.insert_error && `The store does not take rows: ${s.pipeline.insert_error}`,
    s.spool.error && `The spool cannot be written: ${s.spool.error}`,
  ].filter((t) => !!t);

  return (
    <main class="status" id="main">
      <header class="page-head">
        <h1>
          Status <span class={`badge ${!down && s.state === "good" ? "good" : "warn"}`}>{down ? "no answer" : states[s.state]}</span>
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

      <Pipeline s={s} history={history} inserted={inserted} />
      <Losses s={s} />
      <Exporters s={s} />
      <Running />
      <Enrichment s={s} />

      <div class="status-grid">
        <Listeners s={s} />
        <Storage s={s} />
        <Spool s={s} />
        <Engine s={s} />
      </div>
    </main>
  );
}

/** The whole in a few words. */
const states: Record<Body["state"], string> = {
  "engine-down": "engine down",
  losses: "losses, see below",
  waiting: "rows wait on disk",
  trouble: "store in trouble",
  good: "all received, all stored",
};
