// The pages. All that names them follows from this list: the navigation, the titles, the keys and their help, what a URL carries, which
// script is loaded, and the paths for which the server answers with the page (build.mjs writes them into dist/pages.json).
//
// This file is below all others, so that each may ask it; what it loads is fetched when a page is opened.

import type { ComponentType } from "preact";

export interface Page {
  /** Where it is. One that ends in a slash stands for all below it, each a page about one thing. */
  path: string;
  /** What the window is called after; none where the thing says enough. */
  title?: string;
  /** Of a page about one thing: what that is called, from the rest of the path. */
  of?: (rest: string) => string;
  /** It stands in the navigation, and g and this key go there. */
  key?: string;
  /** Its URL has a filter and a time. */
  asks?: boolean;
  /** The navigation takes them along to it. */
  carries?: boolean;
  /** Fetches the file that draws it; `rest` is the rest of the path. */
  load: () => Promise<{ default: ComponentType<{ rest: string }> }>;
}

export const pages: readonly Page[] = [
  { path: "/", title: "Overview", key: "o", asks: true, carries: true, load: () => import("./pages/overview/overview.tsx") },
  { path: "/explore", title: "Explore", key: "e", asks: true, carries: true, load: () => import("./pages/explore/explore.tsx") },
  { path: "/flows", title: "Flows", key: "f", asks: true, carries: true, load: () => import("./pages/flows/flows.tsx") },
  { path: "/views", title: "Views", key: "v", load: () => import("./pages/views/views.tsx") },
  { path: "/exporters", title: "Exporters", key: "x", load: () => import("./pages/exporters/exporters.tsx") },
  { path: "/if", title: "Interfaces", key: "i", asks: true, load: () => import("./pages/interfaces/interfaces.tsx") },
  { path: "/status", title: "Status", key: "s", load: () => import("./pages/status/status.tsx") },
  { path: "/start", title: "Start", key: "t", load: () => import("./pages/start/start.tsx") },

  { path: "/exporters/", title: "Exporters", asks: true, load: () => import("./pages/exporters/exporter.tsx") },
  { path: "/if/", title: "Interfaces", asks: true, load: () => import("./pages/interfaces/interface.tsx") },
  { path: "/host/", asks: true, load: () => import("./pages/entity/host.tsx") },
  { path: "/as/", of: (asn) => "AS" + asn, asks: true, load: () => import("./pages/entity/as.tsx") },
  { path: "/v/", of: () => "", asks: true, load: () => import("./pages/views/view.tsx") },
];

/** The page at a path, if there is one, and the rest of the path as it is meant. */
export function pageAt(path: string): { page: Page; rest: string } | undefined {
  const page = pages.find((p) => p.path === path || (below(p) && path.startsWith(p.path)));
  if (!page) return undefined;
  const rest = below(page) ? meant(path.slice(page.path.length)) : "";
  return below(page) && rest === "" ? undefined : { page, rest };
}

const below = (p: Page) => p.path.length > 1 && p.path.endsWith("/");

function meant(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone % typed by hand
  }
}

/** Filter and time go with the reader from page to page; these pages take them from the URL, and boards narrow their views with them. */
export const asks = (path: string) => pageAt(path)?.page.asks ?? false;
