// The list of what needs attention.

import { useState } from "preact/hooks";
import { Icon } from "../../parts/ui.tsx";
import { follow, zone } from "../../state/state.ts";
import { clock } from "../../text/time.ts";
import type { Found } from "./asked.ts";
import { concerns } from "./glance.ts";

/** `known` is how much of the data is loaded. "Nothing needs attention" requires all of it, and up to date. */
export function Attention({
  found,
  known,
}: {
  found: Pick<Found, "status" | "exporters" | "links" | "events">;
  known: "asking" | "old" | "partly" | "whole";
}) {
  const [all, setAll] = useState(false);
  const list = concerns(found.status, found.exporters, found.links, found.events);
  return (
    <section class="panel attention" aria-label="What needs attention">
      <h2>
        {list.length > 0 ? "Needs attention" : known === "whole" ? "Nothing needs attention" : "What needs attention"}{" "}
        <span class="quiet">{list.length > 0 ? list.length : ""}</span>
      </h2>
      {known === "old" && <p class="quiet">Data of {clock(found.status.now, zone.value)}; retrying.</p>}
      {known === "partly" && <p class="quiet">Some data could not be loaded; retrying.</p>}
      {known === "asking" && list.length === 0 && <p class="quiet">Loading …</p>}
      {list.length === 0 && known === "whole" && (
        <p class="quiet">
          <Icon name="check" /> All flows stored; exporters and interfaces healthy.
        </p>
      )}
      <ul>
        {list.slice(0, all ? undefined : 4).map((c) => (
          <li key={c.of + c.what} class={c.level}>
            <Icon name="warn" />
            <a href={c.to} onClick={follow}>
              <b>{c.of}</b> {c.what}
            </a>
          </li>
        ))}
      </ul>
      {list.length > 4 && (
        <button type="button" class="facet-more" onClick={() => setAll(!all)}>
          {all ? "Fewer" : `${list.length - 4} more`}
        </button>
      )}
    </section>
  );
}
