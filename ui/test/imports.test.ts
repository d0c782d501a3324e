import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import test from "node:test";

declare global {
  interface ImportMeta {
    root: string;
  }
}

/** The folders of src in order: each imports only from itself and from those before it. */
const rooms = ["pages.ts", "api", "text", "state", "parts", "charts", "pages", "frame"];

const src = join(import.meta.root, "src");
const room = (file: string) => file.split("/")[0];

/** The files of src with their static imports, without `import()`. */
const files = new Map<string, string[]>();
for (const file of readdirSync(src, { recursive: true, encoding: "utf8" })) {
  if (!/\.tsx?$/.test(file) || file.endsWith(".d.ts")) continue;
  const text = readFileSync(join(src, file), "utf8");
  const paths = [...text.matchAll(/^(?:import|export)\b(?:[^"';]*?\bfrom)? "(\.[^"]+)"/gm)].map((m) =>
    relative(src, join(src, dirname(file), m[1])),
  );
  files.set(file, paths);
}

/** The first cycle of a graph, as a path that ends at its start. */
function circle(graph: ReadonlyMap<string, Iterable<string>>): string[] {
  const done = new Set<string>();
  const walk = (at: string, way: string[]): string[] => {
    if (way.includes(at)) return [...way.slice(way.indexOf(at)), at];
    if (done.has(at)) return [];
    for (const to of graph.get(at) ?? []) {
      const found = walk(to, [...way, at]);
      if (found.length > 0) return found;
    }
    done.add(at);
    return [];
  };
  for (const at of graph.keys()) {
    const found = walk(at, []);
    if (found.length > 0) return found;
  }
  return [];
}

test("imports go from pages down to the API", () => {
  assert.ok(files.size > 50, `only ${files.size} files`);
  const wrong: string[] = [];
  for (const [file, paths] of files) {
    if (!rooms.includes(room(file))) wrong.push(`${file} is in no room: ${rooms.join(", ")}`);
    for (const to of paths) {
      if (!existsSync(join(src, to))) wrong.push(`${file} imports ${to}, which is not there`);
      if (room(to) !== "style" && rooms.indexOf(room(to)) > rooms.indexOf(room(file))) wrong.push(`${file} imports ${to}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("there are no import cycles between files or between folders of pages", () => {
  assert.deepEqual(circle(files), []);
  const folders = new Map<string, Set<string>>();
  for (const [file, paths] of files) {
    const from = dirname(file);
    for (const to of paths) if (dirname(to) !== from) folders.set(from, (folders.get(from) ?? new Set()).add(dirname(to)));
  }
  folders.delete("."); // pages.ts is below all others
  assert.deepEqual(circle(folders), []);
});

test("a cycle is found", () => {
  assert.deepEqual(
    circle(
      new Map([
        ["a", ["b"]],
        ["b", ["c", "d"]],
        ["d", ["b"]],
      ]),
    ),
    ["b", "d", "b"],
  );
  assert.deepEqual(
    circle(
      new Map([
        ["a", ["b", "c"]],
        ["b", ["c"]],
        ["c", []],
      ]),
    ),
    [],
  );
});
