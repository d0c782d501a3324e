// The menu of events in the head of a chart.

import { useState } from "preact/hooks";
import { IconButton, lazy } from "../../parts/ui.tsx";
import { hiddenKinds } from "../../state/state.ts";

const EventsList = lazy(() => import("./eventslist.tsx").then((m) => m.EventsList));

/** Opens the list of event kinds. */
export function EventsMenu() {
  const [open, setOpen] = useState(false);
  const hidden = hiddenKinds.signal.value;
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
      {open && <EventsList onDone={() => setOpen(false)} />}
    </span>
  );
}
