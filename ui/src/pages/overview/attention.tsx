// What needs a person.

import { useState } from "preact/hooks";
import { Icon } from "../../parts/ui.tsx";
import { follow, zone } from "../../state/state.ts";
import { clock } from "../../text/time.ts";
import type { Found } from "./asked.ts";
import { concerns } from "./glance.ts";

/** `known` is how much of what it looks at is there: that nothing is wrong is only said when all of it is, and of now. */
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
      {known === "old" && <p class="quiet">As it was at {clock(found.status.now, zone.value)}; trying again.</p>}
      {known === "partly" && <p class="quiet">Not all that is looked at answers; trying again.</p>}
      {known === "asking" && list.length === 0 && <p class="quiet">Looking …</p>}
      {list.length === 0 && known === "whole" && (
        <p class="quiet">
          <Icon name="check" /> All that was received is stored; exporters and interfaces are well.
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
