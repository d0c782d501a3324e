// What is wrong with exporters and interfaces, as the server judges it. Pure.

import type { Exporter, Interface, Interfaces, Level, Trouble } from "../api/api.ts";
import * as fmt from "../text/format.ts";

/** How bad one thing is, by the ids that it may have; empty when it is none of the troubles. */
export const levelOf = (e: { problems: Trouble[] }, ...ids: string[]): Level | "" =>
  e.problems.find((p) => ids.includes(p.id))?.level ?? "";

/** All that is wrong with an exporter: with itself, and with its interfaces as far as they are known. */
export const troublesOf = (e: Exporter, links: Interfaces | undefined): Trouble[] => [
  ...e.problems,
  ...(links?.exporters.find((x) => x.exporter === e.address)?.problems ?? []),
];

export const samplingOf = (e: Exporter) =>
  !e.sampling_known ? "not known" : e.sampling_rate === 1 ? "none" : `1:${fmt.grouped(e.sampling_rate)}`;

export const linkName = (i: Pick<Interface, "interface" | "index">) => i.interface || `if ${i.index}`;
