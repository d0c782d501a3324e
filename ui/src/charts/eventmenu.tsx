// The menu of an event, or of the events that share a mark.

import { useState } from "preact/hooks";
import type { Event } from "../api/api.ts";
import { Icon, Popover } from "../parts/ui.tsx";
import { around, during, remove, titleOf } from "../state/events.ts";
import { type EventMarksProps, timesOf } from "./event.ts";

interface Props extends EventMarksProps {
  events: Event[];
  at: { x: number; y: number };
  onDone: () => void;
}

export function EventMenu(p: Props) {
  const [chosen, setChosen] = useState<Event | undefined>(p.events.length === 1 ? p.events[0] : undefined);
  const keys = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const items = [...(e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=menuitem]")];
    items[(items.indexOf(document.activeElement as HTMLElement) + step + items.length) % items.length]?.focus();
  };
  const run =
    (f: (from: number, to: number) => void, [from, to]: [number, number]) =>
    () => {
      p.onDone();
      f(from, to);
    };
  return (
    <Popover open onClose={p.onDone} class="menu event-menu" label="Event" anchor={p.at}>
      <div role="menu" aria-label={chosen ? titleOf(chosen) : "Events"} class="menu-list" onKeyDown={keys}>
        {!chosen ? (
          p.events.map((e) => (
            <button key={e.id} type="button" role="menuitem" onClick={() => setChosen(e)}>
              <Icon name="flag" /> {titleOf(e)} <kbd>{timesOf(e, p.now)}</kbd>
            </button>
          ))
        ) : (
          <>
            <div class="menu-title" role="presentation">
              <b>{titleOf(chosen)}</b>
              <br />
              {chosen.kind}, {chosen.severity}, {timesOf(chosen, p.now)}
            </div>
            <button type="button" role="menuitem" onClick={run(p.onZoom, around(chosen, p.now))}>
              <Icon name="zoom" /> Zoom to event
            </button>
            {p.onExplain && (
              <button type="button" role="menuitem" onClick={run(p.onExplain, during(chosen, p.now))}>
                <Icon name="bulb" /> Explain
              </button>
            )}
            <button type="button" role="menuitem" onClick={run(p.onLink, around(chosen, p.now))}>
              <Icon name="link" /> Copy link
            </button>
            <button
              type="button"
              role="menuitem"
              onClick={() => {
                p.onDone();
                void remove(chosen);
              }}
            >
              <Icon name="trash" /> Delete
            </button>
          </>
        )}
      </div>
    </Popover>
  );
}
