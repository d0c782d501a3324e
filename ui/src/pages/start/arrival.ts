// How far a sender has come, step by step, and what helps with the first step that is not done. Pure.

import type { Exporter, Interfaces, Status } from "../../api/api.ts";
import * as fmt from "../../text/format.ts";
import { duration } from "../../text/time.ts";
import { knowsRate, reasonsOf, templated } from "../health.ts";

export interface Arrival {
  steps: { ok: boolean; text: string }[];
  /** What to do about the first step that is not done; empty: nothing. */
  advice: string;
}

/** Nothing that came could be read. */
export const notUnderstood = (e: Exporter) =>
  e.type === "unknown" || (e.flows === 0 && e.records === 0 && e.templates === 0 && e.refused > 0);

/** The server looks so far back for rows of a sender; of one that was seen first before that, the store as a whole has to tell. */
const foundSeconds = 900;

/** `names` is what the interfaces page knows; undefined while it is not known. */
export function arrival(e: Exporter, s: Pick<Status, "now" | "pipeline">, names?: Pick<Interfaces, "interfaces" | "unnamed">): Arrival {
  const out: Arrival = { steps: [], advice: "" };
  const step = (ok: boolean, text: string, advice: string) => {
    out.steps.push({ ok, text });
    if (!ok && !out.advice) out.advice = advice;
  };
  step(e.datagrams > 0, `${fmt.count(e.datagrams)} datagram${e.datagrams === 1 ? "" : "s"}`, "");
  if (notUnderstood(e)) {
    const reasons = reasonsOf(e);
    step(
      false,
      "not understood",
      `${reasons ? fmt.capital(reasons) + ". " : ""}Does it send NetFlow v5, v9, IPFIX or sFlow v5, and does nothing between here and there change its datagrams? Its page has the first octets of one.`,
    );
    return out;
  }
  step(true, e.type, "");
  if (templated(e.type)) {
    const waits = Math.max(0, s.now - e.first);
    step(
      e.templates > 0,
      e.templates > 0 ? `${e.templates} template${e.templates === 1 ? "" : "s"}` : `waiting for a template for ${duration(waits)}`,
      "It sends templates by a timer, often 10 or 30 minutes. Set that to 60 s (IOS-XE: template data timeout 60), or take the exporter off and on again to have one at once.",
    );
  }
  if (!templated(e.type) || e.templates > 0) {
    const known = knowsRate(e);
    step(
      known,
      known ? (e.sampling_rate === 1 ? "not sampled" : `1:${fmt.grouped(e.sampling_rate)} sampled`) : "sampling rate not known",
      "Traffic counts as if it were not sampled. Let it send its sampling options (IOS-XE: option sampler-table timeout 60), or name the rate in sources.sampling.exporters of the configuration file.",
    );
    if (names && e.flows > 0) {
      const share = names.unnamed.find((u) => u.exporter === e.address)?.share ?? 0;
      const seen = share > 0 || names.interfaces.some((i) => i.exporter === e.address);
      if (seen) step(share <= 0.01, share <= 0.01 ? "interface names" : `no names for ${fmt.share(share)} of its bytes`, namesCome(e.type));
    }
  }
  const p = s.pipeline;
  const keepsUp = p.lag_ms < 10_000;
  const there = e.stored || (s.now - e.first > foundSeconds && p.inserted_rows > 0);
  const stored = e.flows > 0 && there && keepsUp;
  const waits =
    p.insert_error ||
    (keepsUp
      ? "Its rows are on the way, which takes a second or two. If it stays so: look at Status."
      : "The store does not take them at the moment: look at Status.");
  step(
    stored,
    stored ? `${fmt.count(e.flows)} flows stored` : e.flows > 0 ? `${fmt.count(e.flows)} flows wait to be stored` : "no flow yet",
    e.flows > 0 ? waits : "What it says of itself has come, flows have not: is the monitor on the interfaces that carry the traffic?",
  );
  return out;
}

/** How names of interfaces come, by what it sends. */
const namesCome = (type: string) =>
  (type === "sflow"
    ? "They come with its counters: give it a polling interval; or name"
    : templated(type)
      ? "Let it send its table of interfaces (IOS-XE: option interface-table timeout 300), or name"
      : "NetFlow v5 cannot tell them: name") + " them in the configuration file.";
