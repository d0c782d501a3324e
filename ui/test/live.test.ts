import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueryResult } from "../src/api/api.ts";
import { type Update, updated } from "../src/api/live.ts";

const figures = { avg: 1, max: 2, last: 3, total: 4, share: 0.5, error: 0.1 };
const meta = { through: 100, partial: { first: true, last: true }, rows: 7 };
const vs = { avg: 1, total: 1, delta: 1, change: null };
const before = {
  from: 95,
  to: 125,
  step: 10,
  times: [90, 100, 110, 120],
  other: 3,
  series: [
    {
      key: ["6"],
      label: ["tcp"],
      dir: "in",
      other: false,
      values: [1, 2, 3, 4],
      n: [1, 1, 1, 1],
      peaks: [5, 5, 5, 5],
      vs: { ...vs, values: [9, 8, 7, 6] },
      ...figures,
    },
    { key: ["other"], label: ["Other"], dir: "in", other: true, folded: 3, values: [0, 0, null, 1], n: [0, 0, null, 1], ...figures },
  ],
  total: [{ dir: "in", values: [1, 2, 3, 5], ...figures }],
  meta,
} as unknown as QueryResult;

test("an update is merged into the result", () => {
  const update = {
    from: 105,
    to: 135,
    times: [120, 130],
    series: [
      { values: [40, 50], n: [2, 2], peaks: [6, 7], vs: { ...vs, total: 2, values: [5, 4] }, ...figures, total: 99 },
      { values: [2, 3], n: [4, 5], ...figures, folded: 4 },
    ],
    total: [{ values: [42, 53], ...figures, last: 42 }],
    other: 4,
    through: 130,
    partial: { first: true, last: false },
  } as Update;
  const now = updated(before, update);
  assert.deepEqual(
    [now.from, now.to, now.times, now.other, now.meta.through, now.meta.rows, now.meta.partial.last],
    [105, 135, [100, 110, 120, 130], 4, 130, 7, false],
  );
  const [tcp, other] = now.series;
  assert.deepEqual(
    [tcp.key, tcp.label, tcp.values, tcp.n, tcp.peaks, tcp.total],
    [["6"], ["tcp"], [2, 3, 40, 50], [1, 1, 2, 2], [5, 5, 6, 7], 99],
  );
  assert.deepEqual([tcp.vs?.values, tcp.vs?.total], [[8, 7, 5, 4], 2]);
  assert.deepEqual([other.values, other.folded, other.vs, other.peaks], [[0, null, 2, 3], 4, undefined, undefined]);
  assert.deepEqual([now.total[0].values, now.total[0].last, now.total[0].dir], [[2, 3, 42, 53], 42, "in"]);
  assert.deepEqual(before.times, [90, 100, 110, 120], "the result before is as it was");
});

test("missed intervals are a gap, and an empty update changes nothing", () => {
  const empty = { values: [], ...figures };
  const update: Update = {
    from: 95,
    to: 125,
    times: [],
    series: [empty, empty],
    total: [empty],
    other: 3,
    through: 101,
    partial: meta.partial,
  };
  assert.deepEqual(updated(before, update).series[0].values, [1, 2, 3, 4]);
  const gone: Update = { ...update, series: [empty, { values: [] }] };
  const other = updated({ ...before, series: [before.series[0], { ...before.series[1], peak: 9 }] }, gone).series[1];
  assert.deepEqual(
    [other.share, other.error, other.folded, other.peak],
    [0, null, undefined, undefined],
    "what is left out is not as it was",
  );
  const later: Update = {
    ...update,
    from: 115,
    to: 155,
    times: [150],
    series: [{ values: [7] }, { values: [8] }],
    total: [{ values: [15] }],
  };
  const now = updated(before, later);
  assert.deepEqual(
    [now.times, now.series[0].values, now.total[0].values],
    [
      [110, 120, 150],
      [3, 4, 7],
      [3, 5, 15],
    ],
  );
});
