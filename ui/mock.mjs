// A mock server that implements the HTTP API with generated data, to develop the web UI without an engine.
//   node mock.mjs [--port 8099] [--empty]      --empty: a new installation without data
// The data is a fixed set of conversations, each with its own daily trend. Filters and groupings are evaluated on it, so that sums are
// consistent.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

const text = ["=", "!=", "~", "!~", "in"];
const num = ["=", "!=", "<", "<=", ">", ">=", "in"];
const field = (name, column, title, group, kind, side, more = {}) => ({
  name,
  column,
  title,
  doc: more.doc ?? title + " of the flow",
  group,
  kind,
  side,
  ops: kind === "string" || kind === "enum" ? text : num,
  unit: "",
  groupable: true,
  filterable: true,
  ...more,
});
const fields = [
  field("src.ip", "SrcAddr", "Source address", "addresses", "ip", "src"),
  field("dst.ip", "DstAddr", "Destination address", "addresses", "ip", "dst"),
  field("src.net", "SrcAddr", "Source network", "addresses", "ip", "src"),
  field("dst.net", "DstAddr", "Destination network", "addresses", "ip", "dst"),
  field("src.port", "SrcPort", "Source port", "transport", "uint16", "src", { doc: "TCP, UDP or SCTP source port" }),
  field("dst.port", "DstPort", "Destination port", "transport", "uint16", "dst", { doc: "TCP, UDP or SCTP destination port" }),
  field("proto", "Proto", "Protocol", "transport", "enum", "", { values: ["tcp", "udp", "icmp", "esp", "gre"] }),
  field("flags", "TCPFlags", "TCP flags", "transport", "uint16", ""),
  field("src.as", "SrcAS", "Source AS", "routing", "uint32", "src", { doc: "AS number that the source address belongs to" }),
  field("dst.as", "DstAS", "Destination AS", "routing", "uint32", "dst", { doc: "AS number that the destination address belongs to" }),
  field("remote.as", "RemoteAS", "Remote AS", "routing", "uint32", "remote", { doc: "AS number of the side that is not ours" }),
  field("in.if", "InIf", "Input interface", "interfaces", "string", "in"),
  field("out.if", "OutIf", "Output interface", "interfaces", "string", "out"),
  field("exporter", "ExporterAddress", "Exporter", "exporter", "ip", ""),
  field("direction", "Direction", "Direction", "exporter", "enum", "", { values: ["in", "out", "internal", "transit", "unknown"] }),
  field("bytes", "Bytes", "Bytes", "counters", "uint64", "", { groupable: false }),
  field("packets", "Packets", "Packets", "counters", "uint64", "", { groupable: false }),
];
const units = [
  ["bps", "bits/s"],
  ["pps", "packets/s"],
  ["fps", "flows/s"],
  ["bytes", "bytes"],
  ["packets", "packets"],
  ["flows", "flows"],
].map(([name, title]) => ({ name, title }));

// --- data

let seed = 7;
const random = () => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0), seed / 2 ** 32);
const pick = (list) => list[Math.floor(random() ** 1.7 * list.length)];
const ases = [
  [2906, "Netflix"],
  [15169, "Google"],
  [32934, "Meta"],
  [20940, "Akamai"],
  [13335, "Cloudflare"],
  [16509, "Amazon"],
  [8075, "Microsoft"],
  [714, "Apple"],
  [54113, "Fastly"],
  [22822, "Edgio"],
  [46489, "Twitch"],
  [3320, "DTAG"],
  [24940, "Hetzner"],
  [16276, "OVH"],
  [6939, "HE"],
  [174, "Cogent"],
  [3356, "Lumen"],
  [1299, "Arelion"],
  [5511, "Orange"],
  [2914, "NTT"],
  [12322, "Free"],
  [63949, "Linode"],
  [14061, "DigitalOcean"],
  [36459, "GitHub"],
  [32590, "Valve"],
  [57976, "Blizzard"],
];
const asName = new Map(ases.map(([n, name]) => [String(n), name]));
const exporters = ["192.0.2.1", "192.0.2.2", "2001:db8:0:1::3"];
const conversations = [];
for (let i = 0; i < 420; i++) {
  const [as] = pick(ases);
  const direction = i % 61 === 30 ? "internal" : random() < 0.68 ? "in" : "out";
  const v6 = random() < 0.2;
  const remote = v6
    ? `2001:db8:${(as % 65536).toString(16)}::${(i % 200).toString(16)}`
    : `198.51.${as % 256}.${1 + Math.floor(random() * 250)}`;
  const local = v6 ? `2001:db8:ffff::${(1 + (i % 40)).toString(16)}` : `203.0.113.${1 + Math.floor(random() ** 2 * 60)}`;
  const port = pick([443, 443, 443, 80, 53, 8080, 22, 123, 3478, 51820]);
  const proto = port === 53 || port === 123 || port === 3478 || port === 51820 || random() < 0.25 ? "udp" : "tcp";
  const into = direction !== "out";
  const high = 1024 + Math.floor(random() * 60000);
  const net = (ip) => (ip.includes(":") ? ip.replace(/::.*/, "::/48") : ip.replace(/\.\d+$/, ".0/24"));
  const src = into ? remote : local;
  const dst = into ? local : remote;
  conversations.push({
    keys: {
      "src.ip": src,
      "dst.ip": dst,
      "src.net": net(src),
      "dst.net": net(dst),
      "src.port": String(into ? port : high),
      "dst.port": String(into ? high : port),
      proto,
      flags: proto === "tcp" ? pick(["24", "16", "18", "2"]) : "0",
      "src.as": String(into ? as : 64500),
      "dst.as": String(into ? 64500 : as),
      "remote.as": String(as),
      "in.if": into ? pick(["et-0/0/0", "ae12", "et-0/0/3"]) : "ae1",
      "out.if": into ? "ae1" : pick(["et-0/0/0", "ae12"]),
      exporter: pick(exporters),
      direction,
    },
    weight: (into ? 1 : 0.35) * 9e7 * (1 / (1 + i / 18)) * (0.4 + random()) * (direction === "internal" ? 0.5 : 1),
    packet: 200 + random() * 1200,
    phase: random() * 6.28,
    wobble: 0.1 + random() * 0.35,
    noise: Math.floor(random() * 1e9),
  });
}

const hash01 = (a, b) => {
  let h = Math.imul(a ^ (b | 0), 0x9e3779b1) ^ (b / 4294967296);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h ^= h >>> 13;
  return (h >>> 0) / 2 ** 32;
};

/** Bits per second of a conversation in an interval. */
function rate(c, t, step) {
  const daily = 0.75 + 0.35 * Math.sin(((t % 86400) / 86400) * 6.28 - 2.1);
  const slow = 1 + c.wobble * Math.sin(t / 700 + c.phase) + 0.12 * Math.sin(t / 97 + c.phase * 3);
  const fine = 1 + (hash01(c.noise, Math.floor(t / step)) - 0.5) * Math.min(0.5, 1.6 / Math.sqrt(step));
  const burst = c.noise % 11 === 0 && t % 1700 < 240 ? 2.4 : 1;
  return Math.max(0, c.weight * daily * slow * fine * burst);
}

// --- filter: a subset of the language, with errors at the same positions

class FilterError extends Error {
  constructor(message, span, suggestion, expected) {
    super(message);
    Object.assign(this, { span, suggestion, expected });
  }
}
const protos = ["tcp", "udp", "icmp", "esp", "gre"];
const either = ["ip", "net", "port", "as"];
const names = [...fields.map((f) => f.name), ...either, "host"];

function parseFilter(q) {
  const toks = [...q.matchAll(/--[^\n]*|"(?:[^"\\]|\\.)*"?|!=|!~|<=|>=|==|[=<>~]|[()[\]]|[^\s()[\]"=<>~!,]+|!/g)]
    .filter((m) => !m[0].startsWith("--"))
    .map((m) => ({ s: m[0], at: Buffer.byteLength(q.slice(0, m.index)), to: Buffer.byteLength(q.slice(0, m.index + m[0].length)) }));
  let i = 0;
  const end = Buffer.byteLength(q);
  const low = () => toks[i]?.s.toLowerCase();
  const value = () => {
    const t = toks[i++];
    if (!t) throw new FilterError("a value is missing", [end, end], null, ["value"]);
    return t.s.startsWith('"') ? t.s.slice(1, t.s.endsWith('"') ? -1 : undefined).replace(/\\(.)/g, "$1") : t.s.replace(/^AS(?=\d+$)/i, "");
  };
  const list = () => {
    const close = { "[": "]", "(": ")" }[toks[i].s];
    i++;
    const out = [];
    while (toks[i] && toks[i].s !== close) out.push(value());
    if (!toks[i]) throw new FilterError(`"${close}" is missing`, [end, end], null, [close]);
    i++;
    return out;
  };
  function or() {
    const terms = [and()];
    while (low() === "or" || low() === "||") i++, terms.push(and());
    return (c) => terms.some((f) => f(c));
  }
  function and() {
    const terms = [not()];
    for (;;) {
      if (low() === "and" || low() === "&&") i++;
      else if (!toks[i] || low() === "or" || low() === ")") break;
      terms.push(not());
    }
    return (c) => terms.every((f) => f(c));
  }
  function not() {
    if (low() === "not" || low() === "!") {
      i++;
      const f = not();
      return (c) => !f(c);
    }
    return prim();
  }
  function prim() {
    const t = toks[i];
    if (!t) throw new FilterError("a condition is missing", [end, end], null, ["field"]);
    if (t.s === "(") {
      i++;
      const f = or();
      if (toks[i]?.s !== ")") throw new FilterError('")" is missing', [end, end], null, [")"]);
      i++;
      return f;
    }
    let name = t.s.toLowerCase();
    if (protos.includes(name)) return (i++, (c) => c.keys.proto === name);
    if (/^[\d.]+(\/\d+)?$|^[0-9a-f]*:[0-9a-f:]*(\/\d+)?$/.test(name))
      return (i++, (c) => [c.keys["src.ip"], c.keys["dst.ip"], c.keys["src.net"], c.keys["dst.net"]].includes(name));
    if (/^as\d+$/.test(name)) return (i++, (c) => [c.keys["src.as"], c.keys["dst.as"]].includes(name.slice(2)));
    let last = t;
    if (["src", "dst", "remote"].includes(name) && toks[i + 1]) (last = toks[++i]), (name += "." + last.s.toLowerCase());
    if (name === "host") name = "ip";
    if (!names.includes(name)) {
      const word = last.s.toLowerCase().split(".").pop();
      const near = [...new Set(names.flatMap((n) => [n, n.split(".").pop()]))]
        .map((n) => [distance(word, n), n])
        .sort((a, b) => a[0] - b[0])[0];
      throw new FilterError(
        `unknown field "${last.s}"` + (near[0] <= 2 ? `; did you mean ${near[1]}?` : ""),
        [last.at, last.to],
        near[0] <= 2 ? near[1] : null,
        null,
      );
    }
    i++;
    const keys = either.includes(name) ? ["src." + name, "dst." + name] : [name];
    let op = "=";
    let negate = false;
    if (low() === "not" && toks[i + 1]?.s.toLowerCase() === "in") (negate = true), i++;
    if (low() === "in") i++, (op = "in");
    else if (/^([=<>~]|!=|!~|<=|>=|==)$/.test(low() ?? "")) (op = toks[i].s), i++;
    const values = toks[i] && (toks[i].s === "[" || (op === "in" && toks[i].s === "(")) ? list() : [value()];
    const v = values[0];
    const test =
      {
        "<": (x) => +x < +v,
        ">": (x) => +x > +v,
        "<=": (x) => +x <= +v,
        ">=": (x) => +x >= +v,
        "~": (x) => x.includes(v),
        "!~": (x) => !x.includes(v),
      }[op] ?? ((x) => values.includes(x));
    if (op === "!=") negate = true;
    return (c) => keys.some((k) => test(c.keys[k] ?? "")) !== negate;
  }
  if (toks.length === 0) return () => true;
  const f = or();
  if (toks[i]) throw new FilterError(`"${toks[i].s}" is not expected here`, [toks[i].at, toks[i].to], null, ["and", "or"]);
  return f;
}

function distance(a, b) {
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diag = row[0];
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const up = row[j];
      // A transposition counts as one slip.
      row[j] = Math.min(up + 1, row[j - 1] + 1, diag + (a[i - 1] === b[j - 1] ? 0 : 1));
      diag = up;
    }
  }
  return row[b.length];
}

// --- endpoints

const ladder = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
const started = Date.now() / 1000 - 7380;

function moment(s, now) {
  const m = /^-(\d+)([smhdwy])$/.exec(s);
  if (m) return now - m[1] * { s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000 }[m[2]];
  if (s === "now") return now;
  if (/^\d{13}$/.test(s)) return s / 1000;
  if (/^\d+$/.test(s)) return +s;
  const t = Date.parse(s) / 1000;
  if (Number.isNaN(t)) throw new FilterError(`"${s}" is not a time`, undefined);
  return t;
}

const four = (x) => (x === 0 ? 0 : Number(x.toPrecision(4)));

function query(p, empty) {
  const begin = performance.now();
  const now = Math.floor(Date.now() / 1000);
  const from = Math.floor(moment(p.get("from") ?? "-1h", now));
  const to = Math.floor(moment(p.get("to") ?? "now", now));
  if (to <= from) throw new FilterError("the range ends before it begins", undefined);
  const unit = p.get("unit") ?? "bps";
  const by = (p.get("by") ?? "").split(",").filter(Boolean);
  for (const b of by)
    if (!fields.some((f) => f.name === b.split(":")[0])) throw new FilterError(`unknown field "${b}" to group by`, undefined);
  const n = +(p.get("n") ?? 12);
  const dir = p.get("dir") ?? "both";
  const rank = p.get("rank") ?? "avg";
  const px = Math.min(2000, +(p.get("px") ?? 500));
  const step = p.get("step") > 0 ? +p.get("step") : (ladder.find((s) => (to - from) / s <= px) ?? 86400);
  const match = parseFilter(p.get("q") ?? "");
  const times = [];
  for (let t = Math.floor(from / step) * step; t < to; t += step) times.push(t);
  const length = times.length;
  const partial = { first: times[0] < from, last: times[length - 1] + step > now - 2 };
  const groups = new Map();
  const oldest = now - 12 * 86400;
  for (const c of empty || to < oldest ? [] : conversations) {
    if (!match(c)) continue;
    const d = dir === "sum" ? "sum" : c.keys.direction;
    if (!["both", "sum"].includes(dir) && d !== dir) continue;
    const key = by.map((b) => c.keys[b.split(":")[0]]);
    const id = d + "\u0000" + key.join("\u0000");
    let g = groups.get(id);
    if (!g) groups.set(id, (g = { dir: d, key, values: new Float64Array(length), n: new Float64Array(length), total: 0, samples: 0 }));
    for (let i = 0; i < length; i++) {
      const lo = Math.max(times[i], from);
      const hi = Math.min(times[i] + step, to);
      if (hi <= lo) continue;
      const bps = rate(c, times[i], step);
      const perSecond =
        unit === "bps" || unit === "bytes" ? bps / 8 : unit === "pps" || unit === "packets" ? bps / 8 / c.packet : bps / 8 / c.packet / 18;
      const amount = perSecond * (hi - lo);
      g.values[i] += unit === "bps" ? (amount * 8) / (hi - lo) : /ps$/.test(unit) ? amount / (hi - lo) : amount;
      g.total += amount;
      const sampled = ((bps / 8 / c.packet) * (hi - lo)) / 1000;
      g.n[i] += sampled;
      g.samples += sampled;
    }
  }
  const series = [];
  const total = [];
  const dirs = ["in", "out", "internal", "transit", "unknown", "sum"].filter((d) => [...groups.values()].some((g) => g.dir === d));
  let folded = 0;
  const stats = (values, amount) => {
    const lo = partial.first && length > 1 ? 1 : 0;
    const hi = partial.last && length > 1 ? length - 1 : length;
    const whole = Array.from(values).slice(lo, hi);
    return {
      avg: four((amount / (to - from)) * (unit === "bps" ? 8 : /ps$/.test(unit) ? 1 : step)),
      max: four(Math.max(0, ...whole)),
      last: four(whole[whole.length - 1] ?? 0),
      total: Math.round(amount),
    };
  };
  for (const d of dirs) {
    const all = [...groups.values()].filter((g) => g.dir === d).map((g) => ({ ...g, ...stats(g.values, g.total) }));
    const sum = all.reduce((a, g) => a + g.total, 0);
    all.sort((a, b) => b[rank] - a[rank] || b.total - a.total);
    const out = (g, other) => ({
      key: other ? [] : g.key,
      label: other ? ["Other"] : g.key.map((k, i) => (/as$/.test(by[i]) ? `AS${k} ${asName.get(k) ?? ""}`.trim() : k)),
      dir: d,
      other,
      values: Array.from(g.values, four),
      n: Array.from(g.n, Math.round),
      ...stats(g.values, g.total),
      share: sum > 0 ? four(g.total / sum) : 0,
      error: g.samples > 0 ? four(1.96 / Math.sqrt(g.samples)) : null,
    });
    series.push(...all.slice(0, n).map((g) => out(g, false)));
    const rest = all.slice(n);
    folded += rest.length;
    const add = (list, key) => Float64Array.from({ length }, (_, i) => list.reduce((a, g) => a + g[key][i], 0));
    const fold = (list) => ({
      values: add(list, "values"),
      n: add(list, "n"),
      total: list.reduce((a, g) => a + g.total, 0),
      samples: list.reduce((a, g) => a + g.samples, 0),
    });
    if (rest.length) series.push(out(fold(rest), true));
    const whole = fold(all);
    total.push({ dir: d, values: Array.from(whole.values, four), ...stats(whole.values, whole.total) });
  }
  const known = "q by from to tz unit layer viz n rank rankdir dir vs step agg y ymax live sel hide px".split(" ");
  const column = (b) => fields.find((f) => f.name === b.split(":")[0]).column;
  const cols = by.map(column).join(", ");
  return {
    from,
    to,
    step,
    unit,
    by,
    times,
    dirs,
    series,
    total,
    other: folded,
    meta: {
      sql: `WITH top AS (\n  SELECT ${cols || "1"}${cols ? "" : " AS one"} FROM flows\n  WHERE TimeReceived >= {from:DateTime} AND TimeReceived < {to:DateTime}${p.get("q") ? " AND SrcPort = {p0:UInt16}" : ""}\n  GROUP BY ALL ORDER BY sum(Bytes * SamplingRate) DESC LIMIT {n:UInt16}\n)\nSELECT toStartOfInterval(TimeReceived, INTERVAL {step:UInt32} SECOND) AS t, Direction${cols ? ", " + cols : ""},\n       sum(Bytes * SamplingRate) * 8 / {step:UInt32} AS v, sum(Packets) AS n\nFROM flows\nWHERE TimeReceived >= {from:DateTime} AND TimeReceived < {to:DateTime}\nGROUP BY ALL\nORDER BY t`,
      params: { from: String(from), to: String(to), step: String(step), n: String(n), ...(p.get("q") ? { p0: "53" } : {}) },
      rows: (to - from) * 3817,
      bytes: (to - from) * 3817 * 41,
      ms: +(performance.now() - begin).toFixed(1),
      table: "flows",
      partial,
      through: empty ? 0 : now - 2,
      resolution: 1,
      unknown_keys: [...p.keys()].filter((k) => !known.includes(k)),
      empty: empty ? "no-exporter" : to < oldest ? "before-retention" : series.length === 0 ? "no-match" : null,
      matches_7d: false,
    },
  };
}

/** The traffic of each exporter's interfaces; without counters, so without coverage. */
function interfaces(p, empty) {
  const speed = 100e9;
  const names = ["et-0/0/0", "ae12", "et-0/0/3", "ae1"];
  const found = new Map();
  const range = { from: p.get("from") ?? "-1h", to: p.get("to") ?? "now", n: "50", dir: "sum", px: "60" };
  const idle = {
    avg: 0,
    p95: 0,
    max: 0,
    last: 0,
    error: null,
    course: [],
    use_p95: 0,
    use_max: 0,
    counter: null,
    errors: null,
    discards: null,
    coverage: null,
    use_level: "",
    uncovered: false,
  };
  let answer;
  for (const side of ["in", "out"]) {
    answer = query(new URLSearchParams({ ...range, by: `exporter,${side}.if` }), empty);
    for (const s of answer.series.filter((s) => !s.other)) {
      const [exporter, name] = s.key;
      const i = found.get(s.key.join()) ?? {
        exporter,
        name: "",
        index: names.indexOf(name) + 1,
        interface: name,
        speed,
        in: idle,
        out: idle,
        problems: [],
      };
      const p95 = [...s.values].sort((a, b) => b - a)[Math.floor(s.values.length / 20)];
      i[side] = { ...idle, avg: s.avg, p95, max: s.max, last: s.last, course: s.values, use_p95: p95 / speed, use_max: s.max / speed };
      found.set(s.key.join(), i);
    }
  }
  const { from, to, step, meta } = answer;
  const named = { id: "names", done: true, what: "interface names" };
  const of = [...new Set([...found.values()].map((i) => i.exporter))].map((exporter) => ({ exporter, problems: [], names: named }));
  return { from, to, step, interfaces: [...found.values()], more: 0, unnamed: [], exporters: of, meta };
}

function complete(text, cursor) {
  const head = Buffer.from(text).subarray(0, cursor).toString();
  const word = /[^\s()[\],=<>~!]*$/.exec(head)[0];
  const before = head.slice(0, head.length - word.length).trimEnd();
  const start = Buffer.byteLength(head.slice(0, head.length - word.length));
  const prev =
    before
      .split(/[\s(]+/)
      .pop()
      ?.toLowerCase() ?? "";
  const has = (s) => s.toLowerCase().includes(word.toLowerCase());
  const opOf = /[=<>~]$/.test(before);
  const fieldName = opOf
    ? before
        .replace(/\s*[!<>=~]+$/, "")
        .split(/[\s(]+/)
        .pop()
    : prev;
  const f = fields.find((x) => x.name === fieldName);
  let items = [];
  if (f && (opOf || prev === f.name)) {
    if (!opOf)
      items.push(...f.ops.filter((o) => o.startsWith(word)).map((o) => ({ insert: o + " ", label: o, kind: "operator", detail: "" })));
    const seen = new Map();
    for (const c of conversations) seen.set(c.keys[f.name], (seen.get(c.keys[f.name]) ?? 0) + c.weight);
    const quoted = (k) => (f.kind === "string" ? `"${k}"` : k);
    items.push(
      ...[...seen]
        .filter(([k]) => k && (has(k) || has(asName.get(k) ?? "")))
        .sort((a, b) => b[1] - a[1])
        .slice(0, 12)
        .map(([k, w]) => ({
          insert: quoted(k) + " ",
          label: k,
          kind: "value",
          detail: `${/as$/.test(f.name) ? (asName.get(k) ?? "") + " · " : ""}${(w / 1e6).toFixed(1)} Mb/s`,
        })),
    );
  } else {
    items = fields
      .filter((x) => x.filterable && (has(x.name) || (word.length > 1 && has(x.title))))
      .map((x) => ({ insert: x.name + " ", label: x.name, kind: "field", detail: x.doc }));
    if (before) items.push(...["and", "or", "not"].filter(has).map((k) => ({ insert: k + " ", label: k, kind: "keyword", detail: "" })));
    items.push(...protos.filter((k) => word && has(k)).map((k) => ({ insert: k + " ", label: k, kind: "keyword", detail: "protocol" })));
    items.sort((a, b) => Number(!a.label.startsWith(word)) - Number(!b.label.startsWith(word)));
  }
  return { replace: [start, cursor], items: items.slice(0, 20) };
}

/** The decisions about senders: { ignored, since } by address. */
const decided = new Map();
const standing = (address) => (address.startsWith("198.51.") ? (decided.has(address) ? "accepted" : "new") : "named");
const isIgnored = (address) => decided.get(address)?.ignored ?? false;

function decide({ addresses, decision }) {
  for (const a of addresses) {
    if (decision === "ignore" && standing(a) === "named")
      throw new Refused(
        409,
        `${a}: the configuration names it, under enrich.exporters or in sources: take it out there first`,
        "addresses",
      );
    if (decision === "forget") decided.delete(a);
    else decided.set(a, { ignored: decision === "ignore", since: Math.floor(Date.now() / 1000) });
  }
  return {
    senders: addresses.map((address) => ({
      address,
      standing: isIgnored(address) ? "ignored" : standing(address),
      since: decided.get(address)?.since ?? 0,
      datagrams: 0,
      last: 0,
    })),
  };
}

/** The problems and steps that the server would report for the exporters below. */
function judged(e, now) {
  const templates = /^(ipfix|netflow9)$/.test(e.type);
  const announces = {
    templates,
    sampling: e.type !== "unknown",
    clock: templates,
    sequence: e.type === "ipfix" ? "records" : "datagrams",
    names: templates ? "options" : e.type === "sflow" ? "counters" : "",
  };
  const known = e.sampling_rate > 0;
  const problems = [];
  const silent = Math.round(now - e.last);
  if (e.flows > 0 && !known)
    problems.push({
      id: "sampling-unknown",
      level: "bad",
      what: "sampling rate unknown; traffic counted as unsampled",
      remedy: "Configure it to send sampling options (IOS-XE: option sampler-table timeout 60), or set the rate in the configuration file.",
    });
  if (silent > 30)
    problems.push({
      id: "silent",
      level: "warn",
      what: `silent for ${silent} s`,
      remedy: "Check that it is running and can reach this address: its export configuration, route and access lists.",
    });
  if (e.refused > 0)
    problems.push({
      id: "refused",
      level: "warn",
      what: "7 not decoded: unknown version (7)",
      remedy: "The Status page explains how to fix each reason.",
    });
  const step = (id, done, what, remedy) => ({ id, done, what, ...(done ? {} : { remedy }) });
  const count = (n, what) =>
    `${n < 1e4 ? n.toLocaleString("en") : n < 1e6 ? (n / 1e3).toPrecision(3) + " k" : (n / 1e6).toPrecision(3) + " M"} ${what}`;
  const arrival = [step("datagrams", true, count(e.datagrams, "datagrams"))];
  if (e.type === "unknown")
    arrival.push(
      step(
        "type",
        false,
        "not decoded",
        "Unknown version (7). Check that it sends NetFlow v5, v9, IPFIX or sFlow v5 and that nothing on the path alters datagrams. Its page shows the first bytes of one.",
      ),
    );
  else {
    arrival.push(step("type", true, e.type));
    if (templates) arrival.push(step("templates", true, `${e.templates} templates`));
    arrival.push(
      step(
        "sampling",
        known,
        known ? `1:${e.sampling_rate.toLocaleString("en")} sampled` : "sampling rate unknown",
        "Its traffic is counted as unsampled. Configure it to send sampling options (IOS-XE: option sampler-table timeout 60), or set the rate in sources.sampling.exporters of the configuration file.",
      ),
    );
    arrival.push(step("stored", true, count(e.flows, "flows stored")));
  }
  return { announces, sampling_known: known, loss: e.lost / (e.lost + e.datagrams || 1), problems, arrival };
}

function status(empty) {
  const now = Date.now() / 1000;
  const up = now - started;
  const flows = empty ? 0 : Math.floor(up * 14210);
  const grams = Math.floor(flows / 22);
  const wave = 1 + 0.15 * Math.sin(now / 9) + 0.05 * Math.sin(now / 2.3);
  const listeners = [
    ["0.0.0.0:2055", "netflow", 0.5],
    ["0.0.0.0:4739", "netflow", 0.3],
    ["0.0.0.0:6343", "sflow", 0.2],
  ];
  return {
    version: "0.1.0-mock",
    started,
    now,
    demo: demoRuns,
    listeners: listeners.map(([addr, kind, part]) => ({
      addr,
      kind,
      datagrams: Math.floor(grams * part),
      dropped: 0,
      sockets: [{ queued: 23040, buffer: 67108864 }],
    })),
    pipeline: {
      datagrams: grams,
      flows,
      blocks: Math.floor(up),
      queue_blocks: empty ? 0 : Math.max(0, Math.round(2 + 2 * Math.sin(now / 4))),
      queue_capacity: 64,
      inserted_rows: flows,
      insert_errors: 0,
      insert_ms: empty ? 0 : 38 + 9 * Math.sin(now / 3),
      lag_ms: empty ? 0 : 620,
    },
    spool: { blocks: 0, rows: 0, bytes: 0, max_bytes: 10 * 2 ** 30, oldest: 0, written_rows: 0, dropped_rows: 0, refused_files: 0 },
    rates: { datagrams: empty ? 0 : 646 * wave, flows: empty ? 0 : 14210 * wave, bytes_stored: empty ? 0 : 597000 * wave },
    drops: empty
      ? []
      : [
          {
            id: "decoder",
            where: "decode",
            reason: "template not known",
            count: 214,
            hint: "Data arrived before its template. Set the template refresh of the exporter to 60 s.",
          },
        ],
    exporters: empty
      ? []
      : [
          {
            address: "192.0.2.1",
            type: "ipfix",
            datagrams: Math.floor(grams * 0.5),
            flows: Math.floor(flows * 0.55),
            records: flows,
            refused: 0,
            waiting: 0,
            dropped: 0,
            first: started,
            last: now - 0.2,
            sampling_rate: 1000,
            sampling_source: "options",
            templates: 6,
            lost: 0,
          },
          {
            address: "192.0.2.2",
            type: "sflow",
            datagrams: Math.floor(grams * 0.2),
            flows: Math.floor(flows * 0.2),
            records: flows,
            refused: 0,
            waiting: 0,
            dropped: 0,
            first: started,
            last: now - 0.7,
            sampling_rate: 4096,
            sampling_source: "record",
            templates: 0,
            lost: 0,
          },
          {
            address: "2001:db8:0:1::3",
            type: "netflow9",
            datagrams: Math.floor(grams * 0.3),
            flows: Math.floor(flows * 0.25),
            records: flows,
            refused: 0,
            waiting: 0,
            dropped: 0,
            first: started,
            last: now - 44,
            sampling_rate: 0,
            sampling_source: "none",
            templates: 4,
            lost: 12,
          },
          {
            address: "198.51.100.77",
            type: "unknown",
            datagrams: 7,
            flows: 0,
            records: 0,
            refused: 7,
            reasons: { "unknown version": 7 },
            waiting: 0,
            dropped: 0,
            first: started,
            last: now - 3,
            sampling_rate: 0,
            sampling_source: "unknown",
            templates: 0,
            lost: 0,
          },
        ]
          .map((e) => ({ ...e, standing: standing(e.address), ...judged(e, now) }))
          .filter((e) => !isIgnored(e.address)),
    ignored: [...decided].filter(([, d]) => d.ignored).map(([address, { since }]) => ({ address, since, datagrams: 2, last: now - 1 })),
    engine: { up: true, version: "26.7.3.1", url: "http://127.0.0.1:38123", restarts: 0 },
    state: empty ? "good" : "losses",
    problems: empty
      ? []
      : [
          {
            id: "loss",
            level: "warn",
            of: "decode",
            what: "214 template not known since start",
            remedy: "Set its template refresh to 60 s.",
          },
        ],
    storage: {
      rows: empty ? 0 : flows + 1.14e10,
      bytes: empty ? 0 : (flows + 1.14e10) * 41.7,
      bytes_per_row: 41.7,
      oldest: empty ? 0 : now - 12.4 * 86400,
      newest: empty ? 0 : now - 1,
      disk_free: 1.31e12,
      disk_total: 1.92e12,
      disk_level: "",
      ttl_days: 30,
      keep_free: 1.92e11,
      dropped_rows: 0,
      dropped_at: 0,
      forecast: empty
        ? { bytes_per_day: 0, days: 0, limited_by: "", full_in_days: 0 }
        : { bytes_per_day: 6.9e10, days: 23.1, limited_by: "disk", full_in_days: 16.2 },
    },
  };
}

let demoRuns = false;

// --- saved views: the rules of the server, in memory

class Refused extends Error {
  constructor(status, detail, key) {
    super(detail);
    Object.assign(this, { status, key });
  }
}

function savedViews() {
  const saved = new Map();
  const fixed = [
    {
      slug: "transit",
      name: "Transit",
      description: "Inbound transit traffic",
      page: "explore",
      query: "by=remote.as&n=5",
      of: [],
      shared: true,
      pinned: true,
      owner: "",
      provisioned: true,
      source: "/etc/netmeta.yaml",
      updated: 0,
    },
  ];
  const find = (slug) => fixed.find((v) => v.slug === slug) ?? saved.get(slug);
  const seen = (v, owner) => v && (v.shared || v.owner === owner);
  return (method, slug, owner, body) => {
    const v = find(slug);
    if (method === "GET" && !slug)
      return { views: [...fixed, ...saved.values()].filter((x) => seen(x, owner)).sort((a, b) => a.name.localeCompare(b.name)) };
    if (method !== "POST" && method !== "PUT" && !seen(v, owner)) throw new Refused(404, "no view with this slug");
    if (method === "GET") return v;
    if (v?.provisioned) throw new Refused(403, "the view is from the configuration; change it there, or use another slug", "slug");
    if (v && !seen(v, owner)) throw new Refused(403, "the view belongs to another user; use another slug", "slug");
    if (method === "DELETE") return void saved.delete(slug);
    if (!body.name?.trim()) throw new Refused(400, "name: is missing", "name");
    const under = slug || body.slug;
    if (method === "POST" && find(under)) throw new Refused(409, "another view has this slug; use a free one", "slug");
    const whole = {
      description: "",
      page: "explore",
      query: "",
      of: [],
      shared: false,
      pinned: false,
      ...body,
      slug: under,
      owner: v?.owner ?? owner,
      provisioned: false,
      source: "",
      updated: Math.floor(Date.now() / 1000),
    };
    saved.set(under, whole);
    return whole;
  };
}

// --- events, in memory

function keptEvents() {
  const kept = new Map();
  return (method, id, p, body) => {
    const now = Math.floor(Date.now() / 1000);
    if (method === "GET") {
      const [from, to] = [Math.floor(moment(p.get("from") ?? "-1h", now)), Math.floor(moment(p.get("to") ?? "now", now))];
      return {
        from,
        to,
        events: [...kept.values()]
          .filter((e) => e.start < to && (e.start >= from || e.end === 0 || e.end > from))
          .sort((a, b) => a.start - b.start),
      };
    }
    if (method === "DELETE") {
      if (!kept.delete(id)) throw new Refused(404, "no event with this ID");
      return undefined;
    }
    if (!body.text && !body.target) throw new Refused(400, "text: is missing, and so is a target: say what happened", "text");
    const e = {
      kind: "note",
      end: 0,
      target: "",
      severity: "info",
      text: "",
      attrs: {},
      ...body,
      id: body.id || `e${kept.size}-${performance.now()}`,
      start: body.start || now,
    };
    kept.set(e.id, e);
    return e;
  };
}

const types = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".html": "text/html; charset=utf-8",
};

/** Starts the server; port 0 uses a free port. Resolves to { url, close }. */
export function serve(port = 0, { empty = false } = {}) {
  const views = savedViews();
  const events = keptEvents();
  const server = createServer(async (req, res) => {
    const url = new URL(req.url, "http://mock");
    const send = (code, body, type = "application/json") => {
      res.writeHead(code, { "Content-Type": type, "Cache-Control": "no-store" });
      res.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    };
    const asked = async () => {
      if (req.method !== "POST" && req.method !== "PUT") return Object.fromEntries(url.searchParams);
      let s = "";
      for await (const chunk of req) s += chunk;
      return JSON.parse(s || "{}");
    };
    try {
      // The mock has no counters and no hourly sums.
      if (url.pathname.startsWith("/api/v1/interfaces/"))
        return send(200, {
          from: 0,
          to: 0,
          step: 60,
          times: [],
          counters: null,
          weeks: null,
          nearly_full: { share: 0.8, in: null, out: null },
          meta: {},
        });
      switch (url.pathname) {
        case "/api/v1/query":
          return send(200, query(url.searchParams, empty));
        case "/api/v1/fields":
          return send(200, { fields, units });
        case "/api/v1/demo":
          demoRuns = req.method === "POST";
          return send(200, { running: demoRuns });
        case "/api/v1/status":
          return send(200, status(empty));
        case "/api/v1/exporters":
          return send(200, { exporters: status(empty).exporters, ignored: status(empty).ignored });
        case "/api/v1/senders":
          return send(200, decide(await asked()));
        case "/api/v1/interfaces":
          return send(200, interfaces(url.searchParams, empty));
        case "/api/v1/queries":
          return send(200, { queries: [] });
        case "/api/v1/filter/check": {
          const { q } = await asked();
          try {
            parseFilter(q ?? "");
            return send(200, { ok: true, canonical: (q ?? "").trim(), ast: null });
          } catch (e) {
            return send(200, {
              ok: false,
              error: { message: e.message, span: e.span, expected: e.expected ?? [], suggestion: e.suggestion ?? "" },
            });
          }
        }
        case "/api/v1/filter/complete": {
          const a = await asked();
          return send(200, complete(a.text ?? "", +(a.cursor ?? 0)));
        }
        case "/healthz":
        case "/readyz":
          return send(200, "ok\n", "text/plain");
      }
      if (url.pathname.startsWith("/api/v1/events")) {
        const answer = events(
          req.method,
          decodeURIComponent(url.pathname.slice("/api/v1/events/".length)),
          url.searchParams,
          await asked(),
        );
        return answer ? send(200, answer) : send(204, "");
      }
      if (url.pathname.startsWith("/api/v1/views")) {
        const answer = views(
          req.method,
          decodeURIComponent(url.pathname.slice("/api/v1/views/".length)),
          req.headers["view-owner"] ?? "",
          await asked(),
        );
        return answer ? send(200, answer) : send(204, "");
      }
      if (url.pathname.startsWith("/api/"))
        return send(404, { title: "Not Found", status: 404, detail: `no ${url.pathname} here` }, "application/problem+json");
      const page = JSON.parse(readFileSync(join(dist, "pages.json"), "utf8")).find(
        ({ path }) => path === url.pathname || (path !== "/" && path.endsWith("/") && url.pathname.startsWith(path)),
      );
      if (page)
        res.setHeader(
          "Link",
          page.preload.map((name) => `<${name}>; rel=${name.endsWith(".css") ? "preload; as=style" : "modulepreload"}`).join(", "),
        );
      const file = page ? "index.html" : normalize(url.pathname).replace(/^\/+/, "");
      const full = join(dist, file);
      if (!full.startsWith(dist) || !existsSync(full)) return send(404, "not found\n", "text/plain");
      const body = readFileSync(full);
      const script = /<script>([\s\S]*?)<\/script>/.exec(readFileSync(join(dist, "index.html"), "utf8"))?.[1] ?? "";
      res.setHeader(
        "Content-Security-Policy",
        `default-src 'self'; script-src 'self' 'sha256-${createHash("sha256").update(script).digest("base64")}'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      );
      send(200, body, types[extname(file)] ?? "application/octet-stream");
    } catch (e) {
      if (e instanceof Refused)
        return send(
          e.status,
          { type: "about:blank", title: "Refused", status: e.status, detail: e.message, key: e.key },
          "application/problem+json",
        );
      if (!(e instanceof FilterError)) console.error(e);
      send(
        e instanceof FilterError ? 400 : 500,
        {
          type: "about:blank",
          title: e instanceof FilterError ? "Bad request" : "Error",
          status: 400,
          detail: e.message,
          ...(e.span ? { span: e.span, expected: e.expected ?? [], suggestion: e.suggestion ?? "" } : {}),
        },
        "application/problem+json",
      );
    }
  });
  return new Promise((resolve) =>
    server.listen(port, "127.0.0.1", () =>
      resolve({ url: `http://127.0.0.1:${server.address().port}`, close: () => (server.closeAllConnections(), server.close()) }),
    ),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf("--port");
  const { url } = await serve(at > 0 ? +process.argv[at + 1] : 8099, { empty: process.argv.includes("--empty") });
  console.log(url);
}
