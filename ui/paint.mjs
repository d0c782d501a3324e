// Measures the first paint of each page:  node paint.mjs
// Opens each page nine times with an empty browser cache. Prints medians in milliseconds: the first contentful paint as reported by the
// browser, and the time until the filter field and the first chart are visible. The server is BASE_URL, or the mock.
import { site } from "./e2e/site.mjs";

const here = await site();
const page = await here.open(here.base + "/status");
const cdp = await here.context.newCDPSession(page);
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1].toFixed(0);

for (const [path, field, picture] of [
  ["/", "#range", ".uplot"],
  ["/explore", "#filter", ".uplot"],
  ["/flows", "#filter", "#records tbody tr td"],
]) {
  const paint = [];
  const usable = [];
  const shown = [];
  for (let i = 0; i < 9; i++) {
    await page.goto("about:blank");
    await cdp.send("Network.clearBrowserCache");
    const began = performance.now();
    await page.goto(here.base + path, { waitUntil: "commit" });
    await page.locator(field).waitFor();
    usable.push(performance.now() - began);
    await page.locator(picture).first().waitFor();
    shown.push(performance.now() - began);
    paint.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN));
  }
  console.log(`${path}: first paint ${median(paint)}, usable ${median(usable)}, first picture ${median(shown)} ms`);
}
await here.close();
