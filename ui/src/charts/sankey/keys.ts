// Keyboard navigation of a Sankey diagram. Arrow keys move from nodes to their bands, because Tab would stop at hundreds of bands.

import { openValue, type Value } from "../../parts/valuemenu.tsx";

/** Focuses the first element that matches a selector, if any. */
export function go(e: KeyboardEvent, selector: string) {
  const next = (e.currentTarget as Element).closest("svg")?.querySelector<SVGElement>(selector);
  if (!next) return;
  e.preventDefault();
  next.focus();
}

/** Opens the menu of a value at the focused element. */
export function openByKey(e: KeyboardEvent, value: Value) {
  e.preventDefault(); // otherwise the same key would select an item of the opened menu
  openValue(e as unknown as MouseEvent, value);
}
