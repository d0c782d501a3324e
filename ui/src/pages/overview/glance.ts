// Decides what the overview shows: its range, the range to compare with, and what needs attention. Pure; the page is in
// overview.tsx.

import type { Event, Exporter, Interfaces, QueryResult, Status } from "../../api/api.ts";
import { isAddress } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { duration } from "../../text/time.ts";
import { linkName } from "../health.ts";

export interface Concern {
  level: "warn" | "bad";
  /** The subject. */
  of: string;
  what: string;
  /** The page with details and remedies. */
  to: string;
}

/** An attack that ended longer ago is not listed. */
const attackSeconds = 600;

/** The most severe first. */
export function concerns(s: Status, exporters: readonly Exporter[], links: Interfaces | undefined, events: readonly Event[]): Concern[] {
  const out: Concern[] = [];
  const add = (level: Concern["level"], of: string, what: string, to: string) => out.push({ level, of, what, to });
  for (const e of events) {
    if (e.kind !== "attack" || (e.end > 0 && e.end < s.now - attackSeconds)) continue;
    const from = Math.max(0, e.start - attackSeconds);
    const time = `from=${from}&to=${e.end > 0 ? e.end + attackSeconds : "now"}`;
    add(
      "bad",
      e.target || "attack",
      [e.text || "attack", e.end > 0 ? "ended" : `for ${duration(Math.max(1, s.now - e.start))}`].join(" · "),
      isAddress(e.target) ? `/host/${e.target}?${time}` : `/explore?${time}`,
    );
  }
  for (const p of s.problems) add(p.level, p.of ?? "NetMeta", p.what, "/status");
  for (const e of exporters) {
    const [worst, ...more] = e.problems;
    if (worst)
      add(worst.level, e.name || e.address, worst.what + (more.length > 0 ? `; ${more.length} more` : ""), "/exporters/" + e.address);
  }
  for (const i of links?.interfaces ?? []) {
    const of = `${i.name || i.exporter} ${linkName(i)}`;
    const to = `/if/${i.exporter}/${i.index}`;
    const [worst] = i.problems;
    const fuller = (i.out.use_p95 ?? 0) > (i.in.use_p95 ?? 0) ? { side: i.out, verb: "sent" } : { side: i.in, verb: "received" };
    const level = fuller.side.use_level;
    if (worst?.level === "bad") add("bad", of, worst.what, to);
    else if (level) add(level, of, `${fuller.verb} at ${fmt.share(fuller.side.use_p95)} utilisation, 95th percentile`, to);
    else if (worst) add("warn", of, worst.what, to);
  }
  return out.sort((a, b) => Number(b.level === "bad") - Number(a.level === "bad"));
}

/** The default range: a day, or less if the store is younger. */
export const usual = (kept: number) =>
  kept > 12 * 3600 ? "-24h" : kept > 2 * 3600 ? "-6h" : kept > 1800 ? "-1h" : kept > 600 ? "-15m" : "-5m";

/** The range to compare with: the week before if stored, else the nearest that is. */
export function comparison(from: number, to: number, oldest: number): string {
  const day = 86400;
  if (oldest <= 0) return "";
  if (oldest <= from - 7 * day && to - from <= 7 * day) return "-7d";
  if (oldest <= from - day && to - from <= day) return "-1d";
  return oldest <= from - (to - from) ? "prev" : "";
}

/** Whether a grouping distinguishes nothing: one group, or only unnamed values. */
export const dull = (r: QueryResult) =>
  new Set(r.series.filter((s) => !s.other && s.key.some((k) => k !== "" && k !== "0")).map((s) => s.key.join())).size < 2;
