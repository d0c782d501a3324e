import assert from "node:assert/strict";
import { test } from "node:test";
import * as time from "../src/text/time.ts";

const at = (s: string) => Date.parse(s) / 1000;
const now = at("2026-11-23T19:30:00Z"); // a Monday

test("resolve", () => {
  const f = (s: string, zone: string, want: string | undefined) =>
    assert.equal(time.resolve(s, now, zone), want === undefined ? undefined : at(want), s);
  f("now", "UTC", "2026-11-23T19:30:00Z");
  f("-90s", "UTC", "2026-11-23T19:28:30Z");
  f("-6h", "UTC", "2026-11-23T13:30:00Z");
  f("-1d", "UTC", "2026-11-22T19:30:00Z");
  f("-1d/d", "UTC", "2026-11-22T00:00:00Z");
  f("-1d/d", "Europe/Berlin", "2026-11-21T23:00:00Z");
  f("-1w", "UTC", "2026-11-16T19:30:00Z");
  f("now-5m", "UTC", "2026-11-23T19:25:00Z");
  f("1790000000", "UTC", "2026-09-21T14:13:20Z");
  f("1790000000000", "UTC", "2026-09-21T14:13:20Z");
  f("2026-11-20T14:00:00Z", "UTC", "2026-11-20T14:00:00Z");
  f("2026-11-20T14:00:00+01:00", "UTC", "2026-11-20T13:00:00Z");
  f("2026-11-20", "America/New_York", "2026-11-20T05:00:00Z");
  f("2026-11-20 14:30", "UTC", "2026-11-20T14:30:00Z");
  f("yesterdayish", "UTC", undefined);
  f("-6", "UTC", undefined);
  f("", "UTC", undefined);
});

test("parseRange", () => {
  const f = (s: string, tz: string, from: string | undefined, to = "now") =>
    assert.deepEqual(time.parseRange(s, now, tz), from === undefined ? undefined : { from, to }, s);
  f("-6h", "utc", "-6h");
  f("6h", "utc", "-6h");
  f("last 15m", "utc", "-15m");
  f(" 90 s ", "utc", "-90s");
  f("14:00..14:20", "utc", "2026-11-23T14:00:00Z", "2026-11-23T14:20:00Z");
  f("14:00 .. 14:20", "Europe/Berlin", "2026-11-23T13:00:00Z", "2026-11-23T13:20:00Z");
  f("14:00-14:20", "utc", undefined);
  f("14:00–14:20", "utc", "2026-11-23T14:00:00Z", "2026-11-23T14:20:00Z");
  f("mon 09:00..now", "utc", "2026-11-23T09:00:00Z");
  f("fri 09:00..fri 17:00", "utc", "2026-11-20T09:00:00Z", "2026-11-20T17:00:00Z");
  f("yesterday 22:00..today 06:00", "utc", "2026-11-22T22:00:00Z", "2026-11-23T06:00:00Z");
  f("today", "utc", "2026-11-23T00:00:00Z");
  f("yesterday", "utc", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
  f("yesterday", "America/New_York", "2026-11-22T05:00:00Z", "2026-11-23T05:00:00Z");
  f("2026-11-20", "utc", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
  f("2026-11-23", "utc", "2026-11-23T00:00:00Z");
  f("2026-11-20..2026-11-22", "utc", "2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z");
  f("2026-11-20T10:00:00Z..2026-11-20T11:00:00Z", "utc", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z");
  f("2026-11-20 10:00..2026-11-20 11:00", "utc", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z");
  f("-6h..-2h", "utc", "-6h", "-2h");
  f("1790000000..1790003600", "utc", "2026-09-21T14:13:20Z", "2026-09-21T15:13:20Z");
  f("this week", "utc", "2026-11-23T00:00:00Z");
  f("last week", "utc", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z");
  f("last month", "utc", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
  f("14:20..14:00", "utc", undefined);
  f("0h", "utc", undefined);
  f("soon", "utc", undefined);
  f("", "utc", undefined);
  f("23:00..now", "utc", undefined); // not yet
});

test("daylight saving time", () => {
  // Berlin left summer time on 2026-10-25 at 01:00 UTC: that day had 25 hours.
  const start = time.epoch("Europe/Berlin", 2026, 10, 25);
  const end = time.epoch("Europe/Berlin", 2026, 10, 26);
  assert.equal(end - start, 25 * 3600);
  assert.equal(time.startOfDay(at("2026-10-25T20:00:00Z"), "Europe/Berlin"), start);
  assert.equal(time.epoch("Europe/Berlin", 2026, 3, 30) - time.epoch("Europe/Berlin", 2026, 3, 29), 23 * 3600);
  for (const zone of ["UTC", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham"]) {
    const p = time.parts(now, zone);
    assert.equal(time.epoch(zone, p.year, p.month, p.day, p.hour, p.minute, p.second), now, zone);
  }
});

test("move and zoom", () => {
  assert.deepEqual(time.move(now - 3600, now, -1, now), { from: "2026-11-23T17:30:00Z", to: "2026-11-23T18:30:00Z" });
  assert.deepEqual(time.move(now - 7200, now - 3600, 1, now), { from: "-1h", to: "now" });
  assert.deepEqual(time.move(now - 10800, now - 7200, 1, now), { from: "2026-11-23T17:30:00Z", to: "2026-11-23T18:30:00Z" });
  assert.deepEqual(time.zoom({ from: "-1h", to: "now" }, now - 3600, now, 2, now), { from: "-2h", to: "now" });
  assert.deepEqual(time.zoom({ from: "-1h", to: "now" }, now - 3600, now, 0.5, now), { from: "-30m", to: "now" });
  const fixed = { from: time.absolute(now - 7200), to: time.absolute(now - 3600) };
  assert.deepEqual(time.zoom(fixed, now - 7200, now - 3600, 2, now), { from: time.absolute(now - 9000), to: time.absolute(now - 1800) });
  assert.deepEqual(time.zoom(fixed, now - 7200, now - 3600, 4, now), { from: time.absolute(now - 14400), to: time.absolute(now) });
});

test("durations and ranges for reading", () => {
  const f = (sec: number, want: string) => assert.equal(time.duration(sec), want);
  f(1, "1 s");
  f(10, "10 s");
  f(60, "1 min");
  f(90, "90 s");
  f(600, "10 min");
  f(3600, "1 h");
  f(4800, "1 h 20 min");
  f(86400, "1 d");
  f(90000, "1 d 1 h");
  f(30 * 86400, "30 d");
  const r = (from: string, to: string, a: number, b: number) => time.rangeText({ from, to }, a, b, "UTC", now);
  assert.equal(r("-1h", "now", now - 3600, now), "Last 1 h");
  assert.equal(r("x", "y", at("2026-11-23T14:00:00Z"), at("2026-11-23T14:20:00Z")), "14:00 – 14:20");
  assert.equal(r("x", "y", at("2026-11-20T14:00:00Z"), at("2026-11-20T14:20:30Z")), "20 Nov 14:00 – 14:20:30");
  assert.equal(r("x", "now", at("2026-11-20T14:00:00Z"), now), "20 Nov 14:00 – now");
  assert.equal(r("x", "y", at("2025-11-20T14:00:00Z"), at("2025-11-21T14:00:00Z")), "20 Nov 2025 14:00 – 21 Nov 2025 14:00");
});
