// The positions and colours of the nodes and bands of a Sankey diagram.

import { type SankeyLink, type SankeyNode, sankey } from "d3-sankey";
import type { Dir, QueryResult } from "../../api/api.ts";
import { assign, grey, palette } from "../colour.ts";
import { type Flow, flow } from "../groups.ts";

type Link = Flow["links"][number];
export type Node = SankeyNode<Flow["nodes"][number], Link>;
export type Band = SankeyLink<Flow["nodes"][number], Link>;

export const nodeWidth = 12;
const head = 22;

/** Colours of values during this visit. */
const colours = new Map<string, number>();

export interface Layout {
  nodes: Node[];
  bands: Band[];
  width: number;
  /** Of the whole drawing. */
  height: number;
  /** The sum of all values. */
  total: number;
  paint: (n: Node) => string;
}

/** The node at one end of a band. */
export const nodeAt = (b: Band, end: "source" | "target") => b[end] as unknown as Node;

export function layout(result: QueryResult, width: number, isDark: boolean): Layout {
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
  const drawn =
    width > 0 && data.nodes.length > 0
      ? sankey<Flow["nodes"][number], Link>()
          .nodeId((n) => n.id)
          .nodeAlign((n) => n.column)
          .nodeWidth(nodeWidth)
          .nodePadding(14)
          .nodeSort((a, b) => Number(a.other) - Number(b.other) || b.value! - a.value!)
          .extent([
            [1, head],
            [Math.max(200, width) - 1, height + head],
          ])({ nodes: data.nodes.map((n) => ({ ...n })), links: data.links.map((l) => ({ ...l })) })
      : { nodes: [], links: [] };
  return {
    nodes: drawn.nodes,
    bands: drawn.links,
    width,
    height: height + head + 4,
    total: columns[0]?.reduce((a, n) => a + n.value, 0) || 1,
    paint: (n) => (n.other ? grey[isDark ? "dark" : "light"] : palette[colour.get(n.label) ?? 0]),
  };
}
