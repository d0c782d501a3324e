// What is wrong with an exporter, and what helps. Pure: the thresholds are here and nowhere else.

import type { Health, Interface, Interfaces, LinkSide, Trend } from "../api/api.ts";
import { nearlyFull } from "../charts/stack.ts";
import * as fmt from "../text/format.ts";
import { duration } from "../text/time.ts";

export interface Problem {
  level: "warn" | "bad";
  what: string;
  remedy: string;
}

/** A rate is known when the exporter, or somebody for it, said it. */
export const knowsRate = (e: Pick<Health, "sampling_rate" | "sampling_source">) =>
  e.sampling_rate > 0 && !/^(none|unknown)?$/.test(e.sampling_source);

export const templated = (type: string) => /ipfix|9/.test(type);

/** Part of what was sent that did not arrive; datagrams or records, as the protocol counts. */
export function lossOf(e: Health): number {
  const got = /5|ipfix/.test(e.type) ? e.records : e.datagrams;
  return e.lost > 0 ? e.lost / (e.lost + got) : 0;
}

/** Why what was refused was. */
export const reasonsOf = (e: Pick<Health, "reasons">) =>
  Object.entries(e.reasons ?? {})
    .map(([r, n]) => `${r} (${fmt.count(n)})`)
    .join(", ");

/** `course` is the rate of its flows over the last hour, oldest first. */
export function problems(e: Health, now: number, course: (number | null)[] = []): Problem[] {
  const out: Problem[] = [];
  const add = (level: Problem["level"], what: string, remedy: string) => out.push({ level, what, remedy });
  const silent = now - e.last;
  if (e.last > 0 && silent > 30)
    add(
      silent > 300 ? "bad" : "warn",
      `silent for ${duration(silent)}`,
      "Look whether it still runs and reaches this address: its export configuration, route and access lists.",
    );
  const known = course.filter((x): x is number => x !== null);
  if (silent <= 30 && known.length >= 12) {
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    const tail = Math.max(1, Math.floor(known.length / 12));
    const before = mean(known.slice(0, -tail));
    if (before > 0 && mean(known.slice(-tail)) < 0.2 * before)
      add(
        "warn",
        "less than a fifth of the flows of the last hour",
        "Look whether monitors were taken off interfaces, or whether the traffic itself went elsewhere.",
      );
  }
  if (e.flows > 0 && !knowsRate(e))
    add(
      "bad",
      "sampling rate not known: traffic is counted as if it were not sampled",
      "Let it send its sampling options (IOS-XE: option sampler-table timeout 60), or name the rate in the configuration file.",
    );
  for (const s of e.samplings ?? []) {
    if (s.effective && s.rate > 0 && Math.abs(s.effective / s.rate - 1) > 0.2) {
      add(
        "warn",
        `${s.of} ${s.id} says 1:${fmt.grouped(s.rate)} and samples 1:${fmt.grouped(Math.round(s.effective))}`,
        "Its sampler is overloaded or set otherwise than it says: lower the load or correct the rate; the effective rate is the true one.",
      );
      break;
    }
  }
  if (templated(e.type) && e.templates === 0 && e.datagrams > 0)
    add("bad", "no template yet", "Templates come by a timer: wait for it, or set it to 60 s (template data timeout 60).");
  else if (e.waiting > 0)
    add("warn", `${fmt.count(e.waiting)} data sets wait for their template`, "Shorten the interval at which it sends templates to 60 s.");
  if (e.dropped > 0)
    add(
      "bad",
      `${fmt.count(e.dropped)} data sets given up for want of their template`,
      "Shorten the interval at which it sends templates to 60 s; after a restart that is how long flows are lost.",
    );
  const loss = lossOf(e);
  if (loss > 0.001)
    add(
      loss > 0.01 ? "bad" : "warn",
      `${fmt.share(loss)} lost on the way`,
      "Compare with Status: without drops there, look at the path and at the exporter's own counters of its export queue.",
    );
  const skew = Math.abs(e.clock_skew_ms) / 1000;
  if (skew > 2)
    add(
      skew > 60 ? "bad" : "warn",
      `its clock is ${duration(skew)} ${e.clock_skew_ms > 0 ? "ahead" : "behind"}`,
      "Give it an NTP server; until then the times in its records are off, the time received is right.",
    );
  if (e.resolution_ms > 10_000)
    add(
      "warn",
      `its records last ${duration(e.resolution_ms / 1000)}: finer charts are smeared`,
      "Set its active timeout to 10 s (IOS-XE: cache timeout active 10).",
    );
  if (e.refused > 0)
    add("warn", `${fmt.count(e.refused)} not decoded: ${reasonsOf(e) || "reason not known"}`, "Status says of each reason what helps.");
  if (e.thinned > 0)
    add(
      "warn",
      `over its limit: ${fmt.count(e.thinned)} records left out, the sampling rate of the others stands for them`,
      "Let it sample more coarsely, or raise its limit in the configuration file.",
    );
  return out.sort((a, b) => Number(b.level === "bad") - Number(a.level === "bad"));
}

/** Above its speed by more than sampling and the edges of a minute explain. */
const overCapacity = 1.05;

/** What a side carries as a share of the speed is good, nearly full, or full. */
export const useLevel = (use: number | null): Problem["level"] | "" =>
  use === null || use <= nearlyFull ? "" : use > 0.95 ? "bad" : "warn";

/** How far flows and counters are apart, beyond what sampling explains. Below a megabit a second nobody asks. */
export function uncovered(s: LinkSide): boolean {
  return s.coverage !== null && (s.counter ?? 0) >= 1e6 && Math.abs(s.coverage - 1) > 0.1 + (s.error ?? 0);
}

/** In how many days a line carries 80 % of its speed, if it goes on as it did; null when it does not surely rise, or not within ten years. */
export function nearlyFullIn(t: Trend | undefined, speed: number): number | null {
  if (!t || !speed || t.per_day <= 2 * t.error || t.per_day <= 0) return null;
  const days = Math.ceil((nearlyFull * speed - t.p95) / t.per_day);
  return days > 0 && days <= 3650 ? days : null;
}

/** What is wrong with an interface, and what helps. */
export function linkProblems(i: Interface): Problem[] {
  const out: Problem[] = [];
  for (const [name, s] of [
    ["received", i.in],
    ["sent", i.out],
  ] as const) {
    if ((s.use_max ?? 0) > overCapacity)
      out.push({
        level: "bad",
        what: `${name} ${fmt.value(s.max, "bps")}, more than its speed of ${fmt.value(i.speed, "bps")}`,
        remedy:
          "Its active timeout is too long, packets are sampled twice, or the speed is wrong: set the timeout to 10 s, sample incoming packets alone, correct the speed in the configuration file.",
      });
    if (!uncovered(s) || s.coverage === null) continue;
    const says = `flows say ${fmt.fixed(s.coverage, 2)} times what its counters say was ${name}`;
    if (s.coverage >= 1.8 && s.coverage <= 2.2)
      out.push({ level: "warn", what: says, remedy: "Both directions are sampled: sample incoming packets alone, on all interfaces." });
    else if (s.coverage < 0.01)
      out.push({
        level: "warn",
        what: `no flows of what its counters say was ${name}`,
        remedy: "Packets are not sampled where they come in: turn sampling on, on all interfaces.",
      });
    else
      out.push({
        level: "warn",
        what: says,
        remedy:
          s.coverage < 1
            ? "The sampling rate is wrong, or not all interfaces are sampled: compare the rate with the device's configuration."
            : "The sampling rate is wrong: compare it with the device's configuration.",
      });
  }
  return out;
}

/** The same of all interfaces of an exporter, each kind once, and of their names. */
export function exporterLinkProblems(all: Interfaces | undefined, address: string): Problem[] {
  const out: Problem[] = [];
  if (!all) return out;
  const kinds = new Map<string, { p: Problem; of: string[] }>();
  for (const i of all.interfaces) {
    if (i.exporter !== address) continue;
    for (const p of linkProblems(i)) {
      const kind = kinds.get(p.remedy) ?? { p, of: [] };
      if (!kind.of.includes(linkName(i))) kind.of.push(linkName(i));
      kinds.set(p.remedy, kind);
    }
  }
  for (const { p, of } of kinds.values())
    out.push({ ...p, what: `${of[0]}: ${p.what}${of.length > 1 ? `; ${of.length - 1} more like it` : ""}` });
  const share = all.unnamed.find((u) => u.exporter === address)?.share ?? 0;
  if (share > 0.01)
    out.push({
      level: "warn",
      what: `${fmt.share(share)} of its bytes are on interfaces without a name`,
      remedy:
        "Let it send its table of interfaces (IOS-XE: option interface-table), or name them in the configuration file. Index 0 means that it does not know the interface.",
    });
  return out;
}

export const linkName = (i: Pick<Interface, "interface" | "index">) => i.interface || `if ${i.index}`;
