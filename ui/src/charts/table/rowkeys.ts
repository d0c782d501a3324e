// The keys that move between rows of the table and filter to one.

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { filterBy, oneOf } from "../../parts/valuemenu.tsx";
import type { Layer } from "../stack.ts";

/** Handles the keys j, k, + and _ on the focused row; the frame sends them as netmeta:row. */
export function useRowKeys(body: RefObject<HTMLTableSectionElement | null>, rows: Layer[], by: string[]) {
  useEffect(() => {
    const step = (e: Event) => {
      const { key } = (e as CustomEvent<{ key: string }>).detail;
      const trs = [...(body.current?.querySelectorAll<HTMLTableRowElement>("tr") ?? [])];
      const at = trs.findIndex((t) => t.contains(document.activeElement));
      if (key === "j" || key === "k") {
        const next = trs[Math.max(0, Math.min(trs.length - 1, at + (key === "j" ? 1 : -1)))];
        next?.querySelector<HTMLElement>("button.value, button.swatch-button")?.focus();
      } else if (at >= 0 && by[0] && !rows[at].series.other) {
        filterBy(oneOf(rows[at].series, by, 0), key === "_" ? "exclude" : "only");
      }
    };
    addEventListener("netmeta:row", step);
    return () => removeEventListener("netmeta:row", step);
  });
}
