// Events over a chart: a line with a button at its head, a hatched band while it lasts, and a menu behind the button.

import { useState } from "preact/hooks";
import type { Event } from "../api/api.ts";
import { Icon, Popover } from "../parts/ui.tsx";
import { around, during, gravest, type Mark, marks, remove, titleOf, useEvents } from "../state/events.ts";
import { zone } from "../state/state.ts";
import { moments } from "../text/time.ts";

interface Props {
  from: number;
  to: number;
  now: number;
  /** The plot inside the chart, in pixels. */
  area: { left: number; top: number; width: number; height: number };
  onZoom: (from: number, to: number) => void;
  /** Undefined: nothing on this page explains. */
  onExplain: ((from: number, to: number) => void) | undefined;
  onLink: (from: number, to: number) => void;
}

/** A button is so wide; closer events share one. */
const buttonWidth = 24;

export function EventMarks(p: Props) {
  const list = useEvents(p.from, p.to);
  const [open, setOpen] = useState<{ mark: Mark; x: number; y: number } | null>(null);
  const { left, top, width, height } = p.area;
  if (list.length === 0 || width === 0) return null;
  const percent = (x: number) => x * 100 + "%";
  return (
    <>
      <div
        class="event-marks"
        role="group"
        aria-label="Events"
        style={{ left: left + "px", top: top + "px", width: width + "px", height: height + "px" }}
      >
        {marks(list, p.from, p.to, buttonWidth / width).map((m) => {
          const what =
            m.events.length === 1 ? wordsOf(m.events[0], p.now) : `${m.events.length} events: ${m.events.map(titleOf).join("; ")}`;
          return (
            <div key={m.events[0].id} class={`event severity-${gravest(m.events)}`}>
              {m.bands.map(([a, b]) => (
                <i key={`${a} ${b}`} class="event-band" style={{ left: percent(a), width: percent(b - a) }} />
              ))}
              <i class="event-line" style={{ left: percent(m.at) }} />
              <button
                type="button"
                class="event-mark"
                style={{ left: percent(m.at) }}
                data-opens
                aria-haspopup="menu"
                aria-label={what}
                onClick={(e) => {
                  const box = e.currentTarget.getBoundingClientRect();
                  setOpen({ mark: m, x: box.left, y: box.bottom + 4 });
                }}
              >
                <Icon name="flag" />
                {m.events.length > 1 && <small>{m.events.length}</small>}
              </button>
              <span
                hidden={open !== null}
                class="tooltip event-tip"
                aria-hidden="true"
                style={
                  m.at > 0.5 ? { right: percent(1 - m.at), maxWidth: percent(m.at) } : { left: percent(m.at), maxWidth: percent(1 - m.at) }
                }
              >
                {m.events.slice(0, 5).map((e) => (
                  <span key={e.id}>
                    <b>{titleOf(e)}</b> <span class="quiet">{timesOf(e, p.now)}</span>
                  </span>
                ))}
                {m.events.length > 5 && <span class="quiet">{m.events.length - 5} more</span>}
              </span>
            </div>
          );
        })}
      </div>
      {open && <Menu {...p} events={open.mark.events} at={open} onDone={() => setOpen(null)} />}
    </>
  );
}

/** When it was, in the reader's zone. */
function timesOf(e: Event, now: number): string {
  const tz = zone.value;
  return moments(e.start, tz, now) + (e.end > e.start ? ` – ${moments(e.end, tz, now)}` : "");
}

const wordsOf = (e: Event, now: number) => `${e.kind}, ${e.severity}, ${timesOf(e, now)}: ${titleOf(e)}`;

function Menu(p: Props & { events: Event[]; at: { x: number; y: number }; onDone: () => void }) {
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
              <Icon name="zoom" /> Zoom around it
            </button>
            {p.onExplain && (
              <button type="button" role="menuitem" onClick={run(p.onExplain, during(chosen, p.now))}>
                <Icon name="bulb" /> Explain it
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
