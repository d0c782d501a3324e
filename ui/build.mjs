// Builds the page into dist/: one script, one style sheet, one icon, each named by its content, each beside its .gz and .br.
//   node build.mjs           build; fails when the script of the first load is over its budget
//   node build.mjs --watch   build again on every change
//   node build.mjs --test    bundle test/*.test.ts and run them
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const budget = 80_000; // gzip bytes of JavaScript on first load

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
};

if (process.argv.includes("--test")) test();
else if (process.argv.includes("--watch")) {
  build();
  let timer;
  watch(join(here, "src"), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(build, 50);
  });
} else if (!build()) process.exitCode = 1;

function build() {
  const began = performance.now();
  let out;
  try {
    out = esbuild.buildSync({
      ...common,
      entryPoints: ["src/frame/main.tsx"],
      outdir: "dist/assets",
      entryNames: "[name]-[hash]",
      chunkNames: "[name]-[hash]",
      splitting: true,
      minify: true,
      write: false,
      metafile: true,
    });
  } catch {
    return false; // esbuild has said why
  }
  // .keep stays: it lets the Go package compile before the page is built.
  for (const name of existsSync(dist) ? readdirSync(dist) : []) if (name !== ".keep") rmSync(join(dist, name), { recursive: true });
  mkdirSync(join(dist, "assets"), { recursive: true });

  const sizes = {};
  const write = (name, bytes) => {
    const gz = compress(name, bytes);
    sizes["dist/" + name] = gz;
    console.log(`${name.padEnd(34)}${kb(bytes.length)}${kb(gz)} gzip`);
  };
  for (const f of out.outputFiles) write(relative(dist, f.path), Buffer.from(f.contents));
  const icon = readFileSync(join(here, "src/icon.svg"));
  const names = { icon: `/assets/icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg` };
  write(names.icon.slice(1), icon);

  // The first load is the entry and what it imports statically; pages that are imported when they are opened do not count.
  const outputs = out.metafile.outputs;
  const entry = Object.keys(outputs).find((k) => outputs[k].entryPoint === "src/frame/main.tsx");
  names.js = entry.replace("dist", "");
  names.css = outputs[entry].cssBundle.replace("dist", "");
  const first = new Set();
  const visit = (k) => {
    if (first.has(k)) return;
    first.add(k);
    for (const i of outputs[k].imports) if (i.kind === "import-statement") visit(i.path);
  };
  visit(entry);
  const js = [...first].reduce((n, k) => n + sizes[k], 0);
  names.preload = [...first]
    .filter((k) => k !== entry)
    .map((k) => `<link rel="modulepreload" href="${k.replace("dist", "")}">`)
    .join("\n");
  const html = readFileSync(join(here, "src/index.html"), "utf8").replace(/\{\{(\w+)\}\}/g, (_, k) => names[k]);
  write("index.html", Buffer.from(html));
  console.log(
    `JavaScript on first load: ${kb(js).trim()} gzip of ${kb(budget).trim()}, built in ${Math.round(performance.now() - began)} ms`,
  );
  if (js > budget) {
    console.error(`The script is ${js - budget} bytes over its budget.`);
    return false;
  }
  return true;
}

/** Writes a file and its compressed siblings; returns the size after gzip. */
function compress(name, bytes) {
  const gz = gzipSync(bytes, { level: 9 });
  const br = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  writeFileSync(join(dist, name), bytes);
  writeFileSync(join(dist, name + ".gz"), gz);
  writeFileSync(join(dist, name + ".br"), br);
  return gz.length;
}

function kb(n) {
  return `${(n / 1000).toFixed(1)} kB`.padStart(10);
}

function test() {
  const dir = join(here, "node_modules/.test");
  rmSync(dir, { recursive: true, force: true });
  const files = readdirSync(join(here, "test")).filter((f) => f.endsWith(".test.ts") && statSync(join(here, "test", f)).isFile());
  esbuild.buildSync({
    ...common,
    platform: "node",
    entryPoints: files.map((f) => "test/" + f),
    outdir: dir,
    outExtension: { ".js": ".mjs" },
    define: { "import.meta.root": JSON.stringify(here) },
  });
  const run = spawnSync(process.execPath, ["--test", ...files.map((f) => join(dir, f.replace(/\.ts$/, ".mjs")))], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
}
