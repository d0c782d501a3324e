// The nodes of a Sankey diagram: each opens the menu of its value.

import { openValue, type Value } from "../../parts/valuemenu.tsx";
import * as fmt from "../../text/format.ts";
import { go, openByKey } from "./keys.ts";
import { type Layout, type Node, nodeWidth } from "./layout.ts";

interface Props {
  layout: Layout;
  by: string[];
  unit: string;
  onOver: (id: string | null) => void;
}

export function Nodes({ layout, by, unit, onOver }: Props) {
  return (
    <>
      {layout.nodes.map((n) => {
        const value: Value = { by: [by[n.column]], key: [n.key], label: [n.label], filter: n.filter, time: n.time };
        return (
          <g
            key={n.id}
            class="sankey-node"
            data-node={n.id}
            data-value={n.value}
            data-opens
            {...(n.other ? {} : { role: "button", tabindex: 0, "aria-haspopup": "menu" as const })}
            onPointerEnter={() => onOver(n.id)}
            onPointerLeave={() => onOver(null)}
            onClick={(e) => !n.other && openValue(e, value)}
            onKeyDown={(e) => {
              if (e.key === "ArrowRight") go(e, `[data-from="${CSS.escape(n.id)}"]`);
              if (e.key === "ArrowLeft") go(e, `[data-to="${CSS.escape(n.id)}"]`);
              if (e.key === "Enter" && !n.other) openByKey(e, value);
            }}
          >
            <Box n={n} colour={layout.paint(n)} number={fmt.value(n.value, unit)} last={n.column === by.length - 1} />
          </g>
        );
      })}
    </>
  );
}

/** The rectangle of a node, a larger hit area, and its name: to the right, except in the last column. */
function Box({ n, colour, number, last }: { n: Node; colour: string; number: string; last: boolean }) {
  const tall = Math.max(1, n.y1! - n.y0!);
  return (
    <>
      <rect x={n.x0} y={n.y0} width={nodeWidth} height={tall} rx="2" fill={colour} />
      <rect class="sankey-hit" x={n.x0! - (last ? 150 : 2)} y={n.y0! - 3} width="164" height={Math.max(tall + 6, 16)} fill="transparent" />
      <text x={last ? n.x0! - 6 : n.x1! + 6} y={(n.y0! + n.y1!) / 2} dy=".35em" text-anchor={last ? "end" : "start"}>
        {n.label}
        <tspan class="sankey-number" dx="6">
          {number}
        </tspan>
      </text>
    </>
  );
}
