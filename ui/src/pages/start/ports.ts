// The ports that NetMeta listens on.

import type { Listener } from "../../api/api.ts";
import type { Vendor } from "./vendors.ts";

export const portOf = (addr: string) => addr.slice(addr.lastIndexOf(":") + 1);

/** The port for a vendor's routers: the usual one of its protocol if open, else any port, since all accept every protocol. */
export function portFor(v: Vendor, listeners: readonly Listener[]): string {
  const listener =
    listeners.find((l) => portOf(l.addr) === String(v.port)) ??
    listeners.find((l) => l.kind.toLowerCase().includes(v.kind)) ??
    listeners[0];
  return listener ? portOf(listener.addr) : String(v.port);
}
