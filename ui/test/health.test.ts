import assert from "node:assert/strict";
import { test } from "node:test";
import type { Health, Interface, Interfaces, LinkSide } from "../src/api/api.ts";
import { exporterLinkProblems, linkProblems, lossOf, nearlyFullIn, problems, useLevel } from "../src/pages/health.ts";

const good: Health = {
  address: "192.0.2.1",
  type: "ipfix",
  datagrams: 1000,
  flows: 20_000,
  records: 20_000,
  options: 10,
  thinned: 0,
  last: 1000,
  sampling_rate: 1000,
  sampling_source: "options",
  templates: 2,
  waiting: 0,
  dropped: 0,
  lost: 0,
  reordered: 0,
  restarts: 0,
  refused: 0,
  clock_skew_ms: 12,
  resolution_ms: 5000,
};
const now = 1001;

test("an exporter that is well has no problem", () => assert.deepEqual(problems(good, now, Array(60).fill(100)), []));

test("each signal has its thresholds", () => {
  const cases: [Partial<Health>, string, RegExp][] = [
    [{ last: now - 31 }, "warn", /silent for 31 s/],
    [{ last: now - 301 }, "bad", /silent/],
    [{ sampling_rate: 1, sampling_source: "none" }, "bad", /sampling rate not known/],
    [
      { samplings: [{ domain: 1, of: "interface", id: 3, rate: 1000, source: "record", effective: 1300 }] },
      "warn",
      /interface 3 says 1:1,000 and samples 1:1,300/,
    ],
    [{ templates: 0 }, "bad", /no template/],
    [{ waiting: 2 }, "warn", /wait for their template/],
    [{ dropped: 1 }, "bad", /given up/],
    [{ lost: 40 }, "warn", /0.2 % lost/],
    [{ lost: 400 }, "bad", /2.0 % lost/],
    [{ clock_skew_ms: -2500 }, "warn", /behind/],
    [{ clock_skew_ms: 61_000 }, "bad", /ahead/],
    [{ resolution_ms: 60_000 }, "warn", /smeared/],
    [{ refused: 3, reasons: { "template too long": 3 } }, "warn", /template too long \(3\)/],
    [{ thinned: 3 }, "warn", /over its limit/],
  ];
  for (const [patch, level, what] of cases) {
    const got = problems({ ...good, ...patch }, now);
    assert.equal(got.length, 1, JSON.stringify(patch) + JSON.stringify(got));
    assert.equal(got[0].level, level);
    assert.match(got[0].what, what);
    assert.match(got[0].remedy, /\.$/);
  }
});

test("what is within the thresholds is no problem", () => {
  for (const patch of [
    { last: now - 29 },
    { lost: 10 },
    { clock_skew_ms: 1900 },
    { resolution_ms: 10_000 },
    { samplings: [{ domain: 1, of: "interface", id: 3, rate: 1000, source: "record", effective: 1150 }] },
  ])
    assert.deepEqual(problems({ ...good, ...patch }, now), [], JSON.stringify(patch));
});

test("flows that stay away are seen against the hour", () => {
  const course = [...Array(55).fill(100), ...Array(5).fill(3)];
  assert.match(problems(good, now, course)[0].what, /a fifth/);
  assert.deepEqual(problems(good, now, [...Array(55).fill(100), ...Array(5).fill(60)]), []);
});

test("loss is of what the protocol counts", () => {
  assert.equal(lossOf({ ...good, type: "sflow", lost: 1000 }), 0.5);
  assert.equal(lossOf({ ...good, type: "ipfix", lost: 20_000 }), 0.5);
});

const side: LinkSide = {
  avg: 4e9,
  p95: 5e9,
  max: 6e9,
  last: 4e9,
  error: 0.01,
  course: [],
  use_p95: 0.5,
  use_max: 0.6,
  counter: 4e9,
  errors: 0,
  discards: 0,
  coverage: 1,
};
const line: Interface = { exporter: "192.0.2.1", index: 3, interface: "et-0/0/2", speed: 1e10, in: side, out: side };

test("an interface: full, more than full, and what counters say", () => {
  const f = (patch: Partial<LinkSide>, level: string, text: RegExp) => {
    const got = linkProblems({ ...line, out: { ...side, ...patch } });
    assert.equal(got.length, level ? 1 : 0, JSON.stringify(patch));
    if (level) assert.equal(got[0].level, level);
    if (level) assert.match(got[0].what + " " + got[0].remedy, text);
  };
  f({}, "", /./);
  f({ use_max: 1.04 }, "", /./); // within what sampling explains
  f({ max: 1.2e10, use_max: 1.2 }, "bad", /sent 12.0 Gb\/s, more than its speed of 10.0 Gb\/s .*timeout/);
  f({ coverage: 1.1 }, "", /./);
  f({ coverage: 0.85 }, "warn", /0.85 times .*not all interfaces/);
  f({ coverage: 0.85, error: 0.1 }, "", /./);
  f({ coverage: 1.97 }, "warn", /Both directions are sampled/);
  f({ coverage: 10 }, "warn", /sampling rate is wrong/);
  f({ coverage: 0, error: null }, "warn", /no flows .*turn sampling on/);
  f({ coverage: 0, error: null, counter: 900 }, "", /./);
  f({ coverage: null, counter: null }, "", /./);
  assert.deepEqual([null, 0.5, 0.81, 0.95, 0.96].map(useLevel), ["", "", "warn", "warn", "bad"]);
});

test("an exporter has the problems of its interfaces, each kind once, and says how much has no name", () => {
  const wrong = { ...side, coverage: 2 };
  const all: Interfaces = {
    from: 0,
    to: 3600,
    step: 60,
    more: 0,
    unnamed: [
      { exporter: "192.0.2.1", share: 0.2 },
      { exporter: "192.0.2.2", share: 0.009 },
    ],
    meta: { sql: "", params: null, rows: 0, bytes: 0, ms: 0 },
    interfaces: [
      { ...line, in: wrong, out: wrong },
      { ...line, index: 4, interface: "", in: wrong },
      { ...line, exporter: "192.0.2.2" },
    ],
  };
  assert.deepEqual(exporterLinkProblems(undefined, "192.0.2.1"), []);
  assert.deepEqual(exporterLinkProblems(all, "192.0.2.2"), []);
  const got = exporterLinkProblems(all, "192.0.2.1");
  assert.equal(got.length, 2);
  assert.match(got[0].what, /^et-0\/0\/2: flows say 2.00 times .*; 1 more like it$/);
  assert.match(got[1].what, /20.0 % of its bytes are on interfaces without a name/);
});

test("when a line is nearly full: only where it surely rises", () => {
  const f = (p95: number, per_day: number, error: number) => nearlyFullIn({ p95, per_day, error }, 1e10);
  assert.equal(f(5e9, 1e8, 1e7), 30);
  assert.equal(f(5e9, 1e8, 6e7), null, "it may as well not rise");
  assert.equal(f(5e9, -1e8, 1e7), null);
  assert.equal(f(9e9, 1e8, 1e7), null, "it is already");
  assert.equal(f(5e9, 1e3, 0), null, "not in ten years");
  assert.equal(nearlyFullIn({ p95: 5e9, per_day: 1e8, error: 0 }, 0), null, "no speed, no share");
  assert.equal(nearlyFullIn(undefined, 1e10), null);
});
