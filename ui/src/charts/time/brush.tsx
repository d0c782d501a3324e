// The menu of a selected range.

import { Icon, Popover } from "../../parts/ui.tsx";
import { eventForm } from "../../state/events.ts";
import { zone } from "../../state/state.ts";
import { clock, duration } from "../../text/time.ts";
import type { Brush, Props } from "./props.ts";

/** The actions of a selected range. */
export function BrushMenu({ brush, p, onDone }: { brush: Brush; p: Props; onDone: () => void }) {
  const tz = zone.value;
  const items: [string, string, string, (from: number, to: number) => void][] = [
    ["zoom", "Zoom", "z", p.onZoom],
    ["bulb", "Explain", "e", p.onExplain],
    ["rows", "Flows", "f", p.onFlows],
    ["link", "Copy link", "c", p.onLink],
    ["flag", "Mark event", "m", (start, end) => (eventForm.value = { start, end })],
  ];
  const run = (f: (from: number, to: number) => void) => {
    onDone();
    f(brush.from, brush.to);
  };
  const key = (e: KeyboardEvent) => {
    const item = items.find((i) => i[2] === e.key);
    const buttons = [...(e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=menuitem]")];
    const move = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (item) run(item[3]);
    else if (move) buttons[(buttons.indexOf(document.activeElement as HTMLElement) + move + buttons.length) % buttons.length]?.focus();
    else return;
    e.preventDefault();
  };
  return (
    <Popover open onClose={onDone} class="menu brush" label="Selected range" anchor={brush}>
      <div role="menu" aria-label="Selected range" class="menu-list" onKeyDown={key}>
        <div class="menu-title" role="presentation">
          <b>
            {clock(brush.from, tz, true)} – {clock(brush.to, tz, true)}
          </b>{" "}
          {duration(brush.to - brush.from)}
        </div>
        {items.map(([icon, name, letter, f]) => (
          <button key={name} type="button" role="menuitem" onClick={() => run(f)}>
            <Icon name={icon} /> {name} <kbd>{letter}</kbd>
          </button>
        ))}
      </div>
    </Popover>
  );
}
