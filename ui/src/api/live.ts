// Live: the server asks again and sends what changed, as server-sent events (see /api/v1/stream).

import { useEffect } from "preact/hooks";
import { APIError, type Problem, type QueryResult, type Series, type Total, type Update, type UpdateLine, type Versus } from "./api.ts";

type Points = (number | null)[];

/** What is left out of a series is this, and not as it was. */
const nothing = { share: 0, error: null, folded: undefined };

/** The result as it is after an update. */
export function updated(r: QueryResult, u: Update): QueryResult {
  const times = [...new Set([...r.times, ...u.times])].filter((t) => t + r.step > u.from && t < u.to).sort((a, b) => a - b);
  const before = new Map(r.times.map((t, i) => [t, i]));
  const now = new Map(u.times.map((t, i) => [t, i]));
  const places = times.map((t): [number | undefined, number | undefined] => [now.get(t), before.get(t)]);
  const laid = (old: Points | null | undefined, fresh: Points | null | undefined) =>
    old && fresh && places.map(([i, j]) => (i !== undefined ? fresh[i] : j !== undefined ? old[j] : null));
  const versus = (old?: Versus | null, fresh?: Versus | null) =>
    old && fresh && { ...fresh, values: laid(old.values, fresh.values), min: laid(old.min, fresh.min), max: laid(old.max, fresh.max) };
  const line = <T extends Series | Total>(old: T, fresh: UpdateLine): T => ({
    ...old,
    peak: undefined,
    ...fresh,
    values: laid(old.values, fresh.values),
    n: "n" in old ? laid(old.n, fresh.n) : undefined,
    peaks: laid(old.peaks, fresh.peaks),
    vs: versus(old.vs, fresh.vs),
  });
  return {
    ...r,
    from: u.from,
    to: u.to,
    times,
    other: u.other,
    series: r.series.map((s, k) => line({ ...s, ...nothing }, u.series[k])),
    total: r.total.map((t, k) => line(t, u.total[k])),
    meta: { ...r.meta, through: u.through, partial: u.partial },
  };
}

interface Told {
  result(whole: QueryResult): void;
  update(part: Update): void;
  problem(e: APIError): void;
  /** The connection broke. It is made again as soon as that works, which may never be. */
  broken(): void;
  /** Streams are unavailable: too many pages are live, or a proxy blocks them. */
  none(): void;
}

/** Follows a query while there is one and the page is visible. */
export function useStream(question: string, told: Told): void {
  useEffect(() => {
    if (question === "") return;
    let source: EventSource | undefined;
    const close = () => {
      source?.close();
      source = undefined;
    };
    const look = () => {
      if (document.hidden) return close();
      if (source) return;
      const s = (source = new EventSource("/api/v1/stream?" + question));
      const on = (name: string, f: (data: never) => void) =>
        s.addEventListener(name, (e) => f(JSON.parse((e as MessageEvent<string>).data) as never));
      on("result", told.result);
      on("update", told.update);
      on("problem", (p: Problem) => told.problem(new APIError(p.status, p)));
      // The browser reconnects a broken connection; a response that is not a stream is final.
      s.onerror = () => (s.readyState === EventSource.CLOSED ? told.none() : told.broken());
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      close();
    };
  }, [question]);
}
