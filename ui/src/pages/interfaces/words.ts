// Formats the facts of an interface.

import type { Interface } from "../../api/api.ts";
import * as fmt from "../../text/format.ts";

export const quotient = (c: number | null) => (c === null ? "–" : fmt.fixed(c, 2));
export const perSecond = (n: number) => (n === 0 ? "0" : n < 0.01 ? "<" + fmt.fixed(0.01, 2) : fmt.fixed(n, n < 10 ? 2 : 0));
export const down = (i: Interface) => (i.status === undefined || i.status === 3 ? "" : i.status & 1 ? "down" : "shut down");
