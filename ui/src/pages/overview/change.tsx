// The comparison with an earlier range.

import * as fmt from "../../text/format.ts";

/** The name of the earlier range, by the value of vs in a URL. */
export const comparedWith: Record<string, string> = { "-7d": "the week before", "-1d": "the day before", prev: "the previous period" };

/** The change of the average. */
export function Change({ of }: { of: number | null }) {
  if (of === null) return <span>new</span>;
  return <span>{Math.abs(of) < 0.0005 ? "unchanged" : `${of < 0 ? "−" : "+"}${fmt.share(Math.abs(of))}`}</span>;
}
