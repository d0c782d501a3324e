// The kinds of events on the charts, and a button to mark one.

import { Popover } from "../../parts/ui.tsx";
import { kindsSeen, markHere, switched } from "../../state/events.ts";
import { hiddenKinds } from "../../state/state.ts";

export function EventsList({ onDone }: { onDone: () => void }) {
  const hidden = hiddenKinds.signal.value;
  return (
    <Popover open onClose={onDone} class="menu right events-menu" label="Events">
      <label class="check">
        <input type="checkbox" checked={hidden !== "*"} onChange={(e) => hiddenKinds.set(e.currentTarget.checked ? "" : "*")} /> Show events
        on charts
      </label>
      {hidden !== "*" &&
        kindsSeen.value.map((k) => (
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
          onDone();
          markHere();
        }}
      >
        Mark event … <kbd>m</kbd>
      </button>
    </Popover>
  );
}
