import assert from "node:assert/strict";
import { test } from "node:test";
import type { Field, FlowColumn, FlowsResult } from "../src/api/api.ts";
import { called, classOf, find, namesOf, numeric, rows, sorting, text, tip, window } from "../src/text/records.ts";
import { defaults, parse, recordKeys } from "../src/text/url.ts";

const column = (name: string, kind: FlowColumn["kind"] = "text", unit = ""): FlowColumn => ({
  column: name,
  name,
  title: name,
  unit,
  kind,
});
const meta = { sql: "", params: null, rows: 0, bytes: 0, ms: 0 };

test("a page becomes records that can be found again", () => {
  const r: FlowsResult = {
    from: 10,
    to: 20,
    rows: 2,
    columns: [column("a"), column("b", "number")],
    values: [
      ["x", "y"],
      [1, 2],
    ],
    cursors: ["19.7.0", "18.5.0"],
    as_names: {},
    meta,
  };
  assert.deepEqual(rows(r), [
    { cells: ["x", 1], cursor: "19.7.0" },
    { cells: ["y", 2], cursor: "18.5.0" },
  ]);
});

test("records are sorted by time or by a column", () => {
  assert.deepEqual(sorting("", "desc"), { by: "", asc: false });
  assert.deepEqual(sorting("", "asc"), { by: "", asc: true });
  assert.deepEqual(sorting("-Bytes", "asc"), { by: "Bytes", asc: false });
  assert.deepEqual(sorting("SrcAddr", "desc"), { by: "SrcAddr", asc: true });
  assert.deepEqual(sorting("-ts", "desc"), { by: "", asc: false });
});

test("a record is found again among others with more columns", () => {
  const shown = [column("a"), column("b", "number"), column("l", "list")];
  const answer: FlowsResult = {
    from: 0,
    to: 1,
    rows: 3,
    cursors: ["1.3.0", "1.2.0", "1.1.0"],
    columns: [column("l", "list"), column("b", "number"), column("c"), column("a")],
    values: [
      [["1"], ["1", "2"], []],
      [7, 7, 7],
      ["", "", ""],
      ["x", "x", "x"],
    ],
    as_names: {},
    meta,
  };
  assert.equal(find(shown, ["x", 7, ["1", "2"]], answer), 1);
  assert.equal(find(shown, ["x", 8, ["1", "2"]], answer), -1);
});

test("values are shown exactly", () => {
  const noon = Date.UTC(2026, 10, 24, 12) / 1000;
  assert.equal(text(column("t", "time"), noon, undefined, "UTC", noon + 60), "12:00:00");
  assert.equal(text(column("t", "time"), noon - 86400, undefined, "UTC", noon), "23 Nov 12:00:00");
  assert.equal(text(column("t", "time-ms"), noon * 1000 + 7, undefined, "Europe/Berlin", noon), "13:00:00.007");
  assert.equal(text(column("t", "time-ms"), 0, undefined, "UTC", noon), "");
  assert.equal(text(column("n", "number", "bytes"), 1234567, undefined, "UTC", noon), "1,234,567");
  assert.equal(text(column("n", "number"), 64500, undefined, "UTC", noon), "64500");
  const flags = { kind: "flags" } as Parameters<typeof text>[2];
  assert.equal(text(column("f", "number"), 0x12, flags, "UTC", noon), "SA");
  assert.equal(text(column("f", "number"), 0x102, flags, "UTC", noon), "S+1");
  assert.equal(text(column("Proto", "number"), 6, undefined, "UTC", noon), "TCP");
  assert.equal(text(column("Proto", "number"), 200, undefined, "UTC", noon), "200");
  assert.equal(text(column("l", "list"), ["1", "2"], undefined, "UTC", noon), "1 2");
});

test("only visible rows are drawn", () => {
  assert.deepEqual(window(0, 280, 28, 10_000, 2), [0, 12]);
  assert.deepEqual(window(2800, 280, 28, 10_000, 2), [98, 112]);
  assert.deepEqual(window(280_000, 280, 28, 10_000, 2), [9998, 10_000]);
  assert.deepEqual(window(0, 280, 28, 0), [0, 0]);
});

test("records are queried by the keys that select them", () => {
  const v = parse("?q=port+53&by=src.as&unit=pps&from=-15m&columns=all&order=asc&live=1&hide=x&new=1");
  assert.equal(recordKeys(v, "Europe/Berlin"), "q=port+53&from=-15m&tz=Europe/Berlin&columns=all&order=asc");
  assert.equal(recordKeys(defaults(), "UTC"), "tz=UTC");
  assert.equal(recordKeys(parse("?sort=-Bytes&order=asc"), "UTC"), "tz=UTC&sort=-Bytes");
});

test("an AS is number and name, left-aligned; without a name only the number", () => {
  const as: Field = {
    name: "src.as",
    column: "SrcAS",
    title: "source AS",
    doc: "",
    group: "routing",
    kind: "number",
    side: "src",
    ops: null,
    unit: "",
    groupable: true,
    filterable: true,
    page: "as",
  };
  const columns = [{ ...column("SrcAS", "number"), name: "src.as" }];
  const names = { devices: new Map(), as: { "2906": "Netflix" } };
  assert.deepEqual(
    [2906, 64500].map((n) => called(columns, [n], 0, as, names)),
    ["2906 Netflix", ""],
  );
  assert.equal(called(columns, [2906], 0, undefined, names), "", "a number that is no AS");
  assert.ok(!numeric(columns[0], as) && numeric(columns[0], { ...as, page: undefined }));
  assert.equal(classOf(columns[0], as), "text short as");
  assert.deepEqual(
    [tip(as, 2906, "2906 Netflix"), tip({ ...as, kind: "ip", page: "host" }, "2001:db8::1", "2001:db8::1"), tip(undefined, 3, "et-0")],
    ["2906 Netflix", "2001:db8::1", undefined],
  );
});

test("exporters and interfaces are shown by name if known", () => {
  const names = namesOf(
    [
      { address: "192.0.2.1", name: "edge1" },
      { address: "192.0.2.2", name: "" },
    ],
    [
      { exporter: "192.0.2.1", index: 3, interface: "et-0" },
      { exporter: "192.0.2.2", name: "edge2", index: 3 },
    ],
  );
  const columns = [column("InIf", "number"), column("ExporterAddress"), column("SrcPort", "number")];
  const row = (cells: (string | number)[]) => cells.map((_, i) => called(columns, cells, i, undefined, { devices: names, as: {} }));
  assert.deepEqual(row([3, "192.0.2.1", 3]), ["et-0", "edge1", ""]);
  assert.deepEqual(row([3, "192.0.2.2", 3]), ["", "edge2", ""]);
  assert.equal(called(columns.slice(0, 1), [3], 0, undefined, { devices: names, as: {} }), "", "whose it is stands not there");
});
