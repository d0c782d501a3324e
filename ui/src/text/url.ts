// The query string holds the whole state of a page with a query. Only this module knows the keys, their order and their defaults.
// The keys are a contract, frozen by testdata/urls.json: keys are only added, unknown keys are kept, and default values are omitted.

export interface View {
  q: string;
  by: string[];
  from: string;
  to: string;
  tz: string;
  unit: string;
  layer: string;
  viz: string;
  n: number;
  rank: string;
  rankdir: string;
  dir: string;
  vs: string;
  step: string;
  agg: string;
  y: string;
  ymax: string;
  spread: boolean;
  live: boolean;
  sel: string;
  hide: string[];
  /** For records: the columns, empty: the default ones; the order in time, asc or desc; the sort column, with - for the largest first. */
  columns: string;
  order: string;
  sort: string;
  /** The number of largest groups combined into one before the n groups. */
  skip: number;
  /** Unknown keys, in their original order. */
  extra: [string, string][];
}

type TextKey =
  | "q"
  | "from"
  | "to"
  | "tz"
  | "unit"
  | "layer"
  | "viz"
  | "rank"
  | "rankdir"
  | "dir"
  | "vs"
  | "step"
  | "agg"
  | "y"
  | "ymax"
  | "sel"
  | "columns"
  | "order"
  | "sort";

const text: Record<TextKey, string> = {
  q: "",
  from: "-1h",
  to: "now",
  tz: "browser",
  unit: "bps",
  layer: "l3",
  viz: "stack",
  rank: "avg",
  rankdir: "each",
  dir: "both",
  vs: "",
  step: "auto",
  agg: "avg",
  y: "lin",
  ymax: "",
  sel: "",
  columns: "",
  order: "desc",
  sort: "",
};

/** The order of keys in a URL. */
const order = [
  "q",
  "by",
  "from",
  "to",
  "tz",
  "unit",
  "layer",
  "viz",
  "n",
  "rank",
  "rankdir",
  "dir",
  "vs",
  "step",
  "agg",
  "spread",
  "y",
  "ymax",
  "live",
  "sel",
  "hide",
  "columns",
  "order",
  "sort",
  "skip",
] as const;

export const maxSeries = 50;
export const maxSkip = 1000;

export function defaults(): View {
  return { ...text, by: [], n: 12, skip: 0, spread: false, live: false, hide: [], extra: [] };
}

/** The default layer of a unit: utilisation is counted on the wire. */
function defaultLayer(unit: string): string {
  return unit === "pct" ? "l1" : text.layer;
}

/** Parses a query string, with or without its question mark. Never fails: invalid values become the default. */
export function parse(search: string): View {
  const v = defaults();
  const seen = new Set<string>();
  for (const pair of search.replace(/^\?/, "").split("&")) {
    if (pair === "") continue;
    const eq = pair.indexOf("=");
    const key = decode(eq < 0 ? pair : pair.slice(0, eq));
    const value = eq < 0 ? "" : decode(pair.slice(eq + 1));
    if (!(order as readonly string[]).includes(key) || seen.has(key)) {
      v.extra.push([key, value]);
      continue;
    }
    seen.add(key);
    switch (key) {
      case "by":
        v.by = value
          .split(",")
          .map((s) => s.trim())
          .filter((s, i, all) => s !== "" && all.indexOf(s) === i);
        break;
      case "hide":
        v.hide = value
          .split(",")
          .filter((s) => s !== "")
          .map(unescaped);
        break;
      case "n": {
        const n = /^\d{1,9}$/.test(value) ? Number(value) : 0;
        if (n > 0) v.n = Math.min(n, maxSeries);
        break;
      }
      case "skip":
        v.skip = /^\d{1,9}$/.test(value) ? Math.min(Number(value), maxSkip) : 0;
        break;
      case "spread":
      case "live":
        v[key] = value === "1";
        break;
      default:
        v[key as TextKey] = value === "" ? text[key as TextKey] : value;
    }
  }
  if (!seen.has("layer")) v.layer = defaultLayer(v.unit);
  return v;
}

/** Describes the numbers of a query string that differ in the parsed view. */
export function notMet(search: string, v: View): string[] {
  const asked = new URLSearchParams(search);
  return (["n", "skip"] as const)
    .filter((k) => asked.get(k) && Number(asked.get(k)) !== v[k])
    .map((k) => `${k}=${asked.get(k)?.slice(0, 20)} is shown as ${k}=${v[k]}`);
}

/** Formats the query string of a view, without a question mark: canonical order, without defaults, readable. */
export function format(v: View): string {
  const out: string[] = [];
  const put = (key: string, value: string) => out.push(encode(key).replace(/=/g, "%3D") + "=" + encode(value));
  for (const key of order) {
    switch (key) {
      case "by":
        if (v.by.length) put(key, v.by.join(","));
        break;
      case "hide":
        if (v.hide.length) put(key, v.hide.map((s) => s.replace(/[%,]/g, encodeURIComponent)).join(","));
        break;
      case "n":
        if (v.n !== 12) put(key, String(v.n));
        break;
      case "skip":
        if (v.skip > 0) put(key, String(v.skip));
        break;
      case "spread":
      case "live":
        if (v[key]) put(key, "1");
        break;
      case "layer":
        if (v.layer !== defaultLayer(v.unit)) put(key, v.layer);
        break;
      default:
        if (v[key] !== text[key]) put(key, v[key]);
    }
  }
  for (const [key, value] of v.extra) put(key, value);
  return out.join("&");
}

/** Whether a term of `by` is an interval, such as ts:1h. */
export const isTime = (term: string) => term.startsWith("ts:");

/** The length of such an interval, in seconds. */
export function timeLength(term: string): number {
  const [, n, unit] = /^ts:(\d+)([smhdw])$/.exec(term) ?? [];
  return Number(n ?? 0) * ({ s: 1, m: 60, h: 3600, d: 86400, w: 604800 }[unit ?? "s"] ?? 0);
}

/** In a heat map, an interval in `by` sets the length of cells next to other groups; alone, each interval is a row. */
function heatMap(v: View): Partial<View> {
  const [time] = v.by.filter(isTime);
  if (v.viz !== "heat" || !time) return {};
  const by = v.by.filter((b) => !isTime(b));
  return by.length ? { by, step: String(Math.min(86400, timeLength(time)) || text.step) } : { n: maxSeries };
}

/** The query string for the server: the keys that affect the result, the time zone by name, and the width. */
export function request(v: View, zone: string, px: number): string {
  const asked: View = {
    ...v,
    ...heatMap(v),
    tz: v.tz === "browser" ? zone : v.tz,
    viz: text.viz,
    live: false,
    sel: "",
    hide: [],
    y: text.y,
    ymax: "",
    columns: "",
    order: text.order,
    sort: "",
    extra: [],
  };
  const keys = format(asked);
  return (keys ? keys + "&" : "") + "px=" + px;
}

/** Some keys of a view, for requests that accept only these. */
export function ask(v: View, zone: string, keys: (keyof View)[]): string {
  const asked = defaults();
  for (const k of keys) Object.assign(asked, { [k]: v[k] });
  return format({ ...asked, tz: v.tz === "browser" ? zone : v.tz });
}

/** Replaces ratios by bits, for requests that rank values by sums. */
export const inSums = (v: View): View => (v.unit === "pct" || v.unit === "bpp" ? { ...v, unit: text.unit } : v);

/** The range of `sel`, in seconds. */
export function selected(sel: string): [number, number] | undefined {
  const both = sel.split("~").map((s) => (/^\d+$/.test(s) ? Number(s) : Date.parse(s) / 1000));
  return both.length === 2 && both[0] < both[1] ? [both[0], both[1]] : undefined;
}

/** The query string for records: the keys that select them, and their columns. */
export const recordKeys = (v: View, zone: string) => ask(v, zone, ["q", "from", "to", "dir", "columns", v.sort ? "sort" : "order"]);

function unescaped(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s; // a lone % typed by hand
  }
}

const decode = (s: string) => unescaped(s.replace(/\+/g, " "));

/** Percent-encodes as little as a URL allows, so that links stay readable. */
function encode(s: string): string {
  return encodeURIComponent(s)
    .replace(/%20/g, "+")
    .replace(/%(2C|3A|2F|40|5B|5D|3D|24|7E)/g, decodeURIComponent)
    .replace(/'/g, "%27");
}
