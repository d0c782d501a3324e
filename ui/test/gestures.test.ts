import assert from "node:assert/strict";
import { test } from "node:test";
import { scaled, shifted } from "../src/charts/time/gestures.ts";

test("a range shifts by the drag, and ends now at the latest", () => {
  assert.deepEqual(shifted(100, 200, -50, 1000), [50, 150]);
  assert.deepEqual(shifted(100, 200, 50, 1000), [150, 250]);
  assert.deepEqual(shifted(850, 950, 100, 1000), [900, 1000]);
  assert.deepEqual(shifted(950, 1050, 100, 1000), [950, 1050], "what is ahead of the clock already stays");
});

test("zooming keeps the time under the pointer, and ends now at the latest", () => {
  assert.deepEqual(scaled(100, 200, 150, 0.5, 1000), [125, 175]);
  assert.deepEqual(scaled(100, 200, 100, 0.5, 1000), [100, 150]);
  assert.deepEqual(scaled(800, 1000, 900, 2, 1000), [700, 1000]);
  const [from, to] = scaled(100, 130, 115, 0.01, 1000);
  assert.equal(to - from, 10, "ten seconds are the shortest");
});
