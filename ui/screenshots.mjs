// Takes screenshots of every page, wide and narrow, light and dark:  node screenshots.mjs BASE_URL OUTDIR
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./e2e/browser.mjs";

const [base, out] = process.argv.slice(2);
if (!base || !out) {
  console.error("usage: node screenshots.mjs BASE_URL OUTDIR");
  process.exit(2);
}
mkdirSync(out, { recursive: true });
/** The page of the interface with the most traffic. */
async function busiest() {
  const { interfaces } = await fetch(base + "/api/v1/interfaces?from=-1h").then((r) => r.json());
  return `/if/${interfaces[0].exporter}/${interfaces[0].index}`;
}

const { context, close } = await launch();
const pages = {
  overview: "/?from=-30m",
  explore: "/explore?by=remote.as",
  total: "/explore",
  line: "/explore?by=remote.as&viz=line&n=5&from=-6h",
  share: "/explore?by=proto&viz=stack100",
  error: "/explore?q=src+prt+53",
  flows: "/flows?from=-15m",
  exporters: "/exporters",
  interfaces: "/if",
  link: await busiest(),
  views: "/views",
  board: "/v/edge",
  as: "/as/64500?from=-1h",
  start: "/start",
  status: "/status",
};
const only = process.argv.slice(4);
for (const [size, width, height] of [
  ["desktop", 1440, 900],
  ["phone", 390, 844],
]) {
  for (const scheme of ["light", "dark"]) {
    const page = await context.newPage();
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    for (const [name, path] of Object.entries(pages)) {
      if (only.length && !only.includes(name)) continue;
      await page.goto(base + path);
      await page.waitForSelector(
        "[data-overview=whole], .uplot:not(.overview *), .filter-error, .listener, .pipeline, .empty, #records tbody tr td, .exporter, .link-row, #views",
        { timeout: 10_000 },
      );
      if (await page.locator("#facets").isVisible()) await page.locator("#facets li").first().waitFor();
      await page.waitForTimeout(name === "status" ? 5000 : 350);
      if (name === "explore" && size === "desktop") {
        const box = await page.locator(".u-over").boundingBox();
        await page.mouse.move(box.x + box.width * 0.62, box.y + box.height * 0.45);
        await page.waitForTimeout(80);
      }
      await page.screenshot({ path: join(out, `${name}-${size}-${scheme}.png`), fullPage: true });
      await page.mouse.move(0, 0);
    }
    await page.close();
  }
}
await close();
