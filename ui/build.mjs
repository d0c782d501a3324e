// Builds the web UI into dist/: scripts, one style sheet and one icon, named by content hash, each with its .gz and .br; and pages.json,
// the list of pages for the server: the path of each, and the files to preload, in order.
//   node build.mjs           build; fails if the initial JavaScript of a page exceeds the budget
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
const entryPoint = "src/frame/main.tsx";
const budget = 80_000; // gzip bytes of JavaScript that a page may load initially

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
  await build();
  let timer;
  watch(join(here, "src"), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(build, 50);
  });
} else if (!(await build())) process.exitCode = 1;

async function build() {
  const began = performance.now();
  let out;
  let pages;
  try {
    pages = await listed();
    out = await bundled();
  } catch (e) {
    if (!e.errors) console.error(e.message);
    return false; // esbuild has already reported its errors
  }
  // .keep stays, because the Go package needs it to compile before the web UI is built.
  for (const name of existsSync(dist) ? readdirSync(dist) : []) if (name !== ".keep") rmSync(join(dist, name), { recursive: true });
  mkdirSync(join(dist, "assets"), { recursive: true });

  const sizes = {};
  const write = (name, bytes) => {
    const gz = compress(name, bytes);
    sizes["dist/" + name] = gz;
    console.log(`${name.padEnd(34)}${kb(bytes.length)}${kb(gz)} gzip`);
  };
  const outputs = out.metafile.outputs;
  const chunkOf = (file) => Object.keys(outputs).find((k) => outputs[k].entryPoint === file);
  const entry = chunkOf(entryPoint);
  const css = outputs[entry].cssBundle;
  // All entry points import the frame, so esbuild emits the same style sheet for each.
  for (const { path, contents } of out.outputFiles) {
    const name = relative(dist, path);
    if (!name.endsWith(".css") || css === "dist/" + name) write(name, Buffer.from(contents));
  }
  const icon = readFileSync(join(here, "src/icon.svg"));
  const names = { icon: `/assets/icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg` };
  write(names.icon.slice(1), icon);

  // A page initially loads the entry, its own file, and the static imports of both.
  const needs = (k, seen = new Set()) => {
    if (seen.has(k)) return seen;
    seen.add(k);
    for (const i of outputs[k].imports) if (i.kind === "import-statement") needs(i.path, seen);
    return seen;
  };
  const address = (k) => k.replace("dist", "");
  const size = (chunks) => [...chunks].reduce((n, k) => n + sizes[k], 0);
  const frame = needs(entry);
  const rows = pages.map(({ path, file }) => ({ path, chunks: [...needs(chunkOf(file))].filter((k) => !frame.has(k)) }));
  const list = rows.map(({ path, chunks }) => ({ path, preload: [css, ...frame, ...chunks].map(address) }));
  writeFileSync(join(dist, "pages.json"), JSON.stringify(list, null, 1));

  names.js = address(entry);
  names.css = address(css);
  const html = readFileSync(join(here, "src/index.html"), "utf8").replace(/\{\{(\w+)\}\}/g, (_, k) => names[k]);
  write("index.html", Buffer.from(html));
  console.log(`JavaScript on first load, gzip: the frame ${kb(size(frame)).trim()}, and with it`);
  for (const { path, chunks } of rows)
    console.log(`  ${path.padEnd(32)}${kb(size(frame) + size(chunks))} in ${frame.size + chunks.length} files`);
  console.log(`built in ${Math.round(performance.now() - began)} ms`);
  const over = rows.filter(({ chunks }) => size(frame) + size(chunks) > budget);
  for (const { path, chunks } of over)
    console.error(`${path} is ${size(frame) + size(chunks) - budget} bytes over the budget of ${kb(budget).trim()}.`);
  return over.length === 0;
}

/**
 * Splits the web UI into chunks. esbuild combines modules that the same entry points reach; entry points are the entry and all dynamic
 * imports. Only the frame opens dynamic imports, so each is marked as importing the frame, which puts the frame's modules in one chunk.
 */
async function bundled() {
  const options = {
    ...common,
    entryPoints: [entryPoint],
    outdir: "dist/assets",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
  };
  const { inputs } = (await esbuild.build(options)).metafile;
  const doors = new Set(
    Object.values(inputs).flatMap((i) => i.imports.filter((x) => x.kind === "dynamic-import").map((x) => join(here, x.path))),
  );
  const frame = {
    name: "frame",
    setup: (build) =>
      build.onLoad({ filter: /\.tsx?$/ }, ({ path }) =>
        doors.has(path)
          ? { contents: `${readFileSync(path, "utf8")}\nimport ${JSON.stringify(join(here, entryPoint))};`, loader: "tsx" }
          : undefined,
      ),
  };
  return esbuild.build({ ...options, plugins: [frame] });
}

/** The list of src/pages.ts: the path and the file of each page. */
async function listed() {
  const { outputFiles } = await esbuild.build({ ...common, entryPoints: ["src/pages.ts"], external: ["./pages/*"], write: false });
  const { pages } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  return pages.map(({ path, load }) => {
    const [, file] = /import\("\.\/(pages\/[^"]+)"\)/.exec(String(load)) ?? [];
    if (!file) throw new Error(`${path}: load is to be () => import("./pages/…"), since this is read here`);
    return { path, file: "src/" + file };
  });
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
    external: ["./pages/*"], // the files that pages.ts loads when a page is opened
    outExtension: { ".js": ".mjs" },
    define: { "import.meta.root": JSON.stringify(here) },
  });
  const run = spawnSync(process.execPath, ["--test", ...files.map((f) => join(dir, f.replace(/\.ts$/, ".mjs")))], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
}
