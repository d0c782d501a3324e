// The list of pages. It defines the navigation, the titles, the keys and their help, the state that links carry, the script of each page,
// and the paths that the server answers with the web UI (build.mjs writes them to dist/pages.json).
//
// All other files may import this one. It loads the file of a page when the page is opened.

import type { ComponentType } from "preact";

export interface Page {
  /** The path. A path that ends in a slash covers all paths below it, each a page about one thing. */
  path: string;
  /** The window title; none if the subject suffices. */
  title?: string;
  /** The title of the subject, from the rest of the path. */
  of?: (rest: string) => string;
  /** Shown in the navigation; g and this key open it. */
  key?: string;
  /** Its URL has a filter and a range. */
  asks?: boolean;
  /** Links of the navigation carry them. */
  carries?: boolean;
  /** Loads the component; `rest` is the rest of the path. */
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

/** The page at a path, if any, and the decoded rest of the path. */
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

/** Whether the page at a path has a filter and a range in its URL. Boards narrow their views with them. */
export const asks = (path: string) => pageAt(path)?.page.asks ?? false;
