import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exporter, Interfaces, Trouble } from "../src/api/api.ts";
import { levelOf, samplingOf, troublesOf } from "../src/pages/health.ts";

const trouble = (id: string, level: Trouble["level"] = "warn"): Trouble => ({ id, level, what: id, remedy: "Mend it." });
const exporter = (more: Partial<Exporter>) =>
  ({
    address: "192.0.2.1",
    sampling_known: true,
    sampling_rate: 1000,
    problems: [trouble("loss", "bad"), trouble("silent")],
    ...more,
  }) as Exporter;

test("a problem is found by its id", () => {
  assert.equal(levelOf(exporter({}), "silent"), "warn");
  assert.equal(levelOf(exporter({}), "clock", "loss"), "bad");
  assert.equal(levelOf(exporter({}), "clock"), "");
});

test("an exporter includes the problems of its interfaces", () => {
  const links = {
    exporters: [
      { exporter: "192.0.2.1", problems: [trouble("unnamed")] },
      { exporter: "192.0.2.2", problems: [trouble("coverage-low")] },
    ],
  } as Interfaces;
  const ids = (of: Interfaces | undefined) => troublesOf(exporter({}), of).map((t) => t.id);
  assert.deepEqual(ids(links), ["loss", "silent", "unnamed"]);
  assert.deepEqual(ids(undefined), ["loss", "silent"]);
});

test("a sampling rate in words", () => {
  assert.equal(samplingOf(exporter({})), "1:1,000");
  assert.equal(samplingOf(exporter({ sampling_rate: 1 })), "none");
  assert.equal(samplingOf(exporter({ sampling_known: false })), "unknown");
});
