// What the browser tests share: the running server that BASE_URL names, or the mock, and a browser whose pages report what goes
// wrong.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { serve } from "../mock.mjs";
import { launch } from "./browser.mjs";

/** The server to test; undefined: the mock is to be asked. */
export const given = process.env.BASE_URL?.replace(/\/$/, "");

export const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * A server and a browser. Of what the console says, a status among `answers` is no complaint: the browser logs every one above
 * 399 as an error.
 */
export async function site({ width: usual = 1440, height: high = 900, timeout = 15_000, answers = [400, 404] } = {}) {
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
      page.on("console", (m) => m.type() === "error" && !expected.test(m.text()) && complaints.push(`${path}: ${m.text()} ${m.location().url}`));
      page.on("request", (r) => !r.url().startsWith(origin + "/") && !r.url().startsWith("data:") && strangers.push(r.url()));
      page.setDefaultTimeout(timeout);
      await page.goto(url);
      return page;
    },
    async close() {
      await browser.close();
      mock?.close();
    },
  };
}
