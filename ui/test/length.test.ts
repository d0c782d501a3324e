import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

/** The maximum lines of a function; a longer component or hook is split into parts. */
const most = 120;

const src = join(import.meta.root, "src");

/** The start of a top-level function; the formatter guarantees the form. */
const head = /^(?:export )?(?:default )?(?:(?:async )?function\b\*? ?(\w*)|const (\w+)[^=]*= (?:async )?(?:\(|<|\w+ =>))/;

/** The number of lines of a statement: up to its closing bracket, or the end of its indentation. */
function length(lines: string[]): number {
  for (let n = 1; n < lines.length; n++) {
    if (/^[)}\]](?:.*[;}])?$/.test(lines[n])) return n + 1;
    if (!/^(?:\s|[)}\]]|$)/.test(lines[n])) return lines.slice(0, n).join("\n").trimEnd().split("\n").length;
  }
  return lines.length;
}

/** The top-level functions of a file, with their number of lines. */
function functions(text: string): { name: string; lines: number }[] {
  const lines = text.trimEnd().split("\n");
  return lines.flatMap((line, i) => {
    const found = head.exec(line);
    return found ? [{ name: found[1] || found[2] || "default", lines: length(lines.slice(i)) }] : [];
  });
}

test("functions are short", () => {
  const long: string[] = [];
  let seen = 0;
  for (const file of readdirSync(src, { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(file)) continue;
    for (const { name, lines } of functions(readFileSync(join(src, file), "utf8"))) {
      seen++;
      if (lines > most) long.push(`${file}: ${name} has ${lines} lines`);
    }
  }
  assert.ok(seen > 500, `only ${seen} functions`);
  assert.deepEqual(long, []);
});

test("functions of each form are measured", () => {
  const text = `export default function A({
  b,
}: {
  b: number;
}) {
  return (
    b
  );
}

const one = (x: number) => x + 1;
const two = (x: number) =>
  x + 2;
export const three = async (
  x: number,
): Promise<void> => {
  await x;
};
const four = <T,>(x: T) => {

  return x;
};
async function five() {
  const list = [
    1,
  ];
}
export const data = [
  1,
];
`;
  assert.deepEqual(
    functions(text).map(({ name, lines }) => `${name} ${lines}`),
    ["A 9", "one 1", "two 2", "three 5", "four 4", "five 5"],
  );
});
