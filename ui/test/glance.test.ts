import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event, Health, Interface, Interfaces, LinkSide, Status } from "../src/api/api.ts";
import { comparison, concerns, usual } from "../src/pages/overview/glance.ts";

const now = 1_800_000_000;
const well = {
  now,
  engine: { up: true },
  pipeline: {},
  spool: { rows: 0, oldest: 0 },
  storage: { forecast: { limited_by: "ttl", full_in_days: 400 } },
  drops: [{ where: "kernel", reason: "buffer full", count: 0, hint: "" }],
} as unknown as Status;
const exporter = {
  address: "192.0.2.1",
  name: "edge1",
  type: "ipfix",
  datagrams: 1000,
  flows: 1,
  records: 1,
  last: now - 1,
  sampling_rate: 1,
  sampling_source: "options",
  templates: 1,
  clock_skew_ms: 0,
  resolution_ms: 0,
} as Health;
const side = { use_p95: 0.5, use_max: 0.6, max: 6e9, coverage: null } as LinkSide;
const line = { exporter: "192.0.2.1", name: "edge1", index: 7, interface: "xe-0", speed: 1e10, in: side, out: side } as Interface;
const links = (i: Interface) => ({ interfaces: [i] }) as Interfaces;
const attack = {
  id: "a",
  kind: "attack",
  start: now - 100,
  end: 0,
  target: "192.0.2.9",
  severity: "critical",
  text: "DNS amplification",
  attrs: {},
} as Event;

test("when all is well nothing needs attention", () => {
  assert.deepEqual(
    concerns(well, [exporter], links(line), [
      { ...attack, kind: "note" },
      { ...attack, end: now - 601 },
    ]),
    [],
  );
});

test("each thing that needs a person is said, with its page", () => {
  const one = (list: ReturnType<typeof concerns>) => {
    assert.equal(list.length, 1, JSON.stringify(list));
    return list[0];
  };
  const status = (patch: object) => one(concerns({ ...well, ...patch } as Status, [], undefined, []));
  assert.deepEqual(one(concerns(well, [], undefined, [attack])), {
    level: "bad",
    of: "192.0.2.9",
    what: "DNS amplification · for 100 s",
    to: `/host/192.0.2.9?from=${now - 700}&to=now`,
  });
  assert.match(one(concerns(well, [], undefined, [{ ...attack, target: "et-0", end: now - 10 }])).to, /^\/explore\?from=/);
  assert.match(status({ engine: { up: false } }).what, /down/);
  assert.match(status({ pipeline: { insert_error: "x" } }).what, /does not take rows/);
  assert.match(status({ spool: { rows: 5, oldest: now - 90 } }).what, /wait for 90 s/);
  assert.match(status({ storage: { forecast: { limited_by: "disk", full_in_days: 3.5 } } }).what, /full in 3 days/);
  assert.equal(status({ drops: [{ where: "kernel", reason: "buffer full", count: 1200, hint: "" }] }).of, "kernel");
  assert.equal(one(concerns(well, [{ ...exporter, last: now - 400 }], undefined, [])).to, "/exporters/192.0.2.1");
  assert.equal(
    one(concerns(well, [], links({ ...line, out: { ...side, use_p95: 0.91 } }), [])).what,
    "sends 91.0 % of its speed, 95th percentile",
  );
  assert.equal(one(concerns(well, [], links({ ...line, in: { ...side, use_p95: 0.97 } }), [])).level, "bad");
  assert.match(one(concerns(well, [], links({ ...line, in: { ...side, use_max: 1.2, max: 1.2e10 } }), [])).what, /more than its speed/);
});

test("the gravest stands first", () => {
  const all = concerns({ ...well, drops: [{ where: "kernel", reason: "buffer full", count: 1, hint: "" }] } as Status, [], undefined, [
    attack,
  ]);
  assert.deepEqual(
    all.map((c) => c.level),
    ["bad", "warn"],
  );
});

test("a window is compared with the nearest that is kept, the week before if that is", () => {
  const day = 86400;
  for (const [seconds, kept, want] of [
    [3600, 8 * day, "-7d"],
    [3600, 7 * day, "-1d"],
    [day, 2 * day, "-1d"],
    [2 * day, 4 * day, "prev"],
    [3600, 7200, "prev"],
    [3600, 7199, ""],
    [8 * day, 16 * day, "prev"],
  ] as const)
    assert.equal(comparison(now - seconds, now, now - kept), want, `${seconds} of ${kept}`);
  assert.equal(comparison(now - 3600, now, 0), "", "nothing is stored");
  assert.deepEqual([60, 900, 3600, 4 * 3600, 3 * day].map(usual), ["-5m", "-15m", "-1h", "-6h", "-24h"]);
});
