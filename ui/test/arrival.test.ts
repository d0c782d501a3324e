import assert from "node:assert/strict";
import test from "node:test";
import type { Exporter, Status } from "../src/api/api.ts";
import { arrival } from "../src/pages/start/arrival.ts";

const exporter = (more: Partial<Exporter>): Exporter => ({
  address: "192.0.2.1",
  type: "ipfix",
  datagrams: 5,
  flows: 40,
  stored: true,
  thinned: 0,
  records: 40,
  first: 1000,
  last: 1040,
  refused: 0,
  waiting: 0,
  dropped: 0,
  sampling_rate: 100,
  sampling_source: "options",
  templates: 2,
  lost: 0,
  ...more,
});
const status = { now: 1041, pipeline: { inserted_rows: 40, lag_ms: 200 } } as Status;
const said = (e: Partial<Exporter>, s: Status = status, names?: Parameters<typeof arrival>[2]) => {
  const { steps, advice } = arrival(exporter(e), s, names);
  return { steps: steps.map((x) => (x.ok ? "+ " : "- ") + x.text).join("; "), advice };
};

test("an exporter that has come all the way has nothing to do", () => {
  const named = { interfaces: [{ exporter: "192.0.2.1" }], unnamed: [] } as unknown as Parameters<typeof arrival>[2];
  assert.deepEqual(said({}, status, named), {
    steps: "+ 5 datagrams; + ipfix; + 2 templates; + 1:100 sampled; + interface names; + 40 flows stored",
    advice: "",
  });
  assert.equal(said({ type: "sflow", templates: 0, sampling_rate: 1 }).steps, "+ 5 datagrams; + sflow; + not sampled; + 40 flows stored");
});

test("the first step that is not done says what helps", () => {
  const waits = said({ templates: 0, flows: 0, records: 0, waiting: 4 });
  assert.match(waits.steps, /- waiting for a template for 41 s; - no flow yet$/);
  assert.match(waits.advice, /template data timeout 60/);
  assert.match(said({ sampling_rate: 0, sampling_source: "unknown" }).advice, /sampler-table/);
  const nameless = said({}, status, { interfaces: [], unnamed: [{ exporter: "192.0.2.1", share: 0.4 }] });
  assert.match(nameless.steps, /- no names for 40(.0)? % of its bytes/);
  assert.match(nameless.advice, /interface-table/);
  const full = said({}, { now: 1041, pipeline: { inserted_rows: 40, lag_ms: 20_000, insert_error: "no space left" } } as Status);
  assert.match(full.steps, /- 40 flows wait to be stored$/);
  assert.equal(full.advice, "no space left");
});

test("flows are stored when rows of this sender are there, whatever of others is", () => {
  const own = said({ stored: undefined });
  assert.match(own.steps, /- 40 flows wait to be stored$/);
  assert.match(own.advice, /on the way/);
  const old = { ...status, now: 1000 + 901 } as Status; // nobody looks so far back
  assert.match(said({ stored: undefined }, old).steps, /\+ 40 flows stored$/);
  assert.match(said({ stored: undefined }, { ...old, pipeline: { inserted_rows: 0, lag_ms: 0 } } as Status).steps, /- 40 flows wait/);
});

test("a sender of which nothing is understood says why", () => {
  for (const type of ["unknown", "netflow9"]) {
    const { steps, advice } = said({ type, flows: 0, records: 0, templates: 0, refused: 5, reasons: { "unknown version": 5 } });
    assert.equal(steps, "+ 5 datagrams; - not understood");
    assert.match(advice, /^Unknown version \(5\)\. Does it send NetFlow/);
  }
});
