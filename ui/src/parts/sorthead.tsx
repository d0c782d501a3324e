// Sortable columns.

import type { ThHTMLAttributes } from "preact";

/** A column head that sorts. */
export function SortHead({
  on,
  up,
  help,
  onSort,
  children,
  ...rest
}: { on: boolean; up: boolean; help?: string; onSort: () => void } & Omit<ThHTMLAttributes<HTMLTableCellElement>, "aria-sort">) {
  return (
    <th scope="col" aria-sort={on ? (up ? "ascending" : "descending") : undefined} {...rest}>
      <button type="button" class="sort" title={help} onClick={onSort}>
        {children}
        {on ? (up ? " ↑" : " ↓") : ""}
      </button>
    </th>
  );
}
