// The result of a tile's query. Tiles are queried a few at a time, because the engine has few cores and users read the first tiles
// first.

import { useEffect, useState } from "preact/hooks";
import { APIError, api, type QueryResult } from "../../api/api.ts";
import { reload } from "../../state/state.ts";
import { atOnce } from "./boards.ts";

const run = atOnce(2);

export type Answer =
  | { kind: "waiting" | "asking" | "cancelled" }
  | { kind: "failed"; why: string }
  | { kind: "there"; result: QueryResult; now: number; keys: string; why?: string };

/**
 * useAnswer runs the query of `keys`, unless they are empty. `asking` holds the running queries that can be cancelled. The second
 * result queries again. The past does not change, so only a `live` query is repeated with the rest of the page.
 */
export function useAnswer(keys: string, live: boolean, asking: Set<AbortController>): [Answer, () => void] {
  const [state, setState] = useState<Answer>({ kind: "waiting" });
  const [again, setAgain] = useState(0);
  useEffect(() => {
    if (keys === "") return;
    const stop = new AbortController();
    asking.add(stop);
    let left = false;
    // A result stays while the same query runs again; one of another query does not.
    setState((old) => (old.kind === "there" && old.keys === keys ? old : { kind: "waiting" }));
    const ask = () => {
      setState((old) => (old.kind === "waiting" ? { kind: "asking" } : old));
      return api.query(keys, stop.signal);
    };
    run(ask, stop.signal)
      .then(
        ({ body, now }) => left || setState({ kind: "there", result: body, now, keys }),
        (e: unknown) => {
          const why = stop.signal.aborted ? "" : e instanceof APIError ? e.message : String(e);
          if (!left) setState((old) => (old.kind === "there" ? { ...old, why } : why ? { kind: "failed", why } : { kind: "cancelled" }));
        },
      )
      .finally(() => asking.delete(stop));
    return () => {
      left = true;
      stop.abort();
    };
  }, [keys, again, live ? reload.value : 0]);
  return [state, () => setAgain(again + 1)];
}
