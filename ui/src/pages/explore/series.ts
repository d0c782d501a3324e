// The visible and hidden series of the chart.

import { useMemo } from "preact/hooks";
import type { QueryResult } from "../../api/api.ts";
import { type Layer, layers } from "../../charts/stack.ts";
import { show, view } from "../../state/state.ts";

export interface Shown {
  all: Layer[];
  visible: Layer[];
  /** The groups in chart order, including hidden ones. */
  ids: string[];
  hidden: Set<string>;
}

export function useSeries(result: QueryResult | undefined): Shown {
  const { hide } = view.value;
  const all = useMemo(() => (result ? layers(result) : []), [result]);
  const ids = useMemo(() => [...new Set(all.map((l) => l.id))], [all]);
  const hidden = useMemo(() => new Set(hide.filter((h) => ids.includes(h))), [hide.join("\n"), ids]);
  const visible = useMemo(() => all.filter((l) => !hidden.has(l.id)), [all, hidden]);
  return { all, visible, ids, hidden };
}

/** Shows only one group; a second call shows all. */
export function isolate({ ids, hidden }: Shown, id: string): void {
  const others = ids.filter((x) => x !== id);
  const alone = hidden.size === others.length && !hidden.has(id);
  show({ hide: alone ? [] : others });
}

/** Hides or shows a group; hiding the last shows all. */
export function toggle({ ids, hidden }: Shown, id: string): void {
  const next = new Set(hidden);
  if (!next.delete(id)) next.add(id);
  show({ hide: next.size === ids.length ? [] : [...next] });
}
