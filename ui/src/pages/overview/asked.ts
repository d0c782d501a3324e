// The queries of the overview, and when they run.

import { useEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type Event, type Health, type Interfaces, type QueryResult, type Status } from "../../api/api.ts";
import { reload, shown, view, zone } from "../../state/state.ts";
import { resolve } from "../../text/time.ts";
import { ask } from "../../text/url.ts";
import { atOnce } from "../views/boards.ts";
import { comparison, dull } from "./glance.ts";

/** Groupings for the top list, most informative first. One that does not distinguish anything is skipped. The rollups have all of them. */
const groupings = ["remote.as", "src.as", "exporter"];
/** Rows per list. */
export const listed = 6;
/** Limits the parallel queries of the page, so that the engine serves others too. */
const run = atOnce(2);

export interface Found {
  /** The query that all parts answer. */
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
  /** Set when all queries have ended: how many succeeded. */
  looked?: "partly" | "whole";
}

/** Runs all queries and passes each part to `told` when it arrives. */
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
  // A part that fails is left out; the others stay.
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
  /** Null until the first query has a result. */
  found: (Found & { total: QueryResult }) | null;
  error: string;
  loading: boolean;
}

/** The results for the URL. A range that ends now is queried again as often as there is new data. */
export function useFound(first: Status): Asked {
  const [turn, setTurn] = useState(0);
  const asked = useAnswers(first, turn);
  const { found } = asked;
  const { to } = view.value;

  // Not while the tab is hidden.
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
    // Results stay until there are newer ones of the same query.
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
