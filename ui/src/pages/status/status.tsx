// Status: the path of a flow through NetMeta, with the counts and losses of each stage.

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
          <p>{down || "Loading …"}</p>
        </header>
      </main>
    );
  }

  const tz = zone.value;
  const troubles = [
    s.pipeline.insert_error && `Inserts are failing: ${s.pipeline.insert_error}`,
    s.spool.error && `Cannot write the spool: ${s.spool.error}`,
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
          <Icon name="warn" /> {down}. Values are from {moments(s.now, tz, s.now)}; retrying.
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

/** The overall state in a few words. */
const states: Record<Body["state"], string> = {
  "engine-down": "engine down",
  losses: "losses, see below",
  waiting: "rows in spool",
  trouble: "store problems",
  good: "all received flows stored",
};
