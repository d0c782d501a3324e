import assert from "node:assert/strict";
import { test } from "node:test";
import { atOnce, moved, questionOf, timeOf } from "../src/pages/views/boards.ts";

test("the query of a view on a board", () => {
  const f = (page: string, query: string, board: Parameters<typeof questionOf>[2], q: string, by: string, from: string) => {
    const v = questionOf(page, query, board);
    assert.deepEqual(v && [v.q, v.by.join(","), v.from], [q, by, from], page + " " + query);
  };
  f("explore", "q=tcp&by=src.as&from=-6h", { q: "" }, "tcp", "src.as", "-6h");
  f("explore", "q=tcp&by=src.as&from=-6h", { q: "", time: { from: "-1d", to: "now", tz: "utc" } }, "tcp", "src.as", "-1d");
  f("explore", "q=tcp", { q: "as = 1" }, "tcp and as = 1", "", "-1h");
  f("explore", "", { q: "udp" }, "udp", "", "-1h");
  f("host/10.0.0.0/8", "q=tcp", { q: "" }, "tcp and ip 10.0.0.0/8", "remote.as", "-1h");
  f("as/AS174", "by=proto", { q: "" }, "as 174", "proto", "-1h");
  f("flows", "q=udp&columns=SrcAddr", { q: "" }, "udp", "", "-1h");
  assert.equal(questionOf("status", "", { q: "" }), undefined);
  assert.equal(questionOf("explore/x", "", { q: "" }), undefined);
});

test("the range of a board", () => {
  assert.equal(timeOf("?q=tcp"), undefined);
  assert.deepEqual(timeOf("?from=-1h&q=tcp"), { from: "-1h", to: "now", tz: "browser" });
  assert.deepEqual(timeOf("?q=a&to=-1d&tz=utc"), { from: "-1h", to: "-1d", tz: "utc" });
});

test("order", () => {
  assert.deepEqual(moved(["a", "b", "c"], 1, -1), ["b", "a", "c"]);
  assert.deepEqual(moved(["a", "b", "c"], 1, 1), ["a", "c", "b"]);
  assert.deepEqual(moved(["a", "b"], 0, -1), ["a", "b"]);
  assert.deepEqual(moved(["a", "b"], 1, 1), ["a", "b"]);
});

test("a limited number at once, in order, without aborted tasks", async () => {
  const run = atOnce(2);
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => () => {
    began.push(name);
    return new Promise<string>((done, fail) => ends.set(name, () => (name === "b" ? fail(new Error(name)) : done(name))));
  };
  const never = new AbortController();
  const gone = new AbortController();
  const all = ["a", "b", "c", "d"].map((n) =>
    run(task(n), n === "c" ? gone.signal : never.signal).catch((e: Error) => "failed " + e.message),
  );
  assert.deepEqual(began, ["a", "b"]);
  gone.abort(new Error("given up"));
  ends.get("b")?.();
  assert.equal(await all[1], "failed b");
  assert.equal(await all[2], "failed given up");
  assert.deepEqual(began, ["a", "b", "d"]);
  ends.get("a")?.();
  ends.get("d")?.();
  assert.deepEqual(await Promise.all([all[0], all[3]]), ["a", "d"]);
});
