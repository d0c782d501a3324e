// The progress of an exporter, step by step, and the remedy of the first incomplete step. Pure.

import type { Exporter, Interfaces, Step } from "../../api/api.ts";

export interface Arrival {
  steps: Step[];
  /** The remedy of the first incomplete step; empty: none. */
  advice: string;
}

/**
 * arrival returns the steps from the server. The step of interface names comes with the list of interfaces, once loaded, and follows
 * the sampling step.
 */
export function arrival(e: Exporter, names?: Pick<Interfaces, "exporters">): Arrival {
  const steps = [...(e.arrival ?? [])];
  const named = names?.exporters.find((x) => x.exporter === e.address)?.names;
  const sampling = steps.findIndex((s) => s.id === "sampling");
  if (named && e.flows > 0 && sampling >= 0) steps.splice(sampling + 1, 0, named);
  return { steps, advice: steps.find((s) => !s.done)?.remedy ?? "" };
}
