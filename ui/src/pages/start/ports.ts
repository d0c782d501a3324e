// The ports that NetMeta listens on.

import type { Listener } from "../../api/api.ts";
import type { Vendor } from "./vendors.ts";

export const portOf = (addr: string) => addr.slice(addr.lastIndexOf(":") + 1);

/** The port for the routers of a vendor: the usual one of its protocol when it is open; any other takes it as well. */
export function portFor(v: Vendor, listeners: readonly Listener[]): string {
  const listener =
    listeners.find((l) => portOf(l.addr) === String(v.port)) ??
    listeners.find((l) => l.kind.toLowerCase().includes(v.kind)) ??
    listeners[0];
  return listener ? portOf(listener.addr) : String(v.port);
}
