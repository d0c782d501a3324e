// The menu of a value, the same in tables, legends, facets and charts of every page.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Series } from "../api/api.ts";
import { copy, fieldOf, go, show, termTitle, view, zone } from "../state/state.ts";
import { elsewhere } from "../text/elsewhere.ts";
import { condition, narrow, widen, without } from "../text/filter.ts";
import { absolute, clock, dayName } from "../text/time.ts";
import { format, isTime } from "../text/url.ts";
import { Icon, Popover } from "./ui.tsx";

/** A value of one field, or of several that belong together, such as protocol and port. */
export interface Value {
  /** Fields, or terms of `by`. */
  by: string[];
  key: string[];
  label: string[];
  /** The condition from the server. */
  filter?: string | null;
  /** Its own range, from and to: of a time group, or of the clicked interval. */
  time?: [number, number] | null;
}

interface MenuAt {
  x: number;
  y: number;
  value: Value;
}

const at = signal<MenuAt | null>(null);

export type Mode = "only" | "exclude" | "add";

/** A series as a whole: all of its values, and its time. */
export const groupOf = (s: Series, by: string[]): Value => ({
  by,
  key: s.key,
  label: s.label,
  filter: s.filter?.filter(Boolean).join(" and "),
  time: s.time,
});

/** One of the values that make up a series. */
export const oneOf = (s: Series, by: string[], i: number): Value => ({
  by: [by[i]],
  key: [s.key[i]],
  label: [s.label[i] ?? s.key[i]],
  filter: s.filter?.[i],
  time: isTime(by[i]) ? s.time : null,
});

/** The condition that matches only this value; empty for a time. */
export function conditionOf(v: Value): string {
  if (v.filter || v.by.every(isTime)) return v.filter ?? "";
  return v.by
    .map((term, i) =>
      isTime(term) ? "" : condition(term.split(":")[0], fieldOf(term)?.kind ?? "string", fieldOf(term)?.ops ?? [], v.key[i], false),
    )
    .filter(Boolean)
    .join(" and ");
}

/** The filter text narrowed to a value, without it, or widened by it. */
export function filtered(q: string, v: Value, mode: Mode): string {
  const is = conditionOf(v);
  if (is === "") return q;
  return mode === "add" ? widen(q, is) : narrow(q, mode === "exclude" ? without(is) : is);
}

export function filterBy(v: Value, mode: Mode): void {
  show({ q: filtered(view.value.q, v, mode), hide: [] });
}

/** The page about a value, if its field has one. */
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

/** Opens the menu at a position of the window. */
export function openAt(x: number, y: number, value: Value): void {
  at.value = { x, y, value };
}

/** Opens the menu below the clicked element; Alt and Shift act without it. */
export function openValue(e: MouseEvent, value: Value): void {
  const can = conditionOf(value) !== "";
  if (can && (e.altKey || e.shiftKey)) {
    filterBy(value, e.altKey ? "exclude" : "add");
    return;
  }
  const box = (e.currentTarget as Element).getBoundingClientRect();
  // A click by keyboard has no position; a click in a drawing has.
  const inside = e.detail > 0 && (box.height > 60 || box.width > 300);
  openAt(inside ? e.clientX : box.left, inside ? e.clientY + 6 : box.bottom + 4, value);
}

export const labelOf = (v: Value) => v.label.map((l, i) => l || v.key[i] || "(empty)").join(" · ");

/** A value as a button that opens the menu. */
export function ValueButton({ value, title, children }: { value: Value; title?: string; children?: ComponentChildren }) {
  const plain = labelOf(value) === value.key.join(" · ");
  return (
    <button
      type="button"
      class="value"
      data-opens
      aria-haspopup="menu"
      title={title ?? (plain ? undefined : value.key.join(" · "))}
      onClick={(e) => openValue(e, value)}
    >
      {children ?? (labelOf(value) === "(empty)" ? <span class="quiet">(empty)</span> : labelOf(value))}
    </button>
  );
}

/** The single value menu of a page, shown by the frame. */
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
        {conditionOf(value) && (
          <>
            <button type="button" role="menuitem" onClick={act(() => filterBy(value, "only"))}>
              <Icon name="filter" /> Filter to this
            </button>
            <button type="button" role="menuitem" onClick={act(() => filterBy(value, "exclude"))}>
              <Icon name="minus" /> Exclude <kbd>Alt+click</kbd>
            </button>
            <button type="button" role="menuitem" onClick={act(() => filterBy(value, "add"))}>
              <Icon name="plus" /> Add to list <kbd>Shift+click</kbd>
            </button>
          </>
        )}
        {value.time && (
          <button type="button" role="menuitem" onClick={act(() => show({ ...zoom(value), hide: [] }))}>
            <Icon name="clock" /> Zoom to {span(value.time)}
          </button>
        )}
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
        {elsewhere(page).map(({ name, href }) => (
          <a key={href} role="menuitem" href={href} target="_blank" rel="noopener noreferrer" onClick={close}>
            <Icon name="link" /> {name}
          </a>
        ))}
      </div>
    </Popover>
  );
}

const zoom = ({ time }: Value) => (time ? { from: absolute(time[0]), to: absolute(time[1]), live: false } : {});

/** A range for reading, with the second day only if it differs. */
function span([from, to]: [number, number]): string {
  const tz = zone.value;
  const exact = from % 60 > 0 || to % 60 > 0;
  const end = dayName(to - 1, tz) === dayName(from, tz) ? clock(to, tz, exact) : dayName(to, tz) + " " + clock(to, tz, exact);
  return `${dayName(from, tz)} ${clock(from, tz, exact)} – ${end}`;
}

/** Makes the value a filter and opens the list of fields to group by. */
export function groupBy(v: Value): void {
  const next = {
    ...view.value,
    ...zoom(v),
    q: filtered(view.value.q, v, "only"),
    by: view.value.by.filter((b) => !v.by.includes(b)),
    hide: [],
    skip: 0,
  };
  go("/explore?" + format(next));
  requestAnimationFrame(() => document.getElementById("by-add")?.click());
}
