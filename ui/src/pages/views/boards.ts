// The queries of a board: one for each view, a few at a time. Pure; the page is in board.tsx.

import { narrow } from "../../text/filter.ts";
import { parse, type View } from "../../text/url.ts";

/** The filter and the default grouping of pages about one thing. */
export const entities: Record<string, { filter: (name: string) => string; by: string[] }> = {
  host: { filter: (name) => `ip ${name}`, by: ["remote.as"] },
  as: { filter: (name) => `as ${name.replace(/^AS/i, "")}`, by: ["in.if"] },
  if: { filter: (name) => name.replace(/^(.+)\/(\d+)$/, "exporter = $1 and if = $2"), by: ["remote.as"] },
  exporters: { filter: (name) => `exporter = ${name}`, by: ["in.if"] },
};

/** The query of a saved page, with the range and filter of the board. Undefined: the page has no chart. */
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

/** The range in the URL of a board; undefined: each view has its own. */
export function timeOf(search: string): Pick<View, "from" | "to" | "tz"> | undefined {
  if (!/[?&](from|to)=/.test(search)) return undefined;
  const { from, to, tz } = parse(search);
  return { from, to, tz };
}

/** A copy of the list with one item moved by one place; unchanged at the ends. */
export function moved<T>(list: readonly T[], i: number, by: -1 | 1): T[] {
  const out = [...list];
  if (out[i + by] === undefined) return out;
  [out[i], out[i + by]] = [out[i + by], out[i]];
  return out;
}

/** Runs at most n tasks at once, in order of arrival; one that is aborted while waiting never starts. */
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
