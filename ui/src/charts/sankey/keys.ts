// How keys move over a Sankey diagram: the bands are reached from their nodes by the arrow keys, since among hundreds of them Tab would
// not get anywhere.

import { openValue, type Value } from "../../parts/valuemenu.tsx";

/** Gives the focus to the first that a selector names, if there is one. */
export function go(e: KeyboardEvent, selector: string) {
  const next = (e.currentTarget as Element).closest("svg")?.querySelector<SVGElement>(selector);
  if (!next) return;
  e.preventDefault();
  next.focus();
}

/** Opens the menu of a value where the key was pressed. */
export function openByKey(e: KeyboardEvent, value: Value) {
  e.preventDefault(); // or the same key would choose from the menu that it opens
  openValue(e as unknown as MouseEvent, value);
}
