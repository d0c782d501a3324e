// Saved views: the list, the one on screen, and what a save sends. The pages that show and edit them are in views.tsx, board.tsx and
// saveview.tsx.

import { computed, signal } from "@preact/signals";
import { api, type SavedView } from "../api/api.ts";
import { asks } from "../pages.ts";
import { format, parse } from "../text/url.ts";
import { path, view } from "./state.ts";

/** The views visible to this user; empty until loaded. */
export const savedViews = signal<SavedView[]>([]);

/** The subject of the open form: a view to edit, or a new view of the current page. */
export const saving = signal<{ change?: SavedView; of?: string[] } | null>(null);

/** Opens the form that saves the current page: views of a board as a board, else as a view. */
export const save = () => (saving.value = { of: boardOf(path.peek())?.of });

/** Whether the list of views is loaded. */
export const viewsLoaded = signal(false);

export async function loadViews(): Promise<void> {
  try {
    savedViews.value = (await api.views()).body.views;
    viewsLoaded.value = true;
  } catch {
    setTimeout(loadViews, 5000);
  }
}

/** The page of a saved view, without the slash before it. */
export function pageOf(p: string): string {
  try {
    p = decodeURIComponent(p);
  } catch {
    // a lone % typed by hand: no saved view has one
  }
  return p.replace(/^\//, "");
}

/** The query of a view in the format of this version, with the overrides of a link. */
export function overridden(query: string, search: string): string {
  const key = (pair: string) => pair.split("=")[0];
  const given = search
    .replace(/^\?/, "")
    .split("&")
    .filter((pair) => pair !== "");
  const names = new Set(given.map(key));
  const kept = query.split("&").filter((pair) => pair !== "" && !names.has(key(pair)));
  return format(parse([...kept, ...given].join("&")));
}

/** The target of a view: the plain URL of its page, or a board. */
export function addressOf(v: Pick<SavedView, "slug" | "page" | "query" | "of">, search = ""): string {
  if (v.of.length > 0) return "/v/" + v.slug + (search && "?" + search.replace(/^\?/, ""));
  const query = overridden(v.query, search);
  return "/" + v.page + (query && "?" + query);
}

/** The views of a board address: /v/a+b, or /v/BOARD of a saved board. Undefined: not a board. */
export function boardOf(p: string): { board: SavedView | undefined; of: string[] } | undefined {
  if (!p.startsWith("/v/")) return undefined;
  const slugs = pageOf(p).slice("v/".length).split(/[+ ]/).filter(Boolean);
  if (slugs.length > 1) return { board: undefined, of: slugs };
  const board = savedViews.value.find((v) => v.slug === slugs[0]);
  return board && board.of.length > 0 ? { board, of: board.of } : undefined;
}

/** The slug of a name, as the server derives it. */
export const slugOf = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 64)
    .replace(/^-+|-+$/g, "");

export const slugForm = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

/** Sorts pinned views first, then own views, then those of others, then those of the configuration; by name within each. */
export function ordered(list: SavedView[], owner: string): SavedView[] {
  const rank = (v: SavedView) => (v.pinned ? 0 : 4) + (v.provisioned ? 2 : v.owner === owner ? 0 : 1);
  return [...list].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

const opened = signal<{ slug: string; page: string } | null>(null);

/** The current view: the one with this URL, or the one that was opened and then changed. */
export const current = computed((): { view: SavedView; changed: boolean } | null => {
  const page = pageOf(path.value);
  if (!asks(path.value)) return null;
  const here = comparable(format(view.value));
  const of = savedViews.value.filter((v) => v.of.length === 0 && v.page === page);
  const was = opened.value?.page === page ? of.find((v) => v.slug === opened.value?.slug) : undefined;
  const same = [was, ...of].find((v) => v && comparable(v.query) === here);
  return same ? { view: same, changed: false } : was ? { view: was, changed: true } : null;
});

// A view stays the opened view while the user changes it, until another page or view is shown.
current.subscribe((c) => {
  if (c && opened.peek()?.slug !== c.view.slug) opened.value = { slug: c.view.slug, page: c.view.page };
  else if (!c && opened.peek() && opened.peek()?.page !== pageOf(path.peek())) opened.value = null;
});

/** Closes the opened view. */
export const leave = () => (opened.value = null);

/** The query that identifies a view, without live mode and selection. */
function comparable(query: string): string {
  return format({ ...parse(query), live: false, sel: "" });
}

/** The current page as the query of a view. */
export const shownQuery = () => format({ ...view.peek(), sel: "" });
