// What a question will cost, and whether it is meant: asked before it runs when its window is long.

import { api } from "../api/api.ts";
import { dearRows, defaultDear, reload, view, zone } from "../state/state.ts";
import { resolve } from "../text/time.ts";

/** A question that reads so many rows, or takes so long, is asked only when it is meant. */
const dearMS = 5000;
/** Shorter windows are never dear; the estimate is left out. */
const cheapSeconds = 86400;

export interface Hint {
  keys: string;
  rows: number;
  ms: number;
}

/** Dear questions that were meant: asked again, they run at once. */
const meant = new Set<string>();

/** The question without its width: what was meant once is meant on a wider screen too. */
const question = (keys: string) => keys.replace(/&?px=\d+/, "");

function windowSeconds(): number {
  const now = Date.now() / 1000;
  const v = view.peek();
  return (resolve(v.to, now, zone.peek()) ?? now) - (resolve(v.from, now, zone.peek()) ?? now);
}

/** What must be meant, or null for what may run. `of` says what is asked for when that is not series. */
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

/** Asks a dear question after all, and does not hold it up again. */
export function mean(hint: Hint): void {
  meant.add(question(hint.keys));
  reload.value += 1;
}
