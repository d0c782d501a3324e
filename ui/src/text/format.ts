// Numbers for reading: three significant digits, SI prefixes in steps of 1000, a unit. Decimal points and groups follow the user's
// language; the words are English.

const suffix: Record<string, string> = {
  bps: "b/s",
  pps: "p/s",
  fps: "flows/s",
  bytes: "B",
  packets: "packets",
  flows: "flows",
  bpp: "B/packet",
  pct: "%",
};

interface Style {
  /** The decimal separator. */
  point: string;
  /** Exact numbers with digit groups. */
  exact: Intl.NumberFormat;
}

/** The number style of a language, with Latin digits as in units and addresses. */
export function styleOf(language: string): Style {
  const exact = new Intl.NumberFormat(`${language}-u-nu-latn`, { maximumFractionDigits: 3 });
  return { point: exact.formatToParts(0.5).find((p) => p.type === "decimal")?.value ?? ".", exact };
}

let style = styleOf(globalThis.navigator?.language || "en");
/** For tests. */
export const speak = (language: string) => (style = styleOf(language));

/** A number with a fixed count of decimals. */
export const fixed = (v: number, decimals: number) => v.toFixed(decimals).replace(".", style.point);

const prefixes = ["", "k", "M", "G", "T", "P", "E"];

export const unitSuffix = (unit: string) => suffix[unit] ?? unit;

/** Whether the value of an interval is a mean, not a sum. */
export const isRate = (unit: string) => /ps$|^pct$|^bpp$/.test(unit);

/** The unit of a series' total. */
export function totalUnit(unit: string): string {
  if (unit === "bps" || unit === "bytes" || unit === "pct") return "bytes";
  if (unit === "pps" || unit === "packets") return "packets";
  if (unit === "fps" || unit === "flows") return "flows";
  return unit;
}

function scaled(v: number): [number, string] {
  let a = Math.abs(v);
  let i = 0;
  // 999.5 rounds to 1000 in three digits and so belongs to the next prefix.
  while (a >= 999.5 && i < prefixes.length - 1) {
    a /= 1000;
    i++;
  }
  return [a, prefixes[i]];
}

function digits(a: number): string {
  if (a === 0) return "0";
  if (a >= 99.95) return fixed(a, 0);
  if (a >= 9.995) return fixed(a, 1);
  if (a >= 0.9995) return fixed(a, 2);
  return (a >= 0.001 ? String(Number(a.toPrecision(2))) : a.toExponential(1)).replace(".", style.point);
}

/** 1.24 Gb/s. Never a minus sign, because outbound traffic is drawn below zero but is positive. */
export function value(v: number | null | undefined, unit: string): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  if (unit === "pct") return `${digits(Math.abs(v))}%`;
  const [a, p] = scaled(v);
  return join(digits(a), p, unitSuffix(unit));
}

const join = (n: string, prefix: string, unit: string) => `${n} ${prefix}${unit.length > 3 && prefix ? " " : ""}${unit}`;

/** A count without a unit: 1.24 M. */
export function count(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  if (Math.abs(v) < 10000 && Number.isInteger(v)) return grouped(v);
  const [a, p] = scaled(v);
  return p ? `${digits(a)} ${p}` : digits(a);
}

/** An exact integer in digit groups. */
export const grouped = (v: number) => style.exact.format(v);

/** A number with a real minus sign: −5. */
export const signed = (v: number) => String(v).replace("-", "−");

/** Axis labels: one prefix, and enough decimals to distinguish neighbours. */
export function axis(splits: number[], unit: string): string[] {
  const top = Math.max(...splits.map(Math.abs), 0);
  if (unit === "pct") return splits.map((s) => `${Number(Math.abs(s).toPrecision(6))}%`);
  const [, p] = scaled(top);
  const size = 1000 ** prefixes.indexOf(p);
  const stepSize = splits.length > 1 ? Math.abs(splits[1] - splits[0]) / size : 1;
  const decimals = stepSize > 0 ? Math.min(3, Math.max(0, -Math.floor(Math.log10(stepSize) + 1e-9), fraction(stepSize))) : 0;
  const u = unitSuffix(unit);
  const short = u.length > 5 ? "" : u;
  return splits.map((s) => (s === 0 ? "0" : join(fixed(Math.abs(s / size), decimals), p, short).trim()));
}

const fraction = (x: number) => (Number.isInteger(x) ? 0 : Number.isInteger(Math.round(x * 1e6) / 1e5) ? 1 : 2);

export function share(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  const p = v * 100;
  if (p === 0) return "0%";
  if (p < 0.1) return `<${fixed(0.1, 1)}%`;
  return `${fixed(p, p >= 99.95 ? 0 : 1)}%`;
}

/** The sampling error of a value, with 95% confidence. */
export function error(e: number | null | undefined): string {
  if (e === null || e === undefined || !Number.isFinite(e)) return "–";
  const p = e * 100;
  if (p > 100) return "> ±100%";
  return `±${p < 0.1 ? "<" + fixed(0.1, 1) : fixed(p, p < 10 ? 1 : 0)}%`;
}

export function bytes(v: number | null | undefined): string {
  return value(v, "bytes");
}

/** Reads an unsigned number with an SI suffix, such as 10g or 2.5 M. */
export function parseAmount(s: string): number | undefined {
  const m = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)/i.exec(s);
  if (!m) return undefined;
  return Number(m[1]) * 1000 ** prefixes.indexOf(m[2] === "" || m[2].toLowerCase() === "k" ? m[2].toLowerCase() : m[2].toUpperCase());
}

/** Milliseconds, with a decimal below 10. */
export const millis = (ms: number) => (ms < 10 ? fixed(ms, 1) : String(Math.round(ms)));

/** Capitalises the start of a sentence, but not the name of an interface. */
export const capital = (s: string) => (/^[a-z]+\b(?![-/.:0-9])/.test(s) ? s.charAt(0).toUpperCase() + s.slice(1) : s);

/** The protocols of a listener, by its kind. */
export const speaks: Record<string, string> = { netflow: "NetFlow v5, v9, IPFIX", ipfix: "IPFIX, NetFlow v5, v9", sflow: "sFlow v5" };
