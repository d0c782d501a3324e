import assert from "node:assert/strict";
import test from "node:test";
import type { Exporter, Interfaces, Step } from "../src/api/api.ts";
import { arrival } from "../src/pages/start/arrival.ts";

const step = (id: Step["id"], done: boolean): Step => ({ id, done, what: id, ...(done ? {} : { remedy: `Mend ${id}.` }) });
const exporter = (flows: number, ...arrived: Step[]) => ({ address: "192.0.2.1", flows, arrival: arrived }) as Exporter;
const names = (done: boolean) =>
  ({ exporters: [{ exporter: "192.0.2.1", problems: [], names: step("names", done) }] }) as unknown as Interfaces;
const said = (e: Exporter, n?: Interfaces) => {
  const { steps, advice } = arrival(e, n);
  return [steps.map((s) => (s.done ? "+ " : "- ") + s.what).join("; "), advice];
};

test("the advice is the remedy of the first incomplete step", () => {
  assert.deepEqual(said(exporter(1, step("datagrams", true), step("stored", true))), ["+ datagrams; + stored", ""]);
  assert.deepEqual(said(exporter(0, step("templates", false), step("stored", false))), ["- templates; - stored", "Mend templates."]);
});

test("the step of interface names follows the sampling step, once there are flows", () => {
  const e = exporter(1, step("sampling", true), step("stored", true));
  assert.deepEqual(said(e, names(true)), ["+ sampling; + names; + stored", ""]);
  assert.deepEqual(said(e, names(false)), ["+ sampling; - names; + stored", "Mend names."]);
  assert.deepEqual(said(exporter(0, step("sampling", true), step("stored", true)), names(false)), ["+ sampling; + stored", ""]);
  assert.deepEqual(said(exporter(1, step("templates", true)), names(false)), ["+ templates", ""]);
  assert.deepEqual(said({ ...e, address: "192.0.2.2" }, names(false)), ["+ sampling; + stored", ""]);
});
