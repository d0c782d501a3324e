import "./browser.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../src/api/api.ts";
import { written } from "../src/parts/eventform.tsx";
import { around, during, gravest, marks, switched, titleOf, visible } from "../src/state/events.ts";
import { resolve } from "../src/text/time.ts";

const event = (e: Partial<Event>): Event => ({
  id: String(e.start),
  kind: "note",
  start: 0,
  end: 0,
  target: "",
  severity: "info",
  text: "",
  attrs: {},
  ...e,
});

test("marks: their positions, and events that share one", () => {
  const f = (list: Partial<Event>[], gap: number, want: string) =>
    assert.equal(
      marks(list.map(event), 1000, 2000, gap)
        .map((m) => `${m.at}:${m.events.map((e) => e.start).join("+")}${m.bands.map(([a, b]) => ` ${a}-${b}`).join("")}`)
        .join(", "),
      want,
    );
  f([], 0.05, "");
  f([{ start: 1500 }, { start: 1100 }], 0.05, "0.1:1100, 0.5:1500");
  f([{ start: 1500 }, { start: 1520 }, { start: 1600 }], 0.05, "0.5:1500+1520, 0.6:1600");
  f(
    [
      { start: 500, end: 1200 },
      { start: 1900, end: 3000 },
    ],
    0.05,
    "0:500 0-0.2, 0.9:1900 0.9-1",
  );
  f([{ start: 500 }], 0.05, "0:500");
});

test("the visible events of a range", () => {
  const list = [event({ start: 100, end: 200 }), event({ start: 300, kind: "a,b" }), event({ start: 500, kind: "attack" })];
  const f = (from: number, to: number, hidden: string, want: string) =>
    assert.equal(
      visible(list, from, to, hidden)
        .map((e) => e.start)
        .join(),
      want,
      hidden,
    );
  f(0, 1000, "", "100,300,500");
  f(200, 1000, "", "300,500");
  f(400, 450, "", "300"); // may be ongoing
  f(0, 1000, "*", "");
  f(0, 1000, switched("", "a,b"), "100,500");
  f(0, 1000, switched(switched("", "a,b"), "note"), "500");
  f(0, 1000, switched(switched("", "note"), "note"), "100,300,500");
  f(0, 1000, switched("*", "note"), "300,500");
});

test("the range around an event and during it", () => {
  const f = (e: Partial<Event>, now: number, wantAround: [number, number], wantDuring: [number, number]) => {
    assert.deepEqual(around(event(e), now), wantAround);
    assert.deepEqual(during(event(e), now), wantDuring);
  };
  f({ start: 5000, end: 6000 }, 1e6, [4000, 7000], [5000, 6000]);
  f({ start: 5000, end: 5060 }, 1e6, [4400, 5660], [5000, 5060]);
  f({ start: 5000 }, 1e6, [4400, 5600], [5000, 5600]);
  f({ start: 5000 }, 5100, [4400, 5100], [5000, 5100]);
  f({ start: 5000 }, 4000, [4400, 5001], [5000, 5001]); // announced for later
});

test("words", () => {
  assert.equal(titleOf(event({ text: "UDP flood", target: "192.0.2.7" })), "UDP flood · 192.0.2.7");
  assert.equal(titleOf(event({ kind: "attack" })), "attack");
  assert.equal(gravest([event({ severity: "warning" }), event({ severity: "critical" }), event({})]), "critical");
  assert.equal(gravest([event({ severity: "unheard" })]), "info");
  for (const tz of ["UTC", "Europe/Berlin", "Asia/Kathmandu"]) assert.equal(resolve(written(1790000000, tz), 0, tz), 1790000000, tz);
});
