// Shared by the browser tests: the server at BASE_URL or the mock, and a browser whose pages report errors.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { serve } from "../mock.mjs";
import { launch } from "./browser.mjs";

/** The server to test; undefined: the mock. */
export const given = process.env.BASE_URL?.replace(/\/$/, "");

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How long a test waits, in milliseconds, because other tests may load the machine. */
const patience = 30_000;

/**
 * Repeats a check until it holds or patience ends, because a page draws and queries with a delay. Returns the result of the
 * check.
 */
export async function holds(check) {
  for (const end = performance.now() + patience; ; await new Promise((r) => setTimeout(r, 50))) {
    try {
      return await check();
    } catch (e) {
      if (performance.now() > end) throw e;
    }
  }
}

/** The violations that axe finds in a page, or in the part matched by a selector, once nothing is loading. */
export async function violations(page, part = "html") {
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  await page.evaluate(axe);
  const found = await page.evaluate((where) => globalThis.axe.run(document.querySelector(where)), part);
  return found.violations.map(
    (v) =>
      `${v.id}: ${v.nodes
        .slice(0, 3)
        .map((n) => `${n.html.slice(0, 160)} ${n.failureSummary}`)
        .join(" | ")}`,
  );
}

/** The query parameters of a page's URL. */
export const params = async (page) => new URLSearchParams(await page.evaluate(() => location.search));

/**
 * A server and a browser. A console error with a status in `answers` is expected, because the browser logs every status above
 * 399 as an error.
 */
export async function site({ width: usual = 1440, height: high = 900, answers = [400, 404] } = {}) {
  const mock = given ? undefined : await serve();
  const browser = await launch();
  const complaints = [];
  const strangers = [];
  const expected = new RegExp(`status of (${answers.join("|")})`);
  return {
    base: given ?? mock.url,
    context: browser.context,
    /** Console errors and exceptions of all pages. */
    complaints,
    /** Requests to other origins. */
    strangers,
    async open(url, { width = usual, height = high, scheme = "light" } = {}) {
      const page = await browser.context.newPage();
      const { origin } = new URL(url);
      const path = url.slice(origin.length);
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      page.on("pageerror", (e) => complaints.push(`${path}: ${e}`));
      page.on(
        "console",
        (m) => m.type() === "error" && !expected.test(m.text()) && complaints.push(`${path}: ${m.text()} ${m.location().url}`),
      );
      page.on("request", (r) => !r.url().startsWith(origin + "/") && !r.url().startsWith("data:") && strangers.push(r.url()));
      page.setDefaultTimeout(patience);
      await page.goto(url);
      return page;
    },
    async close() {
      await browser.close();
      mock?.close();
    },
  };
}
