import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { asks, pageAt, pages } from "../src/pages.ts";

const below = (path: string) => path !== "/" && path.endsWith("/");

test("every page of the list is at its path", () => {
  for (const page of pages) {
    const path = below(page.path) ? page.path + "a%2Fb" : page.path;
    assert.deepEqual(pageAt(path), { page, rest: below(page.path) ? "a/b" : "" }, page.path);
    assert.equal(asks(path), page.asks ?? false, page.path);
  }
  assert.equal(new Set(pages.map((p) => p.path)).size, pages.length, "two pages share a path");
});

test("other paths have no page", () => {
  for (const path of ["/nowhere", "/explore/", "/explore/x", "/host", "/host/", "/v/", "/s/gone", ""]) {
    assert.equal(pageAt(path), undefined, path);
    assert.equal(asks(path), false, path);
  }
  assert.equal(pageAt("/host/%")?.rest, "%", "a lone % is taken as it is");
});

test("every page is a file that exports it", () => {
  for (const { path, load } of pages) {
    const [, file] = /import\("\.\/(pages\/[^"]+)"\)/.exec(String(load)) ?? [];
    assert.ok(file && existsSync(join(import.meta.root, "src", file)), `${path}: ${load}`);
    assert.match(readFileSync(join(import.meta.root, "src", file), "utf8"), /^export default function \w+\(/m, file);
  }
});

test("pages in the navigation have a unique name and key", () => {
  const keyed = pages.filter((p) => p.key);
  assert.ok(keyed.length > 5);
  assert.equal(new Set(keyed.map((p) => p.key)).size, keyed.length, "two pages share a key");
  for (const p of keyed) assert.ok(p.title && p.key?.length === 1 && !below(p.path), p.path);
  for (const p of pages) assert.ok(!p.carries || (p.asks && p.key), `${p.path} cannot carry what it does not ask`);
});
