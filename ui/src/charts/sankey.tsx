// Where traffic goes from field to field: a column for each grouping, a band for each pair of values.

import { type SankeyLink, type SankeyNode, sankey, sankeyLinkHorizontal } from "d3-sankey";
import { useState } from "preact/hooks";
import type { Dir, QueryResult } from "../api/api.ts";
import { useWidth } from "../parts/ui.tsx";
import { openValue, type Value } from "../parts/valuemenu.tsx";
import { dark, termTitle } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { assign, grey, palette } from "./colour.ts";
import { type Flow, flow } from "./groups.ts";

type Node = SankeyNode<Flow["nodes"][number], Link>;
type Link = { source: string; target: string; value: number };

const colours = new Map<string, number>();
const nodeWidth = 12;
const head = 22;

export function Sankey({ result, summary }: { result: QueryResult; summary: string }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [over, setOver] = useState<string | null>(null);
  const data = flow(result, new Set<Dir>(result.dirs));
  const columns = result.by.map((_, c) => data.nodes.filter((n) => n.column === c));
  const height = Math.max(280, Math.min(760, Math.max(...columns.map((c) => c.length)) * 30));
  const colour = assign(
    data.nodes
      .filter((n) => !n.other)
      .sort((a, b) => b.value - a.value)
      .map((n) => n.label),
    colours,
  );
  const paint = (n: Node) => (n.other ? (dark.value ? grey.dark : grey.light) : palette[colour.get(n.label) ?? 0]);
  const total = columns[0]?.reduce((a, n) => a + n.value, 0) || 1;
  const layout = () =>
    sankey<Flow["nodes"][number], Link>()
      .nodeId((n) => n.id)
      .nodeAlign((n) => n.column)
      .nodeWidth(nodeWidth)
      .nodePadding(14)
      .nodeSort((a, b) => Number(a.other) - Number(b.other) || b.value! - a.value!)
      .extent([
        [1, head],
        [Math.max(200, width) - 1, height + head],
      ])({ nodes: data.nodes.map((n) => ({ ...n })), links: data.links.map((l) => ({ ...l })) });
  const path = sankeyLinkHorizontal();
  const drawn = width > 0 && data.nodes.length > 0 ? layout() : undefined;
  const node = (l: SankeyLink<Flow["nodes"][number], Link>, end: "source" | "target") => l[end] as unknown as Node;
  const term = (n: Node) => result.by[n.column];
  // The bands are reached from their nodes by the arrow keys: among hundreds of them Tab would not get anywhere.
  const go = (e: KeyboardEvent, selector: string) => {
    const next = (e.currentTarget as Element).closest("svg")?.querySelector<SVGElement>(selector);
    if (!next) return;
    e.preventDefault();
    next.focus();
  };
  const door = (a: Node, b: Node) => {
    if (a.other || b.other) return {};
    const value: Value = {
      by: [term(a), term(b)],
      key: [a.key, b.key],
      label: [a.label, b.label],
      filter: [a.filter, b.filter].filter(Boolean).join(" and "),
    };
    const own = drawn!.links.filter((l) => node(l, "source").id === a.id && !node(l, "target").other).map((l) => node(l, "target").id);
    const beside = (d: number) =>
      `[data-from="${CSS.escape(a.id)}"][data-to="${CSS.escape(own[(own.indexOf(b.id) + d + own.length) % own.length])}"]`;
    return {
      "data-opens": true,
      "data-from": a.id,
      "data-to": b.id,
      role: "button" as const,
      tabindex: -1,
      "aria-haspopup": "menu" as const,
      onClick: (e: MouseEvent) => openValue(e, value),
      onFocus: () => setOver(a.id),
      onBlur: () => setOver(null),
      onKeyDown: (e: KeyboardEvent) => {
        if (e.key === "Enter") {
          e.preventDefault(); // or the same key would choose from the menu that it opens
          openValue(e as unknown as MouseEvent, value);
        }
        if (e.key === "ArrowUp" || e.key === "ArrowDown") go(e, beside(e.key === "ArrowUp" ? -1 : 1));
        if (e.key === "ArrowLeft" || e.key === "ArrowRight") go(e, `[data-node="${CSS.escape(e.key === "ArrowLeft" ? a.id : b.id)}"]`);
      },
    };
  };
  return (
    <div class="chart sankey" ref={box}>
      {drawn && (
        <svg width={width} height={height + head + 4} role="group" aria-label={summary}>
          {result.by.map((term, c) => {
            const last = c === result.by.length - 1;
            return (
              <text
                key={term}
                class="sankey-head"
                x={(c / Math.max(1, result.by.length - 1)) * (width - 2) + 1}
                y={12}
                text-anchor={c === 0 ? "start" : last ? "end" : "middle"}
              >
                {termTitle(term)}
              </text>
            );
          })}
          <g fill="none">
            {drawn.links.map((l) => {
              const a = node(l, "source");
              const b = node(l, "target");
              const on = over === null || over === a.id || over === b.id;
              return (
                <path
                  key={a.id + b.id}
                  class="sankey-link"
                  {...door(a, b)}
                  d={path(l as never) ?? ""}
                  stroke={paint(a)}
                  stroke-width={Math.max(1, l.width ?? 1)}
                  stroke-opacity={on ? (over === null ? 0.36 : 0.6) : 0.1}
                >
                  <title>{`${a.label} → ${b.label}: ${fmt.value(l.value, result.unit)}, ${fmt.share(l.value / total)}`}</title>
                </path>
              );
            })}
          </g>
          {drawn.nodes.map((n) => {
            const tall = Math.max(1, n.y1! - n.y0!);
            const left = n.column < result.by.length - 1;
            const value: Value = { by: [result.by[n.column]], key: [n.key], label: [n.label], filter: n.filter, time: n.time };
            return (
              <g
                key={n.id}
                class="sankey-node"
                data-node={n.id}
                data-value={n.value}
                data-opens
                {...(n.other ? {} : { role: "button", tabindex: 0, "aria-haspopup": "menu" as const })}
                onPointerEnter={() => setOver(n.id)}
                onPointerLeave={() => setOver(null)}
                onClick={(e) => !n.other && openValue(e, value)}
                onKeyDown={(e) => {
                  if (e.key === "ArrowRight") go(e, `[data-from="${CSS.escape(n.id)}"]`);
                  if (e.key === "ArrowLeft") go(e, `[data-to="${CSS.escape(n.id)}"]`);
                  if (e.key !== "Enter" || n.other) return;
                  e.preventDefault(); // or the same key would choose from the menu that it opens
                  openValue(e as unknown as MouseEvent, value);
                }}
              >
                <rect x={n.x0} y={n.y0} width={nodeWidth} height={tall} rx="2" fill={paint(n)} />
                <rect
                  class="sankey-hit"
                  x={left ? n.x0! - 2 : n.x0! - 150}
                  y={n.y0! - 3}
                  width="164"
                  height={Math.max(tall + 6, 16)}
                  fill="transparent"
                />
                <text x={left ? n.x1! + 6 : n.x0! - 6} y={(n.y0! + n.y1!) / 2} dy=".35em" text-anchor={left ? "start" : "end"}>
                  {n.label}
                  <tspan class="sankey-number" dx="6">
                    {fmt.value(n.value, result.unit)}
                  </tspan>
                </text>
              </g>
            );
          })}
        </svg>
      )}
      <p class="quiet bars-foot">
        Averages over the range{result.dirs.length > 1 ? `, ${result.dirs.join(", ")} together` : ""}: {fmt.value(total, result.unit)}. A
        band opens the menu of both its ends; by keyboard the arrow keys go along them.
      </p>
    </div>
  );
}
