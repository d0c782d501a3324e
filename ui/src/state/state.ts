// The state of the page: the URL, personal choices that are not part of a view, and the fields of the server.

import { computed, signal } from "@preact/signals";
import { api, type Field, type Unit } from "../api/api.ts";
import { asks } from "../pages.ts";
import { fieldWords } from "../text/filter.ts";
import { capital } from "../text/format.ts";
import { zoneName } from "../text/time.ts";
import { defaults, format, isTime, parse, type View } from "../text/url.ts";

export const path = signal(location.pathname);
export const view = signal<View>(parse(location.search));
export const zone = computed(() => zoneName(view.value.tz));

addEventListener("popstate", () => {
  path.value = location.pathname;
  view.value = parse(location.search);
});

/** Shows another view, on this page if it has a filter or range, else on Explore. `push` adds a step for Back; `replace` does not. */
export function show(patch: Partial<View>, how: "push" | "replace" = "push"): void {
  const to = asks(path.value) ? path.value : "/explore";
  // Another query starts at its top groups.
  if (!("skip" in patch) && ["q", "by", "n", "unit", "rank", "rankdir", "dir", "vs"].some((k) => k in patch)) patch = { ...patch, skip: 0 };
  const search = written(to, { ...view.value, ...patch }, patch);
  if (search === written(to, view.value) && path.value === to) return;
  go(to + (search ? "?" + search : ""), how);
}

export function go(to: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  path.value = location.pathname;
  view.value = parse(location.search);
}

/**
 * The query string of a page. The overview without a range shows all stored data, and a board uses the ranges of its views, so there the
 * default is written too.
 */
function written(page: string, v: View, patch: Partial<View> = {}): string {
  const search = format(v);
  const open = page === "/" || (page.startsWith("/v/") && patch.from !== undefined);
  return open && v.from === defaults().from ? `from=${v.from}${search && "&" + search}` : search;
}

/** The address of a page with another view. */
export function link(to: string, patch: Partial<View> = {}): string {
  const search = written(to, { ...view.value, ...patch });
  return to + (search ? "?" + search : "");
}

/** Follows a link without loading the page again. */
export function follow(e: MouseEvent): void {
  if (e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
  e.preventDefault();
  const to = (e.currentTarget as HTMLAnchorElement).getAttribute("href") ?? "/";
  if (to !== path.peek() + location.search) go(to);
}

// Fields and units, from the server.

export const fields = signal<Field[]>([]);
export const units = signal<Unit[]>([{ name: "bps", title: "bits/s" }]);
export const fieldByName = computed(() => new Map(fields.value.map((f) => [f.name, f])));
export const words = computed(() => fieldWords(fields.value.map((f) => f.name)));

export async function loadFields(): Promise<void> {
  try {
    const { body } = await api.fields();
    const groups = [...new Set((body.fields ?? []).map((f) => f.group))];
    fields.value = (body.fields ?? [])
      .map((f) => ({ ...f, title: capital(f.title) }))
      .sort((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group));
    if (body.units?.length) units.value = body.units;
  } catch {
    setTimeout(loadFields, 2000);
  }
}

/** The field of a group-by term, which may have arguments after colons. Networks (x.net:24:48) are truncated addresses (x.ip). */
export function fieldOf(term: string): Field | undefined {
  const name = term.split(":")[0];
  return fieldByName.value.get(name) ?? fieldByName.value.get(name.replace(/(^|\.)net$/, "$1ip"));
}

const lengths: Record<string, string> = { "1m": "minute", "1h": "hour", "1d": "day", "1w": "week" };

export function termTitle(term: string): string {
  const [name, ...args] = term.split(":");
  if (isTime(term)) return "Each " + (lengths[args[0]] ?? args[0]);
  return (fieldOf(term)?.title ?? name) + (args.length ? " /" + args.join(" /") : "");
}

// Personal choices.

function stored<T extends string>(key: string, fallback: T, allowed: readonly T[]) {
  let start = fallback;
  try {
    const s = localStorage.getItem(key) as T | null;
    if (s !== null && (allowed.length === 0 || allowed.includes(s))) start = s;
  } catch {
    // storage disabled: the choice lasts for this visit
  }
  const s = signal<T>(start);
  return {
    signal: s,
    set(v: T) {
      s.value = v;
      try {
        localStorage.setItem(key, v);
      } catch {
        // as above
      }
    },
  };
}

export const themes = ["auto", "light", "dark"] as const;
export const themeChoice = stored("theme", "auto", themes);
export const keysChoice = stored("keys", "on", ["on", "off"] as const);
/** The name of the user, whose private views are shown. Not access control. */
export const ownerChoice = stored<string>("owner", "", []);
export const addressChoice = stored<string>("collector", "", []);
export const refreshChoice = stored("refresh", "auto", ["auto", "5", "10", "30", "60", "300"] as const);

/** Open by default if there is room next to the chart. */
export const facetsChoice = stored("facets", innerWidth >= 1360 ? "on" : "off", ["on", "off"] as const);

/** The hidden kinds of events, URL-encoded and separated by commas; "*": all events. */
export const hiddenKinds = stored<string>("events-hidden", "", []);

/** The number of rows above which a query needs confirmation. */
export const defaultDear = "1000000000";
export const dearRows = stored<string>("dear-rows", defaultDear, []);

const darkQuery = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(darkQuery.matches);
darkQuery.addEventListener("change", (e) => (systemDark.value = e.matches));
/** Printing always uses the light theme. */
const paper = matchMedia("print");
const printing = signal(paper.matches);
paper.addEventListener("change", (e) => (printing.value = e.matches));
export const dark = computed(
  () => !printing.value && (themeChoice.signal.value === "auto" ? systemDark.value : themeChoice.signal.value === "dark"),
);

export function setTheme(t: (typeof themes)[number]): void {
  if (t === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = t;
  themeChoice.set(t);
}

// The toast, which disappears automatically.

export const toast = signal<{ text: string; undo?: () => void } | null>(null);
let toastTimer = 0;
const toastMS = 2500;
const undoMS = 8000;

/** Shows a toast, with an Undo button if `undo` is set. It stays while the pointer or focus is on it. */
export function say(text: string, undo?: () => void): void {
  toast.value = { text, undo };
  clearTimeout(toastTimer);
  const away = () => {
    if (document.querySelector(".toast:is(:hover, :focus-within)")) toastTimer = window.setTimeout(away, 500);
    else toast.value = null;
  };
  toastTimer = window.setTimeout(away, undo ? undoMS : toastMS);
}

/** Copies text, also without a secure origin, such as http://collector.example:8080. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "offscreen";
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied`);
}

/** Mail and tickets truncate longer addresses; the server stores them under a short name. */
const longAddress = 2000;

/** Copies the whole address of a page. */
export async function copyLink(address: string, what: string): Promise<void> {
  let short = address;
  if (address.length > longAddress)
    short = await api.addLink(address).then(
      ({ body }) => body.address,
      () => address,
    );
  await copy(location.origin + short, what);
}

// State shared by the parts of Explore.

/** The series under the pointer, in the chart or in the table. */
export const highlight = signal<string | null>(null);
export const sqlOpen = signal(false);
export const helpOpen = signal(false);
export const reload = signal(0);
/** The range on screen; null while there is no result. */
export const shown = signal<{ from: number; to: number; step: number; now: number; ids: string[] } | null>(null);
