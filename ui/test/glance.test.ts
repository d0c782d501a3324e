import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event, Exporter, Interface, Interfaces, LinkSide, Status, Trouble } from "../src/api/api.ts";
import { comparison, concerns, usual } from "../src/pages/overview/glance.ts";

const now = 1_800_000_000;
const well = { now, problems: [] } as unknown as Status;
const exporter = { address: "192.0.2.1", name: "edge1", problems: [] as Trouble[] } as Exporter;
const side = { use_p95: 0.5, use_level: "" } as LinkSide;
const line = {
  exporter: "192.0.2.1",
  name: "edge1",
  index: 7,
  interface: "xe-0",
  in: side,
  out: side,
  problems: [] as Trouble[],
} as unknown as Interface;
const links = (i: Interface) => ({ interfaces: [i] }) as Interfaces;
const trouble = (level: Trouble["level"], what: string, of?: string): Trouble => ({ id: what, level, of, what, remedy: "Mend it." });
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

test("nothing needs attention without problems", () => {
  assert.deepEqual(
    concerns(well, [exporter], links(line), [
      { ...attack, kind: "note" },
      { ...attack, end: now - 601 },
    ]),
    [],
  );
});

test("each concern is listed, with its page", () => {
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
  assert.deepEqual(status({ problems: [trouble("bad", "is down", "engine")] }), {
    level: "bad",
    of: "engine",
    what: "is down",
    to: "/status",
  });
  assert.deepEqual(one(concerns(well, [{ ...exporter, problems: [trouble("bad", "silent"), trouble("warn", "lost")] }], undefined, [])), {
    level: "bad",
    of: "edge1",
    what: "silent; 1 more",
    to: "/exporters/192.0.2.1",
  });
  const link = (i: Partial<Interface>) => one(concerns(well, [], links({ ...line, ...i }), []));
  assert.equal(link({ out: { ...side, use_p95: 0.91, use_level: "warn" } }).what, "sent at 91.0% utilisation, 95th percentile");
  assert.equal(link({ in: { ...side, use_p95: 0.97, use_level: "bad" } }).level, "bad");
  assert.deepEqual(link({ problems: [trouble("bad", "sent more than its speed")] }), {
    level: "bad",
    of: "edge1 xe-0",
    what: "sent more than its speed",
    to: "/if/192.0.2.1/7",
  });
  const full = { ...side, use_p95: 0.91, use_level: "warn" } as LinkSide;
  assert.match(link({ out: full, problems: [trouble("warn", "coverage")] }).what, /^sent at/, "utilisation comes before warnings");
  assert.equal(link({ problems: [trouble("warn", "coverage")] }).what, "coverage");
});

test("the most severe is first", () => {
  const all = concerns({ ...well, problems: [trouble("warn", "1 lost", "kernel")] }, [], undefined, [attack]);
  assert.deepEqual(
    all.map((c) => c.level),
    ["bad", "warn"],
  );
});

test("a range is compared with the week before if stored, else with the nearest stored range", () => {
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
