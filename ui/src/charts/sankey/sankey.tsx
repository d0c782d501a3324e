// The Sankey diagram: a column for each grouping, a band for each pair of values.

import { useState } from "preact/hooks";
import type { QueryResult } from "../../api/api.ts";
import { useWidth } from "../../parts/ui.tsx";
import { dark, termTitle } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { Bands } from "./bands.tsx";
import { layout } from "./layout.ts";
import { Nodes } from "./nodes.tsx";

export function Sankey({ result, summary }: { result: QueryResult; summary: string }) {
  const [box, width] = useWidth<HTMLDivElement>();
  /** The id of the node under the pointer or with the focus. */
  const [over, setOver] = useState<string | null>(null);
  const l = layout(result, width, dark.value);
  const { by, dirs, unit } = result;
  return (
    <div class="chart sankey" ref={box}>
      {l.nodes.length > 0 && (
        <svg width={width} height={l.height} role="group" aria-label={summary}>
          <Heads by={by} width={width} />
          <Bands layout={l} by={by} unit={unit} over={over} onOver={setOver} />
          <Nodes layout={l} by={by} unit={unit} onOver={setOver} />
        </svg>
      )}
      <p class="quiet bars-foot">
        Averages over the range{dirs.length > 1 ? `, ${dirs.join(", ")} combined` : ""}: {fmt.value(l.total, unit)}. Click a band for the
        menu of both its ends; arrow keys move between bands.
      </p>
    </div>
  );
}

/** The heads of the columns. */
function Heads({ by, width }: { by: string[]; width: number }) {
  const last = by.length - 1;
  return (
    <>
      {by.map((term, c) => (
        <text
          key={term}
          class="sankey-head"
          x={(c / Math.max(1, last)) * (width - 2) + 1}
          y={12}
          text-anchor={c === 0 ? "start" : c === last ? "end" : "middle"}
        >
          {termTitle(term)}
        </text>
      ))}
    </>
  );
}
