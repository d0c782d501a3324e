// The HTTP contract as types, and one function to call it. Mirrors /api/v1/openapi.json.

export type Dir = "in" | "out" | "internal" | "transit" | "unknown" | "sum";

export interface Series {
  key: string[];
  label: string[];
  dir: Dir;
  other: boolean;
  /** With other: the groups that skip leaves out. */
  larger?: boolean;
  /** For Other: how many groups it holds. */
  folded?: number;
  /** A condition of the filter language for each part of the key. */
  filter?: string[] | null;
  /** Of a group of time: from and to. */
  time?: [number, number] | null;
  values: (number | null)[];
  /** Sampled packets behind each value. */
  n: (number | null)[];
  avg: number;
  max: number;
  last: number;
  total: number;
  share: number;
  error: number | null;
  /** With agg=peak: the largest second, of each bucket and of all. */
  peaks?: (number | null)[] | null;
  peak?: number;
  vs?: Versus | null;
}

/** The same in an earlier window, or in the band of several. */
export interface Versus {
  values?: (number | null)[] | null;
  min?: (number | null)[] | null;
  max?: (number | null)[] | null;
  avg: number;
  total: number;
  delta: number;
  change: number | null;
}

export interface Total {
  dir: Dir;
  values: (number | null)[];
  avg: number;
  max: number;
  last: number;
  total: number;
  peaks?: (number | null)[] | null;
  peak?: number;
  vs?: Versus | null;
}

export interface Meta {
  sql: string;
  params: Record<string, unknown> | null;
  rows: number;
  bytes: number;
  ms: number;
  table: string;
  partial: { first: boolean; last: boolean };
  through: number;
  resolution: number;
  unknown_keys?: string[] | null;
  /** What of the question is not answered, a sentence each. */
  notes?: string[] | null;
  empty?: "no-exporter" | "no-match" | "before-retention" | null;
  matches_7d?: boolean;
  /** Records in the window that no network carries. */
  implausible?: number;
}

export interface QueryResult {
  from: number;
  to: number;
  step: number;
  unit: string;
  by: string[];
  times: number[];
  dirs: Dir[];
  series: Series[];
  total: Total[];
  other: number;
  meta: Meta;
  vs?: { name: string; shifts: number[] } | null;
}

export interface Field {
  name: string;
  column: string;
  title: string;
  doc: string;
  group: string;
  kind: string;
  side: string;
  ops: string[] | null;
  unit: string;
  groupable: boolean;
  filterable: boolean;
  values?: string[] | null;
  /** The page that a value has of its own: host, as, exporter or interface. */
  page?: string;
}

export interface Unit {
  name: string;
  title: string;
}

export interface Fields {
  fields: Field[];
  units: Unit[];
}

export interface FilterError {
  message: string;
  span: [number, number];
  expected?: string[] | null;
  suggestion?: string | null;
}

export type Check = { ok: true; canonical: string } | { ok: false; error: FilterError };

export interface CompletionItem {
  insert: string;
  label: string;
  kind: string;
  detail?: string;
}

export interface Completion {
  replace: [number, number];
  items: CompletionItem[] | null;
}

/** What an answer was made from. */
export interface Cost {
  sql: string;
  params: Record<string, unknown> | null;
  rows: number;
  bytes: number;
  ms: number;
  unknown_keys?: string[] | null;
  notes?: string[] | null;
}

export interface Facet {
  by: string[];
  distinct: number;
  values: { key: string[]; label: string[]; filter: string; rate: number; total: number; share: number }[];
}

export interface FlowColumn {
  column: string;
  /** In the filter language; empty: not to be filtered by. */
  name: string;
  title: string;
  unit: string;
  kind: "number" | "text" | "list" | "time" | "time-ms";
}

export interface FlowsResult {
  from: number;
  to: number;
  rows: number;
  columns: FlowColumn[];
  /** A list for each column. */
  values: (number | string | string[])[][];
  /** Of each record, with which a list in the order of time begins at it. */
  cursors: string[];
  /** By number what the ASes in the values are called, where that is known. */
  as_names: Record<string, string>;
  next?: string;
  meta: Cost;
}

export interface Facets {
  from: number;
  to: number;
  unit: string;
  total: number;
  rate: number;
  facets: Facet[];
  /** Lists that were not made, since they read more rows than `most`: their names, and how many rows. */
  left: { facets: string[]; rows: number } | null;
  meta: Cost;
}

export interface Explanation {
  from: number;
  to: number;
  before_from: number;
  before_to: number;
  unit: string;
  now: number;
  before: number;
  delta: number;
  change: number | null;
  kind: "rise" | "fall" | "move" | "steady";
  text: string;
  causes: { by: string[]; text: string; filter: string; share: number; values: number }[];
  filter: string;
  aspects: {
    by: string[];
    distinct: number;
    rise: number;
    fall: number;
    values: { key: string[]; label: string[]; filter: string; now: number; before: number; delta: number }[];
  }[];
  meta: Cost;
}

export interface Estimate {
  rows: number;
  parts: number;
  /** 0 before the first question. */
  ms: number;
  oldest: number;
}

export interface Sampling {
  domain: number;
  of: string;
  id: number;
  rate: number;
  source: string;
  effective?: number;
  samples?: number;
  dropped?: number;
  /** The effective rate is another than the declared one. */
  differs?: boolean;
}

export type Level = "warn" | "bad";

/** Something that is wrong, and what helps. The server judges; the page shows. */
export interface Trouble {
  /** Stable: by it troubles are told apart. */
  id: string;
  level: Level;
  /** The part of NetMeta that has it. */
  of?: string;
  what: string;
  remedy: string;
}

/** A part of the way from the first datagram of an exporter to rows in the store. */
export interface Step {
  id: "datagrams" | "type" | "templates" | "sampling" | "names" | "stored";
  done: boolean;
  what: string;
  remedy?: string;
}

/** What its type lets an exporter say of itself. */
export interface Announcement {
  templates: boolean;
  sampling: boolean;
  clock: boolean;
  sequence: "" | "datagrams" | "records";
  names: "" | "options" | "counters";
}

/** An exporter as /api/v1/exporters has it. */
export interface Health extends Exporter {
  /** The beginning of a datagram of which something was not decoded. */
  sample?: { at: number; reason: string; octets: number; hex: string };
  options: number;
  reordered: number;
  restarts: number;
  clock_skew_ms: number;
  resolution_ms: number;
  samplings?: Sampling[];
  coverage?: Record<string, number>;
}

/** One direction of an interface: bits per second of layer 2, as its octet counters count. */
export interface LinkSide {
  avg: number;
  p95: number;
  max: number;
  last: number;
  error: number | null;
  course: number[];
  /** Shares of the speed. */
  use_p95: number | null;
  use_max: number | null;
  /** What the device counts itself. */
  counter: number | null;
  errors: number | null;
  discards: number | null;
  /** Flows over counters. */
  coverage: number | null;
  /** How full it is, by use_p95. */
  use_level: Level | "";
  /** Flows and counters are further apart than sampling explains. */
  uncovered: boolean;
}

export interface Interface {
  exporter: string;
  name?: string;
  index: number;
  interface?: string;
  description?: string;
  boundary?: string;
  speed: number;
  /** Bits: 1 up as configured, 2 up in fact. */
  status?: number;
  in: LinkSide;
  out: LinkSide;
  problems: Trouble[];
}

export interface Interfaces {
  from: number;
  to: number;
  step: number;
  interfaces: Interface[];
  more: number;
  unnamed: { exporter: string; share: number }[];
  /** What is wrong with all interfaces of an exporter, and whether their names have come. */
  exporters: { exporter: string; problems: Trouble[]; names?: Step }[];
  meta: Cost;
}

/** The straight line through the daily 95th percentiles, bits per second. */
export interface Trend {
  /** Of the last day, on the line. */
  p95: number;
  per_day: number;
  /** Standard error of per_day. */
  error: number;
}

/** What an interface carried hour by hour, bits per second of layer 2. */
export interface Weeks {
  from: number;
  in: number[];
  out: number[];
  trend: { days: number; in: Trend; out: Trend } | null;
}

/** One interface over time. */
export interface LinkCourse {
  from: number;
  to: number;
  step: number;
  times: number[];
  /** As the device counts them, bits per second. */
  counters: { in: (number | null)[]; out: (number | null)[] } | null;
  weeks: Weeks | null;
  /** From which share of the speed on it is nearly full, and when that is if its weeks go on like this. */
  nearly_full: { share: number; in: InDays | null; out: InDays | null };
  meta: Cost;
}

/** The level is "warn" when it is soon. */
export interface InDays {
  days: number;
  level: Level | "";
}

export interface RunningQuery {
  id: string;
  /** The resource of the API that asks; empty: somebody asks the store itself. */
  what: string;
  tag: string;
  user: string;
  elapsed: number;
  rows: number;
  /** To read, about; 0 while nobody knows. */
  of: number;
  bytes: number;
  memory: number;
  sql: string;
}

export interface Listener {
  addr: string;
  kind: string;
  datagrams: number;
  dropped: number;
  bytes: number;
  buffer: number;
  sockets: { datagrams: number; bytes: number; dropped: number; queued: number; buffer: number }[] | null;
}

export interface Exporter {
  address: string;
  name?: string;
  type: string;
  /** Whether it is known: nobody has decided, the configuration names it, or somebody has accepted it. */
  standing?: "new" | "named" | "accepted";
  datagrams: number;
  flows: number;
  /** Some of its rows are in the store; absent: nobody knows. */
  stored?: boolean;
  thinned: number;
  records: number;
  first: number;
  last: number;
  refused: number;
  reasons?: Record<string, number>;
  waiting: number;
  dropped: number;
  sampling_rate: number;
  sampling_source: string;
  /** Else its traffic counts as not sampled. */
  sampling_known: boolean;
  templates: number;
  lost: number;
  /** Part of what was sent that did not arrive; of datagrams or records, as the protocol counts. */
  loss: number;
  announces: Announcement;
  /** The gravest first. */
  problems: Trouble[];
  /** How far it has come; of the status alone. */
  arrival?: Step[];
}

/** A sender whose datagrams are refused because somebody chose so. */
export interface Ignored {
  address: string;
  since: number;
  /** Refused since the start. */
  datagrams: number;
  /** 0: none. */
  last: number;
}

/** Forget takes back what was decided. */
export type Decision = "accept" | "ignore" | "forget";

export interface Drop {
  /** Where, stable. */
  id: "kernel" | "network" | "decoder" | "enrichment" | "spool" | "store" | "files";
  where: string;
  reason: string;
  count: number;
  hint: string;
}

export interface Status {
  version: string;
  started: number;
  /** Simulated exporters send. */
  demo: boolean;
  now: number;
  listeners: Listener[] | null;
  pipeline: {
    datagrams: number;
    flows: number;
    blocks: number;
    queue_blocks: number;
    queue_capacity: number;
    queue_bytes: number;
    queue_max_bytes: number;
    inserted_rows: number;
    insert_errors: number;
    insert_ms: number;
    lag_ms: number;
    insert_error?: string;
  };
  spool: {
    blocks: number;
    rows: number;
    bytes: number;
    max_bytes: number;
    oldest: number;
    written_rows: number;
    dropped_rows: number;
    refused_files: number;
    error?: string;
  };
  rates: { datagrams: number; flows: number; bytes_stored: number };
  drops: Drop[] | null;
  exporters: Health[] | null;
  others?: Health;
  ignored: Ignored[];
  /** The whole in one word, the worst first. */
  state: "engine-down" | "losses" | "waiting" | "trouble" | "good";
  /** What is wrong with NetMeta itself, the gravest first. */
  problems: Trouble[];
  enrich: { name: string; entries: number; loaded: number; source: string; error?: string }[] | null;
  engine: {
    up: boolean;
    embedded: boolean;
    version: string;
    url: string;
    restarts: number;
    error?: string;
    confinement?: string;
    unprotected?: string[];
    crashes?: { user: string; crashes: number; shut_out?: number; until?: number; statement: string }[];
  };
  storage: {
    rows: number;
    bytes: number;
    bytes_per_row: number;
    oldest: number;
    newest: number;
    disk_free: number;
    disk_total: number;
    /** How full the disk is. */
    disk_level: "" | "bad";
    ttl_days: number;
    keep_free: number;
    dropped_rows: number;
    dropped_at: number;
    unreadable?: { table: string; name: string; rows: number; from: number; to: number; error: string; remedy: string }[];
    detached?: { table: string; name: string; bytes: number; reason: string; path: string }[];
    temporary: number;
    temporary_of: string;
    forecast: { bytes_per_day: number; days: number; limited_by: string; full_in_days: number };
  };
}

/** Something that happened beside the traffic. */
export interface Event {
  id: string;
  kind: string;
  /** Second. */
  start: number;
  /** 0: it goes on, or has no length. */
  end: number;
  target: string;
  severity: string;
  text: string;
  attrs: Record<string, string>;
}

/** A page with its question under a name, or with `of` a board of several. */
export interface SavedView {
  slug: string;
  name: string;
  description: string;
  page: string;
  query: string;
  of: string[];
  shared: boolean;
  pinned: boolean;
  owner: string;
  provisioned: boolean;
  /** The file of a provisioned one. */
  source: string;
  updated: number;
}

/** RFC 9457, with the fields of a filter error beside it. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  /** What of the request is wrong. */
  key?: string;
  span?: [number, number];
  expected?: string[] | null;
  suggestion?: string | null;
}

/** An answer that is not 2xx, or none at all (status 0). */
export class APIError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
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
  /** The server's clock when it answered, in epoch seconds: the page never trusts the clock of the desk it stands on. */
  now: number;
}

export const noAnswer = "NetMeta does not answer";

async function call<T>(path: string, init: RequestInit): Promise<Answer<T>> {
  let res: Response;
  try {
    res = await fetch(path, { ...init, headers: { Accept: "application/json", ...init.headers } });
  } catch (e) {
    if (e instanceof DOMException && e.name === "AbortError") throw e;
    throw new APIError(0, { title: noAnswer });
  }
  const date = Date.parse(res.headers.get("date") ?? "") / 1000;
  const now = Number.isNaN(date) ? Date.now() / 1000 : date;
  if (!res.ok) {
    const problem = (await res.json().catch(() => ({}))) as Problem;
    throw new APIError(res.status, problem);
  }
  return { body: (res.status === 204 ? undefined : await res.json()) as T, now };
}

export const api = {
  query: (keys: string, signal: AbortSignal, tag?: string) =>
    call<QueryResult>("/api/v1/query?" + keys, { signal, headers: tag ? { "Query-Tag": tag } : {} }),
  estimate: (keys: string, signal: AbortSignal) => call<Estimate>("/api/v1/estimate?" + keys, { signal }),
  facets: (keys: string, signal: AbortSignal) => call<Facets>("/api/v1/facets?" + keys, { signal }),
  explain: (keys: string, signal: AbortSignal) => call<Explanation>("/api/v1/explain?" + keys, { signal }),
  fields: () => call<Fields>("/api/v1/fields", {}),
  flows: (keys: string, signal?: AbortSignal) => call<FlowsResult>("/api/v1/flows?" + keys, { signal }),
  exporters: (signal?: AbortSignal) =>
    call<{ exporters: Health[]; others?: Health; ignored: Ignored[] }>("/api/v1/exporters", { signal, cache: "no-store" }),
  interfaces: (keys: string, signal?: AbortSignal) => call<Interfaces>("/api/v1/interfaces?" + keys, { signal, cache: "no-store" }),
  link: (of: string, keys: string, signal?: AbortSignal) =>
    call<LinkCourse>(`/api/v1/interfaces/${of}?${keys}`, { signal, cache: "no-store" }),
  running: (signal?: AbortSignal) => call<{ queries: RunningQuery[] }>("/api/v1/queries", { signal, cache: "no-store" }),
  end: (id: string) => call<void>("/api/v1/queries/" + encodeURIComponent(id), { method: "DELETE" }),
  /** Those of one kind, or of all. */
  events: (from: number, to: number, kind = "", signal?: AbortSignal) =>
    call<{ events: Event[] }>(`/api/v1/events?${kind && `kind=${kind}&`}from=${from}&to=${to}`, { cache: "no-store", signal }),
  addEvent: (e: Partial<Event>) => post<Event>("/api/v1/events", e),
  demo: (run: boolean) => call<{ running: boolean }>("/api/v1/demo", { method: run ? "POST" : "DELETE" }),
  decide: (decision: Decision, addresses: string[]) => post<void>("/api/v1/senders", { addresses, decision }),
  deleteEvent: (id: string) => call<void>("/api/v1/events/" + encodeURIComponent(id), { method: "DELETE" }),
  addLink: (address: string) => post<{ address: string }>("/api/v1/links", { address }),
  views: () => call<{ views: SavedView[] }>("/api/v1/views", { cache: "no-store", headers: owner }),
  view: (slug: string, signal?: AbortSignal) =>
    call<SavedView>("/api/v1/views/" + encodeURIComponent(slug), { signal, cache: "no-store", headers: owner }),
  /** A new view; its slug must be free. */
  addView: (v: Partial<SavedView>) => call<SavedView>("/api/v1/views", { method: "POST", body: viewBody(v), headers: owner }),
  putView: (v: Partial<SavedView>) => call<SavedView>("/api/v1/views/" + v.slug, { method: "PUT", body: viewBody(v), headers: owner }),
  deleteView: (slug: string) => call<void>("/api/v1/views/" + slug, { method: "DELETE", headers: owner }),
  alive: (signal: AbortSignal) => call<unknown>("/healthz", { signal, cache: "no-store" }),
  status: (signal?: AbortSignal) => call<Status>("/api/v1/status", { signal, cache: "no-store" }),
  check: (q: string, signal?: AbortSignal) => post<Check>("/api/v1/filter/check", { q }, signal),
  complete: (text: string, cursor: number, signal?: AbortSignal) => post<Completion>("/api/v1/filter/complete", { text, cursor }, signal),
};

/** Of a view what its reader says; the rest is the server's. */
const viewBody = ({ slug, name, description, page, query, of, shared, pinned }: Partial<SavedView>) =>
  JSON.stringify({ slug, name, description, page, query, of, shared, pinned });

function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer<T>> {
  return call<T>(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });
}

/** Under which name views are asked for. A header has letters of Latin 1 alone, so others go as a URL writes them. */
let owner: Record<string, string> = {};
export const nameOwner = (name: string) => (owner = name ? { "View-Owner": headerOf(name) } : {});
export const headerOf = (name: string) => (/^[\x20-\x24\x26-\x7e]*$/.test(name) ? name : encodeURIComponent(name));
