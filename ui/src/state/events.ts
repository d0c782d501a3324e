// What happened beside the traffic, as charts show it: which events of a window, asked once for all charts of a page, and
// where their marks stand. The marks are drawn by eventmarks.tsx.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { api, type Event } from "../api/api.ts";
import { hiddenKinds, say } from "./state.ts";
import { current } from "./window.ts";

/** What the form for an event is open for. */
export const eventForm = signal<{ start: number; end: number } | null>(null);

/** Opens the form for an event that begins where the chart ends: now, or the end of a window in the past. */
export function markHere(): void {
  const { to, now } = current();
  const at = Math.floor(Math.min(to, now));
  eventForm.value = { start: at, end: at };
}

/** Counts what this page changed, so that every chart asks again. */
export const eventsTurn = signal(0);

/** The kinds that the charts on screen have, shown or not. */
export const kindsSeen = signal<string[]>([]);

/** A window is asked for in such steps, so that a chart that goes on by itself does not ask at every step of its own. */
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

/** The events that touch a window; none while the server does not say. A chart without its events is still a chart. */
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

/** Those of the window whose kind is not switched off; the list of kinds is as it is stored. */
export function visible(list: Event[], from: number, to: number, hidden: string): Event[] {
  if (hidden === "*") return [];
  const off = hidden.split(",");
  return list.filter((e) => e.start < to && (e.start >= from || e.end === 0 || e.end > from) && !off.includes(encodeURIComponent(e.kind)));
}

/** The stored list with one kind switched. */
export function switched(hidden: string, kind: string): string {
  const name = encodeURIComponent(kind);
  const list = hidden === "*" ? [] : hidden.split(",").filter(Boolean);
  return (list.includes(name) ? list.filter((k) => k !== name) : [...list, name]).join(",");
}

export interface Mark {
  /** Places in the plot, from 0 to 1. */
  at: number;
  bands: [number, number][];
  events: Event[];
}

/** One mark for the events that would stand on each other, from left to right. Those that began earlier stand at the left edge. */
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

/** The gravest of several. */
export const gravest = (list: Event[]) => ranks[Math.max(0, ...list.map((e) => ranks.indexOf(e.severity)))];

/** What an event is called where there is one line for it. */
export const titleOf = (e: Event) => [e.text || e.kind, e.target].filter(Boolean).join(" · ");

const aside = 600;

/** The window around an event: as much again on each side, ten minutes at least, and not the future. */
export function around(e: Event, now: number): [number, number] {
  const end = Math.max(e.end, e.start);
  const pad = Math.max(aside, end - e.start);
  return [e.start - pad, Math.max(e.start + 1, Math.min(end + pad, Math.floor(now)))];
}

/** The time of an event that Explain compares with the time before: ten minutes of one that has no end. */
export function during(e: Event, now: number): [number, number] {
  const end = e.end > e.start ? e.end : e.start + aside;
  return [e.start, Math.max(e.start + 1, Math.min(end, Math.floor(now)))];
}

/** Does something to the events of the server, and lets every chart ask again. */
async function change(act: () => Promise<unknown>, done: () => void): Promise<void> {
  try {
    await act();
    done();
  } catch (e) {
    say(e instanceof Error ? e.message : String(e));
  }
  eventsTurn.value += 1;
}

/** Takes an event away; while the toast stands it can be brought back as it was. */
export const remove = (e: Event) =>
  change(
    () => api.deleteEvent(e.id),
    () =>
      say(
        `${titleOf(e)} deleted`,
        () =>
          void change(
            () => api.addEvent(e),
            () => say(`${titleOf(e)} is back`),
          ),
      ),
  );
