// Measures how smoothly the chart pans:  node pan.mjs
// Pans twelve series of a thousand points with Shift+drag for 3 s; the browser counts frames. The server is BASE_URL, or the mock. Prints
// the frames per second, and the median and 99th percentile of the frame time.
import { site } from "./e2e/site.mjs";

const here = await site({ width: 2400, height: 1000 });
const page = await here.open(here.base + "/explore?by=src.ip&n=12&from=-1000s&step=1&dir=in");
await page.locator(".uplot").waitFor();
if (await page.locator("#facets").isVisible()) await page.keyboard.press("f");
await page.waitForTimeout(1500);
const points = await page.evaluate(async () => {
  const r = await fetch("/api/v1/query?" + document.querySelector("[data-answer]").dataset.answer).then((x) => x.json());
  return `${r.series.length} series of ${r.times.length} points`;
});
const box = await page.locator(".u-over").boundingBox();
await page.evaluate(() => {
  globalThis.frames_ = [];
  const tick = (t) => {
    globalThis.frames_.push(t);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
});
await page.keyboard.down("Shift");
await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
await page.mouse.down();
const began = performance.now();
const from = await page.evaluate(() => globalThis.frames_.length);
while (performance.now() - began < 3000) {
  const t = (performance.now() - began) / 3000;
  await page.mouse.move(box.x + box.width * (0.4 + 0.5 * Math.sin(t * 6) ** 2), box.y + box.height / 2);
}
const times = (await page.evaluate(() => globalThis.frames_)).slice(from);
await page.mouse.up();
await page.keyboard.up("Shift");
const gaps = times
  .slice(1)
  .map((t, i) => t - times[i])
  .sort((a, b) => a - b);
const at = (q) => gaps[Math.floor(gaps.length * q)].toFixed(1);
console.log(
  `${points}: ${((1000 * gaps.length) / (times.at(-1) - times[0])).toFixed(0)} frames/s, ${at(0.5)} ms median, ${at(0.99)} ms 99th percentile`,
);
await here.close();
