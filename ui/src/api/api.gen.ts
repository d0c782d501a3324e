// The types of the HTTP API, made by internal/gen from the routes in api/ and the types of Go; do not edit.

/** What is wrong, as RFC 9457 writes it; the members after detail are ours. */
export interface Problem {
  /** Always about:blank. */
  type: string;
  /** What kind of error. */
  title: string;
  /** HTTP status. */
  status: number;
  /** What is wrong and what to write instead. */
  detail?: string;
  /** The key of the request that is wrong. */
  key?: string;
  /** First and last+1 byte of the filter that are wrong. */
  span?: [number, number];
  /** What may stand there. */
  expected?: string[];
  /** What was probably meant. */
  suggestion?: string;
}

/** The answer to a question about traffic over time. */
export interface Result {
  /** Begin, seconds since 1970. */
  from: number;
  /** End, exclusive. */
  to: number;
  /** Seconds of a bucket. */
  step: number;
  unit: string;
  by: string[];
  /** Begin of each bucket. */
  times: number[];
  /** Directions that occur, or sum. */
  dirs: ("in" | "out" | "internal" | "transit" | "unknown" | "sum")[];
  /** By direction, then by rank; what skip leaves out is the last but one of its direction, Other the last. */
  series: Series[];
  /** The sum of all series, by direction as dirs; empty with unit=pct. */
  total: Total[];
  /** Groups that are folded into Other. */
  other: number;
  /** What the vs of series and totals is. */
  vs?: Comparison;
  meta: Meta;
}

/** One group in one direction. */
export interface Series {
  /** Value of each field of by; empty for Other. */
  key: string[];
  /** The same for people. */
  label: string[];
  dir: "in" | "out" | "internal" | "transit" | "unknown" | "sum";
  /** Whether it is what the first N leave. */
  other: boolean;
  /** With other: the groups that skip leaves out, which are larger than those shown. */
  larger?: boolean;
  /** Of Other: how many groups it holds. */
  folded?: number;
  /**
   * What to add to the filter to see this alone: a condition for each of by, empty for a time. Of Other one condition for
   * all that it holds, such as src.as not in [64500, 64501], with its direction where directions are ranked apart; none with
   * skip.
   */
  filter: string[];
  /** Of a group of time: its own seconds, from and to, which avg is over. */
  time?: [number, number];
  /** One for each bucket, four digits. */
  values: number[];
  /** Packets as sampled, one for each bucket: the smaller, the less certain the value. */
  n: number[];
  /** With agg=peak: the largest rate of one second in each bucket. */
  peaks?: number[];
  /** Total over the length of the range. */
  avg: number;
  /** Largest of the whole buckets. */
  max: number;
  /** The last whole bucket. */
  last: number;
  /** Sum over the range in bytes, packets or flows, scaled by the sampling rates; exact. */
  total: number;
  /** With agg=peak: the largest rate of one second. */
  peak?: number;
  /** The same in the earlier windows. */
  vs?: Versus;
  /** Of the direction's total. */
  share: number;
  /** Relative error of the total, 95 %, from sampling. */
  error: number | null;
}

/** A series or total in the earlier windows. Of a band, Values is the median of the windows, and so are Avg and Total. */
export interface Versus {
  /** One for each bucket; of a band the median. */
  values: number[];
  /** Of a band. */
  min?: number[];
  /** Of a band. */
  max?: number[];
  avg: number;
  total: number;
  /** The average now less that of then. */
  delta: number;
  /** Delta as a share of then; null when there was nothing. */
  change: number | null;
}

/** The sum of all series of a direction. */
export interface Total {
  dir: "in" | "out" | "internal" | "transit" | "unknown" | "sum";
  values: number[];
  /** With agg=peak: the largest rate of one second in each bucket. */
  peaks?: number[];
  /** Total over the length of the range. */
  avg: number;
  /** Largest of the whole buckets. */
  max: number;
  /** The last whole bucket. */
  last: number;
  /** Sum over the range in bytes, packets or flows, scaled by the sampling rates; exact. */
  total: number;
  /** With agg=peak: the largest rate of one second. */
  peak?: number;
  vs?: Versus;
}

/** What a result is compared with. */
export interface Comparison {
  /** As asked. */
  name: string;
  /** Seconds from each earlier window to this one. */
  shifts: number[];
}

/** Where the numbers of an answer come from. */
export interface Meta {
  /** The statement, for use with netmeta sql. */
  sql: string;
  /** Its parameters. */
  params: Record<string, string>;
  /** Rows read. */
  rows: number;
  /** Bytes read. */
  bytes: number;
  /** Time until the result was there. */
  ms: number;
  /**
   * The table that answered; when several did, all of them, the one with most of the window first: rollup_1h, rollup_1m_as,
   * rollup_1m, flows.
   */
  table: string;
  /** Whether the first and last bucket are cut by the range. */
  partial: Partial;
  /** Newest second in the store, 0 when it is empty. */
  through: number;
  /** Seconds. */
  resolution: number;
  /** Keys of the request that are not known. */
  unknown_keys: string[];
  /** What of the request is not answered. */
  notes: string[];
  /** Why there is nothing: no-exporter, no-match or before-retention. */
  empty?: "no-exporter" | "no-match" | "before-retention";
  /** Whether the filter finds something in the last seven days. */
  matches_7d: boolean;
  /** Records among the flows of the window that no network carries. */
  implausible?: number;
}

/** Which buckets at the ends of a range are not whole. */
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
  /** Lists that were not made, since they read more rows of flows than most. */
  left: LeftFacets | null;
  meta: Cost;
}

/** The largest values of one field or pair. */
export interface Facet {
  by: string[];
  /** How many values there are. */
  distinct: number;
  /** The ten largest. */
  values: FacetValue[];
}

/** One of the largest values of a field. */
export interface FacetValue {
  key: string[];
  label: string[];
  /** A condition that lets through this value alone. */
  filter: string;
  /** In the unit, the mean over the window. */
  rate: number;
  /** Bytes, packets or flows. */
  total: number;
  /** Of everything that the filter lets through. */
  share: number;
}

/** Lists that were not made, since they read more rows than most allows. */
export interface LeftFacets {
  /** Names, to be asked for with facets. */
  facets: string[];
  /** That they read. */
  rows: number;
}

/** What an answer was made from. */
export interface Cost {
  sql: string;
  params: Record<string, string>;
  /** Rows read. */
  rows: number;
  /** Bytes read. */
  bytes: number;
  /** Time until the result was there. */
  ms: number;
  /** Keys of the request that are not known. */
  unknown_keys: string[];
  /** Parts of tables that cannot be read and are missing in the answer. */
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
  /** For each record the cursor with which a list in the order of time begins at it. */
  cursors: string[];
  /** By number what the ASes in the values are called; those without a known name are left out. */
  as_names: Record<string, string>;
  /** The cursor of the next page; left out on the last one. */
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

/** Why a window differs from the one before, with what it was made from. */
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
  /** Delta as a share of before; null when there was nothing. */
  change: number | null;
  /** rise, fall, move or steady. */
  kind: "rise" | "fall" | "move" | "steady";
  /** The whole in a sentence. */
  text: string;
  /** What explains it, best first. */
  causes: Cause[];
  /** Lets through what the single causes have in common; empty when there are none. */
  filter: string;
  aspects: Aspect[];
  meta: Cost;
}

/** A value, or of a move two, that makes up much of the change; or that no value does. */
export interface Cause {
  by: string[];
  text: string;
  /** Lets through the value, or the few; empty when there are many. */
  filter: string;
  /** Of the change; of a move, of the traffic. */
  share: number;
  /** How many values it is about. */
  values: number;
}

/** A field with the values that changed most. */
export interface Aspect {
  by: string[];
  /** Values in both windows. */
  distinct: number;
  /** Of the values that rose, together. */
  rise: number;
  /** Of those that fell. */
  fall: number;
  /** Largest change first. */
  values: Mover[];
}

/** A value that changed. */
export interface Mover {
  key: string[];
  label: string[];
  filter: string;
  now: number;
  before: number;
  delta: number;
}

/** The buckets that changed, of all series and totals in the order of the last result. */
export interface Update {
  from: number;
  to: number;
  /** of the buckets */
  times: number[];
  series: UpdateLine[];
  total: UpdateLine[];
  other: number;
  through: number;
  partial: Partial;
}

/** One of them: points of the buckets that changed, figures of the whole. */
export interface UpdateLine {
  values: number[];
  n?: number[];
  peaks?: number[];
  /** Total over the length of the range. */
  avg: number;
  /** Largest of the whole buckets. */
  max: number;
  /** The last whole bucket. */
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

/** What a question will cost. */
export interface Estimate {
  /** To read, about. */
  rows: number;
  parts: number;
  /** How long that takes, from the speed of the questions so far; 0 before the first. */
  ms: number;
  /** Second of the oldest record. */
  oldest: number;
}

/** What can be asked for. */
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

/** Those of a window. */
export interface Events {
  from: number;
  to: number;
  /** Oldest first, the newest 1,000. */
  events: Event[];
}

/** Something that happened, or still lasts. */
export interface Event {
  /** Who reports it again under the same id changes it; empty: it gets one. */
  id: string;
  /** attack, change, maintenance, note or another word. Default note. */
  kind: string;
  /** Second; default now. */
  start: number;
  /** Second; 0 while it goes on. */
  end: number;
  /** Address, prefix or interface. */
  target: string;
  /** info, warning, error or critical. */
  severity: "info" | "warning" | "error" | "critical";
  /** What happened. */
  text: string;
  attrs: Record<string, string>;
}

/** Those that the asker sees. */
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

/** An address of the page. */
export interface Link {
  /** An address of this server, from its path on. */
  address: string;
}

/** Those who were decided about. */
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

/** How the system is: what comes in, where it is lost, what is kept. */
export interface Status {
  version: string;
  started: number;
  /** Simulated exporters send now. */
  demo: boolean;
  now: number;
  listeners: Listener[];
  pipeline: Pipeline;
  /** Rows that wait on disk for the store. */
  spool: Spool;
  /** Per second, over the last ten. */
  rates: Rates;
  drops: Drop[];
  exporters: Exporter[];
  /** Tables that names, ASes and directions come from. */
  enrich: EnrichTable[];
  /**
   * The sum of exporters that are not in the list: forgotten for want of room, or without room from the start. Absent if
   * there are none.
   */
  others?: Exporter;
  /** Senders whose datagrams are refused because somebody chose so; they are not among the exporters. */
  ignored: Ignored[];
  engine: Engine;
  storage: Storage;
  /**
   * The whole in one word, the worst first: the engine is down; something was lost since the start; rows wait in the spool;
   * rows cannot be stored, or not in the spool; all received is stored.
   */
  state: "engine-down" | "losses" | "waiting" | "trouble" | "good";
  /** What is wrong with NetMeta itself, the gravest first. */
  problems: Trouble[];
}

/** A UDP port. */
export interface Listener {
  addr: string;
  /** What is customary on the port. */
  kind: string;
  datagrams: number;
  bytes: number;
  /** By the kernel, because the receive buffer was full. */
  dropped: number;
  /** Octets of each socket's receive buffer. */
  buffer: number;
  /** The sockets that share the port; each has a worker of its own. */
  sockets: Socket[];
}

/** One of the sockets that share a port; each has a worker of its own. */
export interface Socket {
  datagrams: number;
  bytes: number;
  /** By the kernel, because the receive buffer was full. */
  dropped: number;
  /** Octets of the receive buffer in use now, as the kernel accounts. */
  queued: number;
  /** Octets of the receive buffer, as the kernel accounts. */
  buffer: number;
}

/** Pipeline counts since the start. */
export interface Pipeline {
  datagrams: number;
  flows: number;
  blocks: number;
  queue_blocks: number;
  queue_capacity: number;
  /** Octets of the blocks that wait. */
  queue_bytes: number;
  queue_max_bytes: number;
  inserted_rows: number;
  insert_errors: number;
  /** Of the last insert. */
  insert_ms: number;
  /** Since the last insert ended, while flows wait. */
  lag_ms: number;
  /** Why the last insert failed, with what to do about it; absent when it did not. */
  insert_error?: string;
}

/** What waits on disk for the store. */
export interface Spool {
  blocks: number;
  rows: number;
  /** On disk, with what was refused. */
  bytes: number;
  max_bytes: number;
  /** When the oldest rows were written; 0 when there are none. */
  oldest: number;
  /** Since the start. */
  written_rows: number;
  /** Oldest rows that went because the spool was full, since the start. */
  dropped_rows: number;
  /** In spool/refused: what the store will never take, each with the reason beside it. */
  refused_files: number;
  /** Why the spool cannot be written now; absent when it can. */
  error?: string;
}

/** Means over the last 10 s. */
export interface Rates {
  datagrams: number;
  flows: number;
  /** Of Native blocks handed to the store. */
  bytes_stored: number;
}

/** A kind of loss that occurred. */
export interface Drop {
  /** Where, stable. */
  id: "kernel" | "network" | "decoder" | "enrichment" | "spool" | "store" | "files";
  where: string;
  reason: string;
  count: number;
  /** What to do about it. */
  hint: string;
}

/**
 * A device that sent something: what came from it since the start of the process, what was missing, and how far its data
 * can be trusted.
 */
export interface Exporter {
  address: string;
  /** What the configuration calls it. */
  name?: string;
  /** How its records come; unknown: nothing that it sends is of a known protocol. */
  type: string;
  /**
   * Whether it is known: new (nobody has decided), named (by the configuration, under enrich.exporters with a name or in
   * sources) or accepted. Absent of others.
   */
  standing?: "new" | "named" | "accepted";
  /** Since the start of the process, like all counts here. */
  datagrams: number;
  /** Rows made. */
  flows: number;
  /** Records left out because the exporter is over its limit; the sampling rate of the others stands for them. */
  thinned: number;
  /** Rows that no network has carried: their quality bit says so. */
  implausible?: number;
  /**
   * Some of the rows that came from it since first are in the store. Absent: not yet, or for more than 15 minutes nobody
   * asked.
   */
  stored?: boolean;
  /** Data records or samples decoded. */
  records: number;
  /** Options data records. */
  options: number;
  /** When it was seen first since the start of the process, seconds since 1970. */
  first: number;
  /** When it last sent, seconds since 1970. */
  last: number;
  sampling_rate: number;
  /** record, options, header, config or unknown. */
  sampling_source: string;
  /** Held. */
  templates: number;
  /** Data sets that wait for their template. */
  waiting: number;
  /** Data sets given up for want of their template. */
  dropped: number;
  /** Missing by sequence number. */
  lost: number;
  /** Datagrams that came after a later one. */
  reordered: number;
  /** Times that it began anew. */
  restarts: number;
  /** Not decoded. */
  refused: number;
  /** Why it was not decoded. */
  reasons?: Record<string, number>;
  /** How far its clock is ahead. */
  clock_skew_ms: number;
  /** Median duration of its records: buckets finer than this are smeared. */
  resolution_ms: number;
  /** Else its traffic counts as not sampled. */
  sampling_known: boolean;
  /** What its type lets it say of itself. */
  announces: Announcement;
  /** Share of what it sent that did not arrive, from 0 to 1; of datagrams or of records, as its sequence numbers count. */
  loss: number;
  /** What is wrong with it, the gravest first. */
  problems: Trouble[];
  /** How far it has come on the way to the store. Of the status alone, and absent of others. */
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

/** What names and places of flows come from. */
export interface EnrichTable {
  name: string;
  entries: number;
  /** When it was read, or confirmed to be the newest, seconds since 1970; 0: never. */
  loaded: number;
  /** The configuration, the file or URL, or the public tables it was made from. */
  source: string;
  /** Why the file or URL gave nothing newer; the last good content stays in use. */
  error?: string;
}

/** A sender whose datagrams are refused because somebody chose so. */
export interface Ignored {
  address: string;
  /** When that was chosen, seconds since 1970. */
  since: number;
  /** Refused since the start of the process. */
  datagrams: number;
  /** When the last of them came, seconds since 1970; 0: none did. */
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
  /** What limits the process of the embedded engine. */
  confinement?: string;
  /** Protections that this system does not have, with the reason. */
  unprotected?: string[];
  /** Users whose statements ran when the engine crashed. */
  crashes?: EngineUser[];
}

/** A user whose statements ran when the engine crashed. */
export interface EngineUser {
  user: string;
  /** Since the start. */
  crashes: number;
  /** Since when the user is shut out, Unix time; left out: is not. */
  shut_out?: number;
  /** Until when, Unix time. */
  until?: number;
  /** The beginning of the statement that ran at the last crash. */
  statement: string;
}

/** What is kept. */
export interface Storage {
  rows: number;
  /** On disk. */
  bytes: number;
  bytes_per_row: number;
  oldest: number;
  newest: number;
  disk_free: number;
  disk_total: number;
  /** How full the disk is. */
  disk_level: "" | "bad";
  ttl_days: number;
  /** Bytes of the disk that are kept free: when less are, the oldest hours are dropped. 0: that is not done. */
  keep_free: number;
  /** Rows dropped for want of space since the start. */
  dropped_rows: number;
  /** When that was the last time, seconds since 1970; 0: never. */
  dropped_at: number;
  /** Bytes of the disk that temporary data take; no rows are dropped for them. */
  temporary: number;
  /** What these are. */
  temporary_of: string;
  /** How far back the store will reach if flows go on coming as in the last day. */
  forecast: Forecast;
  /** Parts of tables that cannot be read. Queries and rollups leave them out. */
  unreadable: Unreadable[];
  /** Parts that the engine or a user has put aside, at most 100. Nothing reads them. */
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

/** A part of a table that cannot be read, and what to do. */
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
  /** What to do about it. */
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

/** Those that have sent something since the start of the process. */
export interface Exporters {
  exporters: ExporterDetail[];
  /**
   * The sum of exporters that are not in the list: forgotten for want of room, or without room from the start. Absent if
   * there are none.
   */
  others?: Exporter;
  /** Senders whose datagrams are refused because somebody chose so; they are not among the exporters. */
  ignored: Ignored[];
}

/** An exporter with its sampling rates and the share of its rows that have a value in each column. */
export interface ExporterDetail {
  address: string;
  /** What the configuration calls it. */
  name?: string;
  /** How its records come; unknown: nothing that it sends is of a known protocol. */
  type: string;
  /**
   * Whether it is known: new (nobody has decided), named (by the configuration, under enrich.exporters with a name or in
   * sources) or accepted. Absent of others.
   */
  standing?: "new" | "named" | "accepted";
  /** Since the start of the process, like all counts here. */
  datagrams: number;
  /** Rows made. */
  flows: number;
  /** Records left out because the exporter is over its limit; the sampling rate of the others stands for them. */
  thinned: number;
  /** Rows that no network has carried: their quality bit says so. */
  implausible?: number;
  /**
   * Some of the rows that came from it since first are in the store. Absent: not yet, or for more than 15 minutes nobody
   * asked.
   */
  stored?: boolean;
  /** Data records or samples decoded. */
  records: number;
  /** Options data records. */
  options: number;
  /** When it was seen first since the start of the process, seconds since 1970. */
  first: number;
  /** When it last sent, seconds since 1970. */
  last: number;
  sampling_rate: number;
  /** record, options, header, config or unknown. */
  sampling_source: string;
  /** Held. */
  templates: number;
  /** Data sets that wait for their template. */
  waiting: number;
  /** Data sets given up for want of their template. */
  dropped: number;
  /** Missing by sequence number. */
  lost: number;
  /** Datagrams that came after a later one. */
  reordered: number;
  /** Times that it began anew. */
  restarts: number;
  /** Not decoded. */
  refused: number;
  /** Why it was not decoded. */
  reasons?: Record<string, number>;
  /** How far its clock is ahead. */
  clock_skew_ms: number;
  /** Median duration of its records: buckets finer than this are smeared. */
  resolution_ms: number;
  /** Else its traffic counts as not sampled. */
  sampling_known: boolean;
  /** What its type lets it say of itself. */
  announces: Announcement;
  /** Share of what it sent that did not arrive, from 0 to 1; of datagrams or of records, as its sequence numbers count. */
  loss: number;
  /** What is wrong with it, the gravest first. */
  problems: Trouble[];
  /** How far it has come on the way to the store. Of the status alone, and absent of others. */
  arrival?: Step[];
  /** Its sampling rates, at most 1024. */
  samplings?: Sampling[];
  /** The beginning of the last datagram of which something was not decoded, one in ten seconds. */
  sample?: Sample;
  /** Share of its rows of the last five minutes that have a value in a column. */
  coverage?: Record<string, number>;
}

/** One of the sampling rates of an exporter. */
export interface Sampling {
  /** Observation domain, or sub-agent of sFlow. */
  domain: number;
  /** What samples: exporter for all of it, selector, interface, vlan, entity or logical-entity. */
  of: string;
  /** Which one: selector or sampler id, ifIndex. */
  id: number;
  /** Declared: one of this many packets. 0 when sFlow says none. */
  rate: number;
  /** Who declares it: record, options, header, config or unknown. */
  source: string;
  /** What the exporter did, by its own count: packets for each sample that it took (sample pool of sFlow). */
  effective?: number;
  /** Samples that effective is the mean of. */
  samples?: number;
  /** Samples that the exporter took and could not send. */
  dropped?: number;
  /** The effective rate is another than the declared one. Absent: it is not. */
  differs?: boolean;
}

/** The beginning of a datagram of which something was not decoded. */
export interface Sample {
  /** When it came, seconds since 1970. */
  at: number;
  reason: string;
  /** Of the whole datagram. */
  octets: number;
  /** Its first octets. */
  hex: string;
}

/** The interfaces of the exporters, with what they carry. */
export interface Interfaces {
  from: number;
  to: number;
  /** Seconds that p95 and max are over: 60, of more than 2 days 300, of more than a week 3600, of more than 120 days 86400. */
  step: number;
  interfaces: Interface[];
  /** Interfaces with less traffic that are not listed. */
  more: number;
  /** By exporter, how much of its octets is on interfaces without a name: index 0, 0x3FFFFFFF, or one whose name nobody said. */
  unnamed: Unnamed[];
  /** Of the exporters in either list, what is wrong with their interfaces. */
  exporters: InterfacesOf[];
  meta: Cost;
}

/** One of an exporter: what flows and counters say of it. */
export interface Interface {
  /** Address. */
  exporter: string;
  /** Of the exporter; absent when it has none. */
  name?: string;
  /** ifIndex. */
  index: number;
  /** Name; absent when none is known. */
  interface?: string;
  /** ifAlias. */
  description?: string;
  /** external or internal. */
  boundary?: string;
  /** Bits per second, 0 when nobody says. */
  speed: number;
  /** Bits: 1 up as configured, 2 up in fact. Absent without counters. */
  status?: number;
  in: LinkSide;
  out: LinkSide;
  /** What is wrong with it. */
  problems: Trouble[];
}

/** One direction of an interface. Rates are bits per second of layer 2. */
export interface LinkSide {
  /** Over the window. */
  avg: number;
  /** Of the steps that lie in the window whole; one without flows counts as zero. */
  p95: number;
  /** Of the same steps. */
  max: number;
  /** The last step that is whole. */
  last: number;
  /** Relative error of avg with 95 % confidence, from sampling; null when nothing was seen. */
  error: number | null;
  /** At most 60 rates over the window. */
  course: number[];
  /** p95 as a share of the speed; null when that is not known. */
  use_p95: number | null;
  /** max as a share of the speed. */
  use_max: number | null;
  /** Bits per second as the device counts them; null without counters. An interval in which they started anew does not count. */
  counter: number | null;
  /** Per second. */
  errors: number | null;
  /** Per second. */
  discards: number | null;
  /** Flows over counters: 1 when the sampling is right. Null unless counters cover half the window. */
  coverage: number | null;
  /** How full it is, by use_p95. */
  use_level: "" | "warn" | "bad";
  /** Flows and counters are further apart than sampling explains. */
  uncovered: boolean;
}

/** The share of an exporter's octets on interfaces without a name. */
export interface Unnamed {
  /** Address. */
  exporter: string;
  share: number;
}

/** The interfaces of an exporter as a whole. */
export interface InterfacesOf {
  /** Address. */
  exporter: string;
  /** Each kind once, with the name of the first interface that has it; and of the names. */
  problems: Trouble[];
  /** whether names have come; nil: not known which interfaces it has */
  names?: Step;
}

/** One interface over time. */
export interface LinkCourse {
  from: number;
  to: number;
  /** Seconds of a bucket. */
  step: number;
  /** Starts of the buckets. */
  times: number[];
  /**
   * What the device counted, bits per second; null when it sends no counters. A value is null where the readings cover less
   * than half of its bucket.
   */
  counters: CounterCourse | null;
  /**
   * What flows say of each hour of the last 28 days, bits per second of layer 2; null when there are no sums of hours with
   * this interface.
   */
  weeks: Weeks | null;
  /** When it is nearly full if its weeks go on like this. */
  nearly_full: NearlyFull;
  /** Of the counters. */
  meta: Cost;
}

/** The rates of both directions, bucket by bucket; nil where nobody counted. */
export interface CounterCourse {
  in: (number | null)[];
  out: (number | null)[];
}

/** The hours of an interface, in bits per second of layer 2 as flows say. */
export interface Weeks {
  /** Start of the first hour. */
  from: number;
  /** Received, hour by hour. */
  in: number[];
  /** Sent, hour by hour. */
  out: number[];
  /** The straight line through the 95th percentiles of the hours of each whole day; null with fewer than seven of them. */
  trend: Trends | null;
}

/** Those of both directions. */
export interface Trends {
  /** Whole days that it is of. */
  days: number;
  in: Trend;
  out: Trend;
}

/** The straight line through the 95th percentiles of the hours of each day, by least squares. */
export interface Trend {
  /** Of the last whole day, on the line: bits per second. */
  p95: number;
  /** How much it rises a day, bits per second. */
  per_day: number;
  /** Standard error of per_day. */
  error: number;
}

/** When the interface is nearly full, if its weeks go on like this. */
export interface NearlyFull {
  /** Of the speed, from which on it is nearly full. */
  share: number;
  /** Null when that is not to be expected. */
  in: InDays | null;
  /** Null when that is not to be expected. */
  out: InDays | null;
}

/** How long that lasts. */
export interface InDays {
  days: number;
  /** warn when that is soon. */
  level: "" | "warn";
}

/** What reading the configuration again did. */
export interface Reloaded {
  /** Keys that have changed. */
  applied: string[];
  /** Keys that differ from the file: they keep their value until a restart. */
  restart: string[];
}

/** Whether simulated exporters send. */
export interface Demo {
  running: boolean;
}

/** What the store is working on. */
export interface RunningQueries {
  queries: RunningQuery[];
}

/** One that the store is working on, whoever asked it. */
export interface RunningQuery {
  /** The store's own. */
  id: string;
  /** The resource of this API that asks, as query or flows; empty: somebody asks the store itself. */
  what: string;
  /** What the asker calls it: the Query-Tag of a request ends it. */
  tag: string;
  /** Of the store. */
  user: string;
  /** Seconds. */
  elapsed: number;
  /** Read so far. */
  rows: number;
  /** To read, about; 0 while nobody knows. */
  of: number;
  /** Read so far. */
  bytes: number;
  memory: number;
  /** Its beginning. */
  sql: string;
}

/** Ok, or there is a problem. */
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
  "POST /api/v1/config/reload": Reloaded;
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
