// What exporters and their interfaces are called, for lists of records, which carry addresses and numbers.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/api.ts";
import { namesOf } from "../text/records.ts";

const ageMS = 60_000;
let learned = 0;

/** By address of the exporter, and by that with the number of the interface: see `called`. */
export const deviceNames = signal<ReadonlyMap<string, string>>(new Map());

/** A list that shows names learns them when it is opened. Until they are there, and without them, numbers stand in their place. */
export function useDeviceNames(): void {
  useEffect(() => {
    if (Date.now() - learned < ageMS) return;
    learned = Date.now();
    const none = () => undefined;
    void Promise.all([api.exporters().catch(none), api.interfaces("").catch(none)]).then(([exporters, interfaces]) => {
      if (!exporters && !interfaces) learned = 0;
      else deviceNames.value = namesOf(exporters?.body.exporters ?? [], interfaces?.body.interfaces ?? []);
    });
  }, []);
}
