// Events on charts: the events of a range, loaded once for all charts of a page, and the positions of their marks. eventmarks.tsx draws
// the marks.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { api, type Event } from "../api/api.ts";
import { hiddenKinds, say } from "./state.ts";
import { current } from "./window.ts";

/** The range of the open event form. */
export const eventForm = signal<{ start: number; end: number } | null>(null);

/** Opens the form for an event that starts at the end of the chart: now, or the end of a range in the past. */
export function markHere(): void {
  const { to, now } = current();
  const at = Math.floor(Math.min(to, now));
  eventForm.value = { start: at, end: at };
}

/** Counts changes of events by this page, so that every chart loads them again. */
export const eventsTurn = signal(0);

/** The kinds of events in the ranges on screen, shown or hidden. */
export const kindsSeen = signal<string[]>([]);

/** Ranges are rounded to these seconds, so that a live chart does not query on every update. */
const grain = 10;
const keptMS = 5000;
const asked = new Map<string, { at: number; list: Promise<Event[]> }>();

function between(from: number, to: number, turn: number): Promise<Event[]> {
  const key = `${from} ${to} ${turn}`;
  const now = performance.now();
  for (const [k, a] of asked) if (now - a.at > keptMS) asked.delete(k);
  const known = asked.get(key);
  if (known) return known.list;
  const list = api.events(from, to).then(({ body }) => body.events);
  asked.set(key, { at: now, list });
  return list;
}

/** The events that overlap a range; none if the server does not answer, because a chart works without events. */
export function useEvents(from: number, to: number): Event[] {
  const [list, setList] = useState<Event[]>([]);
  const hidden = hiddenKinds.signal.value;
  const [a, b] = [Math.floor(from / grain) * grain, Math.ceil(to / grain) * grain];
  const turn = eventsTurn.value;
  useEffect(() => {
    if (hidden === "*" || !(b > a)) return;
    let left = false;
    between(a, b, turn).then(
      (all) => {
        if (left) return;
        setList(all);
        const kinds = [...new Set([...kindsSeen.peek(), ...all.map((e) => e.kind)])].sort();
        if (kinds.join() !== kindsSeen.peek().join()) kindsSeen.value = kinds;
      },
      () => undefined,
    );
    return () => {
      left = true;
    };
  }, [a, b, turn, hidden === "*"]);
  return visible(list, from, to, hidden);
}

/** The events of the range whose kind is not hidden; `hidden` has the stored format. */
export function visible(list: Event[], from: number, to: number, hidden: string): Event[] {
  if (hidden === "*") return [];
  const off = hidden.split(",");
  return list.filter((e) => e.start < to && (e.start >= from || e.end === 0 || e.end > from) && !off.includes(encodeURIComponent(e.kind)));
}

/** The stored list with one kind toggled. */
export function switched(hidden: string, kind: string): string {
  const name = encodeURIComponent(kind);
  const list = hidden === "*" ? [] : hidden.split(",").filter(Boolean);
  return (list.includes(name) ? list.filter((k) => k !== name) : [...list, name]).join(",");
}

export interface Mark {
  /** Positions in the plot, from 0 to 1. */
  at: number;
  bands: [number, number][];
  events: Event[];
}

/** Marks from left to right; events that would overlap share one. Events that started before the range are at the left edge. */
export function marks(list: Event[], from: number, to: number, gap: number): Mark[] {
  const place = (t: number) => Math.max(0, Math.min(1, (t - from) / (to - from)));
  const out: Mark[] = [];
  for (const e of [...list].sort((x, y) => x.start - y.start)) {
    const at = place(e.start);
    const band: [number, number][] = e.end > e.start ? [[at, place(e.end)]] : [];
    const last = out[out.length - 1];
    if (last && at - last.at < gap) {
      last.events.push(e);
      last.bands.push(...band);
    } else out.push({ at, bands: band, events: [e] });
  }
  return out;
}

const ranks = ["info", "warning", "error", "critical"];

/** The highest severity of several events. */
export const gravest = (list: Event[]) => ranks[Math.max(0, ...list.map((e) => ranks.indexOf(e.severity)))];

/** The title of an event in one line. */
export const titleOf = (e: Event) => [e.text || e.kind, e.target].filter(Boolean).join(" · ");

const aside = 600;

/** The range around an event: its length again on each side, at least 10 min, up to now. */
export function around(e: Event, now: number): [number, number] {
  const end = Math.max(e.end, e.start);
  const pad = Math.max(aside, end - e.start);
  return [e.start - pad, Math.max(e.start + 1, Math.min(end + pad, Math.floor(now)))];
}

/** The range of an event for Explain: 10 min if it has no end. */
export function during(e: Event, now: number): [number, number] {
  const end = e.end > e.start ? e.end : e.start + aside;
  return [e.start, Math.max(e.start + 1, Math.min(end, Math.floor(now)))];
}

/** Changes events on the server and makes every chart load them again. */
async function change(act: () => Promise<unknown>, done: () => void): Promise<void> {
  try {
    await act();
    done();
  } catch (e) {
    say(e instanceof Error ? e.message : String(e));
  }
  eventsTurn.value += 1;
}

/** Deletes an event; Undo in the toast restores it. */
export const remove = (e: Event) =>
  change(
    () => api.deleteEvent(e.id),
    () =>
      say(
        `${titleOf(e)} deleted`,
        () =>
          void change(
            () => api.addEvent(e),
            () => say(`${titleOf(e)} restored`),
          ),
      ),
  );
