// The web UI in a real browser. BASE_URL is a running server with data in its last hour; without it, the mock is used.
// No test knows values in advance: the screen is compared with the API.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { serve } from "../mock.mjs";
import { given, holds, params, site, violations } from "./site.mjs";

let here;
let base;
/** The mock has no comparison and no facets. */
const mockOnly = () => (given ? false : "needs a server");

before(async () => {
  // Expected statuses: a rejected filter, and a demo that cannot be stopped because it runs for the whole process.
  here = await site({ width: 1280, height: 860, answers: [400, 409] });
  base = here.base;
});
after(() => here?.close());

/** Opens a page that reports every console error and every request to another origin. */
const open = (path, options) => here.open(base + path, options);

const isQuery = (r) => r.url().includes("/api/v1/query?");

/** Does something that runs a query, and resolves to its result once drawn. */
async function answer(page, act) {
  const response = page.waitForResponse((r) => isQuery(r) && r.status() === 200);
  await act();
  const res = await response;
  const body = await res.json();
  const keys = res.url().split("?")[1];
  await page.waitForSelector(`[data-answer="${keys.replace(/["\\]/g, "\\$&")}"]`, { state: "attached" });
  return body;
}

async function explore(search, options) {
  const page = await open("/status", options);
  const body = await answer(page, () => page.goto(base + "/explore" + search));
  return { page, body };
}

/** The groupable fields of the server; neither the page nor the tests know them by name. */
async function groupable() {
  const { fields } = await (await fetch(base + "/api/v1/fields")).json();
  const names = fields.filter((f) => f.groupable).map((f) => f.name);
  const want = ["src.port", "proto", "src.as", "exporter"].filter((n) => names.includes(n));
  return [...want, ...names.filter((n) => !want.includes(n))];
}

const close = (a, b, tolerance) => Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b), 1e-9);

test("the total row and the top edge of the chart are the numbers of the API", async () => {
  const [first] = await groupable();
  const { page, body } = await explore(`?by=${first}&n=3`);
  assert.ok(body.total.length > 0 && body.series.length > 0, "the server has data in its last hour");
  for (const t of body.total) {
    const row = page.locator(`tr[data-total=total][data-dir="${t.dir}"]`);
    const values = await row.locator("data").evaluateAll((all) => all.map((d) => Number(d.value)));
    assert.deepEqual(values.slice(0, 4), [t.last, t.avg, t.max, t.total], `total row ${t.dir}`);
  }
  // Every series is a row with the numbers of the API, including Other.
  assert.equal(await page.locator("tr[data-series]").count(), body.series.length);
  for (const s of body.series) {
    const id = s.other ? "other" : s.key.join("|");
    const row = page.locator(`tr[data-series="${id.replace(/["\\]/g, "\\$&")}"][data-dir="${s.dir}"]`);
    const values = await row.locator("data").evaluateAll((all) => all.map((d) => Number(d.value)));
    assert.deepEqual(values.slice(0, 4), [s.last, s.avg, s.max, s.total], `${id} ${s.dir}`);
  }
  if (body.other > 0) assert.match(await page.locator("tr.other").first().innerText(), /Other \([\d,]+ more\)/);
  // The edge of the stack is the largest sum of the totals drawn on its side.
  const edge = (side) => {
    const on = body.total.filter((t) => (t.dir === "out") === (side === "below"));
    return Math.max(
      0,
      ...body.times.map((time, i) =>
        time > body.meta.through && body.to > body.meta.through ? 0 : on.reduce((a, t) => a + (t.values[i] ?? 0), 0),
      ),
    );
  };
  const chart = page.locator(".chart");
  for (const side of ["above", "below"])
    await holds(async () => {
      const drawn = Number(await chart.getAttribute("data-" + side));
      assert.ok(close(drawn, edge(side), 0.005), `${side}: drawn ${drawn}, API ${edge(side)}`);
    });
  await page.close();
});

/** Drags over a part of the chart. */
async function brush(page, from, to) {
  const box = await page.locator(".u-over").boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + (box.width * (from + to)) / 2, y, { steps: 4 });
  await page.mouse.move(box.x + box.width * to, y, { steps: 4 });
  await page.mouse.up();
  await page.locator(".brush").waitFor();
}

test("brush and Explain: the sentence of the API, kept in the URL, its causes narrow the chart", { skip: mockOnly() }, async () => {
  const { page } = await explore("?from=-30m");
  await brush(page, 0.4, 0.6);
  const response = page.waitForResponse((r) => r.url().includes("/api/v1/explain?"));
  await page.keyboard.press("e");
  const body = await (await response).json();
  await page.locator(".verdict").waitFor();
  assert.equal((await page.locator(".verdict").innerText()).replace(/^\w+\s+/, "").trim(), body.text.trim());
  assert.equal((await params(page)).get("sel"), `${body.from}~${body.to}`);
  assert.equal(await page.locator(".causes li").count(), body.causes.length);
  const again = page.waitForResponse((r) => r.url().includes("/api/v1/explain?"));
  await page.reload();
  assert.equal((await (await again).json()).text, body.text, "a link shows the same window");
  await page.locator(".verdict").waitFor();
  await page.locator("[data-answer]").first().waitFor({ state: "attached" }); // the reloaded chart is drawn too
  const cause = body.causes.find((c) => c.filter);
  if (cause) {
    await answer(page, () => page.locator(".causes .value").first().click());
    assert.equal((await params(page)).get("q"), cause.filter);
  }
  await page.locator("#explain").getByLabel("Close").click();
  await page.locator("#explain").waitFor({ state: "detached" });
  assert.equal((await params(page)).get("sel"), null);
  await page.close();
});

/** Opens the facets. Their code loads after the page, so visibility is no indication. */
async function openFacets(page) {
  const toggle = page.getByRole("button", { name: "Facets", exact: true });
  if ((await toggle.getAttribute("aria-pressed")) !== "true") await toggle.click();
  return page.locator("#facets");
}

test("facets: the values of the API, each with buttons to filter and exclude", { skip: mockOnly() }, async () => {
  const { page } = await explore("", { width: 1440 });
  const facets = await openFacets(page);
  await facets.locator("li").first().waitFor(); // no answer from before the reload arrives after it
  const response = page.waitForResponse((r) => r.url().includes("/api/v1/facets?"));
  await page.reload();
  const body = await (await response).json();
  const first = body.facets.find((f) => f.values.length > 1);
  const row = facets.locator(".facet").first().locator("li").first();
  await row.waitFor();
  await holds(async () => assert.ok((await row.innerText()).includes(first.values[0].label[0])));
  await answer(page, () => row.getByLabel(/^Exclude/).click());
  assert.match((await params(page)).get("q"), /^(\S+ != \S+|not \(.*\))$/);
  await answer(page, () => page.goBack());
  await page.keyboard.press("f");
  await facets.waitFor({ state: "detached" });
  await page.close();
});

test("facets that read many rows are counted on request", { skip: mockOnly() }, async () => {
  const page = await open("/status", { width: 1440 });
  await page.evaluate(() => localStorage.removeItem("facets"));
  // The rows read depend on the progress of the rollups; here addresses and ports always exceed the limit.
  await page.route("**/api/v1/facets?*most=*", async (r) => {
    const response = await r.fetch();
    const body = await response.json();
    const left = body.facets.filter((f) => /ip$|port$|flags/.test(f.by.at(-1)));
    await r.fulfill({
      response,
      json: {
        ...body,
        facets: body.facets.filter((f) => !left.includes(f)),
        left: { facets: left.map((f) => f.by.join("/")), rows: 1_310_000_000 },
      },
    });
  });
  await page.goto(base + "/explore");
  const facets = page.locator("#facets");
  await facets.getByText(/^Not counted, because it would read 1\.31\sG rows: Destination address, Source address, /).waitFor();
  await holds(async () => assert.equal(await facets.locator(".facet").count(), 5));
  await facets.getByRole("button", { name: "Count all" }).click();
  await holds(async () => assert.equal(await facets.locator(".facet").count(), 10));
  // A request for an hour does not apply to a longer range.
  await page.locator("#range").click();
  await page.locator("#range-input").fill("-2h");
  await page.keyboard.press("Enter");
  await facets.locator(".left-out").waitFor();
  await page.close();
});

test("brushing zooms, Back undoes it, a double click zooms out", async () => {
  const { page } = await explore("?from=-30m");
  const before = (await params(page)).toString();
  const box = await page.locator(".u-over").boundingBox();
  const zoomed = await answer(page, async () => {
    await brush(page, 0.4, 0.6);
    await page.getByRole("menuitem", { name: "Zoom" }).click();
  });
  assert.match((await params(page)).get("from"), /^\d{4}-\d\d-\d\dT/);
  assert.ok(zoomed.to - zoomed.from > 300 && zoomed.to - zoomed.from < 450, `a fifth of 30 min, got ${zoomed.to - zoomed.from} s`);
  const out = await answer(page, () => page.locator(".u-over").dblclick({ position: { x: box.width / 2, y: box.height / 2 } }));
  assert.ok(close(out.to - out.from, 2 * (zoomed.to - zoomed.from), 0.02));
  await answer(page, () => page.goBack());
  await answer(page, () => page.goBack());
  assert.equal((await params(page)).toString(), before);
  await page.close();
});

test("Shift+drag moves the chart, Ctrl+wheel zooms it, a long press selects", async () => {
  const { page, body } = await explore("?from=-60m&to=-30m");
  const box = await page.locator(".u-over").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const moved = await answer(page, async () => {
    await page.keyboard.down("Shift");
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x - box.width / 10, y, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up("Shift");
  });
  assert.ok(close(moved.from - body.from, 180, 0.1), `a tenth of 30 min later, got ${moved.from - body.from} s`);
  assert.ok(Math.abs(moved.to - moved.from - 1800) <= 1);
  const zoomed = await answer(page, async () => {
    await page.keyboard.down("Control");
    await page.mouse.move(box.x + box.width / 4, y);
    await page.mouse.wheel(0, -200);
    await page.keyboard.up("Control");
  });
  assert.ok(zoomed.to - zoomed.from < 0.8 * 1800);
  const kept = (r) => r.from + (r.to - r.from) / 4;
  assert.ok(Math.abs(kept(zoomed) - kept(moved)) < 20, "the moment under the pointer stays");
  const touch = await page.context().newCDPSession(page);
  const finger = (type, at) => touch.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x: at, y }] });
  await finger("touchStart", box.x + box.width * 0.3);
  await page.locator(".u-select").evaluate((el) => new Promise((done) => setInterval(() => el.style.width === "2px" && done(), 20)));
  for (const part of [0.4, 0.5, 0.6]) await finger("touchMove", box.x + box.width * part);
  await finger("touchEnd");
  const chosen = await answer(page, () => page.getByRole("menuitem", { name: "Zoom" }).click());
  assert.ok(close(chosen.to - chosen.from, 0.3 * (zoomed.to - zoomed.from), 0.1));
  await page.close();
});

test("the range field, the presets and the arrows", async () => {
  const { page } = await explore("");
  await page.locator("#range").click();
  await page.locator("#range-input").fill("not a time");
  await page.keyboard.press("Enter");
  await page.locator("#range-input[aria-invalid=true]").waitFor();
  await page.locator("#range-input").fill("-15m");
  const asked = performance.now();
  const body = await answer(page, () => page.keyboard.press("Enter"));
  assert.equal(body.to - body.from, 900);
  assert.equal((await params(page)).get("from"), "-15m");
  const earlier = await answer(page, () => page.getByLabel("Earlier").click());
  assert.ok(Math.abs(earlier.to - body.from) < 5 + (performance.now() - asked) / 1000, "moved by its own length");
  const later = await answer(page, () => page.keyboard.press("]"));
  assert.ok(later.to >= body.to);
  const wider = await answer(page, () => page.getByLabel("Zoom out").click());
  assert.ok(close(wider.to - wider.from, 1800, 0.02));
  await page.close();
});

test("a filter error is shown at its position, and fixed with one click", async () => {
  const { page } = await explore("");
  const filter = page.locator("#filter");
  await filter.fill("src prt 443");
  await page.keyboard.press("Enter");
  await page.locator("#filter-error").waitFor();
  assert.equal(await page.locator(".editor .bad").innerText(), "prt");
  assert.equal((await params(page)).get("q"), null, "a wrong filter does not become the view");
  const fix = page.locator(".fix b");
  const word = await fix.innerText();
  const body = await answer(page, () => fix.click());
  assert.equal((await params(page)).get("q"), `src ${word} 443`);
  await page.locator("#filter-error").waitFor({ state: "detached" });
  assert.ok(body.meta.sql.length > 0);
  // A link with an invalid filter shows the error too.
  await page.goto(base + "/explore?q=src+prt+443");
  await page.locator("#filter-error").waitFor();
  assert.equal(await page.locator(".editor .bad").innerText(), "prt");
  await page.close();
});

test("completion: typed, chosen with the keyboard, accepted with Tab, run with Enter", async () => {
  const { page } = await explore("");
  await page.keyboard.press("/");
  await page.keyboard.type("src.po");
  await page.locator("#filter-item-0", { hasText: "src.port" }).waitFor();
  const filter = page.locator("#filter");
  assert.equal(await filter.getAttribute("aria-autocomplete"), "list");
  await page.keyboard.press("ArrowDown");
  await holds(async () =>
    assert.equal(
      await page.locator("#" + (await filter.getAttribute("aria-activedescendant"))).getAttribute("aria-selected", { timeout: 1000 }),
      "true",
    ),
  );
  await page.keyboard.press("Tab");
  await holds(async () => assert.match(await filter.inputValue(), /^src.port/));
  await page.keyboard.press("Escape");
  await page.locator("#filter-list").waitFor({ state: "detached" });
  await filter.fill("src.port = 443");
  await answer(page, () => page.keyboard.press("Enter"));
  assert.equal((await params(page)).get("q"), "src.port = 443");
  await page.goBack();
  await page.waitForFunction(() => document.querySelector("#filter").value === "");
  await page.close();
});

test("group by: added from the fields, reordered and removed by keyboard", async () => {
  const [first, second] = await groupable();
  const { page, body } = await explore("");
  assert.deepEqual(body.by, []);
  await page.locator("#by-add").click();
  await page.locator(".picker-search").fill(first);
  const one = await answer(page, () => page.locator(`[data-field="${first}"]`).click());
  assert.deepEqual(one.by, [first]);
  assert.ok(one.series.length >= 1 && one.series.every((s) => s.other || s.key.length === 1));
  const two = await answer(page, async () => {
    await page.keyboard.press("b");
    await page.locator(".picker-search").fill(second);
    await page.locator(`[data-field="${second}"]`).click();
  });
  assert.deepEqual(two.by, [first, second]);
  const moved = await answer(page, async () => {
    await page.locator(".chip > button:first-child").nth(1).focus();
    await page.keyboard.press("Alt+ArrowLeft");
  });
  assert.deepEqual(moved.by, [second, first]);
  const removed = await answer(page, async () => {
    await page.locator(".chip > button:first-child").nth(0).focus();
    await page.keyboard.press("Delete");
  });
  assert.deepEqual(removed.by, [first]);
  const dragged = await answer(page, () => page.goBack());
  assert.deepEqual(dragged.by, [second, first]);
  await answer(page, () => page.locator(".chip").nth(0).dragTo(page.locator(".chip").nth(1)));
  assert.equal((await params(page)).get("by"), `${first},${second}`);
  await page.close();
});

test("a value's menu narrows the filter, excludes, isolates", async () => {
  const [first] = await groupable();
  const { page, body } = await explore(`?by=${first}&n=5`);
  const value = page.locator("tbody .key .value").first();
  const all = body.total.reduce((a, t) => a + t.total, 0);
  await value.click();
  const only = await answer(page, () => page.getByRole("menuitem", { name: "Filter to this" }).click());
  assert.match((await params(page)).get("q"), new RegExp("^" + first.replace(".", "\\.") + " = "));
  assert.ok(only.total.reduce((a, t) => a + t.total, 0) <= all * 1.02);
  assert.equal(new Set(only.series.map((s) => s.key.join())).size, 1);
  await answer(page, () => page.goBack());
  const key = (await value.innerText()).trim();
  const without = await answer(page, () => value.click({ modifiers: ["Alt"] }));
  assert.match((await params(page)).get("q"), / != /);
  assert.ok(!without.series.some((s) => !s.other && s.label[0] === key), "the excluded value is gone");
  await answer(page, () => page.goBack());
  // The page isolates without a query: the others stay in the table, hidden, and "Shown" is the visible sum.
  if (body.series.length > 1) {
    await page.locator(".swatch-button").first().click();
    await page.locator("tr[data-total=shown]").first().waitFor();
    assert.ok((await params(page)).get("hide").length > 0);
    await page.locator(".swatch-button").first().click();
    await page.waitForFunction(() => !location.search.includes("hide="));
  }
  await page.close();
});

test("a URL opened again gives the same state, unknown keys kept", async () => {
  const [first] = await groupable();
  const { page, body } = await explore("");
  await page.goto("about:blank");
  const to = Math.floor(body.meta.through / 60) * 60;
  const search = `?q=not+src.port+=+9&by=${first}&from=${to - 900}&to=${to}&tz=utc&unit=pps&viz=line&n=5&rank=max&dir=sum&future=yes`;
  const a = await answer(page, () => page.goto(base + "/explore" + search));
  const state = () =>
    page.evaluate(() => ({
      q: document.querySelector("#filter").value,
      unit: document.querySelector("#unit").value,
      dir: document.querySelector("#dir").value,
      top: document.querySelector("#top").value,
      rank: document.querySelector("#rank").value,
      viz: document.querySelector("[aria-label=Visualisation] [aria-checked=true]").textContent,
      range: document.querySelector("#range").textContent,
      chips: [...document.querySelectorAll(".chip")].map((c) => c.textContent),
      rows: [...document.querySelectorAll("tr[data-series]")].map((r) => r.dataset.series + r.dataset.dir),
      facts: document.querySelector(".facts.warn")?.textContent,
    }));
  const before = await state();
  assert.equal(before.q, "not src.port = 9");
  assert.deepEqual([before.unit, before.dir, before.top, before.rank, before.viz], ["pps", "sum", "5", "max", "Line"]);
  assert.match(before.facts ?? "", /future/);
  const b = await answer(page, () => page.reload());
  await holds(async () => assert.deepEqual(await state(), before));
  assert.deepEqual([b.from, b.to, b.step, b.by, b.unit], [a.from, a.to, a.step, a.by, a.unit]);
  await answer(page, () => page.locator("#unit").selectOption("bps"));
  assert.equal((await params(page)).get("future"), "yes");
  // A limit on groups is reported, and the URL keeps the requested number.
  await answer(page, () => page.goto(base + "/explore" + search.replace("n=5", "n=99")));
  await page.locator(".facts.warn").getByText("n=99 is shown as n=50").waitFor();
  assert.equal((await params(page)).get("n"), "99");
  await page.close();
});

test("a copied link has a fixed time, with Shift it is live; a long one is shortened", { skip: mockOnly() }, async () => {
  const { page } = await explore("?from=-10m");
  await page.evaluate(() => (navigator.clipboard.writeText = async (text) => void (globalThis.copied = text)));
  const copied = async (key) => {
    await page.evaluate(() => (globalThis.copied = ""));
    await page.keyboard.press(key);
    await page.waitForFunction(() => globalThis.copied);
    return page.evaluate(() => globalThis.copied);
  };
  assert.match(await copied("y"), /\/explore\?from=\d{4}-\d\d-\d\dT.*&to=\d{4}-/);
  assert.equal(await copied("Shift+Y"), base + "/explore?from=-10m");
  const q = `ip in [${Array.from({ length: 300 }, (_, i) => `192.0.2.${i % 256}`).join(" ")}]`;
  await page.evaluate(
    (to) => {
      history.pushState(null, "", to);
      dispatchEvent(new PopStateEvent("popstate"));
    },
    `/explore?q=${q.replaceAll(" ", "+")}&from=-10m`,
  );
  const short = await copied("Shift+Y");
  assert.match(short, /\/s\/[\w-]{16}$/);
  await page.goto(short);
  assert.equal((await params(page)).get("q"), q);
  await page.close();
});

test("stack, lines, percent and table; the tooltip; the SQL", async () => {
  const [first] = await groupable();
  const { page, body } = await explore(`?by=${first}`);
  for (const name of ["Line", "100%", "Stack"]) {
    await page.getByRole("radio", { name, exact: true }).click();
    await page.locator(".uplot").waitFor();
  }
  const box = await page.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.5);
  await page.locator(".tooltip").waitFor();
  assert.match(await page.locator(".tooltip").innerText(), /Total/);
  await page.mouse.move(5, 5);
  await page.locator(".tooltip").waitFor({ state: "detached" });
  await page.getByRole("radio", { name: "Table", exact: true }).click();
  await page.locator(".uplot").waitFor({ state: "detached" });
  assert.equal(await page.locator("tr[data-series]").count(), body.series.length);
  await page.getByRole("radio", { name: "Stack", exact: true }).click();
  await page.locator(".plot").focus();
  await page.keyboard.press("End");
  await page.waitForFunction(() => /\d/.test(document.querySelector(".chart [aria-live]").textContent));
  assert.match(await page.locator(".plot").getAttribute("aria-label"), /peak/);
  assert.equal(await page.locator(".plot").getAttribute("role"), "img");
  await page.keyboard.press("x");
  const drawer = page.locator("#sql");
  await drawer.waitFor();
  assert.equal((await drawer.locator("pre").textContent()).trim(), body.meta.sql.trim());
  assert.match(await drawer.innerText(), /rows read/);
  await page.keyboard.press("x");
  await drawer.waitFor({ state: "detached" });
  await page.close();
});

test("Other shows the next groups, and goes back; the parts add up to the total", async () => {
  const page = await open("/explore?by=src.as&n=3&from=-1h&dir=sum");
  const other = page.locator("#table tr.other button.value");
  const names = () => page.locator("#table tbody tr:not(.other) td.key").allInnerTexts();
  await other.waitFor();
  const first = await names();
  await other.click();
  const turned = page.waitForResponse((r) => r.url().includes("/api/v1/query?") && r.url().includes("skip=3"));
  await page.getByRole("menuitem", { name: "Next 3" }).click();
  const body = await (await turned).json();
  assert.equal(
    body.series.reduce((a, s) => a + s.total, 0),
    body.total[0].total,
  );
  assert.deepEqual(
    body.series.map((s) => [s.other, s.larger ?? false]),
    [
      [false, false],
      [false, false],
      [false, false],
      [true, true],
      [true, false],
    ],
  );
  await page.locator("#table [data-series=larger]").waitFor();
  assert.match(await page.locator("#table tbody tr").first().innerText(), /^\s*Larger\s+\(3\)/);
  for (const n of await names()) assert.ok(!first.includes(n), n);
  await page.locator("#table [data-series=larger] button.value").click();
  await page.getByRole("menuitem", { name: "Back to the largest" }).click();
  await page.waitForFunction(() => !location.search.includes("skip="));
  await page.goBack();
  await page.waitForFunction(() => location.search.includes("skip=3"));
  await page.close();
});

test("Other is grouped by another field: its parts keep their sum, also of later groups; Back undoes", {
  skip: mockOnly(),
}, async () => {
  const to = Math.floor(Date.now() / 1000) - 60;
  const from = to - 600;
  const page = await open("/status");
  const cell = async (row) => Number(await page.locator(`#table ${row} td:has(data)`).nth(3).locator("data").getAttribute("value"));
  const drawn = (keys) => page.waitForSelector(`[data-answer*="${keys}"]`, { state: "attached" });
  for (const more of ["", "&dir=in&skip=3"]) {
    await page.goto(`${base}/explore?by=src.as&n=3&from=${from}&to=${to}${more}`);
    await drawn("by=src.as");
    const other = "tbody tr[data-series=other][data-dir=in]";
    const before = await cell(other);
    await page.locator(`#table ${other} button.value`).first().click();
    await page.getByRole("menuitem", { name: "Group by …" }).click();
    await drawn("src.as+not+in+[");
    await page.locator("[role=option]", { hasText: "Protocol" }).first().click();
    await drawn("by=proto");
    assert.equal(await cell("tr[data-total=total]"), before);
    await page.goBack();
    await drawn("src.as+not+in+[");
    await page.goBack();
    await drawn("by=src.as");
    assert.equal(await cell(other), before);
  }
  await page.close();
});

test("a cell of the heat map, a panel, a bar and a band open their menu, by keyboard too", async () => {
  const page = await open("/explore?by=src.as&n=4&from=-1h&viz=heat");
  const canvas = page.locator(".heat canvas");
  const menu = page.locator("[role=menu]");
  await canvas.click({ position: { x: 60, y: 30 } });
  await page.getByRole("menuitem", { name: "Filter to this" }).waitFor();
  const second = await page.locator(".heat-names [data-group]").nth(1).innerText();
  assert.ok((await menu.innerText()).includes(second));
  await page.keyboard.press("Escape");
  await canvas.focus();
  for (const k of ["ArrowRight", "ArrowDown", "ArrowRight", "Enter"]) await page.keyboard.press(k);
  const zoom = page.getByRole("menuitem", { name: /^Zoom to/ });
  await zoom.waitFor();
  assert.ok((await menu.innerText()).includes(second));
  await zoom.click();
  await page.waitForFunction(() => /from=[^&]*&to=/.test(location.search));

  await page.goto(base + "/explore?by=src.as&n=4&from=-1h&viz=grid");
  await page.locator(".grid-cell svg").first().click();
  await page.getByRole("menuitem", { name: /^Zoom to/ }).waitFor();
  await page.goto(base + "/explore?by=src.as&n=4&from=-1h&viz=bar");
  await page.locator(".bar-row .bar-track").first().click();
  await page.getByRole("menuitem", { name: "Filter to this" }).waitFor();
  await page.goto(base + "/explore?by=src.as,dst.as&n=8&from=-1h&viz=sankey");
  const node = page.locator(".sankey-node[role]").first();
  await node.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Filter to this" }).click();
  await page.waitForFunction(() => / and .*| dst\.as/.test(new URLSearchParams(location.search).get("q") ?? ""));
  await page.close();
});

test("the axis has a scale and an end, and both are in the URL", async () => {
  const [first] = await groupable();
  const page = await open(`/explore?by=${first}&n=4&from=-10m&viz=line&dir=sum`);
  const picture = () => page.locator(".plot canvas").evaluate((c) => c.toDataURL());
  await page.locator(".chart[data-above]:has(.plot canvas)").waitFor();
  const seen = new Set([
    await holds(async () => {
      const now = await picture();
      await page.waitForTimeout(200);
      assert.equal(await picture(), now, "it is drawn");
      return now;
    }),
  ]);
  for (const [y, name] of [
    ["log", "logarithmic"],
    ["sqrt", "square root"],
  ]) {
    await page.locator("#y").selectOption({ label: name });
    await page.waitForURL(new RegExp(`y=${y}`));
    const drawn = await holds(async () => {
      const now = await picture();
      assert.ok(!seen.has(now), "each axis has its own picture");
      return now;
    });
    seen.add(drawn);
  }
  await page.goto(`${base}/explore?by=${first}&n=4&from=-10m&ymax=5k&y=log`);
  await page.getByText("The axis ends at 5.00 k").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await page.waitForFunction(() => !location.search.includes("ymax"));
  assert.equal((await params(page)).get("y"), "log");
  await page.goto(`${base}/explore?by=${first}&n=4&from=-10m&ymax=plenty`);
  await page.getByText("ymax=plenty is not a number").waitFor();
  // Percentages are linear.
  await page.getByRole("radio", { name: "100%", exact: true }).click();
  await page.locator("#y").waitFor({ state: "detached" });
  await page.close();
});

test("each direction has its own top groups, or all have the same", { skip: mockOnly() }, async () => {
  const page = await open("/status");
  const rank = page.locator("#rank");
  const named = (b) => b.dirs.map((d) => b.series.filter((s) => s.dir === d && !s.other).map((s) => s.key.join("|")));
  const each = await answer(page, () => page.goto(`${base}/explore?by=src.as&n=2&from=-10m`));
  assert.ok(
    named(each).every((keys) => keys.length === 2),
    JSON.stringify(named(each)),
  );
  const sum = await answer(page, () => rank.selectOption({ label: "maximum, all directions" }));
  assert.equal((await params(page)).get("rankdir"), "sum");
  assert.equal((await params(page)).get("rank"), "max");
  // The table follows the ranks: each group by the largest of its directions.
  const order = await page.locator("#table tbody tr:not(.other):not(.again)").evaluateAll((all) => all.map((e) => e.dataset.series));
  const most = (key) => Math.max(...sum.series.filter((s) => s.key.join("|") === key).map((s) => s.max));
  assert.deepEqual(
    order,
    [...order].sort((a, b) => most(b) - most(a)),
  );
  assert.ok(new Set(named(sum).flat()).size <= 2);
  await page.locator("#dir").selectOption("in");
  await holds(async () => assert.doesNotMatch(await rank.innerText(), /all directions/));
  await page.close();
});

test("grid, bars, heat map and sankey draw the API's numbers, each from a URL opened again", async () => {
  const [first, second] = await groupable();
  const { page, body } = await explore(`?by=${first}&n=4&from=-10m&viz=grid`);
  const ids = (b) => [...new Set(b.series.filter((s) => !s.other).map((s) => s.key.join("|")))].sort();
  const drawn = () => page.locator("[data-group]").evaluateAll((all) => all.map((e) => e.dataset.group).sort());
  await page.locator(".grid-cell path").first().waitFor({ state: "attached" });
  assert.deepEqual(await drawn(), ids(body));
  await page.getByRole("radio", { name: "Bars", exact: true }).click();
  await page.locator(".bar-row").first().waitFor();
  assert.deepEqual(
    (await drawn()).filter((x) => x !== "other"),
    ids(body),
  );
  // The longest bar is the largest group.
  const widths = await page
    .locator(".bar-row")
    .evaluateAll((all) =>
      all.map((e) => [e.dataset.group, Math.max(...[...e.querySelectorAll(".bar-fill")].map((b) => b.getBoundingClientRect().width))]),
    );
  const largest = (dir) => Math.max(...body.series.filter((s) => dir(s.dir)).map((s) => s.avg));
  assert.ok(widths.length > 1 && largest(() => true) > 0);
  const heat = await answer(page, () => page.goto(base + `/explore?by=${first}&n=4&from=-10m&viz=heat`));
  await page.locator(".heat canvas").waitFor();
  assert.deepEqual(await drawn(), ids(heat));
  const sankey = await answer(page, () => page.goto(base + `/explore?by=${first},${second}&n=8&from=-10m&viz=sankey`));
  await page.locator(".sankey-node").first().waitFor();
  const nodes = await page.locator(".sankey-node").evaluateAll((all) => all.map((e) => [e.dataset.node, Number(e.dataset.value)]));
  const sum = nodes.filter(([id]) => id.startsWith("0|")).reduce((a, [, v]) => a + v, 0);
  assert.ok(
    close(
      sum,
      sankey.series.reduce((a, s) => a + s.avg, 0),
      1e-6,
    ),
    "the first column is the whole",
  );
  await page.locator(".sankey-node[role=button]").first().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Filter to this" }).waitFor();
  await page.keyboard.press("Escape");
  await page.goto(base + `/explore?by=${first}&viz=sankey`);
  await page.getByText("A sankey needs two groupings").waitFor();
  await page.close();
});

test("comparison and peaks: the table has the numbers of the API", { skip: mockOnly() }, async () => {
  const [first] = await groupable();
  const { page, body } = await explore(`?by=${first}&n=3&from=-10m&vs=prev&agg=peak`);
  const row = page.locator("tr[data-series]").first();
  const key = await row.getAttribute("data-series");
  const dir = await row.getAttribute("data-dir");
  const s = body.series.find((x) => x.dir === dir && (x.other ? "other" : x.key.join("|")) === key);
  assert.match(await row.locator(".change").getAttribute("title"), /before$/);
  const values = await row.locator("data").evaluateAll((all) => all.map((d) => Number(d.value)));
  assert.deepEqual(values.slice(0, 4), [s.last, s.avg, s.max, s.peak]);
  assert.ok(s.peak >= s.max);
  await page.close();
});

test("the exported CSV has the numbers of the API, and the image is valid", { skip: mockOnly() }, async () => {
  const [first, second] = await groupable();
  const { page } = await explore("");
  const to = Math.floor(Date.now() / 1000) - 60;
  const body = await answer(page, () => page.goto(base + `/explore?by=${first}&n=3&from=${to - 600}&to=${to}`));
  const take = async (name) => {
    const download = page.waitForEvent("download");
    await page.locator("#export").click();
    await page.getByRole("menuitem", { name }).click();
    return readFileSync(await (await download).path());
  };
  const lines = (await take("CSV table")).toString().trim().split(/\r?\n/);
  const head = lines[0].split(",");
  const rows = lines.slice(1).map((l) => Object.fromEntries(l.split(",").map((v, i) => [head[i], v])));
  const totals = rows.map((r) => Number(r.total)).sort((a, b) => a - b);
  assert.deepEqual(
    totals,
    [...body.series, ...body.total].map((s) => s.total).sort((a, b) => a - b),
  );
  const png = await take("PNG");
  assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from("PNG")]);
  assert.ok(png.readUInt32BE(16) > 1000, "wide");
  const json = JSON.parse((await take("JSON")).toString());
  assert.deepEqual(
    json.series.map((s) => s.total),
    body.series.map((s) => s.total),
  );
  await answer(page, () => page.goto(base + `/explore?by=${first},${second}&n=5&from=${to - 600}&to=${to}&viz=sankey`));
  await page.locator(".sankey-node").first().waitFor();
  const svg = (await take("SVG")).toString();
  assert.match(svg, /^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  assert.match(svg, /b\/s<\/tspan>.*<\/svg>$/s);
  await page.close();
});

test("an expensive query needs confirmation; Escape cancels a running one in the engine", { skip: mockOnly() }, async () => {
  const { page } = await explore("?from=-10m");
  await page.evaluate(() => localStorage.setItem("dear-rows", "1000"));
  await page.goto(base + "/explore?from=-30m");
  await page.locator(".cost").waitFor();
  assert.match(await page.locator(".cost").innerText(), /about [\d.]+ [kMG]? ?rows/);
  const body = await answer(page, () => page.getByRole("button", { name: "Run", exact: true }).last().click());
  assert.equal(body.to - body.from, 1800);
  assert.equal(await page.locator(".cost").count(), 0);
  await page.evaluate(() => localStorage.removeItem("dear-rows"));
  // A slow query appears in the process list and disappears from it.
  const request = page.waitForRequest((r) => isQuery(r) && r.url().includes("src.port"));
  await page.goto(base + "/explore?by=src.ip,dst.ip,src.port,dst.port&from=-1h&n=50&agg=peak&vs=prev", { waitUntil: "commit" });
  const asked = await request;
  const tag = asked.headers()["query-tag"];
  const running = async () => (await (await fetch(base + "/api/v1/queries")).json()).queries.some((q) => q.tag.endsWith(tag));
  while (!(await running())) assert.equal(await page.locator(`[data-answer*="src.port"]`).count(), 0, "answered before it was seen");
  const failed = page.waitForEvent("requestfailed", (r) => r === asked);
  await page.keyboard.press("Escape");
  await failed;
  const began = performance.now();
  while (await running()) assert.ok(performance.now() - began < 5000, "still in the process list");
  assert.equal(await page.locator(`[data-answer*="src.port"]`).count(), 0, "no answer was drawn");
  await page.close();
});

test("axe finds nothing, in both themes, wide and narrow", { skip: mockOnly() }, async () => {
  const [first, second] = await groupable();
  for (const [scheme, width, search] of [
    ["light", 1440, `?by=${first}&vs=prev`],
    ["dark", 1440, `?by=${first}&viz=bar`],
    ["light", 390, `?by=${first}&viz=grid`],
    ["dark", 1440, `?by=${first},${second}&viz=sankey`],
  ]) {
    const { page } = await explore(search + "&from=-10m", { width, scheme });
    if (width > 1000) {
      const facets = await openFacets(page); // an earlier test may have closed them
      await facets.locator("li").first().waitFor();
    }
    assert.deepEqual(await violations(page), [], `${search} ${scheme}`);
    await page.close();
  }
});

test("keys: help, unit, direction, refresh; none while typing", async () => {
  const { page } = await explore("");
  await page.keyboard.press("?");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  await answer(page, () => page.keyboard.press("u"));
  assert.notEqual((await params(page)).get("unit"), null);
  await answer(page, () => page.keyboard.press("d"));
  assert.equal((await params(page)).get("dir"), "in");
  await answer(page, () => page.keyboard.press("r"));
  const url = page.url();
  await page.locator("#filter").focus();
  await page.keyboard.type("udx?r");
  assert.equal(page.url(), url);
  assert.equal(await page.locator("#filter").inputValue(), "udx?r");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.locator("#filter").blur();
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.waitForURL("**/status");
  await page.close();
});

test("live: the server sends changes, and the page shows them; it stops on request", async () => {
  const page = await open("/status");
  const asked = [];
  page.on("request", (r) => asked.push(new URL(r.url()).pathname));
  const stream = page.waitForRequest((r) => r.url().includes("/api/v1/stream?"));
  await page.goto(base + "/explore?from=-5m&live=1&by=proto");
  const question = new URL((await stream).url()).search;
  await page.locator(".uplot").waitFor();
  const end = () => page.locator("[data-to]").getAttribute("data-to");
  for (let i = 0; i < 3; i++) {
    const before = await end();
    await page.waitForFunction((to) => document.querySelector("[data-to]").dataset.to > to, before);
  }
  assert.equal(asked.filter((path) => path === "/api/v1/query").length, 1, "one question, the rest is sent");
  await holds(async () => {
    const fresh = await (await fetch(base + "/api/v1/query" + question)).json();
    const names = await page.locator("#table tbody tr:not(.other) td.key").allInnerTexts();
    assert.deepEqual(new Set(names), new Set(fresh.series.filter((x) => !x.other).map((x) => x.label.join())));
  });
  if (await page.locator("#facets").isVisible()) await page.locator("#facets .facet").first().waitFor();
  const ended = page.waitForEvent("requestfailed", (r) => r.url().includes("/api/v1/stream?"));
  await page.locator("#refresh").selectOption("off");
  await ended;
  assert.equal((await params(page)).get("live"), null);
  await page.close();
});

test("live without a stream: the page polls", async () => {
  const page = await open("/status");
  await page.route("**/api/v1/stream?*", (r) => r.fulfill({ status: 400 }));
  await page.goto(base + "/explore?from=-5m&live=1");
  const a = await (await page.waitForResponse(isQuery)).json();
  const b = await (await page.waitForResponse(isQuery)).json();
  assert.ok(b.to > a.to || b.meta.through >= a.meta.through);
  await page.close();
});

test("dark and light, kept, without a flash", async () => {
  const { page } = await explore("", { scheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const bright = (c) =>
    c
      .match(/\d+(\.\d+)?/g)
      .slice(0, 3)
      .reduce((a, x) => a + Number(x), 0) > 380;
  const is = (light) => holds(async () => assert.equal(bright(await ground()), light));
  await is(true);
  await page.getByRole("radio", { name: "Theme: dark" }).click();
  await is(false);
  // The choice applies before any script of the page has run.
  await page.route("**/assets/*.js", (r) => r.fulfill({ contentType: "text/javascript", body: "" }));
  await page.reload({ waitUntil: "domcontentloaded" });
  assert.ok(!bright(await ground()), "dark before the script");
  await page.unroute("**/assets/*.js");
  await page.goto(base + "/status");
  await page.getByRole("radio", { name: "Theme: auto" }).click();
  await is(true);
  await page.emulateMedia({ colorScheme: "dark" });
  await is(false);
  // A printed page is light, and so are its charts.
  await page.goto(base + "/explore");
  await page.locator("[data-dark=true]").waitFor({ state: "attached" });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.locator("[data-dark=false]").waitFor({ state: "attached" });
  await is(true);
  await page.close();
});

test("start shows the ports, the snippets and the exporters", async () => {
  const page = await open("/start");
  await page.locator(".listener").first().waitFor();
  const status = await (await fetch(base + "/api/v1/status")).json();
  const text = await page.locator(".listeners").innerText();
  for (const l of status.listeners) assert.match(text, new RegExp(`\\b${l.addr.split(":").pop()}\\b`));
  await page.locator("#collector").fill("198.51.100.7");
  const tabs = page.locator("[role=tab]");
  assert.ok((await tabs.count()) >= 6);
  for (let i = 0; i < (await tabs.count()); i++) {
    await tabs.nth(i).click();
    await holds(async () => assert.match(await page.locator(".snippet pre").innerText(), /198\.51\.100\.7/, await tabs.nth(i).innerText()));
  }
  await page.locator("#known").evaluate((d) => (d.open = true));
  await holds(async () => {
    const seen = (await page.locator(".seen").allInnerTexts()).join("\n");
    for (const e of (status.exporters ?? []).slice(0, 5)) assert.match(seen, new RegExp(e.address.replace(/[.[\]]/g, "\\$&")));
  });
  await page.locator("#collector").fill("");
  await page.close();
});

test("a demo is started and stopped, and shown while it runs", async () => {
  const page = await open("/start");
  const button = page.locator("#demo");
  await button.waitFor();
  if ((await button.innerText()) === "Stop demo") {
    // It was started with NetMeta: stopping is rejected, with the remedy.
    await page.locator(".start .badge", { hasText: "demo data" }).waitFor();
  } else {
    await button.click();
    await page.locator(".start .badge", { hasText: "demo data" }).waitFor();
    await page.locator("#demo", { hasText: "Stop demo" }).waitFor();
  }
  await page.locator("#demo").click();
  await page.locator(".start [role=alert], #demo:text-is('Start demo')").first().waitFor();
  await page.close();
});

test("the overview is the first page if there is data, with the stored range", async () => {
  const page = await open("/");
  await page.waitForURL(/\/\?from=-(1|6|24)h$/);
  await page.locator(".uplot").first().waitFor();
  await page.locator(".tell[data-dir]").first().waitFor();
  await page.close();
});

test("status shows the counters", async () => {
  const page = await open("/status");
  await page.locator(".pipeline").waitFor();
  for (const stage of ["udp", "decode", "queue", "store"]) assert.match(await page.locator(`[data-stage=${stage}]`).innerText(), /\d/);
  await holds(async () => {
    const status = await (await fetch(base + "/api/v1/status")).json();
    if (status.exporters?.length) {
      const text = await page.locator("#exporters").innerText();
      for (const e of status.exporters.slice(0, 5)) assert.ok(text.includes(e.address), e.address);
    }
    const drops = (status.drops ?? []).filter((d) => d.count > 0);
    for (const d of drops) assert.ok((await page.locator("#drops").innerText()).includes(d.reason), d.reason);
    if (drops.length === 0) assert.match(await page.locator(".good-line").innerText(), /No losses since start/);
  });
  assert.match(await page.locator("[aria-label=Storage]").innerText(), /Rows/);
  assert.match(await page.locator("[aria-label=Engine]").innerText(), /up/);
  await page.close();
});

test("a phone scrolls down only", async () => {
  const [first] = await groupable();
  for (const path of [
    `/explore?by=${first}`,
    "/explore?q=a+rather+long+filter+text+that+does+not+fit+into+one+line+of+a+phone",
    "/start",
    "/status",
  ]) {
    const page = await open(path, { width: 360, height: 740 });
    await page.waitForSelector(".uplot, .filter-error, .listener, .pipeline, .empty");
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${path}: ${over} px too wide`);
    await page.close();
  }
});

// Only the mock can be a new installation.
test("before the first datagram", { skip: given ? "the server has data" : false }, async () => {
  const full = base;
  const fresh = await serve(0, { empty: true });
  base = fresh.url;
  try {
    const page = await open("/");
    await page.locator(".waiting").waitFor();
    assert.equal(new URL(page.url()).pathname, "/");
    await page.getByRole("button", { name: "Explore traffic" }).click();
    await page.locator("[data-empty=no-exporter]").waitFor();
    await page.getByRole("button", { name: "Set up an exporter" }).click();
    await page.waitForURL("**/start");
    await page.close();
  } finally {
    base = full;
    fresh.close();
  }
});

// Last: the checks of all pages together.
test("no console errors, no request leaves the origin", () => {
  assert.deepEqual(here.complaints, []);
  assert.deepEqual(here.strangers, []);
});
