import assert from "node:assert/strict";
import test from "node:test";
import { curve, ticks } from "../src/charts/time/scale.ts";

test("a non-linear axis is symmetric, invertible and monotonic", () => {
  assert.equal(curve("lin", 100), undefined);
  for (const y of ["log", "sqrt"]) {
    const c = curve(y, 2.7e10)!;
    let before = -Infinity;
    for (const v of [-2.7e10, -1e6, -3, 0, 0.5, 1e3, 1e7, 2.7e10]) {
      assert.ok(Math.abs(c.from(c.to(v)) - v) <= 1e-9 * Math.abs(v) + 1e-6, `${y} ${v}`);
      assert.ok(c.to(v) > before, `${y} ${v}`);
      assert.ok(Math.abs(c.to(v) + c.to(-v)) < 1e-12);
      before = c.to(v);
    }
  }
  // Logarithm: each decade has the same height, far above the floor. Square root: four times the value is twice as high.
  const log = curve("log", 1e10)!;
  assert.ok(Math.abs(log.to(1e10) - log.to(1e9) - 1) < 0.01);
  assert.equal(curve("sqrt", 1)!.to(400), 2 * curve("sqrt", 1)!.to(100));
});

test("ticks are round, spaced, in order, and include zero", () => {
  assert.deepEqual(ticks(curve("log", 2e10)!, 0, 2e10, 0.1), [0, 1e8, 1e9, 1e10]);
  assert.deepEqual(ticks(curve("sqrt", 1000)!, -100, 1000, 0.09), [-100, -20, 0, 20, 100, 200, 500, 1000]);
  for (const y of ["log", "sqrt"]) {
    for (const [lo, hi] of [
      [0, 1],
      [-3e9, 7e6],
      [0, 0.004],
      [-5, 0],
    ]) {
      const c = curve(y, Math.max(hi, -lo))!;
      const list = ticks(c, lo, hi, 0.08);
      assert.ok(list.includes(0) && list.length > 1 && list.length < 14, `${y} ${lo} ${hi}: ${list}`);
      for (const [i, v] of list.entries())
        assert.ok(v >= lo && v <= hi && (i === 0 || c.to(v) - c.to(list[i - 1]) >= 0.0799 * (c.to(hi) - c.to(lo))), `${y}: ${list}`);
    }
  }
});
