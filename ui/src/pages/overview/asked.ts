// What the overview asks, and when.

import { useEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type Event, type Health, type Interfaces, type QueryResult, type Status } from "../../api/api.ts";
import { reload, shown, view, zone } from "../../state/state.ts";
import { resolve } from "../../text/time.ts";
import { ask } from "../../text/url.ts";
import { atOnce } from "../views/boards.ts";
import { comparison, dull } from "./glance.ts";

/** Who it is, the most telling first; one that tells nothing apart here is passed over. The rollups keep all of them. */
const groupings = ["remote.as", "src.as", "exporter"];
/** Rows of a list. */
export const listed = 6;
/** The page asks this many questions at once, so that it leaves the engine to others too. */
const run = atOnce(2);

export interface Found {
  /** The question that all of it answers. */
  keys: string;
  status: Status;
  exporters: Health[];
  events: Event[];
  vs: string;
  total?: QueryResult;
  now: number;
  who?: QueryResult;
  changes?: QueryResult;
  links?: Interfaces;
  /** All of it was asked, and how much of it was answered. */
  looked?: "partly" | "whole";
}

/** Asks all of it, and tells each part when it is known. */
async function look(keys: string, status: Status, stop: AbortSignal, told: (part: Partial<Found>) => void): Promise<void> {
  const { from, to } = view.peek();
  const [begin, end] = [from, to].map((t) => resolve(t, status.now, zone.peek()) ?? status.now);
  const vs = comparison(begin, end, status.storage.oldest);
  const against = vs && `&vs=${vs}`;
  told({ status, vs });
  const total = api.query(`${keys}&px=400${against}`, stop).then(({ body, now }) => told({ total: body, now }));
  const who = async () => {
    let by = groupings[0];
    for (by of groupings) {
      const { body } = await api.query(`${keys}&by=${by}&n=${listed}&px=60${against}`, stop);
      told({ who: body });
      if (!dull(body)) break;
    }
    if (vs)
      await api.query(`${keys}&by=${by}&n=${listed}&dir=sum&rank=delta&px=10${against}`, stop).then(({ body }) => told({ changes: body }));
  };
  const parts: (() => Promise<unknown>)[] = [
    () => api.interfaces(ask(view.peek(), zone.peek(), ["from", "to"]), stop).then(({ body }) => told({ links: body })),
    who,
    () => api.events(Math.floor(begin), Math.ceil(end), "", stop).then(({ body }) => told({ events: body.events })),
    () => api.exporters(stop).then(({ body }) => told({ exporters: body.exporters })),
  ];
  // A part that fails is left out; the others stand.
  let looked: Found["looked"] = "whole";
  const quietly = (p: Promise<unknown>) =>
    p.catch((e) => {
      looked = "partly";
      if (!stop.aborted) console.debug(e);
    });
  await Promise.all([total, ...parts.map((part) => quietly(run(part, stop)))]);
  told({ looked });
}

export interface Asked {
  /** Undefined until the first question has an answer. */
  found: (Found & { total: QueryResult }) | null;
  error: string;
  loading: boolean;
}

/** The answers to what the URL asks. A range that ends now is asked again as often as there is something new to see. */
export function useFound(first: Status): Asked {
  const [turn, setTurn] = useState(0);
  const asked = useAnswers(first, turn);
  const { found } = asked;
  const { to } = view.value;

  // Not while nobody looks.
  const every = Math.max(10, Math.min(60, found?.total.step ?? 60));
  useEffect(() => {
    if (to !== "now") return;
    const timer = setInterval(() => document.hidden || setTurn((t) => t + 1), every * 1000);
    return () => clearInterval(timer);
  }, [to, every]);

  useEffect(() => {
    shown.value = found ? { from: found.total.from, to: found.total.to, step: found.total.step, now: found.now, ids: [] } : null;
    return () => {
      shown.value = null;
    };
  }, [found?.total]);
  return asked;
}

function useAnswers(first: Status, turn: number): Asked {
  const [known, setFound] = useState<Found | null>(null);
  const [error, setError] = useState("");
  const [loading, setLoading] = useState(true);
  const fresh = useRef<Status | null>(first);
  const keys = ask({ ...view.value, dir: "both" }, zone.value, ["q", "from", "to"]) || "dir=both";
  useEffect(() => {
    const stop = new AbortController();
    setLoading(true);
    // What was known stays until there is newer, of the same question.
    const told = (part: Partial<Found>) =>
      stop.signal.aborted ||
      setFound((old) => ({
        ...(old?.keys === keys ? old : { status: first, exporters: first.exporters ?? [], events: [], vs: "", now: first.now }),
        keys,
        ...part,
      }));
    const status = fresh.current ? Promise.resolve(fresh.current) : api.status(stop.signal).then(({ body }) => body);
    fresh.current = null;
    status
      .then((s) => look(keys, s, stop.signal, told))
      .then(
        () => {
          if (stop.signal.aborted) return;
          setLoading(false);
          setError("");
        },
        (e: unknown) => {
          if (stop.signal.aborted) return;
          setLoading(false);
          setError(e instanceof APIError ? e.message : String(e));
        },
      );
    return () => stop.abort();
  }, [keys, turn, reload.value]);
  const found = known?.total ? { ...known, total: known.total } : null;

  return { found, error, loading };
}
