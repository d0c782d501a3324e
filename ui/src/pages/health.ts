// Problems of exporters and interfaces, from the server. Pure.

import type { Exporter, Interface, Interfaces, Level, Trouble } from "../api/api.ts";
import * as fmt from "../text/format.ts";

/** The level of the first problem with one of the ids; empty: none. */
export const levelOf = (e: { problems: Trouble[] }, ...ids: string[]): Level | "" =>
  e.problems.find((p) => ids.includes(p.id))?.level ?? "";

/** The problems of an exporter and of its interfaces, as far as known. */
export const troublesOf = (e: Exporter, links: Interfaces | undefined): Trouble[] => [
  ...e.problems,
  ...(links?.exporters.find((x) => x.exporter === e.address)?.problems ?? []),
];

export const samplingOf = (e: Exporter) =>
  !e.sampling_known ? "unknown" : e.sampling_rate === 1 ? "none" : `1:${fmt.grouped(e.sampling_rate)}`;

export const linkName = (i: Pick<Interface, "interface" | "index">) => i.interface || `if ${i.index}`;
