// Every value is a door: one menu for values in tables, legends, facets and charts, on every page.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { condition, narrow, widen, without } from "./filter.ts";
import { copy, fieldOf, go, show, termTitle, view } from "./state.ts";
import { format } from "./url.ts";
import { Icon, Popover } from "./ui.tsx";

/** A value of one field, or of several that belong together, as protocol and port. */
export interface Value {
  /** Fields, or terms of `by`. */
  by: string[];
  key: string[];
  label: string[];
  /** The condition that the server gave for it. */
  filter?: string | null;
}

interface MenuAt {
  x: number;
  y: number;
  value: Value;
}

const at = signal<MenuAt | null>(null);

export type Mode = "only" | "exclude" | "add";

/** The condition that lets through this value alone. */
export function conditionOf(v: Value): string {
  if (v.filter) return v.filter;
  return v.by.map((term, i) => condition(term.split(":")[0], fieldOf(term)?.kind ?? "string", fieldOf(term)?.ops ?? [], v.key[i], false)).join(" and ");
}

/** The filter text with a value let through alone, kept out, or let through too. */
export function filtered(q: string, v: Value, mode: Mode): string {
  const is = conditionOf(v);
  return mode === "add" ? widen(q, is) : narrow(q, mode === "exclude" ? without(is) : is);
}

export function filterBy(v: Value, mode: Mode): void {
  show({ q: filtered(view.value.q, v, mode), hide: [] });
}

/** The page about a value, of the fields that have one. */
export function pageOf(v: Value): string | undefined {
  const first = { host: "/host/", as: "/as/", exporter: "/exporters/" };
  for (let i = 0; i < v.by.length; i++) {
    const page = first[fieldOf(v.by[i])?.page as keyof typeof first];
    if (fieldOf(v.by[i])?.page === "interface") {
      const [exporter, index] = v.key[i].split("#");
      if (Number(index) > 0) return `/if/${exporter}/${index}`;
    }
    if (page && v.key[i]) return page + encodeURIComponent(v.key[i]).replace(/%(3A|2F)/g, decodeURIComponent);
  }
  return undefined;
}

/** Opens the menu under the element that was clicked; Alt and Shift go without it. */
export function openValue(e: MouseEvent, value: Value): void {
  if (e.altKey) return filterBy(value, "exclude");
  if (e.shiftKey) return filterBy(value, "add");
  const box = (e.currentTarget as Element).getBoundingClientRect();
  // A click by keyboard has no place of its own; one in a drawing has.
  const inside = e.detail > 0 && box.height > 60;
  at.value = { x: inside ? e.clientX : box.left, y: inside ? e.clientY + 6 : box.bottom + 4, value };
}

export const labelOf = (v: Value) => v.label.map((l, i) => l || v.key[i] || "(empty)").join(" · ");

/** A value as text that opens the menu. */
export function ValueButton({ value, title, children }: { value: Value; title?: string; children?: ComponentChildren }) {
  const plain = labelOf(value) === value.key.join(" · ");
  return (
    <button type="button" class="value" data-opens aria-haspopup="menu" title={title ?? (plain ? undefined : value.key.join(" · "))} onClick={(e) => openValue(e, value)}>
      {children ?? (labelOf(value) === "(empty)" ? <span class="quiet">(empty)</span> : labelOf(value))}
    </button>
  );
}

/** The one menu of the page; the frame shows it. */
export function ValueMenu() {
  const now = at.value;
  const list = useRef<HTMLDivElement>(null);
  const close = () => (at.value = null);
  if (!now) return null;
  const { value } = now;
  const act = (f: () => void) => () => {
    close();
    f();
  };
  const key = (e: KeyboardEvent) => {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    e.preventDefault();
    const items = [...(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const i = items.indexOf(document.activeElement as HTMLElement);
    items[(i + (e.key === "ArrowDown" ? 1 : items.length - 1)) % items.length]?.focus();
  };
  const page = pageOf(value);
  return (
    <Popover open onClose={close} class="menu" label={labelOf(value)} anchor={now}>
      <div role="menu" aria-label={labelOf(value)} class="menu-list" ref={list} onKeyDown={key}>
        <div class="menu-title" role="presentation">
          {value.by.map(termTitle).join(" · ")} <b>{labelOf(value)}</b>
        </div>
        <button type="button" role="menuitem" onClick={act(() => filterBy(value, "only"))}>
          <Icon name="filter" /> Only this
        </button>
        <button type="button" role="menuitem" onClick={act(() => filterBy(value, "exclude"))}>
          <Icon name="minus" /> Exclude <kbd>Alt+click</kbd>
        </button>
        <button type="button" role="menuitem" onClick={act(() => filterBy(value, "add"))}>
          <Icon name="plus" /> Add to list <kbd>Shift+click</kbd>
        </button>
        <button type="button" role="menuitem" onClick={act(() => groupBy(value))}>
          <Icon name="down" /> Group by …
        </button>
        {page && (
          <button
            type="button"
            role="menuitem"
            onClick={act(() => {
              const { from, to, tz } = view.value;
              const time = format({ ...view.value, q: "", by: [], hide: [], sel: "", vs: "", extra: [], from, to, tz });
              go(page + (time ? "?" + time : ""));
            })}
          >
            <Icon name="open" /> Open page
          </button>
        )}
        <button type="button" role="menuitem" onClick={act(() => void copy(value.key.join(" "), value.key.join(" ") || "Empty value"))}>
          <Icon name="copy" /> Copy
        </button>
      </div>
    </Popover>
  );
}

/** What is this one made of: the value becomes the filter, and the next grouping is asked for. */
function groupBy(v: Value): void {
  const next = { ...view.value, q: filtered(view.value.q, v, "only"), by: view.value.by.filter((b) => !v.by.includes(b)), hide: [] };
  go("/explore?" + format(next));
  requestAnimationFrame(() => document.getElementById("by-add")?.click());
}
