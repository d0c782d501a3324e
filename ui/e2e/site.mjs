// What the browser tests share: the running server that BASE_URL names, or the mock, and a browser whose pages report what goes
// wrong.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { serve } from "../mock.mjs";
import { launch } from "./browser.mjs";

/** The server to test; undefined: the mock is to be asked. */
export const given = process.env.BASE_URL?.replace(/\/$/, "");

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How long a test waits for what is to come, in milliseconds: other tests may have the machine. */
const patience = 30_000;

/**
 * Asserts until it holds or patience ends: what a page draws or asks comes a moment after what a test waited for. Answers
 * with what the check does.
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

/** What axe finds in a page, or in the part of it that a selector names, once nothing in it waits for an answer. */
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

/** The search of a page's URL as the page has it. */
export const params = async (page) => new URLSearchParams(await page.evaluate(() => location.search));

/**
 * A server and a browser. Of what the console says, a status among `answers` is no complaint: the browser logs every one above
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
