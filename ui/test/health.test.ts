import assert from "node:assert/strict";
import { test } from "node:test";
import type { Health } from "../src/api.ts";
import { lossOf, problems } from "../src/health.ts";

const good: Health = { address: "192.0.2.1", type: "ipfix", datagrams: 1000, flows: 20_000, records: 20_000, options: 10, thinned: 0, last: 1000, sampling_rate: 1000, sampling_source: "options", templates: 2, waiting: 0, dropped: 0, lost: 0, reordered: 0, restarts: 0, refused: 0, clock_skew_ms: 12, resolution_ms: 5000 };
const now = 1001;

test("an exporter that is well has no problem", () => assert.deepEqual(problems(good, now, Array(60).fill(100)), []));

test("each signal has its thresholds", () => {
  const cases: [Partial<Health>, string, RegExp][] = [
    [{ last: now - 31 }, "warn", /silent for 31 s/],
    [{ last: now - 301 }, "bad", /silent/],
    [{ sampling_rate: 1, sampling_source: "none" }, "bad", /sampling rate not known/],
    [{ samplings: [{ domain: 1, of: "interface", id: 3, rate: 1000, source: "record", effective: 1300 }] }, "warn", /interface 3 says 1:1,000 and samples 1:1,300/],
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
  for (const patch of [{ last: now - 29 }, { lost: 10 }, { clock_skew_ms: 1900 }, { resolution_ms: 10_000 }, { samplings: [{ domain: 1, of: "interface", id: 3, rate: 1000, source: "record", effective: 1150 }] }])
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
