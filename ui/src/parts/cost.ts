// The cost of a query and its confirmation, asked for before it runs if its range is long.

import { api } from "../api/api.ts";
import { dearRows, defaultDear, reload, view, zone } from "../state/state.ts";
import { resolve } from "../text/time.ts";

/** A query that reads this many rows or takes this long needs confirmation. */
const dearMS = 5000;
/** Shorter ranges are never expensive and need no estimate. */
const cheapSeconds = 86400;

export interface Hint {
  keys: string;
  rows: number;
  ms: number;
}

/** Confirmed queries, which run at once when repeated. */
const meant = new Set<string>();

/** The query without its width, so that a confirmation also holds for a wider screen. */
const question = (keys: string) => keys.replace(/&?px=\d+/, "");

function windowSeconds(): number {
  const now = Date.now() / 1000;
  const v = view.peek();
  return (resolve(v.to, now, zone.peek()) ?? now) - (resolve(v.from, now, zone.peek()) ?? now);
}

/** The cost to confirm; null: the query may run. `of` is the kind of query if not series. */
export async function dear(keys: string, signal: AbortSignal, of = ""): Promise<Hint | null> {
  const limit = Number(dearRows.signal.peek());
  const long = windowSeconds() > cheapSeconds || limit < Number(defaultDear);
  if (!long || meant.has(question(keys))) return null;
  const cost = await api.estimate(keys + of, signal).then(
    ({ body }) => body,
    () => null,
  );
  return cost && (cost.rows > limit || cost.ms > dearMS) ? { keys, rows: cost.rows, ms: cost.ms } : null;
}

/** Confirms an expensive query and runs it. */
export function mean(hint: Hint): void {
  meant.add(question(hint.keys));
  reload.value += 1;
}
