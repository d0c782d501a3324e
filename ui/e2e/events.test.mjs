// Events on charts in a real browser, with a running server (BASE_URL) or the mock.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { holds, params, site, violations } from "./site.mjs";

let here;
let base;
/** Marks the events of this run, which are deleted at the end. */
const mark = `t${process.pid}`;
const now = Math.floor(Date.now() / 1000);

const report = (e) => fetch(base + "/api/v1/events", { method: "POST", body: JSON.stringify(e) });

before(async () => {
  here = await site();
  base = here.base;
  await report({
    id: `flood-${mark}`,
    kind: "attack",
    start: now - 2400,
    end: now - 2100,
    target: "192.0.2.7",
    severity: "critical",
    text: `flood ${mark}`,
  });
});
after(async () => {
  for (const e of await list().catch(() => []))
    if (e.text.includes(mark)) await fetch(`${base}/api/v1/events/${encodeURIComponent(e.id)}`, { method: "DELETE" });
  await here?.close();
});

const list = async () => (await (await fetch(base + "/api/v1/events?from=-2h")).json()).events;

const open = (path, options) => here.open(base + path, options);

const flag = (page, name) => page.getByRole("group", { name: "Events" }).getByRole("button", { name });

test("an event is drawn at its time, with its text and its menu", async () => {
  const page = await open("/explore");
  const button = flag(page, new RegExp(`flood ${mark}`));
  await button.waitFor();
  await holds(async () => {
    const to = Number(await page.locator("[data-to]").first().getAttribute("data-to"));
    const plot = await page.locator(".u-over").boundingBox();
    const box = await button.boundingBox();
    const place = (box.x + box.width / 2 - plot.x) / plot.width;
    assert.ok(Math.abs(place - (now - 2400 - (to - 3600)) / 3600) < 0.01, `at ${place} of an hour`);
  });
  await button.focus();
  assert.match(await button.getAttribute("aria-label"), /attack, critical, .*\d\d:\d\d.*flood .* · 192\.0\.2\.7/);
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Zoom to event" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.search.includes("sel="));
  assert.equal((await params(page)).get("sel"), `${now - 2400}~${now - 2100}`);
  await button.click();
  await page.getByRole("menuitem", { name: "Zoom to event" }).click();
  await page.waitForFunction(() => location.search.includes("from=2"));
  assert.deepEqual(
    [(await params(page)).get("from"), (await params(page)).get("to")].map((t) => Date.parse(t) / 1000),
    [now - 3000, now - 1500],
  );
  await page.close();
});

test("an event is saved from the chart, undone, saved again, deleted, restored", async () => {
  const page = await open("/explore?from=-30m");
  const over = page.locator(".u-over");
  await over.waitFor();
  const then = Math.floor(Date.now() / 1000);
  const box = await over.boundingBox();
  const y = box.y + box.height * 0.8;
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.55, y, { steps: 3 });
  await page.mouse.move(box.x + box.width * 0.6, y, { steps: 3 });
  await page.mouse.up();
  await page.locator(".brush").waitFor();
  await page.keyboard.press("m");
  const form = page.getByRole("dialog", { name: "Mark an event" });
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await form.getByText("Enter what happened").waitFor();
  await form.getByLabel("What happened").fill(`window ${mark}`);
  await form.getByLabel("End").fill("soon");
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await form.getByText(/or leave empty/).waitFor();
  await form.getByLabel("End").fill("now");
  await form.getByLabel("Kind").fill("maintenance");
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await form.waitFor({ state: "detached" });
  const button = flag(page, new RegExp(`window ${mark}`));
  await button.waitFor();
  const kept = (await list()).find((e) => e.text === `window ${mark}`);
  assert.equal(kept.kind, "maintenance");
  const middle = then - 900;
  assert.ok(Math.abs(kept.start - middle) < 40 && kept.end - kept.start > 800, JSON.stringify(kept));
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await button.waitFor({ state: "detached" });

  await page.keyboard.press("m");
  await form.getByLabel("What happened").fill(`again ${mark}`);
  await form.getByLabel("Start").fill("-10m");
  await form.getByRole("button", { name: "Save", exact: true }).click();
  const other = flag(page, new RegExp(`again ${mark}`));
  await other.click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await other.waitFor({ state: "detached" });
  await holds(async () => assert.ok(!(await list()).some((e) => e.text === `again ${mark}`)));
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await other.waitFor();
  await holds(async () => assert.ok((await list()).some((e) => e.text === `again ${mark}`)));
  await page.close();
});

test("events are hidden by kind and all together, and stay hidden", async () => {
  const page = await open("/explore");
  const button = flag(page, new RegExp(`flood ${mark}`));
  await button.waitFor();
  await page.locator("#events").click();
  await page.getByRole("checkbox", { name: "attack" }).uncheck();
  await button.waitFor({ state: "detached" });
  await page.reload();
  await page.locator(".uplot").waitFor();
  await page.locator("#events").click();
  await page.getByRole("checkbox", { name: "attack" }).check();
  await button.waitFor();
  await page.getByRole("checkbox", { name: "Show events on charts" }).uncheck();
  await button.waitFor({ state: "detached" });
  await page.getByRole("checkbox", { name: "Show events on charts" }).check();
  await button.waitFor();
  await page.close();
});

test("events are also on lines and heat maps; accessible in both themes", async () => {
  for (const [viz, scheme] of [
    ["line", "light"],
    ["heat", "dark"],
    ["stack", "dark"],
  ]) {
    const page = await open(`/explore?by=proto&viz=${viz}`, { scheme });
    await flag(page, new RegExp(`flood ${mark}`)).click();
    await page.locator(".event-menu").waitFor();
    assert.deepEqual(await violations(page, ".figure"), [], `${viz} ${scheme}`);
    await page.close();
  }
});

test("no console errors", () => assert.deepEqual(here.complaints, []));
