// The events on the charts, from the head of a chart.

import { useState } from "preact/hooks";
import { IconButton, Popover } from "../../parts/ui.tsx";
import { kindsSeen, markHere, switched } from "../../state/events.ts";
import { hiddenKinds } from "../../state/state.ts";

/** Which events the charts show, by kind, and a way to mark one. */
export function EventsMenu() {
  const [open, setOpen] = useState(false);
  const hidden = hiddenKinds.signal.value;
  const kinds = kindsSeen.value;
  return (
    <span class="anchor events">
      <IconButton
        icon="flag"
        class={`icon-button ${hidden === "*" ? "" : "on"}`}
        id="events"
        data-opens
        aria-haspopup="dialog"
        aria-expanded={open}
        label="Events on the charts"
        onClick={() => setOpen(!open)}
      />
      <Popover open={open} onClose={() => setOpen(false)} class="menu right events-menu" label="Events">
        <label class="check">
          <input type="checkbox" checked={hidden !== "*"} onChange={(e) => hiddenKinds.set(e.currentTarget.checked ? "" : "*")} /> Events on
          the charts
        </label>
        {hidden !== "*" &&
          kinds.map((k) => (
            <label key={k} class="check kind">
              <input
                type="checkbox"
                checked={switched(hidden, k).length > hidden.length}
                onChange={() => hiddenKinds.set(switched(hidden, k))}
              />{" "}
              {k}
            </label>
          ))}
        <button
          type="button"
          class="button"
          onClick={() => {
            setOpen(false);
            markHere();
          }}
        >
          Mark an event … <kbd>m</kbd>
        </button>
      </Popover>
    </span>
  );
}
