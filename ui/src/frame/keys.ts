// Keyboard shortcuts. None acts while a text field has the focus; the help can disable all.

import { asks, pages } from "../pages.ts";
import { comparisons, dirs, vizzes } from "../state/choices.ts";
import { markHere } from "../state/events.ts";
import { save } from "../state/saved.ts";
import {
  copyLink,
  facetsChoice,
  go,
  helpOpen,
  keysChoice,
  link,
  path,
  refreshChoice,
  reload,
  say,
  show,
  shown,
  sqlOpen,
  units,
  view,
} from "../state/state.ts";
import { pinnedLink, shift, zoomBy } from "../state/window.ts";

const next = (list: { value: string; title: string }[], value: string) =>
  list[(list.findIndex((x) => x.value === value) + 1) % list.length];

let goPending = 0;

export function listen(): void {
  addEventListener("keydown", (e) => {
    if (keysChoice.signal.value === "off" && e.key !== "?") return;
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
    const el = e.target as HTMLElement;
    if (el.closest("input, textarea, select, [contenteditable]")) return;
    if (document.querySelector("dialog[open], .popover")) return; // they have their own keys
    if (Date.now() - goPending < 1200) {
      goPending = 0;
      const to = pages.find((p) => p.key === e.key)?.path;
      if (to) {
        e.preventDefault();
        go(asks(path.value) && asks(to) ? link(to) : to);
      }
      return;
    }
    const act = common[e.key] ?? (path.value === "/explore" ? explore[e.key] : asks(path.value) ? asking[e.key] : undefined);
    if (!act) return;
    e.preventDefault();
    act();
  });
}

// At once, not with the next render, because the following key must reach the field.
const press = (id: string) => () => document.getElementById(id)?.click();
const filter = () => {
  const area = document.getElementById("filter") as HTMLTextAreaElement | null;
  area?.focus();
  area?.select();
};

const common: Record<string, () => void> = {
  "?": () => (helpOpen.value = true),
  g: () => (goPending = Date.now()),
};

const row = (key: string) => () => {
  dispatchEvent(new CustomEvent("netmeta:row", { detail: { key } }));
};

const explore: Record<string, () => void> = {
  "/": filter,
  t: press("range"),
  b: press("by-add"),
  v: () => show({ viz: next(vizzes, view.value.viz).value }),
  u: () =>
    show({
      unit: next(
        units.value.map((x) => ({ value: x.name, title: x.title })),
        view.value.unit,
      ).value,
    }),
  d: () => {
    const d = next(dirs, view.value.dir);
    show({ dir: d.value });
    say(`Direction: ${d.title}`);
  },
  "[": () => shift(-1),
  "]": () => shift(1),
  "-": () => zoomBy(2),
  "=": () => zoomBy(0.5),
  l: () => {
    if (!view.value.live) refreshChoice.set("auto");
    show({ live: !view.value.live }, "replace");
  },
  r: () => (reload.value += 1),
  f: () => facetsChoice.set(facetsChoice.signal.value === "on" ? "off" : "on"),
  c: () => {
    const c = next(comparisons, view.value.vs);
    show({ vs: c.value });
    say(`Compare: ${c.title}`);
  },
  s: save,
  m: markHere,
  x: () => (sqlOpen.value = !sqlOpen.value),
  y: () => void copyLink(pinnedLink(), "Link (fixed time)"),
  Y: () => void copyLink(location.pathname + location.search, "Live link"),
  Escape: () => (sqlOpen.value = false),
  j: row("j"),
  k: row("k"),
  "+": row("+"),
  _: row("_"),
};

/** The keys that act on every page with a filter or a range. */
const asking = Object.fromEntries(
  Object.entries(explore).filter(([key]) => ["/", "t", "[", "]", "-", "=", "l", "r", "s", "m", "x", "Escape"].includes(key)),
);

for (let i = 1; i <= 9; i++) {
  explore[String(i)] = () => {
    const ids = shown.value?.ids ?? [];
    const id = ids[i - 1];
    if (id === undefined) return;
    const others = ids.filter((x) => x !== id);
    const alone = view.value.hide.length === others.length && !view.value.hide.includes(id);
    show({ hide: alone ? [] : others });
  };
}
