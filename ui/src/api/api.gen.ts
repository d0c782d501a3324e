// The types of the HTTP API, made by internal/gen from the routes in api/ and the types of Go; do not edit.

/** An error in the form of RFC 9457; the members after detail are extensions. */
export interface Problem {
  /** Always about:blank. */
  type: string;
  /** What kind of error. */
  title: string;
  /** HTTP status. */
  status: number;
  /** What is wrong, and the fix. */
  detail?: string;
  /** The invalid key of the request. */
  key?: string;
  /** First and last+1 byte of the invalid part of the filter. */
  span?: [number, number];
  /** What is possible there. */
  expected?: string[];
  /** What was probably meant. */
  suggestion?: string;
}

/** The result of a query for traffic over time. */
export interface Result {
  /** Start, seconds since 1970. */
  from: number;
  /** End, exclusive. */
  to: number;
  /** Seconds of an interval. */
  step: number;
  unit: string;
  by: string[];
  /** Start of each interval. */
  times: number[];
  /** Directions that occur, or sum. */
  dirs: ("in" | "out" | "internal" | "transit" | "unknown" | "sum")[];
  /** By direction, then by rank; the last but one of each direction has the groups omitted by skip, Other is the last. */
  series: Series[];
  /** Number of groups in Other. */
  total: Total[];
  /** Groups that are folded into Other. */
  other: number;
  /** What the vs of series and totals compares with. */
  vs?: Comparison;
  meta: Meta;
}

/** One group in one direction. */
export interface Series {
  /** Value of each field of by; empty for Other. */
  key: string[];
  /** The same for display. */
  label: string[];
  dir: "in" | "out" | "internal" | "transit" | "unknown" | "sum";
  /** Whether it is the sum of the groups after the first N. */
  other: boolean;
  /** With other: the larger groups omitted by skip. */
  larger?: boolean;
  /** Of Other: the number of its groups. */
  folded?: number;
  /**
   * Filter for this group alone: a condition for each of by, empty for a time. Of Other one condition for all its groups,
   * such as src.as not in [64500, 64501], with its direction if directions are ranked separately; none with skip.
   */
  filter: string[];
  /** Of a time group: its own seconds, from and to, which avg is over. */
  time?: [number, number];
  /** One for each interval, four digits. */
  values: number[];
  /** Sampled packets, one for each interval: the fewer, the less certain the value. */
  n: number[];
  /** With agg=peak: the largest rate of one second in each interval. */
  peaks?: number[];
  /** Total over the length of the range. */
  avg: number;
  /** Largest complete interval. */
  max: number;
  /** Last complete interval. */
  last: number;
  /** Sum over the range in bytes, packets or flows, scaled by the sampling rates; exact. */
  total: number;
  /** With agg=peak: the largest rate of one second. */
  peak?: number;
  /** The same in the earlier ranges. */
  vs?: Versus;
  /** Of the direction's total. */
  share: number;
  /** Relative error of the total, 95% confidence, from sampling. */
  error: number | null;
}

/** A series or total in the earlier ranges. For a band, Values is the median of the ranges, and so are Avg and Total. */
export interface Versus {
  /** One for each interval; for a band the median. */
  values: number[];
  /** Of a band. */
  min?: number[];
  /** Of a band. */
  max?: number[];
  avg: number;
  total: number;
  /** The average now minus the earlier one. */
  delta: number;
  /** Delta as a share of the earlier average; null without earlier traffic. */
  change: number | null;
}

/** The sum of all series of a direction. */
export interface Total {
  dir: "in" | "out" | "internal" | "transit" | "unknown" | "sum";
  values: number[];
  /** With agg=peak: the largest rate of one second in each interval. */
  peaks?: number[];
  /** Total over the length of the range. */
  avg: number;
  /** Largest complete interval. */
  max: number;
  /** Last complete interval. */
  last: number;
  /** Sum over the range in bytes, packets or flows, scaled by the sampling rates; exact. */
  total: number;
  /** With agg=peak: the largest rate of one second. */
  peak?: number;
  vs?: Versus;
}

/** What a result is compared with. */
export interface Comparison {
  /** As requested. */
  name: string;
  /** Seconds from each earlier range to this one. */
  shifts: number[];
}

/** What a result was computed from. */
export interface Meta {
  /** The statement, for use with netmeta sql. */
  sql: string;
  /** Its parameters. */
  params: Record<string, string>;
  /** Rows read. */
  rows: number;
  /** Bytes read. */
  bytes: number;
  /** Time until the result was complete. */
  ms: number;
  /**
   * The table that was read; if several, all of them, the one with most of the range first: rollup_1h, rollup_1m_as,
   * rollup_1m, flows.
   */
  table: string;
  /** Whether the first and last interval are cut by the range. */
  partial: Partial;
  /** Newest second in the store; 0 if it is empty. */
  through: number;
  /** Seconds. */
  resolution: number;
  /** Unknown keys of the request. */
  unknown_keys: string[];
  /** Parts of the request that are not answered. */
  notes: string[];
  /** Why the result is empty: no-exporter, no-match or before-retention. */
  empty?: "no-exporter" | "no-match" | "before-retention";
  /** Whether the filter matches anything in the last seven days. */
  matches_7d: boolean;
  /** Records among the flows of the range that no network carries. */
  implausible?: number;
}

/** Which intervals at the ends of a range are incomplete. */
export interface Partial {
  first: boolean;
  last: boolean;
}

/** The largest values of several fields. */
export interface Facets {
  from: number;
  to: number;
  unit: string;
  /** Bytes, packets or flows. */
  total: number;
  rate: number;
  facets: Facet[];
  /** Lists that were omitted because they read more rows of flows than most. */
  left: SkippedFacets | null;
  meta: Cost;
}

/** The largest values of one field or pair. */
export interface Facet {
  by: string[];
  /** Number of values. */
  distinct: number;
  /** The ten largest. */
  values: FacetValue[];
}

/** One of the largest values of a field. */
export interface FacetValue {
  key: string[];
  label: string[];
  /** A condition that matches only this value. */
  filter: string;
  /** In the unit, the mean over the range. */
  rate: number;
  /** Bytes, packets or flows. */
  total: number;
  /** Of everything that the filter matches. */
  share: number;
}

/** Lists that were omitted because they read more rows than most allows. */
export interface SkippedFacets {
  /** Names, for a request with facets. */
  facets: string[];
  /** Rows to read. */
  rows: number;
}

/** What a result was computed from. */
export interface Cost {
  sql: string;
  params: Record<string, string>;
  /** Rows read. */
  rows: number;
  /** Bytes read. */
  bytes: number;
  /** Time until the result was complete. */
  ms: number;
  /** Unknown keys of the request. */
  unknown_keys: string[];
  /** Unreadable parts of tables that the result lacks. */
  notes: string[];
}

/** A page of records, column by column. */
export interface Flows {
  from: number;
  to: number;
  rows: number;
  columns: FlowColumn[];
  /** A list for each column. */
  values: (number | string | string[] | null)[][];
  /** For each record the cursor with which a list in the order of time starts at it. */
  cursors: string[];
  /** Names of the ASes in the values, by number; those without a known name are omitted. */
  as_names: Record<string, string>;
  /** The cursor of the next page; omitted on the last one. */
  next?: string;
  meta: Cost;
}

/** A column of a page. */
export interface FlowColumn {
  /** Name in the table. */
  column: string;
  /** Name in the filter language, or empty. */
  name: string;
  title: string;
  unit: string;
  /** number, text, list, time (seconds) or time-ms. */
  kind: "number" | "text" | "list" | "time" | "time-ms";
}

/** Why a range differs from the one before, and what it was computed from. */
export interface Explanation {
  from: number;
  to: number;
  before_from: number;
  before_to: number;
  unit: string;
  /** Rates, in the unit. */
  now: number;
  before: number;
  delta: number;
  /** Delta as a share of before; null without traffic before. */
  change: number | null;
  /** rise, fall, move or steady. */
  kind: "rise" | "fall" | "move" | "steady";
  /** Summary in one sentence. */
  text: string;
  /** Causes, best first. */
  causes: Cause[];
  /** Matches what the individual causes have in common; empty if there are none. */
  filter: string;
  aspects: Aspect[];
  meta: Cost;
}

/** A value, or two for a move, that makes up much of the change; or says that no value does. */
export interface Cause {
  by: string[];
  text: string;
  /** Matches the value, or the few; empty if there are many. */
  filter: string;
  /** Of the change; for a move, of the traffic. */
  share: number;
  /** Number of values. */
  values: number;
}

/** A field with the values that changed most. */
export interface Aspect {
  by: string[];
  /** Values in both ranges. */
  distinct: number;
  /** Sum of the values that rose. */
  rise: number;
  /** Sum of the values that fell. */
  fall: number;
  /** Largest change first. */
  values: ValueChange[];
}

/** A value that changed. */
export interface ValueChange {
  key: string[];
  label: string[];
  filter: string;
  now: number;
  before: number;
  delta: number;
}

/** The changed intervals of all series and totals, in the order of the last result. */
export interface Update {
  from: number;
  to: number;
  /** of the intervals */
  times: number[];
  series: UpdateLine[];
  total: UpdateLine[];
  other: number;
  through: number;
  partial: Partial;
}

/** One of them: points of the changed intervals, figures of the whole. */
export interface UpdateLine {
  values: number[];
  n?: number[];
  peaks?: number[];
  /** Total over the length of the range. */
  avg: number;
  /** Largest complete interval. */
  max: number;
  /** Last complete interval. */
  last: number;
  /** Sum over the range in bytes, packets or flows, scaled by the sampling rates; exact. */
  total: number;
  /** With agg=peak: the largest rate of one second. */
  peak?: number;
  share?: number;
  error?: number;
  folded?: number;
  vs?: Versus;
}

/** The expected cost of a query. */
export interface Estimate {
  /** Rows to read, approximately. */
  rows: number;
  parts: number;
  /** Expected duration, from the speed of recent queries; 0 before the first. */
  ms: number;
  /** Second of the oldest record. */
  oldest: number;
}

/** The names and macros of the filter language. */
export interface Fields {
  fields: Field[];
  units: Unit[];
}

/** A name of the filter language for a page or a script: its title, its operators, and whether it can be grouped by. */
export interface Field {
  /** Name in the filter language and in by. */
  name: string;
  /** Column of the flows table; empty if computed from several. */
  column: string;
  title: string;
  doc: string;
  group: string;
  /** number, ip, mac, string, enum, flags, duration or list. */
  kind: string;
  /** src, dst, in, out, local, remote, any or empty. */
  side: string;
  ops: string[];
  unit: string;
  groupable: boolean;
  filterable: boolean;
  /** Names of the values, where they have names. */
  values?: string[];
  /** ClickHouse type. */
  type: string;
  /** The column is added to the table with its first value. */
  rare: boolean;
  /** Page of a value: host, as, exporter or interface. */
  page?: string;
}

/** A unit of a chart. */
export interface Unit {
  name: string;
  title: string;
}

/** The result of checking a filter: the canonical text and the tree, or the error. */
export interface Check {
  ok: boolean;
  /** The filter as the formatter writes it. */
  canonical?: string;
  /** The filter as a tree. */
  ast?: unknown;
  error?: FilterError;
}

/** An error in a filter: its position, and suggestions. */
export interface FilterError {
  message: string;
  /** Bytes of the text. */
  span: [number, number];
  expected?: string[];
  suggestion?: string;
}

/** A list of possible continuations, and the bytes that they replace. */
export interface Completion {
  /** First and last+1 byte to replace. */
  replace: [number, number];
  items: CompletionItem[];
}

/** One possible continuation. */
export interface CompletionItem {
  /** Replacement for the word at the cursor. */
  insert: string;
  /** Text in the list. */
  label: string;
  /** field, operator, value, keyword or macro. */
  kind: string;
  /** Description, or its current traffic. */
  detail?: string;
}

/** Those of a range. */
export interface Events {
  from: number;
  to: number;
  /** Oldest first, the newest 1,000. */
  events: Event[];
}

/** Something that happened, or is still going on. */
export interface Event {
  /** Reporting it again with the same ID changes it; empty: a new ID. */
  id: string;
  /** attack, change, maintenance, note or another word. Default note. */
  kind: string;
  /** Second; default now. */
  start: number;
  /** Second; 0 while it lasts. */
  end: number;
  /** Address, prefix or interface. */
  target: string;
  /** info, warning, error or critical. */
  severity: "info" | "warning" | "error" | "critical";
  /** What happened. */
  text: string;
  attrs: Record<string, string>;
}

/** Those that the caller may see. */
export interface Views {
  views: View[];
}

/** A page with its query or, if Of is set, a board of several views. */
export interface View {
  /** Slug in the URL of the view: 1 to 64 lower-case letters, digits and -. Default: made from the name. */
  slug: string;
  /** Name of the view. */
  name: string;
  /** Description of the view. */
  description: string;
  /** Page that the view opens. Default: explore. */
  page: string;
  /** Query: the parameters of the page's URL, such as q=tcp&by=src.as. */
  query: string;
  /** Slugs of views, for a board that shows several; up to 24. */
  of: string[];
  /** Show the view on the overview page. */
  pinned: boolean;
  /** Seen by everybody. */
  shared: boolean;
  /** Who saved it, as the header View-Owner said. */
  owner: string;
  /** From the configuration: it cannot be changed here. */
  provisioned: boolean;
  /** The configuration file of a provisioned one. */
  source: string;
  /** Second. */
  updated: number;
}

/** An address of the web UI. */
export interface Link {
  /** An address of this server, starting with its path. */
  address: string;
}

/** Those with a decision. */
export interface Senders {
  senders: Sender[];
}

/**
 * An address with a decision. For exporters it is the address in the list of exporters; for sFlow that is the agent
 * address.
 */
export interface Sender {
  /** As the list of exporters has it: of sFlow the address of the agent. */
  address: string;
  /** new, accepted, ignored, or named: the configuration names it, which counts before what was decided. */
  standing: "new" | "named" | "accepted" | "ignored";
  /** When it was decided, seconds since 1970; 0: it was not. */
  since: number;
  /** Refused since the start of the process. */
  datagrams: number;
  /** When the last of them came, seconds since 1970; 0: none did. */
  last: number;
}

/** The state of the system: what is received, lost and stored. */
export interface Status {
  version: string;
  started: number;
  /** Simulated exporters are running. */
  demo: boolean;
  now: number;
  listeners: Listener[];
  pipeline: Pipeline;
  /** Rows waiting on disk for the store. */
  spool: Spool;
  /** Per second, over the last ten seconds. */
  rates: Rates;
  drops: Drop[];
  exporters: Exporter[];
  /** Tables for names, ASes and directions. */
  enrich: EnrichTable[];
  /** The sum of exporters that are not in the list: evicted, or without room from the start. Absent if there are none. */
  others?: Exporter;
  /** Senders that a user ignored, whose datagrams are dropped; they are not among the exporters. */
  ignored: Ignored[];
  engine: Engine;
  storage: Storage;
  /**
   * Overall state, the worst first: the engine is down; data was lost since the start; rows wait in the spool; inserts or
   * the spool fail; everything received is stored.
   */
  state: "engine-down" | "losses" | "waiting" | "trouble" | "good";
  /** Problems of NetMeta itself, the most serious first. */
  problems: Trouble[];
}

/** A UDP port. */
export interface Listener {
  addr: string;
  /** Protocol that customarily uses the port. */
  kind: string;
  datagrams: number;
  bytes: number;
  /** By the kernel, because the receive buffer was full. */
  dropped: number;
  /** Bytes of each socket's receive buffer. */
  buffer: number;
  /** The sockets that share the port, each with its own worker. */
  sockets: Socket[];
}

/** One of the sockets that share a port, each with its own worker. */
export interface Socket {
  datagrams: number;
  bytes: number;
  /** By the kernel, because the receive buffer was full. */
  dropped: number;
  /** Bytes of the receive buffer in use now, as the kernel accounts. */
  queued: number;
  /** Bytes of the receive buffer, as the kernel accounts. */
  buffer: number;
}

/** Pipeline counts since the start. */
export interface Pipeline {
  datagrams: number;
  flows: number;
  blocks: number;
  queue_blocks: number;
  queue_capacity: number;
  /** Bytes of the waiting blocks. */
  queue_bytes: number;
  queue_max_bytes: number;
  inserted_rows: number;
  insert_errors: number;
  /** Duration of the last insert. */
  insert_ms: number;
  /** Time since the last insert ended, while flows wait. */
  lag_ms: number;
  /** Why the last insert failed, with the fix; absent if it succeeded. */
  insert_error?: string;
}

/** The rows waiting on disk for the store. */
export interface Spool {
  blocks: number;
  rows: number;
  /** On disk, including refused files. */
  bytes: number;
  max_bytes: number;
  /** When the oldest rows were written; 0 if there are none. */
  oldest: number;
  /** Since the start. */
  written_rows: number;
  /** Oldest rows dropped because the spool was full, since the start. */
  dropped_rows: number;
  /** In spool/refused: rows that the store will never accept, each file with the reason. */
  refused_files: number;
  /** Why the spool is not writable; absent if it is. */
  error?: string;
}

/** Means over the last 10 s. */
export interface Rates {
  datagrams: number;
  flows: number;
  /** Native blocks sent to the store. */
  bytes_stored: number;
}

/** A kind of loss that occurred. */
export interface Drop {
  /** Place of the loss, stable. */
  id: "kernel" | "network" | "decoder" | "enrichment" | "spool" | "store" | "files";
  where: string;
  reason: string;
  count: number;
  /** Remedy. */
  hint: string;
}

/** A device that has sent data since the start of the process: its counts, its losses, and the quality of its data. */
export interface Exporter {
  address: string;
  /** Configured name. */
  name?: string;
  /** Protocol of its records; unknown: it only sends unknown protocols. */
  type: string;
  /**
   * State of the sender: new (no decision yet), named (in the configuration, under enrich.exporters with a name or in
   * sources) or accepted. Absent of others.
   */
  standing?: "new" | "named" | "accepted";
  /** Since the start of the process, like all counts here. */
  datagrams: number;
  /** Rows made. */
  flows: number;
  /** Records dropped because the exporter is over its limit; the sampling rate of the others compensates. */
  thinned: number;
  /** Rows that no network carries; their quality bit marks them. */
  implausible?: number;
  /**
   * Rows received since first are in the store. Absent: not yet, or unknown because it was not checked for more than 15
   * minutes.
   */
  stored?: boolean;
  /** Data records or samples decoded. */
  records: number;
  /** Options data records. */
  options: number;
  /** When it was first heard since the start of the process, seconds since 1970. */
  first: number;
  /** When it last sent, seconds since 1970. */
  last: number;
  sampling_rate: number;
  /** record, options, header, config or unknown. */
  sampling_source: string;
  /** Templates in memory. */
  templates: number;
  /** Data sets that wait for their template. */
  waiting: number;
  /** Data sets dropped because their template is missing. */
  dropped: number;
  /** Missing by sequence number. */
  lost: number;
  /** Datagrams received after a later one. */
  reordered: number;
  /** Restarts of its sequence. */
  restarts: number;
  /** Not decoded. */
  refused: number;
  /** Reasons why data were not decoded. */
  reasons?: Record<string, number>;
  /** Milliseconds that its clock is ahead. */
  clock_skew_ms: number;
  /** Median duration of its records: finer intervals are smoothed. */
  resolution_ms: number;
  /** False: its traffic counts as unsampled. */
  sampling_known: boolean;
  /** What its protocol can report about itself. */
  announces: Announcement;
  /** Share of its data that did not arrive, from 0 to 1; of datagrams or of records, as its sequence numbers count. */
  loss: number;
  /** Its problems, the most serious first. */
  problems: Trouble[];
  /** Its progress on the way to the store. Only in the status, and absent of others. */
  arrival?: Step[];
}

/** The information that exporters can send with a type of record, and that can therefore be missing. */
export interface Announcement {
  /** Its records are described by templates, which come from time to time. */
  templates: boolean;
  /** It can say at what rate it samples. */
  sampling: boolean;
  /** Its datagrams have the time at which they were sent. */
  clock: boolean;
  /** What its sequence numbers count. Empty: it has none. */
  sequence: "" | "datagrams" | "records";
  /** How it reports names of interfaces. Empty: it cannot. */
  names: "" | "options" | "counters";
}

/** A fault with its remedy. */
export interface Trouble {
  /** Stable; identifies and groups problems. */
  id: string;
  /** bad: data is missing, wrong or about to be. warn: it is less exact than it could be, or may soon be missing. */
  level: "warn" | "bad";
  /** The part of NetMeta that has it. Absent of exporters and interfaces. */
  of?: string;
  /** In words, with its figures. */
  what: string;
  /** What helps, a sentence. */
  remedy: string;
}

/** A stage between the first datagram of an exporter and its rows in the store. */
export interface Step {
  id: "datagrams" | "type" | "templates" | "sampling" | "names" | "stored";
  done: boolean;
  /** In words. */
  what: string;
  /** What helps it on. Absent: nothing is to be done. */
  remedy?: string;
}

/** A source of names and places of flows. */
export interface EnrichTable {
  name: string;
  entries: number;
  /** When it was read, or confirmed to be the newest, seconds since 1970; 0: never. */
  loaded: number;
  /** The configuration, the file or URL, or its public tables. */
  source: string;
  /** Why the file or URL has nothing newer; the last good content stays in use. */
  error?: string;
}

/** A sender whose datagrams are dropped because a user ignored it. */
export interface Ignored {
  address: string;
  /** When it was ignored, seconds since 1970. */
  since: number;
  /** Dropped since the start of the process. */
  datagrams: number;
  /** When the last of them arrived, seconds since 1970; 0: never. */
  last: number;
}

/** The store's server. */
export interface Engine {
  up: boolean;
  embedded: boolean;
  version: string;
  url: string;
  restarts: number;
  error?: string;
  /** Restrictions of the embedded engine's process. */
  confinement?: string;
  /** Protections that this system lacks, with the reason. */
  unprotected?: string[];
  /** Users whose statements were running when the engine crashed. */
  crashes?: EngineUser[];
}

/** A user whose statements were running when the engine crashed. */
export interface EngineUser {
  user: string;
  /** Since the start. */
  crashes: number;
  /** Since when the user is blocked, Unix time; absent: not blocked. */
  shut_out?: number;
  /** End of the block, Unix time. */
  until?: number;
  /** Start of the statement that was running at the last crash. */
  statement: string;
}

/** The stored data. */
export interface Storage {
  rows: number;
  /** On disk. */
  bytes: number;
  bytes_per_row: number;
  oldest: number;
  newest: number;
  disk_free: number;
  disk_total: number;
  /** Level of the disk usage. */
  disk_level: "" | "bad";
  ttl_days: number;
  /** Bytes of the disk to keep free: below it, the oldest hours are dropped. 0: disabled. */
  keep_free: number;
  /** Rows dropped for lack of disk space since the start. */
  dropped_rows: number;
  /** When rows were last dropped, seconds since 1970; 0: never. */
  dropped_at: number;
  /** Disk usage of temporary data in bytes; no rows are dropped for them. */
  temporary: number;
  /** Description of the temporary data. */
  temporary_of: string;
  /** How far back the store will reach at the rate of the last day. */
  forecast: Forecast;
  /** Parts of tables that cannot be read. Queries and rollups leave them out. */
  unreadable: Unreadable[];
  /** Detached parts, by the engine or a user, at most 100. They are not read. */
  detached: DetachedPart[];
}

/** How far back the store will reach at the rate of the last day. */
export interface Forecast {
  /** On disk; 0: unknown. */
  bytes_per_day: number;
  /** Days that fit on the disk, or the retention by age if it is shorter; 0: unknown. */
  days: number;
  /** age, disk, or empty if unknown. */
  limited_by: string;
  /** Days until only the space to keep free is left; 0: never, or unknown. */
  full_in_days: number;
}

/** A part of a table that cannot be read, with the remedy. */
export interface Unreadable {
  /** Table of the part. */
  table: string;
  /** Name of the part. */
  name: string;
  /** Partition of the part: of flows the hour, seconds since 1970. */
  partition: string;
  /** Rows of the part. */
  rows: number;
  /** Size of the part on disk. */
  bytes: number;
  /** Time of its first row, seconds since 1970. */
  from: number;
  /** Time of its last row, seconds since 1970. */
  to: number;
  /** When it was found, seconds since 1970. */
  since: number;
  /** Error of the engine. */
  error: string;
  /** Remedy. */
  remedy: string;
}

/** A part that the engine or a user has detached: it is on disk, but not read. */
export interface DetachedPart {
  /** Table of the part. */
  table: string;
  /** Name of the part in the directory detached of the table. */
  name: string;
  /** Partition of the part. */
  partition: string;
  /** Size of the part on disk. */
  bytes: number;
  /** Reason of the engine, such as broken-on-start; empty: a user did it. */
  reason: string;
  /** Directory of the part. */
  path: string;
}

/** Those that have sent data since the start of the process. */
export interface Exporters {
  exporters: ExporterDetail[];
  /** The sum of exporters that are not in the list: evicted, or without room from the start. Absent if there are none. */
  others?: Exporter;
  /** Senders that a user ignored, whose datagrams are dropped; they are not among the exporters. */
  ignored: Ignored[];
}

/** An exporter with its sampling rates and the share of its rows that have a value in each column. */
export interface ExporterDetail {
  address: string;
  /** Configured name. */
  name?: string;
  /** Protocol of its records; unknown: it only sends unknown protocols. */
  type: string;
  /**
   * State of the sender: new (no decision yet), named (in the configuration, under enrich.exporters with a name or in
   * sources) or accepted. Absent of others.
   */
  standing?: "new" | "named" | "accepted";
  /** Since the start of the process, like all counts here. */
  datagrams: number;
  /** Rows made. */
  flows: number;
  /** Records dropped because the exporter is over its limit; the sampling rate of the others compensates. */
  thinned: number;
  /** Rows that no network carries; their quality bit marks them. */
  implausible?: number;
  /**
   * Rows received since first are in the store. Absent: not yet, or unknown because it was not checked for more than 15
   * minutes.
   */
  stored?: boolean;
  /** Data records or samples decoded. */
  records: number;
  /** Options data records. */
  options: number;
  /** When it was first heard since the start of the process, seconds since 1970. */
  first: number;
  /** When it last sent, seconds since 1970. */
  last: number;
  sampling_rate: number;
  /** record, options, header, config or unknown. */
  sampling_source: string;
  /** Templates in memory. */
  templates: number;
  /** Data sets that wait for their template. */
  waiting: number;
  /** Data sets dropped because their template is missing. */
  dropped: number;
  /** Missing by sequence number. */
  lost: number;
  /** Datagrams received after a later one. */
  reordered: number;
  /** Restarts of its sequence. */
  restarts: number;
  /** Not decoded. */
  refused: number;
  /** Reasons why data were not decoded. */
  reasons?: Record<string, number>;
  /** Milliseconds that its clock is ahead. */
  clock_skew_ms: number;
  /** Median duration of its records: finer intervals are smoothed. */
  resolution_ms: number;
  /** False: its traffic counts as unsampled. */
  sampling_known: boolean;
  /** What its protocol can report about itself. */
  announces: Announcement;
  /** Share of its data that did not arrive, from 0 to 1; of datagrams or of records, as its sequence numbers count. */
  loss: number;
  /** Its problems, the most serious first. */
  problems: Trouble[];
  /** Its progress on the way to the store. Only in the status, and absent of others. */
  arrival?: Step[];
  /** Its sampling rates, at most 1024. */
  samplings?: Sampling[];
  /** The beginning of the last datagram that was not decoded completely; at most one in ten seconds. */
  sample?: Sample;
  /** Share of its rows of the last five minutes that have a value in a column. */
  coverage?: Record<string, number>;
}

/** One of the sampling rates of an exporter. */
export interface Sampling {
  /** Observation domain, or sub-agent of sFlow. */
  domain: number;
  /** What samples: exporter for the whole exporter, selector, interface, vlan, entity or logical-entity. */
  of: string;
  /** ID of it: selector or sampler ID, ifIndex. */
  id: number;
  /** Declared: one of this many packets. 0 if sFlow reports none. */
  rate: number;
  /** Origin of the rate: record, options, header, config or unknown. */
  source: string;
  /** Effective rate by the exporter's own count: packets per sample taken (sample pool of sFlow). */
  effective?: number;
  /** Number of samples behind effective. */
  samples?: number;
  /** Samples that the exporter took but could not send. */
  dropped?: number;
  /** The effective rate differs from the declared one. Absent: it does not. */
  differs?: boolean;
}

/** The beginning of a datagram that was not decoded completely. */
export interface Sample {
  /** Time of arrival, seconds since 1970. */
  at: number;
  reason: string;
  /** Of the whole datagram. */
  octets: number;
  /** Its first bytes. */
  hex: string;
}

/** The interfaces of the exporters, with their traffic. */
export interface Interfaces {
  from: number;
  to: number;
  /** Seconds of the intervals of p95 and max: 60; 300 above 2 days, 3600 above a week, 86400 above 120 days. */
  step: number;
  interfaces: Interface[];
  /** Interfaces with less traffic that are not listed. */
  more: number;
  /** By exporter, the share of its bytes on interfaces without a name: index 0, 0x3FFFFFFF, or an unknown name. */
  unnamed: Unnamed[];
  /** Of the exporters in either list, problems of their interfaces. */
  exporters: InterfacesOf[];
  meta: Cost;
}

/** An interface of an exporter with its flows and counters. */
export interface Interface {
  /** Address. */
  exporter: string;
  /** Of the exporter; absent if it has none. */
  name?: string;
  /** ifIndex. */
  index: number;
  /** Name; absent if unknown. */
  interface?: string;
  /** ifAlias. */
  description?: string;
  /** external or internal. */
  boundary?: string;
  /** Bits per second; 0: unknown. */
  speed: number;
  /** Bits: 1 administratively up, 2 operationally up. Absent without counters. */
  status?: number;
  in: LinkSide;
  out: LinkSide;
  /** Problems of the interface. */
  problems: Trouble[];
}

/** One direction of an interface. Rates are bits per second of layer 2. */
export interface LinkSide {
  /** Over the range. */
  avg: number;
  /** Of the intervals completely in the range; one without flows counts as zero. */
  p95: number;
  /** Of the same intervals. */
  max: number;
  /** The last complete interval. */
  last: number;
  /** Relative error of avg with 95% confidence, from sampling; null without flows. */
  error: number | null;
  /** At most 60 rates over the range. */
  course: number[];
  /** p95 as a share of the speed; null if that is unknown. */
  use_p95: number | null;
  /** max as a share of the speed. */
  use_max: number | null;
  /** Bits per second by the device's counters; null without counters. Excludes intervals in which the counters restarted. */
  counter: number | null;
  /** Per second. */
  errors: number | null;
  /** Per second. */
  discards: number | null;
  /** Flows divided by counters: 1 if the sampling is right. Null unless counters cover half the range. */
  coverage: number | null;
  /** Level of utilisation, by use_p95. */
  use_level: "" | "warn" | "bad";
  /** Flows and counters differ more than sampling explains. */
  uncovered: boolean;
}

/** The share of an exporter's bytes on interfaces without a name. */
export interface Unnamed {
  /** Address. */
  exporter: string;
  share: number;
}

/** All interfaces of an exporter. */
export interface InterfacesOf {
  /** Address. */
  exporter: string;
  /** Each kind once, with the name of the first interface that has it; also problems of the names. */
  problems: Trouble[];
  /** whether names have arrived; nil: its interfaces are unknown */
  names?: Step;
}

/** One interface over time. */
export interface LinkCourse {
  from: number;
  to: number;
  /** Seconds of an interval. */
  step: number;
  /** Starts of the intervals. */
  times: number[];
  /**
   * Rates by the device's counters, bits per second; null if it sends no counters. A value is null if the readings cover
   * less than half of its interval.
   */
  counters: CounterSeries | null;
  /**
   * Rates by flows of each hour of the last 28 days, bits per second of layer 2; null if there are no hourly sums with this
   * interface.
   */
  weeks: Weeks | null;
  /** When it is nearly full if the trend continues. */
  nearly_full: NearlyFull;
  /** Of the counters. */
  meta: Cost;
}

/** The rates of both directions, bucket by bucket; nil without counters. */
export interface CounterSeries {
  in: (number | null)[];
  out: (number | null)[];
}

/** The hours of an interface, in bits per second of layer 2 by flows. */
export interface Weeks {
  /** Start of the first hour. */
  from: number;
  /** Received, hour by hour. */
  in: number[];
  /** Sent, hour by hour. */
  out: number[];
  /** The straight line through the 95th percentiles of the hours of each complete day; null with fewer than seven of them. */
  trend: Trends | null;
}

/** Those of both directions. */
export interface Trends {
  /** Number of complete days. */
  days: number;
  in: Trend;
  out: Trend;
}

/** The straight line through the 95th percentiles of the hours of each day, by least squares. */
export interface Trend {
  /** On the last complete day, by the line: bits per second. */
  p95: number;
  /** Increase per day, bits per second. */
  per_day: number;
  /** Standard error of per_day. */
  error: number;
}

/** When the interface is nearly full if the trend continues. */
export interface NearlyFull {
  /** Share of the speed from which it is nearly full. */
  share: number;
  /** Null if it is not expected. */
  in: InDays | null;
  /** Null if it is not expected. */
  out: InDays | null;
}

/** The time until then. */
export interface InDays {
  days: number;
  /** warn if it is soon. */
  level: "" | "warn";
}

/** The effect of a reload. */
export interface ReloadResult {
  /** Keys that have changed. */
  applied: string[];
  /** Keys that differ from the file; they keep their value until a restart. */
  restart: string[];
}

/** Whether simulated exporters are running. */
export interface Demo {
  running: boolean;
}

/** The queries that the store is executing. */
export interface RunningQueries {
  queries: RunningQuery[];
}

/** A query that the store is executing, of any client. */
export interface RunningQuery {
  /** ID in the store. */
  id: string;
  /** The resource of this API that made the query, such as query or flows; empty: another client of the store. */
  what: string;
  /** Tag of the client: the Query-Tag of a request, which cancels it. */
  tag: string;
  /** User in the store. */
  user: string;
  /** Seconds so far. */
  elapsed: number;
  /** Rows read so far. */
  rows: number;
  /** Rows to read, approximately; 0 while unknown. */
  of: number;
  /** Bytes read so far. */
  bytes: number;
  memory: number;
  /** Start of the statement. */
  sql: string;
}

/** Ok, or the response is a problem. */
export interface Alive {
  status: string;
}

/** What each route answers; unknown: something else than JSON. */
export interface Answers {
  "GET /api/v1/query": Result;
  "GET /api/v1/query.csv": unknown;
  "GET /api/v1/facets": Facets;
  "GET /api/v1/flows": Flows;
  "GET /api/v1/explain": Explanation;
  "GET /api/v1/stream": unknown;
  "GET /api/v1/estimate": Estimate;
  "GET /api/v1/fields": Fields;
  "GET /api/v1/filter/check": Check;
  "POST /api/v1/filter/check": Check;
  "GET /api/v1/filter/complete": Completion;
  "POST /api/v1/filter/complete": Completion;
  "GET /api/v1/events": Events;
  "POST /api/v1/events": Event;
  "DELETE /api/v1/events/{id}": undefined;
  "GET /api/v1/views": Views;
  "POST /api/v1/views": View;
  "GET /api/v1/views/{slug}": View;
  "PUT /api/v1/views/{slug}": View;
  "DELETE /api/v1/views/{slug}": undefined;
  "POST /api/v1/links": Link;
  "GET /s/{name}": undefined;
  "GET /api/v1/senders": Senders;
  "POST /api/v1/senders": Senders;
  "GET /api/v1/status": Status;
  "GET /api/v1/exporters": Exporters;
  "GET /api/v1/interfaces": Interfaces;
  "GET /api/v1/interfaces/{exporter}/{index}": LinkCourse;
  "GET /api/v1/config": Record<string, unknown>;
  "POST /api/v1/config/reload": ReloadResult;
  "POST /api/v1/demo": Demo;
  "DELETE /api/v1/demo": Demo;
  "GET /api/v1/queries": RunningQueries;
  "DELETE /api/v1/queries/{id}": undefined;
  "GET /api/v1/openapi.json": Record<string, unknown>;
  "GET /healthz": Alive;
  "GET /readyz": Alive;
  "GET /metrics": unknown;
}

/** What each route takes. */
export interface Bodies {
  "POST /api/v1/filter/check": { q: string };
  "POST /api/v1/filter/complete": { text: string; cursor?: number };
  "POST /api/v1/events": {
    id?: string;
    kind?: string;
    start?: number;
    end?: number;
    target?: string;
    severity?: "info" | "warning" | "error" | "critical";
    text?: string;
    attrs?: Record<string, string>;
  };
  "POST /api/v1/views": {
    slug?: string;
    name: string;
    description?: string;
    page?: string;
    query?: string;
    of?: string[];
    pinned?: boolean;
    shared?: boolean;
    owner?: string;
    provisioned?: boolean;
    source?: string;
    updated?: number;
  };
  "PUT /api/v1/views/{slug}": {
    slug?: string;
    name: string;
    description?: string;
    page?: string;
    query?: string;
    of?: string[];
    pinned?: boolean;
    shared?: boolean;
    owner?: string;
    provisioned?: boolean;
    source?: string;
    updated?: number;
  };
  "POST /api/v1/links": { address: string };
  "POST /api/v1/senders": { addresses: string[]; decision: "accept" | "ignore" | "forget" };
}
