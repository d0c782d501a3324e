// How the page asks the server. What it says back is described by api.gen.ts, which follows from the types of the server.

import type { Answers, Bodies, FilterError, Problem, Series, Trouble } from "./api.gen.ts";

export type * from "./api.gen.ts";

// Names that mean something else on the page.
export type { ExporterDetail as Health, Flows as FlowsResult, Result as QueryResult, View as SavedView } from "./api.gen.ts";

export type Dir = Series["dir"];

/** How grave it is. */
export type Level = Trouble["level"];

/** Forget takes back what was decided. */
export type Decision = Bodies["POST /api/v1/senders"]["decision"];

/** An answer that is not 2xx, or none at all (status 0). */
export class APIError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail || problem.title || `HTTP ${status}`);
  }

  get filter(): FilterError | undefined {
    const p = this.problem;
    return p.span ? { message: p.detail || p.title || "error", span: p.span, expected: p.expected, suggestion: p.suggestion } : undefined;
  }
}

export interface Answer<T> {
  body: T;
  /** The server's clock when it answered, in epoch seconds: the web UI does not trust the clock of the client. */
  now: number;
}

export const noAnswer = "NetMeta does not answer";

interface Request<K> extends Omit<RequestInit, "body"> {
  /** Values of the {names} in the path. */
  path?: Record<string, string>;
  /** The keys of the URL. */
  keys?: string;
  body?: K extends keyof Bodies ? Bodies[K] : undefined;
}

/** Asks by a route of the server. Methods and paths are its own, and so are the types of what goes and comes. */
async function call<K extends keyof Answers>(route: K, { path = {}, keys, body, ...init }: Request<K>): Promise<Answer<Answers[K]>> {
  const [method, pattern] = route.split(" ");
  const url = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name])) + (keys ? "?" + keys : "");
  const headers: HeadersInit = { Accept: "application/json", ...(body && { "Content-Type": "application/json" }), ...init.headers };
  let res: Response;
  try {
    res = await fetch(url, { ...init, method, headers, body: body && JSON.stringify(body) });
  } catch (e) {
    if (e instanceof DOMException && e.name === "AbortError") throw e;
    throw new APIError(0, { title: noAnswer });
  }
  const date = Date.parse(res.headers.get("date") ?? "") / 1000;
  const now = Number.isNaN(date) ? Date.now() / 1000 : date;
  if (!res.ok) throw new APIError(res.status, (await res.json().catch(() => ({}))) as Partial<Problem>);
  return { body: (res.status === 204 ? undefined : await res.json()) as Answers[K], now };
}

const fresh = "no-store";

export const api = {
  query: (keys: string, signal: AbortSignal, tag?: string) =>
    call("GET /api/v1/query", { keys, signal, headers: tag ? { "Query-Tag": tag } : {} }),
  estimate: (keys: string, signal: AbortSignal) => call("GET /api/v1/estimate", { keys, signal }),
  facets: (keys: string, signal: AbortSignal) => call("GET /api/v1/facets", { keys, signal }),
  explain: (keys: string, signal: AbortSignal) => call("GET /api/v1/explain", { keys, signal }),
  fields: () => call("GET /api/v1/fields", {}),
  flows: (keys: string, signal?: AbortSignal) => call("GET /api/v1/flows", { keys, signal }),
  exporters: (signal?: AbortSignal) => call("GET /api/v1/exporters", { signal, cache: fresh }),
  interfaces: (keys: string, signal?: AbortSignal) => call("GET /api/v1/interfaces", { keys, signal, cache: fresh }),
  link: (exporter: string, index: string, keys: string, signal?: AbortSignal) =>
    call("GET /api/v1/interfaces/{exporter}/{index}", { path: { exporter, index }, keys, signal, cache: fresh }),
  running: (signal?: AbortSignal) => call("GET /api/v1/queries", { signal, cache: fresh }),
  end: (id: string) => call("DELETE /api/v1/queries/{id}", { path: { id } }),
  /** Those of one kind, or of all. */
  events: (from: number, to: number, kind = "", signal?: AbortSignal) =>
    call("GET /api/v1/events", { keys: `${kind && `kind=${kind}&`}from=${from}&to=${to}`, cache: fresh, signal }),
  addEvent: (body: Bodies["POST /api/v1/events"]) => call("POST /api/v1/events", { body }),
  demo: (run: boolean) => call(run ? "POST /api/v1/demo" : "DELETE /api/v1/demo", {}),
  decide: (decision: Decision, addresses: string[]) => call("POST /api/v1/senders", { body: { addresses, decision } }),
  deleteEvent: (id: string) => call("DELETE /api/v1/events/{id}", { path: { id } }),
  addLink: (address: string) => call("POST /api/v1/links", { body: { address } }),
  views: () => call("GET /api/v1/views", { cache: fresh, headers: owner }),
  view: (slug: string, signal?: AbortSignal) => call("GET /api/v1/views/{slug}", { path: { slug }, signal, cache: fresh, headers: owner }),
  /** A new view; its slug must be free. */
  addView: (v: ViewSaved) => call("POST /api/v1/views", { body: viewBody(v), headers: owner }),
  putView: (v: ViewSaved) => call("PUT /api/v1/views/{slug}", { path: { slug: v.slug ?? "" }, body: viewBody(v), headers: owner }),
  deleteView: (slug: string) => call("DELETE /api/v1/views/{slug}", { path: { slug }, headers: owner }),
  alive: (signal: AbortSignal) => call("GET /healthz", { signal, cache: fresh }),
  status: (signal?: AbortSignal) => call("GET /api/v1/status", { signal, cache: fresh }),
  check: (q: string, signal?: AbortSignal) => call("POST /api/v1/filter/check", { body: { q }, signal }),
  complete: (text: string, cursor: number, signal?: AbortSignal) =>
    call("POST /api/v1/filter/complete", { body: { text, cursor }, signal }),
};

type ViewSaved = Bodies["POST /api/v1/views"];

/** Of a view what its reader says; the rest is the server's. */
const viewBody = ({ slug, name, description, page, query, of, shared, pinned }: ViewSaved): ViewSaved => ({
  slug,
  name,
  description,
  page,
  query,
  of,
  shared,
  pinned,
});

/** Under which name views are asked for. A header has letters of Latin 1 alone, so others go as a URL writes them. */
let owner: Record<string, string> = {};
export const nameOwner = (name: string) => (owner = name ? { "View-Owner": headerOf(name) } : {});
export const headerOf = (name: string) => (/^[\x20-\x24\x26-\x7e]*$/.test(name) ? name : encodeURIComponent(name));
