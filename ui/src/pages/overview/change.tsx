// How something compares with an earlier time.

import * as fmt from "../../text/format.ts";

/** What it is compared with, by the value of vs in a URL. */
export const comparedWith: Record<string, string> = { "-7d": "the week before", "-1d": "the day before", prev: "the time before" };

/** How much more or less, of the average. */
export function Change({ of }: { of: number | null }) {
  if (of === null) return <span>new</span>;
  return <span>{Math.abs(of) < 0.0005 ? "as before" : `${of < 0 ? "−" : "+"}${fmt.share(Math.abs(of))}`}</span>;
}
