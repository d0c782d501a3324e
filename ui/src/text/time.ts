// Parsing and formatting of times: relative to now, clock times, days, RFC 3339 and epochs. Intl has the time zones, so no date library.

import { fixed } from "./format.ts";

export const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** The IANA name of the URL's tz key. */
export function zoneName(tz: string): string {
  if (tz === "browser") return browserZone();
  if (tz === "utc") return "UTC";
  return tz;
}

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000 };

const formats = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string): Intl.DateTimeFormat {
  let f = formats.get(zone);
  if (!f) {
    const o: Intl.DateTimeFormatOptions = {
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      weekday: "short",
    };
    try {
      f = new Intl.DateTimeFormat("en-GB", { ...o, timeZone: zone });
    } catch {
      f = new Intl.DateTimeFormat("en-GB", { ...o, timeZone: "UTC" }); // a zone unknown to this browser
    }
    formats.set(zone, f);
  }
  return f;
}

export interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  weekday: string;
}

/** The wall clock of a zone at an epoch second. */
export function parts(t: number, zone: string): Parts {
  const p: Record<string, string> = {};
  for (const { type, value } of formatter(zone).formatToParts(t * 1000)) p[type] = value;
  return { year: +p.year, month: +p.month, day: +p.day, hour: +p.hour, minute: +p.minute, second: +p.second, weekday: p.weekday };
}

/** The epoch second at which a zone's wall clock shows a time. Two rounds suffice; in a spring gap the result is after the gap. */
export function epoch(zone: string, year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const wall = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  let t = wall;
  for (let i = 0; i < 2; i++) {
    const p = parts(t, zone);
    t += wall - Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) / 1000;
  }
  return t;
}

export function startOfDay(t: number, zone: string, days = 0): number {
  const p = parts(t, zone);
  return epoch(zone, p.year, p.month, p.day + days);
}

/** Parses one end of a range in the format of the URL to an epoch second; undefined: not a time. */
export function resolve(s: string, now: number, zone: string): number | undefined {
  let m: RegExpExecArray | null;
  s = s.trim();
  if (s === "now") return now;
  if ((m = /^(?:now)?-(\d{1,7})([smhdwy])(\/d)?$/.exec(s))) {
    const t = now - Number(m[1]) * unitSeconds[m[2]];
    return m[3] ? startOfDay(t, zone) : t;
  }
  if (/^\d{13}$/.test(s)) return Number(s) / 1000;
  if (/^\d{9,11}$/.test(s)) return Number(s);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(s)) {
    const t = Date.parse(s) / 1000;
    return Number.isNaN(t) ? undefined : t;
  }
  if ((m = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/.exec(s)))
    return epoch(zone, +m[1], +m[2], +m[3], +(m[4] ?? 0), +(m[5] ?? 0), +(m[6] ?? 0));
  return undefined;
}

/** An epoch second in the format of the URL. */
export function absolute(t: number): string {
  return new Date(Math.round(t) * 1000).toISOString().replace(".000Z", "Z");
}

export interface Range {
  from: string;
  to: string;
}

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Parses the time field: -6h, 14:00..14:20, yesterday, 2026-11-20, mon 09:00..now. */
export function parseRange(input: string, now: number, tz: string): Range | undefined {
  const zone = zoneName(tz);
  const s = input.trim().toLowerCase();
  const day = (offset: number, length = 1): Range => ({
    from: absolute(startOfDay(now, zone, offset)),
    to: offset + length > 0 ? "now" : absolute(startOfDay(now, zone, offset + length)),
  });
  let m: RegExpExecArray | null;
  if ((m = /^(?:last\s+)?-?\s*(\d{1,7})\s*(s|m|h|d|w|y)$/.exec(s)) && Number(m[1]) > 0) return { from: `-${m[1]}${m[2]}`, to: "now" };
  if (s === "today") return day(0);
  if (s === "yesterday") return day(-1);
  if ((m = /^(this|last|previous) (week|month)$/.exec(s))) {
    const p = parts(now, zone);
    const back = m[1] === "this" ? 0 : 1;
    if (m[2] === "week") {
      const sinceMonday = (weekdays.indexOf(p.weekday.toLowerCase().slice(0, 3)) + 6) % 7;
      return day(-sinceMonday - 7 * back, 7);
    }
    return { from: absolute(epoch(zone, p.year, p.month - back, 1)), to: back ? absolute(epoch(zone, p.year, p.month, 1)) : "now" };
  }
  if (/^\d{4}-\d\d-\d\d$/.test(s)) {
    const [y, mo, d] = s.split("-").map(Number);
    const end = epoch(zone, y, mo, d + 1);
    return { from: absolute(epoch(zone, y, mo, d)), to: end > now ? "now" : absolute(end) };
  }
  const dots = s.split(/\s*(?:\.\.|–|—|\bto\b)\s*/);
  if (dots.length !== 2) return undefined;
  const a = moment(dots[0], now, now, zone);
  if (a === undefined) return undefined;
  if (dots[1] === "" || dots[1] === "now") return a < now ? { from: keep(dots[0], a), to: "now" } : undefined;
  const b = moment(dots[1], now, a, zone);
  if (b === undefined || b <= a) return undefined;
  return { from: keep(dots[0], a), to: keep(dots[1], b) };
}

const keep = (s: string, t: number) => (/^-\d+[smhdwy]$/.test(s) ? s : absolute(t));

/** Parses one moment: all formats of resolve, a clock time on the day of `near`, or a weekday and clock time in the last seven days. */
function moment(s: string, now: number, near: number, zone: string): number | undefined {
  const m = /^(?:(sun|mon|tue|wed|thu|fri|sat|today|yesterday)[a-z]*\s*)?(?:(\d{1,2}):(\d\d)(?::(\d\d))?)?$/.exec(s);
  if (!m || s === "")
    return resolve(
      s
        .toUpperCase()
        .replace(/NOW/, "now")
        .replace(/(\d)([SMHDWY])(\/D)?$/, (x) => x.toLowerCase()),
      now,
      zone,
    );
  const p = parts(m[1] ? now : near, zone);
  let back = 0;
  if (m[1] === "yesterday") back = 1;
  else if (m[1] && m[1] !== "today") back = (weekdays.indexOf(p.weekday.toLowerCase().slice(0, 3)) - weekdays.indexOf(m[1]) + 7) % 7;
  if (+(m[2] ?? 0) > 24 || +(m[3] ?? 0) > 59) return undefined;
  return epoch(zone, p.year, p.month, p.day - back, +(m[2] ?? 0), +(m[3] ?? 0), +(m[4] ?? 0));
}

/** Moves a range by its length; a range that reaches the present ends at now. */
export function move(from: number, to: number, direction: -1 | 1, now: number): Range {
  const length = to - from;
  const end = to + direction * length;
  if (end >= now - 1) return { from: seconds(length), to: "now" };
  return { from: absolute(end - length), to: absolute(end) };
}

/** Scales a range by `factor` around its centre, or back from now if it ends there. */
export function zoom(r: Range, from: number, to: number, factor: number, now: number): Range {
  const length = Math.max(1, Math.round((to - from) * factor));
  if (r.to === "now") return { from: seconds(length), to: "now" };
  const centre = (from + to) / 2;
  const end = Math.min(centre + length / 2, Math.floor(now));
  return { from: absolute(end - length), to: absolute(end) };
}

/** A length as a relative time, in the largest exact unit. */
export function seconds(length: number): string {
  const n = Math.max(1, Math.round(length));
  for (const u of ["d", "h", "m"]) if (n % unitSeconds[u] === 0) return `-${n / unitSeconds[u]}${u}`;
  return `-${n}s`;
}

/** A length for reading: 90 s, 30 min, 1 h, 2 d, 1 h 20 min. */
export function duration(sec: number): string {
  const n = Math.round(sec);
  if (n < 120 && n !== 60) return `${n} s`;
  const names: [string, number][] = [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];
  const out: string[] = [];
  let rest = n;
  for (const [name, size] of names) {
    const k = Math.floor(rest / size);
    if (k > 0 && out.length < 2) out.push(`${k} ${name}`);
    rest -= k * size;
    if (out.length === 1 && (name === "d" || name === "h") && rest * 50 < n) break;
  }
  return out.join(" ");
}

const two = (n: number) => String(n).padStart(2, "0");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function clock(t: number, zone: string, withSeconds = true): string {
  const p = parts(t, zone);
  return `${two(p.hour)}:${two(p.minute)}${withSeconds ? ":" + two(p.second) : ""}`;
}

export function dayName(t: number, zone: string): string {
  const p = parts(t, zone);
  return `${p.day} ${months[p.month - 1]}`;
}

/** A moment for reading: the clock, with the day unless it is today. */
export function moments(t: number, zone: string, now: number, withSeconds = true): string {
  const day = dayName(t, zone);
  const year = parts(t, zone).year;
  const c = clock(t, zone, withSeconds);
  if (day === dayName(now, zone) && Math.abs(now - t) < 2 * 86400) return c;
  return year === parts(now, zone).year ? `${day} ${c}` : `${day} ${year} ${c}`;
}

/** A range for reading, as short as possible. */
export function rangeText(r: Range, from: number, to: number, zone: string, now: number): string {
  if (r.to === "now" && /^-\d+[smhdwy]$/.test(r.from)) return `Last ${duration(to - from)}`;
  const a = moments(from, zone, now, from % 60 !== 0);
  if (r.to === "now") return `${a} – now`;
  const sameDay = dayName(from, zone) === dayName(to, zone);
  return `${a} – ${sameDay ? clock(to, zone, to % 60 !== 0) : moments(to, zone, now, to % 60 !== 0)}`;
}

/** The time since t, for a table cell. */
export function ago(t: number, now: number): string {
  const d = Math.max(0, now - t);
  if (d < 1) return "now";
  if (d < 10) return `${fixed(d, 1)} s ago`;
  return `${duration(d)} ago`;
}
