// What a board asks: the question of each of its views, and how many of them at once. Pure; the page is in board.tsx.

import { narrow } from "../../text/filter.ts";
import { parse, type View } from "../../text/url.ts";

/** What pages about one thing let through, and how they split it when the URL does not say. */
export const entities: Record<string, { filter: (name: string) => string; by: string[] }> = {
  host: { filter: (name) => `ip ${name}`, by: ["remote.as"] },
  as: { filter: (name) => `as ${name.replace(/^AS/i, "")}`, by: ["in.if"] },
  if: { filter: (name) => name.replace(/^(.+)\/(\d+)$/, "exporter = $1 and if = $2"), by: ["remote.as"] },
  exporters: { filter: (name) => `exporter = ${name}`, by: ["in.if"] },
};

/** The question behind a saved page, with what the board changes of it: its time and its filter. Undefined: the page has no chart. */
export function questionOf(page: string, query: string, board: { q: string; time?: Pick<View, "from" | "to" | "tz"> }): View | undefined {
  const v = { ...parse(query), ...board.time };
  const [first, ...rest] = page.split("/");
  const name = rest.join("/");
  const entity = entities[first];
  if (name && entity) Object.assign(v, { q: narrow(v.q, entity.filter(name)), by: v.by.length ? v.by : entity.by, n: 8 });
  else if (name || (first !== "explore" && first !== "flows")) return undefined;
  if (board.q) v.q = narrow(v.q, board.q);
  return v;
}

/** The time in the URL of a board; undefined when each view keeps its own. */
export function timeOf(search: string): Pick<View, "from" | "to" | "tz"> | undefined {
  if (!/[?&](from|to)=/.test(search)) return undefined;
  const { from, to, tz } = parse(search);
  return { from, to, tz };
}

/** A list with one moved to the place beside it; the same list at its ends. */
export function moved<T>(list: readonly T[], i: number, by: -1 | 1): T[] {
  const out = [...list];
  if (out[i + by] === undefined) return out;
  [out[i], out[i + by]] = [out[i + by], out[i]];
  return out;
}

/** Runs at most n tasks at once, in the order in which they came; one that is given up while it waits never starts. */
export function atOnce(n: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    while (running < n && waiting.length > 0) waiting.shift()?.();
  };
  return <T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> =>
    new Promise<T>((done, fail) => {
      waiting.push(() => {
        if (signal.aborted) return fail(signal.reason);
        running++;
        task()
          .then(done, fail)
          .finally(() => {
            running--;
            next();
          });
      });
      next();
    });
}
