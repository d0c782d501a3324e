// Names of exporters and interfaces, for lists of records, which have addresses and numbers.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/api.ts";
import { namesOf } from "../text/records.ts";

const ageMS = 60_000;
let learned = 0;

/** Names by exporter address, and by exporter address and interface index; see `called`. */
export const deviceNames = signal<ReadonlyMap<string, string>>(new Map());

/** Loads the names when a list is opened. Without names the list shows numbers. */
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
