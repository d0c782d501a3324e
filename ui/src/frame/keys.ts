// Keys for people who stay on the keyboard. None is taken while a text field has the focus; all can be switched off in the help.

import { comparisons, dirs, vizzes } from "../state/choices.ts";
import { markHere } from "../state/events.ts";
import { save } from "../state/saved.ts";
import {
  asks,
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

export const help: [string, string][] = [
  ["/", "filter"],
  ["t", "time range"],
  ["b", "group by"],
  ["v  u  d", "next visualization, unit, direction"],
  ["[  ]", "earlier, later"],
  ["-  =", "zoom out, zoom in"],
  ["l", "live on or off"],
  ["r", "refresh"],
  ["c", "next comparison"],
  ["f", "facets"],
  ["s", "save as a view"],
  ["m", "mark an event"],
  ["x", "SQL"],
  ["y", "copy a link to exactly this time"],
  ["Y", "copy a link that moves with the clock"],
  ["1 … 9", "only this series; again: all"],
  ["j  k", "next, previous row"],
  ["+  _", "filter the row in, out"],
  ["← →", "values, when the chart has the focus"],
  ["Esc", "close, cancel a query"],
  ["g o  g e", "go to the overview, Explore"],
  ["g f  g v", "Flows, Views"],
  ["g x  g i", "Exporters, Interfaces"],
  ["g s  g t", "Status, Start"],
  ["?", "this help"],
];

const next = (list: { value: string; title: string }[], value: string) =>
  list[(list.findIndex((x) => x.value === value) + 1) % list.length];

/** Where g and another key go. */
const targets: Record<string, string> = {
  o: "/",
  e: "/explore",
  f: "/flows",
  v: "/views",
  x: "/exporters",
  i: "/if",
  s: "/status",
  t: "/start",
};

let goPending = 0;

export function listen(): void {
  addEventListener("keydown", (e) => {
    if (keysChoice.signal.value === "off" && e.key !== "?") return;
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
    const el = e.target as HTMLElement;
    if (el.closest("input, textarea, select, [contenteditable]")) return;
    if (document.querySelector("dialog[open], .popover")) return; // they have keys of their own
    if (Date.now() - goPending < 1200) {
      goPending = 0;
      const to = targets[e.key];
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

// At once, not with the next drawing: the key that follows belongs to the field already.
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
    say(`Compared with ${c.title}`);
  },
  s: save,
  m: markHere,
  x: () => (sqlOpen.value = !sqlOpen.value),
  y: () => void copyLink(pinnedLink(), "Link to exactly this time"),
  Y: () => void copyLink(location.pathname + location.search, "Live link"),
  Escape: () => (sqlOpen.value = false),
  j: row("j"),
  k: row("k"),
  "+": row("+"),
  _: row("_"),
};

/** Those that mean the same on every page with a filter or a time. */
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
