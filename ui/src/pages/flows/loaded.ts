// The records of the list: the first page when the query changes and during a live tail, further pages while it is scrolled.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type FlowColumn, type FlowsResult } from "../../api/api.ts";
import { dear, type Hint } from "../../parts/cost.ts";
import { reload, view, zone } from "../../state/state.ts";
import { type Rec, rows } from "../../text/records.ts";
import { recordKeys } from "../../text/url.ts";

export const pageSize = 200;
const tailMS = 1000;

export interface Loaded {
  keys: string;
  columns: FlowColumn[];
  records: Rec[];
  from: number;
  to: number;
  /** AS names of all loaded pages. */
  as: Record<string, string>;
  next: string;
  now: number;
  meta: FlowsResult["meta"];
}

export interface Asked {
  list: Loaded | null;
  error: APIError | null;
  /** The query is expensive and waits for confirmation. */
  hint: Hint | null;
  loading: boolean;
  /** The query was cancelled: the list does not continue automatically. */
  ended: boolean;
  goOn: () => void;
  /** Loads the next page. */
  more: () => void;
}

interface Question {
  keys: string;
  /** The sort field; empty: time. */
  by: string;
  live: boolean;
  /** The scrolled element. */
  box: RefObject<HTMLDivElement | null>;
  /** Called when another query starts. */
  onAsk: () => void;
}

export function useRecords({ keys, by, live, box, onAsk }: Question): Asked {
  const v = view.value;
  const [list, setList] = useState<Loaded | null>(null);
  const [error, setError] = useState<APIError | null>(null);
  const [loading, setLoading] = useState(false);
  const [page, setPage] = useState(0);
  const [hint, setHint] = useState<Hint | null>(null);
  const [ended, setEnded] = useState(false);
  const asking = useRef<AbortController | null>(null);

  const fail = (e: unknown) => setError(e instanceof APIError ? e : new APIError(0, { title: String(e) }));
  const take = (body: FlowsResult, now: number, before: Rec[], window: { from: number; to: number }) =>
    setList({
      keys,
      columns: body.columns,
      records: [...before, ...rows(body)],
      from: window.from,
      to: window.to,
      as: { ...(before.length > 0 && list?.as), ...body.as_names },
      next: body.next ?? "",
      now,
      meta: body.meta,
    });

  // The first page: when the query changes, and during a live tail.
  useEffect(() => {
    let timer = 0;
    const stop = new AbortController();
    asking.current = stop;
    setLoading(true);
    onAsk();
    setHint(null);
    setEnded(false);
    if (box.current) box.current.scrollTop = 0;
    // The newest records are found fast; the largest only after reading all.
    const begin = async () => {
      const cost = by ? await dear(keys, stop.signal, "&of=flows") : null;
      if (stop.signal.aborted) return;
      if (!cost) return ask();
      setLoading(false);
      setHint(cost);
    };
    const ask = () => {
      api.flows(`${keys}&limit=${pageSize}`, stop.signal).then(
        ({ body, now }) => {
          if (stop.signal.aborted) return;
          setLoading(false);
          setError(null);
          take(body, now, [], body);
          if (live) timer = setTimeout(tick, tailMS) as unknown as number;
        },
        (e: unknown) => {
          if (stop.signal.aborted) return;
          setLoading(false);
          fail(e);
          if (live && !(e instanceof APIError && e.filter)) timer = setTimeout(tick, 3 * tailMS) as unknown as number;
        },
      );
    };
    // A scrolled list or a hidden tab pauses.
    const tick = () => {
      if (document.hidden || (box.current?.scrollTop ?? 0) > 0) timer = setTimeout(tick, 300) as unknown as number;
      else ask();
    };
    void begin();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [keys, live, reload.value]);

  // Further pages use the range of the first one, so that new records do not move the list.
  useEffect(() => {
    if (page === 0 || !list?.next || list.keys !== keys || live) return;
    const stop = new AbortController();
    asking.current = stop;
    setLoading(true);
    const cursor = list.next;
    const q = recordKeys({ ...v, from: String(list.from), to: String(list.to) }, zone.value);
    api.flows(`${q}&limit=${pageSize}&cursor=${encodeURIComponent(cursor)}`, stop.signal).then(
      ({ body, now }) => {
        if (stop.signal.aborted) return;
        setLoading(false);
        take(body, now, list.records, list);
      },
      (e: unknown) => {
        if (stop.signal.aborted) return;
        setLoading(false);
        fail(e);
      },
    );
    return () => stop.abort();
  }, [page]);

  useEffect(() => {
    const cancel = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      if (loading) {
        asking.current?.abort();
        setEnded(true);
      }
      setLoading(false);
    };
    addEventListener("keydown", cancel);
    return () => removeEventListener("keydown", cancel);
  }, [loading]);

  return { list, error, hint, loading, ended, goOn: () => setEnded(false), more: () => setPage((n) => n + 1) };
}
