// Shared by the charts without uPlot: their props, and the name of a group, which opens its menu.

import type { QueryResult } from "../api/api.ts";
import { groupOf, ValueButton } from "../parts/valuemenu.tsx";
import { highlight } from "../state/state.ts";
import { type Layer, seriesName } from "./stack.ts";

export interface Props {
  result: QueryResult;
  layers: Layer[];
  viz: string;
  summary: string;
  now: number;
}

/** Whether a layer has values for a menu. */
export const has = (layer: Layer, by: string[]) => !layer.series.other && by.length > 0;

/** The name of a group, with the same menu as its shapes. */
export const Name = ({ layer, by }: { layer: Layer; by: string[] }) =>
  has(layer, by) ? <ValueButton value={groupOf(layer.series, by)} /> : <span class="value">{seriesName(layer)}</span>;

export const hover = (id: string) => ({ onPointerEnter: () => (highlight.value = id), onPointerLeave: () => (highlight.value = null) });
