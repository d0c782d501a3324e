// The result of Explore's query: loaded when the query changes or is refreshed, kept until the next result, and live.

import { type Dispatch, type StateUpdater, useEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type QueryResult } from "../../api/api.ts";
import { updated, useStream } from "../../api/live.ts";
import { dear, type Hint } from "../../parts/cost.ts";
import { refreshChoice, reload, view } from "../../state/state.ts";
import { refreshSeconds } from "../../state/window.ts";

export interface Answer {
  result: QueryResult;
  now: number;
  /** The queried keys, so that a late result is never shown for another query. */
  asked: string;
  ms: number;
}

/** The state of a query. */
export interface Asked {
  answer: Answer | null;
  error: APIError | null;
  /** The query is expensive and waits for confirmation. */
  hint: Hint | null;
  loading: boolean;
  /** It runs long enough to show progress. */
  slow: boolean;
  /** The share that is read, from 0 to 1; 0: unknown. */
  part: number;
}

const nothing: Asked = { answer: null, error: null, hint: null, loading: false, slow: false, part: 0 };
const ended = { loading: false, slow: false, part: 0 };

const slowMS = 300;
const pollMS = 400;

/** Runs the query of `keys`, unless they are empty; `held` pauses a live result. */
export function useAnswer(keys: string, held: boolean): Asked {
  const [asked, setAsked] = useState(nothing);
  const told = (patch: Partial<Asked>) => setAsked((old) => ({ ...old, ...patch }));
  const running = useRef<AbortController | null>(null);
  const turn = reload.value;

  useEffect(() => {
    if (keys === "") return;
    const stop = new AbortController();
    running.current = stop;
    told({ loading: true, hint: null });
    return ask(keys, stop, told);
  }, [keys, turn]);

  // Escape cancels a running query; the server cancels it in the engine.
  useEffect(() => {
    const cancel = (e: KeyboardEvent) => {
      if (e.key !== "Escape" || !asked.loading) return;
      running.current?.abort();
      told(ended);
    };
    addEventListener("keydown", cancel);
    return () => removeEventListener("keydown", cancel);
  }, [asked.loading]);

  useLive(keys, held, asked, setAsked);
  return asked;
}

/** Runs one query. The returned function cancels it. */
function ask(keys: string, stop: AbortController, told: (patch: Partial<Asked>) => void): () => void {
  const began = performance.now();
  const tag = `page-${began.toString(36).replace(".", "-")}-${Math.random().toString(36).slice(2)}`;
  let finished = false;
  // The progress of a slow query, which the engine finds by its tag.
  const progress = async () => {
    while (!stop.signal.aborted && !finished) {
      const mine = await api.running(stop.signal).then(
        ({ body }) => body.queries.find((r) => r.tag === tag),
        () => undefined,
      );
      if (mine && mine.of > 0 && !finished) told({ part: Math.min(0.99, mine.rows / mine.of) });
      await new Promise((next) => setTimeout(next, pollMS));
    }
  };
  const timer = setTimeout(() => {
    told({ slow: true });
    void progress();
  }, slowMS);
  const done = (patch: Partial<Asked>) => {
    finished = true;
    clearTimeout(timer);
    told({ ...ended, ...patch });
  };
  const run = async () => {
    const cost = await dear(keys, stop.signal);
    if (stop.signal.aborted) return;
    if (cost) {
      done({ hint: cost });
      return;
    }
    const { body, now } = await api.query(keys, stop.signal, tag);
    if (stop.signal.aborted) return;
    done({ error: null, answer: { result: body, now, asked: keys, ms: performance.now() - began } });
  };
  run().catch((e: unknown) => {
    clearTimeout(timer);
    if (!stop.signal.aborted) done({ error: e instanceof APIError ? e : new APIError(0, { title: String(e) }) });
  });
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

/**
 * useLive follows a live query: after the first result the server sends changes. A pointer on the chart, a hidden tab or a range in the
 * past stops it.
 */
function useLive(keys: string, held: boolean, { answer, error, loading }: Asked, setAsked: Dispatch<StateUpdater<Asked>>): void {
  const v = view.value;
  const [streamless, setStreamless] = useState(""); // the query that has no stream
  const live = v.live && v.to === "now" && !held;
  const follows = live && refreshChoice.signal.value === "auto" && answer?.asked === keys && !error && streamless !== keys;
  useStream(follows ? keys : "", {
    result: (r) => setAsked((old) => ({ ...old, answer: { result: r, now: r.to, asked: keys, ms: r.meta.ms } })),
    update: (u) =>
      setAsked((old) => ({ ...old, answer: old.answer && { ...old.answer, result: updated(old.answer.result, u), now: u.to } })),
    problem: (problem) => setAsked((old) => ({ ...old, error: problem })),
    broken: () => reload.value++, // the next query shows the error
    none: () => setStreamless(keys),
  });
  // With a chosen interval or without a stream, the next query starts after the last has ended.
  const every = refreshSeconds(answer?.result.step ?? 10);
  const turn = reload.value;
  useEffect(() => {
    if (!live || follows || loading) return;
    let timer = 0;
    const tick = () => {
      if (document.hidden) timer = window.setTimeout(tick, 500);
      else reload.value += 1;
    };
    timer = window.setTimeout(tick, every * 1000);
    return () => clearTimeout(timer);
  }, [live, follows, loading, every, turn]);
}
