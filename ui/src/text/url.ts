// The whole state of a page that asks is its query string. This module is the only place that knows the keys, their order and
// their defaults. The keys are a contract, frozen by testdata/urls.json: keys are only ever added, a key that
// this version does not know is kept and given back, and a value that equals its default is left out.

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
  /** Of records: the columns, empty for those that tell most, asc or desc in time, and the column that they are sorted by, - before it for the largest first. */
  columns: string;
  order: string;
  sort: string;
  /** So many of the largest groups are folded into one before the n come. */
  skip: number;
  /** Keys this version does not know, in the order they came. */
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

/** The order in which the keys are written. */
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

/** The layer that a unit has when the URL names none: the share of an interface is counted on the line. */
function defaultLayer(unit: string): string {
  return unit === "pct" ? "l1" : text.layer;
}

/** Reads a query string, with or without its question mark. Never fails: what it cannot read becomes the default. */
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

/** Of the numbers in a query string those that the view which was read from it does not have, in words. */
export function notMet(search: string, v: View): string[] {
  const asked = new URLSearchParams(search);
  return (["n", "skip"] as const)
    .filter((k) => asked.get(k) && Number(asked.get(k)) !== v[k])
    .map((k) => `${k}=${asked.get(k)?.slice(0, 20)} is shown as ${k}=${v[k]}`);
}

/** Writes the query string of a view, without a question mark: canonical order, defaults left out, readable. */
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

/** Whether a term of `by` is a length of time, as ts:1h. */
export const isTime = (term: string) => term.startsWith("ts:");

/** The seconds of such a length. */
export function timeLength(term: string): number {
  const [, n, unit] = /^ts:(\d+)([smhdw])$/.exec(term) ?? [];
  return Number(n ?? 0) * ({ s: 1, m: 60, h: 3600, d: 86400, w: 604800 }[unit ?? "s"] ?? 0);
}

/** A heat map has time from left to right: beside other groups a length of time is that of its cells; alone, each is a row. */
function heatMap(v: View): Partial<View> {
  const [time] = v.by.filter(isTime);
  if (v.viz !== "heat" || !time) return {};
  const by = v.by.filter((b) => !isTime(b));
  return by.length ? { by, step: String(Math.min(86400, timeLength(time)) || text.step) } : { n: maxSeries };
}

/** What the server is asked: the keys that change the answer, the time zone by name, and the width to fill. */
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

/** Some keys of a view, for questions that take only these. */
export function ask(v: View, zone: string, keys: (keyof View)[]): string {
  const asked = defaults();
  for (const k of keys) Object.assign(asked, { [k]: v[k] });
  return format({ ...asked, tz: v.tz === "browser" ? zone : v.tz });
}

/** Ratios are no sums: what ranks values by what they add up to counts bits instead. */
export const inSums = (v: View): View => (v.unit === "pct" || v.unit === "bpp" ? { ...v, unit: text.unit } : v);

/** The window that `sel` names, in seconds. */
export function selected(sel: string): [number, number] | undefined {
  const both = sel.split("~").map((s) => (/^\d+$/.test(s) ? Number(s) : Date.parse(s) / 1000));
  return both.length === 2 && both[0] < both[1] ? [both[0], both[1]] : undefined;
}

/** What the server is asked for records: the keys that choose them, and their columns. */
export const recordKeys = (v: View, zone: string) => ask(v, zone, ["q", "from", "to", "dir", "columns", v.sort ? "sort" : "order"]);

function unescaped(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s; // a lone % typed by hand
  }
}

const decode = (s: string) => unescaped(s.replace(/\+/g, " "));

/** Percent-encodes as little as a URL allows, so that a link can be read. */
function encode(s: string): string {
  return encodeURIComponent(s)
    .replace(/%20/g, "+")
    .replace(/%(2C|3A|2F|40|5B|5D|3D|24|7E)/g, decodeURIComponent)
    .replace(/'/g, "%27");
}
