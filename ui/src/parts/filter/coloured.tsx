// The filter text with syntax colours and underlined errors.

import { words } from "../../state/state.ts";
import { tokens } from "../../text/filter.ts";

export function coloured(text: string, span: readonly [number, number] | undefined) {
  // An empty span, such as at the end of the text, is widened to one character.
  const from = span ? span[0] : -1;
  const to = span ? Math.max(span[1], span[0] + 1) : -1;
  const out = [];
  for (const t of tokens(text, words.value)) {
    const cuts = [t.start, ...[from, to].filter((c) => c > t.start && c < t.end), t.end];
    for (let i = 0; i + 1 < cuts.length; i++) {
      const bad = cuts[i] >= from && cuts[i + 1] <= to && from >= 0;
      out.push(<span class={`t-${t.type}${bad ? " bad" : ""}`}>{text.slice(cuts[i], cuts[i + 1])}</span>);
    }
  }
  if (from >= text.length && from >= 0) out.push(<span class="bad"> </span>);
  return out;
}
