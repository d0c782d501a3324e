// The queries of a page about one thing.

import { useEffect, useState } from "preact/hooks";
import { APIError, api, type Facets, type FlowsResult, type QueryResult } from "../../api/api.ts";
import { bothWays } from "../../charts/stack.ts";
import { reload } from "../../state/state.ts";

export interface Asked {
  traffic: { result: QueryResult; now: number } | null;
  facets: Facets | null;
  records: FlowsResult | null;
  error: string;
  loading: boolean;
}

/** Queries the traffic, with one query or one for each side, and the top values of the matching flows. */
export function useThing(asked: string, part: string): Asked {
  const [traffic, setTraffic] = useState<Asked["traffic"]>(null);
  const [facets, setFacets] = useState<Facets | null>(null);
  const [records, setRecords] = useState<FlowsResult | null>(null);
  const [error, setError] = useState("");
  const [loading, setLoading] = useState(false);

  useEffect(() => {
    const stop = new AbortController();
    const failed = (e: unknown) => {
      if (stop.signal.aborted) return;
      setLoading(false);
      setError(e instanceof APIError ? e.message : String(e));
    };
    setLoading(true);
    setError("");
    Promise.all(asked.split(" ").map((keys) => api.query(`${keys}&px=400`, stop.signal))).then(([first, second]) => {
      setLoading(false);
      setTraffic({ result: second ? bothWays(first.body, second.body) : first.body, now: first.now });
    }, failed);
    api.facets(part, stop.signal).then(({ body }) => setFacets(body), failed);
    api.flows(`${part}&limit=12`, stop.signal).then(({ body }) => setRecords(body), failed);
    return () => stop.abort();
  }, [asked, part, reload.value]);
  return { traffic, facets, records, error, loading };
}

/** The share of traffic that identifies an owner. */
const mostly = 0.9;

/** The largest group of the first query in which one group has nearly all traffic, in words. The page works without it. */
export function useOwner(name: string, questions: string): string[] {
  const [told, setTold] = useState<string[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const look = async () => {
      for (const question of questions.split(" ")) {
        const { body } = await api.query(`${question}&px=10`, stop.signal);
        const largest = body.series.find((s) => !s.other);
        if (!largest || largest.share < mostly) continue;
        const named = largest.label.filter((text, i) => largest.key[i] !== "" && largest.key[i] !== "0" && text !== name);
        setTold(named.map((text) => (text.startsWith(name + " ") ? text.slice(name.length + 1) : text)));
        return;
      }
    };
    if (questions) look().catch(() => undefined);
    return () => stop.abort();
  }, [questions]);
  return told;
}
