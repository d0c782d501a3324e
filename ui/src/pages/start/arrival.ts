// How far a sender has come, step by step, and what helps with the first step that is not done. Pure.

import type { Exporter, Interfaces, Step } from "../../api/api.ts";

export interface Arrival {
  steps: Step[];
  /** What to do about the first step that is not done; empty: nothing. */
  advice: string;
}

/**
 * The steps as the server judges them. That of the names of interfaces comes with the list of interfaces, as soon as it is known, and
 * belongs after that of the sampling.
 */
export function arrival(e: Exporter, names?: Pick<Interfaces, "exporters">): Arrival {
  const steps = [...(e.arrival ?? [])];
  const named = names?.exporters.find((x) => x.exporter === e.address)?.names;
  const sampling = steps.findIndex((s) => s.id === "sampling");
  if (named && e.flows > 0 && sampling >= 0) steps.splice(sampling + 1, 0, named);
  return { steps, advice: steps.find((s) => !s.done)?.remedy ?? "" };
}
