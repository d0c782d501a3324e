// The bands of a Sankey diagram: each opens the menu of both its ends, unless one of them is Other.

import { sankeyLinkHorizontal } from "d3-sankey";
import { openValue, type Value } from "../../parts/valuemenu.tsx";
import * as fmt from "../../text/format.ts";
import { go, openByKey } from "./keys.ts";
import { type Layout, type Node, nodeAt } from "./layout.ts";

interface Props {
  layout: Layout;
  by: string[];
  unit: string;
  /** The node whose bands are highlighted. */
  over: string | null;
  onOver: (id: string | null) => void;
}

const shape = sankeyLinkHorizontal();

export function Bands({ layout, by, unit, over, onOver }: Props) {
  return (
    <g fill="none">
      {layout.bands.map((band) => {
        const a = nodeAt(band, "source");
        const b = nodeAt(band, "target");
        const on = over === null || over === a.id || over === b.id;
        return (
          <path
            key={a.id + b.id}
            class="sankey-link"
            {...(a.other || b.other ? {} : door(layout, a, b, by, onOver))}
            d={shape(band as never) ?? ""}
            stroke={layout.paint(a)}
            stroke-width={Math.max(1, band.width ?? 1)}
            stroke-opacity={on ? (over === null ? 0.36 : 0.6) : 0.1}
          >
            <title>{`${a.label} → ${b.label}: ${fmt.value(band.value, unit)}, ${fmt.share(band.value / layout.total)}`}</title>
          </path>
        );
      })}
    </g>
  );
}

/** The attributes that make the band from a to b a button. */
function door(layout: Layout, a: Node, b: Node, by: string[], onOver: Props["onOver"]) {
  const value: Value = {
    by: [by[a.column], by[b.column]],
    key: [a.key, b.key],
    label: [a.label, b.label],
    filter: [a.filter, b.filter].filter(Boolean).join(" and "),
  };
  /** The selector of the band d places after this one among those of a. */
  const beside = (d: number) => {
    const own = layout.bands
      .filter((l) => nodeAt(l, "source").id === a.id && !nodeAt(l, "target").other)
      .map((l) => nodeAt(l, "target").id);
    const to = own[(own.indexOf(b.id) + d + own.length) % own.length];
    return `[data-from="${CSS.escape(a.id)}"][data-to="${CSS.escape(to)}"]`;
  };
  const node = (id: string) => `[data-node="${CSS.escape(id)}"]`;
  return {
    "data-opens": true,
    "data-from": a.id,
    "data-to": b.id,
    role: "button" as const,
    tabindex: -1,
    "aria-haspopup": "menu" as const,
    onClick: (e: MouseEvent) => openValue(e, value),
    onFocus: () => onOver(a.id),
    onBlur: () => onOver(null),
    onKeyDown: (e: KeyboardEvent) => {
      if (e.key === "Enter") openByKey(e, value);
      if (e.key === "ArrowUp") go(e, beside(-1));
      if (e.key === "ArrowDown") go(e, beside(1));
      if (e.key === "ArrowLeft") go(e, node(a.id));
      if (e.key === "ArrowRight") go(e, node(b.id));
    },
  };
}
