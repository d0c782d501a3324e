import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueryResult, Series } from "../src/api/api.ts";
import { assign, mix, palette } from "../src/charts/colour.ts";
import { flow, lanes } from "../src/charts/groups.ts";
import { bothWays, bucket, edges, layers, seriesID, sum } from "../src/charts/stack.ts";
import { byteOffset, condition, fieldWords, indexOfByte, narrow, quote, tokens, widen, without } from "../src/text/filter.ts";
import * as fmt from "../src/text/format.ts";

test("values for reading", () => {
  const f = (v: number | null, unit: string, want: string) => assert.equal(fmt.value(v, unit), want);
  f(0, "bps", "0 b/s");
  f(1, "bps", "1.00 b/s");
  f(1240, "bps", "1.24 kb/s");
  f(1.24e9, "bps", "1.24 Gb/s");
  f(12.4e9, "bps", "12.4 Gb/s");
  f(124e9, "bps", "124 Gb/s");
  f(999.4, "bps", "999 b/s");
  f(99.97, "bps", "100 b/s");
  f(9_996, "bps", "10.0 kb/s");
  f(999.6, "bps", "1.00 kb/s");
  f(999_600_000, "bps", "1.00 Gb/s");
  f(-5e6, "bps", "5.00 Mb/s");
  f(0.25, "fps", "0.25 flows/s");
  f(2.5e6, "fps", "2.50 M flows/s");
  f(3e12, "bytes", "3.00 TB");
  f(1500, "packets", "1.50 k packets");
  f(42.5, "pct", "42.5%");
  f(null, "bps", "–");
  f(NaN, "bps", "–");
  assert.deepEqual(fmt.axis([-5e8, 0, 5e8, 1e9, 1.5e9], "bps"), ["0.5 Gb/s", "0", "0.5 Gb/s", "1.0 Gb/s", "1.5 Gb/s"]);
  assert.deepEqual(fmt.axis([0, 250, 500], "pps"), ["0", "250 p/s", "500 p/s"]);
  assert.deepEqual(fmt.axis([0, 2.5e6, 5e6], "bytes"), ["0", "2.5 MB", "5.0 MB"]);
  assert.deepEqual(fmt.axis([-100, 0, 100], "pct"), ["100%", "0%", "100%"]);
  assert.equal(fmt.share(0.0004), "<0.1%");
  assert.equal(fmt.share(1), "100%");
  assert.equal(fmt.share(2.384), "238%"); // utilisation above the speed
  assert.equal(fmt.error(0.048), "±4.8%");
  assert.equal(fmt.error(null), "–");
  assert.equal(fmt.signed(-551), "−551");
  assert.equal(fmt.signed(12), "12");
  assert.equal(fmt.count(1234), "1,234");
  assert.equal(fmt.count(12_345_678), "12.3 M");
  assert.equal(fmt.parseAmount("10g"), 1e10);
  assert.equal(fmt.parseAmount("2.5M"), 2.5e6);
  assert.equal(fmt.parseAmount("5k"), 5000);
  assert.equal(fmt.parseAmount("x"), undefined);
});

test("tokens cover the text", () => {
  const fields = fieldWords(["src.as", "src.port", "direction"]);
  const f = (text: string, want: string) => {
    const list = tokens(text, fields);
    assert.equal(list.map((t) => text.slice(t.start, t.end)).join(""), text);
    assert.equal(
      list
        .filter((t) => t.type !== "space")
        .map((t) => t.type)
        .join(" "),
      want,
      text,
    );
  };
  f("", "");
  f("src.as = 2906", "field op value");
  f("src as 2906", "field field value");
  f("SRC.AS in [2906 15169]", "field keyword paren value value paren");
  f('not (port != 53 or "a \\" b")', "keyword paren field op value keyword string paren");
  f('"open', "string");
  f("10.0.0.0/8 2001:db8::/32 AS174 :443", "value value value value");
  f("@dns -- rest", "macro comment");
  f("a /* b */ c /* d", "word comment word comment");
  f("a&&b||!c", "word keyword word keyword keyword word");
  f("a & b | c @", "word word word word word word");
});

test("quoting and conditions", () => {
  const f = (v: string, kind: string, want: string) => assert.equal(quote(v, kind), want);
  f("2906", "uint32", "2906");
  f("192.0.2.1", "ip", "192.0.2.1");
  f("2001:db8::/32", "ip", "2001:db8::/32");
  f("udp", "enum", "udp");
  f("in", "enum", '"in"');
  f("et-0/0/0", "string", '"et-0/0/0"');
  f('a"b\\c', "string", '"a\\"b\\\\c"');
  f("", "string", '""');
  f("x or y", "uint32", '"x or y"');
  assert.equal(condition("src.as", "uint32", ["=", "!="], "2906", false), "src.as = 2906");
  assert.equal(condition("src.as", "uint32", ["=", "!="], "2906", true), "src.as != 2906");
  assert.equal(condition("path", "list", ["has"], "174", true), 'not path has "174"');
});

test("narrowing keeps the meaning of the filter", () => {
  const f = (q: string, term: string, want: string) => assert.equal(narrow(q, term), want);
  f("", "port = 53", "port = 53");
  f("  ", "port = 53", "port = 53");
  f("udp", "port = 53", "udp and port = 53");
  f("tcp or udp", "port = 53", "(tcp or udp) and port = 53");
  f("(tcp or udp)", "port = 53", "(tcp or udp) and port = 53");
  f("a in [1 or 2]", "port = 53", "a in [1 or 2] and port = 53");
  f('"x or y"', "port = 53", '"x or y" and port = 53');
  f("udp and port = 53", "port = 53", "udp and port = 53");
  f("port = 53", "port = 53", "port = 53");
  f("udp -- dns", "port = 53", "udp -- dns\nand port = 53");
  f("tcp or udp -- dns", "port = 53", "(tcp or udp -- dns\n) and port = 53");
  f("tcp || udp", "x = 1", "(tcp || udp) and x = 1");
});

test("a value joins the values that already match", () => {
  const f = (q: string, term: string, want: string) => assert.equal(widen(q, term), want);
  f("", "src.as = 1", "src.as = 1");
  f("src.as = 1", "src.as = 2", "src.as in [1 2]");
  f("udp and src.as in [1 2] and port = 53", "src.as = 3", "udp and src.as in [1 2 3] and port = 53");
  f("src.as in [1 2]", "src.as = 2", "src.as in [1 2]");
  f("src.as = 1", "src.as = 1", "src.as = 1");
  f('app = "a b"', 'app = "c"', 'app in ["a b" "c"]');
  f("dst.as = 1", "src.as = 2", "dst.as = 1 and src.as = 2");
  f("srcXas = 1", "src.as = 2", "srcXas = 1 and src.as = 2");
  f("tcp or src.as = 1", "src.as = 2", "(tcp or src.as = 1) and src.as = 2");
  f("udp", "proto = tcp and port = 80", "udp and (proto = tcp and port = 80)");
  f(
    "udp and (proto = tcp and port = 80)",
    "proto = tcp and port = 443",
    "udp and ((proto = tcp and port = 80) or (proto = tcp and port = 443))",
  );
  const two = "((proto = tcp and port = 80) or (proto = tcp and port = 443))";
  f(two, "proto = tcp and port = 443", two);
  f(two, "proto = udp and port = 53", "((proto = tcp and port = 80) or (proto = tcp and port = 443) or (proto = udp and port = 53))");
  f("not (proto = tcp and port = 80)", "proto = tcp and port = 443", "not (proto = tcp and port = 80) and (proto = tcp and port = 443)");
});

test("the negation of a condition", () => {
  assert.equal(without("src.as = 2906"), "src.as != 2906");
  assert.equal(without("path has 174"), "not (path has 174)");
  assert.equal(without('name = "a = b"'), 'not (name = "a = b")');
});

test("byte offsets", () => {
  const text = 'é = "東🙂" x';
  for (let i = 0; i <= text.length; i++) {
    if (i > 0 && text.charCodeAt(i - 1) >= 0xd800 && text.charCodeAt(i - 1) < 0xdc00) continue; // inside a pair
    assert.equal(indexOfByte(text, byteOffset(text, i)), i);
  }
  assert.equal(byteOffset("é", 1), 2);
  assert.equal(indexOfByte("ab", 99), 2);
});

const series = (key: string[], dir: Series["dir"], values: (number | null)[], other = false): Series => ({
  key,
  label: other ? ["Other"] : key,
  dir,
  other,
  values,
  n: values.map(() => 100),
  avg: values.reduce<number>((a, v) => a + (v ?? 0), 0) / values.length,
  max: 0,
  last: 0,
  total: values.reduce<number>((a, v) => a + (v ?? 0), 0),
  share: 0,
  error: null,
});

const result = (list: Series[], more: Partial<QueryResult["meta"]> = {}): QueryResult => ({
  from: 0,
  to: 40,
  step: 10,
  unit: "bps",
  by: ["src.as"],
  times: [0, 10, 20, 30],
  dirs: ["in", "out"],
  series: list,
  total: [],
  other: 0,
  meta: {
    sql: "",
    params: {},
    rows: 0,
    bytes: 0,
    ms: 0,
    table: "flows",
    partial: { first: false, last: false },
    through: 40,
    resolution: 1,
    ...more,
  },
});

test("the outer edge of a stack is the sum of its layers", () => {
  const list = layers(
    result([
      series(["1"], "in", [1, 2, 3, 4]),
      series([], "in", [5, 5, 5, 5], true),
      series(["2"], "in", [10, 20, 30, 40]),
      series(["1"], "out", [7, 7, 7, 7]),
      series([], "out", [1, 1, 1, 1], true),
    ]),
  );
  assert.deepEqual(
    list.map((l) => [l.id, l.series.dir]),
    [
      ["1", "in"],
      ["2", "in"],
      ["other", "in"],
      ["1", "out"],
      ["other", "out"],
    ],
  );
  const e = edges(list, 4, false);
  assert.deepEqual(e[2], [16, 27, 38, 49]);
  assert.deepEqual(e[4], [-8, -8, -8, -8]);
  const p = edges(list, 4, true);
  assert.ok(p[2].every((v) => Math.abs((v ?? 0) - 100) < 1e-9));
  assert.ok(p[4].every((v) => Math.abs((v ?? 0) + 100) < 1e-9));
  assert.equal(list[2].colour, -1, "Other is grey");
  assert.equal(list[0].colour, list[3].colour, "a group has one colour in both directions");
});

test("unknown values are not zero", () => {
  const list = layers(result([series(["1"], "in", [1, 2, 3, 0])], { through: 25 }));
  assert.deepEqual(list[0].values, [1, 2, 3, null]);
  assert.deepEqual(edges(list, 4, false)[0], [1, 2, 3, null]);
});

test("sums exclude incomplete intervals from max and last", () => {
  const list = layers(result([series(["1"], "in", [90, 2, 3, 80]), series(["2"], "in", [1, 1, 1, 1])]));
  const s = sum(list, { first: true, last: true });
  assert.deepEqual([s.max, s.last, s.total], [4, 4, 179]);
  assert.deepEqual([sum(list, { first: false, last: false }).max, sum([], { first: true, last: true }).max], [91, 0]);
});

test("days are rows of the heat map, each from its own start", () => {
  const day = (key: string, time: [number, number], values: number[]): Series => ({ ...series([key], "in", values), time });
  const begin = Date.parse("2026-11-25T23:00:00Z") / 1000;
  const times = [0, 1, 2, 3].map((i) => begin + i * 43200);
  const r = {
    ...result([
      day("2026-11-27T00:00:00+01:00", [times[2], times[3] + 43200], [0, 0, 3, 4]),
      day("2026-11-26T00:00:00+01:00", [begin + 3600, times[2]], [1, 2, 0, 0]),
    ]),
    by: ["ts:1d"],
    from: begin + 3600,
    to: times[3] + 43200,
    step: 43200,
    times,
  };
  const m = lanes(r, layers({ ...r, meta: { ...r.meta, through: r.to } }));
  assert.deepEqual([m.span, m.apart], [86400, true]);
  assert.deepEqual(
    m.lanes.map((l) => l.base),
    [begin, times[2]],
  );
  assert.deepEqual(m.lanes[0].cells, [
    { from: begin + 3600, to: times[1], value: 1 },
    { from: times[1], to: times[2], value: 2 },
  ]);
});

test("a sankey has the same sum in every column", () => {
  const one = (key: string[], avg: number, other = false): Series => ({
    key,
    label: key,
    dir: "in",
    other,
    values: [],
    n: [],
    avg,
    max: 0,
    last: 0,
    total: 0,
    share: 0,
    error: null,
  });
  const r = {
    by: ["a", "b"],
    series: [one(["1", "x"], 5), one(["1", "y"], 3), one(["2", "x"], 2), one([], 4, true)],
  } as unknown as QueryResult;
  const f = flow(r, new Set(["in"] as const));
  for (const column of [0, 1])
    assert.equal(
      f.nodes.filter((n) => n.column === column).reduce((a, n) => a + n.value, 0),
      14,
    );
  assert.equal(
    f.links.reduce((a, l) => a + l.value, 0),
    14,
  );
  assert.deepEqual(
    f.nodes.filter((n) => n.column === 0).map((n) => [n.label, n.value]),
    [
      ["1", 8],
      ["2", 2],
      ["Other", 4],
    ],
  );
  assert.equal(flow(r, new Set(["out"] as const)).nodes.length, 0);
});

test("bucket", () => {
  const times = [0, 10, 20];
  assert.deepEqual(
    [-1, 0, 9.9, 10, 25].map((t) => bucket(times, t)),
    [-1, 0, 0, 1, 2],
  );
  assert.equal(bucket([], 5), -1);
});

test("colours follow the value", () => {
  const values = Array.from({ length: 12 }, (_, i) => String(1000 + i * 37));
  const memory = new Map<string, number>();
  const a = assign(values, memory);
  assert.equal(new Set(a.values()).size, 12, "twelve values, twelve colours");
  assert.deepEqual([...assign([...values].reverse(), memory)].sort(), [...a].sort(), "a refresh that changes the ranks changes no colour");
  const few = assign(values.slice(3, 9), memory);
  for (const [v, c] of few) assert.equal(c, a.get(v), "a narrower view keeps the colours");
  assert.equal(
    assign([values[5], "other"], new Map()).get(values[5]),
    assign([values[5]], new Map()).get(values[5]),
    "the largest has the colour of its hash",
  );
  const many = assign(
    Array.from({ length: 30 }, (_, i) => "v" + i),
    new Map(),
  );
  assert.equal(many.size, 30);
  assert.equal(new Set([...many.values()].slice(0, 12)).size, 12, "the twelve largest do not share");
  assert.equal(mix("#ffffff", "#000000", 0.5), "#808080");
  assert.equal(seriesID(series([], "in", [])), "total-in");
});

test("the palette can be told apart", () => {
  const lin = (c: number) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const rgb = (hex: string) => [1, 3, 5].map((i) => lin(parseInt(hex.slice(i, i + 2), 16) / 255));
  // Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
  const sight: Record<string, number[]> = {
    normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  };
  const seen = (c: number[], m: number[]) =>
    [0, 1, 2].map((i) => Math.min(1, Math.max(0, m[3 * i] * c[0] + m[3 * i + 1] * c[1] + m[3 * i + 2] * c[2])));
  const oklab = ([r, g, b]: number[]) => {
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return [
      0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
      1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
      0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
    ];
  };
  for (const [name, m] of Object.entries(sight)) {
    const labs = palette.map((c) => oklab(seen(rgb(c), m)));
    for (let i = 0; i < labs.length; i++)
      for (let j = 0; j < i; j++) {
        const d = Math.hypot(...labs[i].map((v, k) => v - labs[j][k]));
        assert.ok(d >= 0.095, `${name}: ${palette[i]} and ${palette[j]} are ${d.toFixed(3)} apart`);
      }
  }
});

test("received and sent traffic in one result: sent below zero, the same group in one colour", () => {
  const received = {
    ...result([series(["1"], "sum", [1, 2, 3, 4])]),
    total: [{ dir: "sum" as const, values: [1, 2, 3, 4], avg: 2.5, max: 4, last: 4, total: 10 }],
    other: 3,
  };
  const sent = {
    ...result([series(["2"], "sum", [5, 6, 7, 8]), series(["1"], "sum", [9, 9, 9, 9])]),
    total: [{ dir: "sum" as const, values: [14, 15, 16, 17], avg: 15, max: 17, last: 17, total: 60 }],
    other: 4,
  };
  const both = bothWays(received, sent);
  assert.deepEqual(both.dirs, ["in", "out"]);
  assert.deepEqual(
    both.total.map((t) => [t.dir, t.avg]),
    [
      ["in", 2.5],
      ["out", 15],
    ],
  );
  assert.equal(both.other, 7);
  const list = layers(both);
  assert.deepEqual(
    list.map((l) => [l.id, l.series.dir, l.side]),
    [
      ["1", "in", 1],
      ["2", "out", -1],
      ["1", "out", -1],
    ],
  );
  assert.equal(list[0].colour, list[2].colour);
});

test("decimal points and groups follow the user's language", () => {
  const f = (language: string, value: string, exact: string, share: string) => {
    fmt.speak(language);
    assert.deepEqual([fmt.value(1.24e9, "bps"), fmt.grouped(1234567), fmt.share(0.256)], [value, exact, share], language);
  };
  f("de", "1,24 Gb/s", "1.234.567", "25,6%");
  f("fr", "1,24 Gb/s", "1\u202f234\u202f567", "25,6%");
  f("ar-EG", "1.24 Gb/s", "1,234,567", "25.6%");
  f("en-US", "1.24 Gb/s", "1,234,567", "25.6%");
});
