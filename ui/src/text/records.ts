// Records: pages of columns combined to one list. Pure; the page is in flows.tsx.

import type { Field, FlowColumn, FlowsResult } from "../api/api.ts";
import * as fmt from "./format.ts";
import { clock, dayName } from "./time.ts";

export type Cell = number | string | string[] | null;

/** One record, with the cursor to find it again. */
export interface Rec {
  cells: Cell[];
  cursor: string;
}

/** The records of one result. */
export const rows = (r: FlowsResult): Rec[] => r.cursors.map((cursor, i) => ({ cells: r.values.map((column) => column[i]), cursor }));

/** The sort column, empty for time, and the order. */
export function sorting(sort: string, order: string): { by: string; asc: boolean } {
  const by = sort.replace(/^-/, "");
  if (by === "") return { by, asc: order === "asc" };
  return { by: by === "ts" || by === "TimeReceived" ? "" : by, asc: sort === by };
}

/** The index of a record in a result with other columns, by its common columns; -1: not found. */
export function find(columns: FlowColumn[], cells: Cell[], r: FlowsResult): number {
  const pairs = columns.map((c, i) => [i, r.columns.findIndex((x) => x.column === c.column)]).filter(([, j]) => j >= 0);
  for (let k = 0; k < r.rows; k++) if (pairs.every(([i, j]) => String(cells[i]) === String(r.values[j][k]))) return k;
  return -1;
}

const letters = "FSRPAUEC";

/** Names of common protocols (IANA); others are shown by number. */
const protocols: Record<number, string> = {
  1: "ICMP",
  2: "IGMP",
  4: "IPv4",
  6: "TCP",
  17: "UDP",
  41: "IPv6",
  47: "GRE",
  50: "ESP",
  51: "AH",
  58: "ICMPv6",
  88: "EIGRP",
  89: "OSPF",
  103: "PIM",
  112: "VRRP",
  115: "L2TP",
  132: "SCTP",
};

/** A value in a list: exact; times are in the user's time zone. */
export function text(c: FlowColumn, v: Cell, field: Field | undefined, zone: string, now: number): string {
  if (Array.isArray(v)) return v.join(" ");
  if (v === null) return ""; // a list with nothing in it
  if (c.kind === "time" || c.kind === "time-ms") {
    const t = Number(v) / (c.kind === "time" ? 1 : 1000);
    if (t <= 0) return "";
    const ms = c.kind === "time-ms" ? "." + String(Math.floor(Number(v)) % 1000).padStart(3, "0") : "";
    return (dayName(t, zone) === dayName(now, zone) ? "" : dayName(t, zone) + " ") + clock(t, zone) + ms;
  }
  if (field?.kind === "flags") {
    const n = Number(v);
    const low = [...letters].filter((_, i) => n & (1 << i)).join("");
    return n >> 8 ? `${low}+${n >> 8}` : low;
  }
  if (c.column === "Proto") return protocols[Number(v)] ?? String(v);
  if (typeof v === "number") return c.unit === "bytes" || c.unit === "packets" ? fmt.grouped(v) : String(v);
  return v;
}

/** The short title of a column, for its head. */
export function heading(c: FlowColumn): string {
  return fmt.capital(
    c.title
      .replace(/^source /, "src ")
      .replace(/^destination /, "dst ")
      .replace(/ address$/, "")
      .replace(/^(input|output) interface/, (_, s: string) => (s === "input" ? "in if" : "out if"))
      .replace(/^sampling rate$/, "1:n")
      .replace(/^TCP flags$/, "flags")
      .replace(/^direction$/, "dir")
      .replace(/^time received$/, "time")
      .replace(/^protocol$/, "proto"),
  );
}

/** Names for the addresses and numbers of records: of devices, see `namesOf`, and of ASes from the result. */
export interface Names {
  devices: ReadonlyMap<string, string>;
  as: Readonly<Record<string, string>>;
}

/** The name of an exporter, interface or AS in a record; empty: unknown. */
export function called(columns: FlowColumn[], cells: Cell[], i: number, field: Field | undefined, { devices: names, as }: Names): string {
  const c = columns[i].column;
  if (field?.page === "as") return as[String(cells[i])] ? `${cells[i]} ${as[String(cells[i])]}` : "";
  if (c === "ExporterAddress") return names.get(String(cells[i])) ?? "";
  const at = c === "InIf" || c === "OutIf" ? columns.findIndex((x) => x.column === "ExporterAddress") : -1;
  return (at >= 0 && names.get(`${cells[at]}/${cells[i]}`)) || "";
}

/** The names of devices for `called`, from the lists of exporters and interfaces. */
export function namesOf(
  exporters: readonly { address: string; name?: string }[],
  interfaces: readonly { exporter: string; name?: string; index: number; interface?: string }[],
): Map<string, string> {
  const names = new Map<string, string>();
  for (const e of exporters) if (e.name) names.set(e.address, e.name);
  for (const i of interfaces) {
    if (i.name) names.set(i.exporter, i.name);
    if (i.interface) names.set(`${i.exporter}/${i.index}`, i.interface);
  }
  return names;
}

/** Whether a column is right-aligned. */
export const numeric = (c: FlowColumn, field: Field | undefined) =>
  (c.kind === "number" && field?.kind !== "flags" && field?.page !== "as" && c.column !== "Proto") || c.unit !== "";

/** The class that limits the width of a cell: names and long addresses are truncated, so that all columns fit. */
export function classOf(c: FlowColumn, field: Field | undefined): string {
  const short = ["as", "interface", "exporter"].includes(field?.page ?? "");
  return [!numeric(c, field) && "text", short ? "short" : field?.kind === "ip" && "address", field?.page === "as" && "as"]
    .filter(Boolean)
    .join(" ");
}

/** The tooltip of a cell that may be truncated; undefined: the default one. */
export const tip = (field: Field | undefined, cell: Cell, shown: string) =>
  field?.page === "as" || (field?.kind === "ip" && String(cell) === shown) ? shown : undefined;

/** The rows to draw of a long list of equal rows: the first, and the one after the last. */
export function window(scroll: number, view: number, height: number, rows: number, spare = 12): [number, number] {
  const first = Math.max(0, Math.min(rows, Math.floor(scroll / height) - spare));
  return [first, Math.min(rows, Math.ceil((scroll + view) / height) + spare)];
}
