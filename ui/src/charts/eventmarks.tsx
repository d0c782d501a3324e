// Events over a chart: a line with a button on top that opens a menu, and a hatched band for the duration.

import { useState } from "preact/hooks";
import type { Event } from "../api/api.ts";
import { Icon, lazy } from "../parts/ui.tsx";
import { gravest, type Mark, marks, titleOf, useEvents } from "../state/events.ts";
import { type EventMarksProps, timesOf } from "./event.ts";

const EventMenu = lazy(() => import("./eventmenu.tsx").then((m) => m.EventMenu));

/** The width of a button; closer events share one. */
const buttonWidth = 24;

export function EventMarks(p: EventMarksProps) {
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
      {open && <EventMenu {...p} events={open.mark.events} at={open} onDone={() => setOpen(null)} />}
    </>
  );
}

const wordsOf = (e: Event, now: number) => `${e.kind}, ${e.severity}, ${timesOf(e, now)}: ${titleOf(e)}`;
