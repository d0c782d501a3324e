// What a question will cost, and whether it is meant: asked before it runs when its window is long.

import { api } from "../api/api.ts";
import { dearRows, defaultDear, reload, show, view, zone } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { duration, resolve } from "../text/time.ts";
import { Icon } from "./ui.tsx";

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

export function CostHint({ hint }: { hint: Hint }) {
  return (
    <p class="notice cost" role="status">
      <Icon name="clock" />
      <span>
        This reads about {fmt.count(hint.rows)} rows
        {hint.ms > 0 ? `, ~${hint.ms < 1000 ? "1 s" : duration(Math.round(hint.ms / 1000))}` : ""}.
      </span>
      <button
        type="button"
        class="button primary"
        onClick={() => {
          meant.add(question(hint.keys));
          reload.value += 1;
        }}
      >
        Run
      </button>
      <button type="button" class="button" onClick={() => show({ from: "-1h", to: "now" })}>
        Narrow to 1 h
      </button>
    </p>
  );
}
