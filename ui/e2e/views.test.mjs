// Saved views in a real browser, with a running server (BASE_URL) or the mock.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { holds, params, site, violations } from "./site.mjs";

let here;
let base;
/** Marks the views of this run, which are deleted at the end. */
const mark = `t${process.pid}`;

before(async () => {
  here = await site({ answers: [400, 403, 404, 409] });
  base = here.base;
});
after(async () => {
  for (const v of (await list().catch(() => ({ views: [] }))).views)
    if (v.slug.includes(mark)) await fetch(`${base}/api/v1/views/${v.slug}`, { method: "DELETE" });
  await here?.close();
});

const list = async (owner = "") => (await fetch(base + "/api/v1/views", { headers: owner ? { "View-Owner": owner } : {} })).json();
const saved = async (slug, owner) => (await list(owner)).views.find((v) => v.slug === slug);

const open = (path, options) => here.open(base + path, options);

/** Saves the current page under a name, with the form. */
async function save(page, name, more = async () => undefined) {
  await page.keyboard.press("s");
  const form = page.getByRole("dialog", { name: "Save as view" });
  await form.getByLabel("Name", { exact: true }).fill(name);
  await more(form);
  await form.getByRole("button", { name: "Save", exact: true }).click();
  return form;
}

test("a view of Explore is saved, opened by its link, changed, saved again", async () => {
  const page = await open("/explore?by=proto&from=-30m&n=5");
  await page.locator(".uplot").waitFor();
  const name = `Protocols ${mark}`;
  const slug = `protocols-${mark}`;
  const form = await save(page, name, (f) => f.getByLabel("Description").fill("What it is made of"));
  await form.waitFor({ state: "detached" });
  const v = await saved(slug);
  assert.deepEqual(
    [v.page, v.query, v.description, v.shared, v.pinned],
    ["explore", "by=proto&from=-30m&n=5", "What it is made of", true, false],
  );
  const bar = page.locator(".opened-view");
  await bar.getByText(name).waitFor();
  await bar.getByText("changed").waitFor({ state: "detached" });

  // Opened again from its link, with another range: the plain URL of the page.
  await page.goto(`${base}/v/${slug}?from=-15m`);
  await page.waitForURL("**/explore?by=proto&from=-15m&n=5");
  await page.goto(`${base}/v/${slug}`);
  await page.waitForURL("**/explore?by=proto&from=-30m&n=5");
  await page.locator(".uplot").waitFor();

  await page.keyboard.press("u");
  await bar.getByText("changed").waitFor();
  await bar.getByRole("button", { name: "Save", exact: true }).click();
  await bar.getByText("changed").waitFor({ state: "detached" });
  assert.match((await saved(slug)).query, /unit=/);
  await page.keyboard.press("d");
  await bar.getByText("changed").waitFor();
  await bar.getByRole("link", { name: "Revert" }).click();
  await bar.getByText("changed").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => location.search), "?" + (await saved(slug)).query);
  await page.close();
});

test("the page of views: pin, rename, delete and undo; pinned views are in the navigation", async () => {
  const page = await open("/flows?q=tcp&from=-5m");
  await page.locator("#filter").waitFor();
  const slug = `records-${mark}`;
  await (await save(page, `Records ${mark}`)).waitFor({ state: "detached" });
  await page.keyboard.press("g");
  await page.keyboard.press("v");
  await page.waitForURL("**/views");
  const row = page.locator(`[data-view="${slug}"]`);
  await row.getByRole("button", { name: /^Pin/ }).click();
  const nav = page.getByRole("navigation", { name: "Pages" });
  await nav.getByRole("link", { name: `Records ${mark}` }).waitFor();
  assert.equal((await saved(slug)).pinned, true);

  await row.getByRole("button", { name: /^Edit/ }).click();
  const form = page.getByRole("dialog", { name: "Edit view" });
  assert.ok(await form.getByLabel("Link").isDisabled(), "existing links keep working");
  await form.getByLabel("Name", { exact: true }).fill(`Renamed ${mark}`);
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await nav.getByRole("link", { name: `Renamed ${mark}` }).waitFor();

  await row.getByRole("button", { name: /^Delete/ }).click();
  await row.waitFor({ state: "detached" });
  await holds(async () => assert.equal(await saved(slug), undefined));
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await row.waitFor();
  assert.deepEqual([(await saved(slug)).query, (await saved(slug)).name], ["q=tcp&from=-5m", `Renamed ${mark}`]);

  await nav.getByRole("link", { name: `Renamed ${mark}` }).click();
  await page.waitForURL("**/flows?q=tcp&from=-5m");
  await page.close();
});

test("a link that is in use, a missing name, a private view", async () => {
  const page = await open("/explore?q=udp");
  await page.locator("#filter").waitFor();
  const form = await save(page, " ");
  await form.getByText("Enter a name").waitFor();
  await form.getByLabel("Name", { exact: true }).fill(`Mine ${mark}`);
  await fetch(base + "/api/v1/views", {
    method: "POST",
    headers: { "View-Owner": "somebody else" },
    body: JSON.stringify({ name: "hidden", slug: `mine-${mark}` }),
  });
  await form.getByRole("radio", { name: "Private" }).click();
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await form.getByText("Enter your name").waitFor();
  await form.getByLabel("Your name").fill(`Łukasz ${mark}`);
  await form.getByRole("button", { name: "Save", exact: true }).click();
  // Used by a view that this user does not see: only the server knows.
  const slug = form.getByLabel("Link");
  await form.getByText(/another view has this slug/i).waitFor();
  assert.equal(await slug.getAttribute("aria-invalid"), "true");
  await slug.fill(`udp-${mark}`);
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await form.waitFor({ state: "detached" });
  assert.equal(await saved(`udp-${mark}`), undefined, "others do not see it");
  await page.goto(base + "/views");
  await page.locator(`[data-view="udp-${mark}"]`).getByText("private").waitFor();
  await page.locator("#owner").fill("");
  await page.locator("#owner").press("Enter");
  await page.locator(`[data-view="udp-${mark}"]`).waitFor({ state: "detached" });
  await page.goto(`${base}/v/udp-${mark}`);
  await page.getByRole("heading", { name: "No such view" }).waitFor();
  await page.close();
  for (const owner of [encodeURIComponent(`Łukasz ${mark}`), "somebody else"])
    for (const s of ["udp", "mine"])
      await fetch(`${base}/api/v1/views/${s}-${mark}`, { method: "DELETE", headers: { "View-Owner": owner } });
});

test("a view from the configuration is marked and cannot be changed", {
  skip: process.env.BASE_URL ? "the server has a configuration of its own" : false,
}, async () => {
  const page = await open("/views");
  const row = page.locator("[data-view=transit]");
  await row.getByText("/etc/netmeta.yaml").waitFor();
  assert.equal(await row.getByRole("button").count(), 0);
  await row.getByRole("link", { name: "Transit" }).click();
  await page.locator(".uplot").waitFor();
  await page.keyboard.press("u");
  const bar = page.locator(".opened-view");
  await bar.getByText("changed").waitFor();
  assert.equal(await bar.getByRole("button", { name: "Save", exact: true }).count(), 0);
  await bar.getByRole("button", { name: "Save as" }).click();
  const form = page.getByRole("dialog", { name: "Save as view" });
  await form.getByLabel("Name", { exact: true }).fill("Transit");
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await form.getByText(/“Transit” has this link/).waitFor();
  await page.close();
});

/** Creates views for boards and returns their slugs. */
async function some() {
  const out = [];
  for (const [name, query] of [
    ["one", "by=proto&from=-15m"],
    ["two", "q=tcp&viz=line"],
    ["three", "by=proto&viz=bar"],
    ["four", "q=udp"],
  ]) {
    const slug = `${name}-${mark}`;
    await fetch(`${base}/api/v1/views/${slug}`, { method: "PUT", body: JSON.stringify({ name: `${name} ${mark}`, query, shared: true }) });
    out.push(slug);
  }
  return out;
}

const isQuery = (url) => url.pathname === "/api/v1/query";

test("a board: created from selected views, each with its own range or all with one; its charts open their pages", async () => {
  const slugs = await some();
  const page = await open("/views");
  for (const s of slugs.slice(0, 2)) await page.locator(`[data-view="${s}"]`).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Show together" }).click();
  await page.waitForURL(`**/v/${[...slugs.slice(0, 2)].sort().join("+")}`);
  await page.getByRole("button", { name: "Save board" }).click();
  const form = page.getByRole("dialog", { name: "Save as board" });
  await form.getByLabel("Name", { exact: true }).fill(`Board ${mark}`);
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(`**/v/board-${mark}`);
  const tile = (s) => page.locator(`[data-tile="${s}"]`);
  for (const s of slugs.slice(0, 2)) await tile(s).locator(".uplot").waitFor();
  const asked = async (s) => new URLSearchParams(await tile(s).getAttribute("data-answer"));
  await holds(async () =>
    assert.deepEqual([(await asked(slugs[0])).get("from"), (await asked(slugs[1])).get("from")], ["-15m", null], "as saved"),
  );

  await page.getByRole("radio", { name: "Same range for all" }).click();
  await page.waitForURL("**?from=-1h");
  await page.locator("#range").click();
  await page.locator("#range-input").fill("-30m");
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (all) => all.every((s) => document.querySelector(`[data-tile="${s}"]`).dataset.answer?.includes("from=-30m")),
    slugs.slice(0, 2),
  );
  await page.reload();
  await tile(slugs[0]).locator(".uplot").waitFor();
  await holds(async () => assert.equal((await asked(slugs[0])).get("from"), "-30m", "the time is in the URL"));
  await tile(slugs[1])
    .getByRole("link", { name: `two ${mark}` })
    .click();
  await page.waitForURL(/\/explore\?/);
  assert.deepEqual(Object.fromEntries(await params(page)), { q: "tcp", from: "-30m", viz: "line" });
  await page.close();
});

test("views of a board are moved, removed, restored, and added from their page", async () => {
  const slugs = await some();
  const board = `noc-${mark}`;
  await fetch(`${base}/api/v1/views/${board}`, {
    method: "PUT",
    body: JSON.stringify({ name: `NOC ${mark}`, of: slugs.slice(0, 3), shared: true }),
  });
  const page = await open("/v/" + board);
  const shown = () => page.locator("[data-tile]").evaluateAll((all) => all.map((t) => t.dataset.tile));
  const until = (want) =>
    page.waitForFunction((w) => [...document.querySelectorAll("[data-tile]")].map((t) => t.dataset.tile).join() === w, want.join());
  await page.getByRole("button", { name: "Edit" }).click();
  const [a, b, c, d] = slugs;
  await page.getByRole("button", { name: `Move ${b} forward` }).click();
  await until([b, a, c]);
  await page.getByRole("button", { name: `Remove ${a} from` }).click();
  await until([b, c]);
  assert.deepEqual((await saved(board)).of, [b, c]);
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await until([b, a, c]);
  await page.goto(`${base}/v/${d}`);
  await page.waitForURL("**/explore?q=udp");
  await page.locator("#to-board").selectOption(board);
  await page.locator(".toast.on").waitFor();
  assert.deepEqual((await saved(board)).of, [b, a, c, d]);
  await page.goto(`${base}/v/${board}`);
  await page.getByRole("button", { name: "Edit" }).waitFor();
  assert.deepEqual(await shown(), [b, a, c, d]);
  await page.close();
});

test("a board runs two queries at once, and Esc cancels them", async () => {
  const slugs = await some();
  const page = await open("/status");
  const held = [];
  await page.route(isQuery, (route) => void held.push(route));
  const asked = (n) =>
    holds(async () => {
      assert.equal(await page.locator(".tile[aria-busy=true]").count(), 2);
      assert.equal(held.length, n);
    });
  await page.goto(`${base}/v/${slugs.join("+")}`);
  await asked(2);
  await held[0].continue();
  await page.locator(`[data-tile="${slugs[0]}"] .chart`).waitFor();
  await asked(3);
  await page.keyboard.press("Escape");
  for (const s of slugs.slice(1)) await page.locator(`[data-tile="${s}"]`).getByText("Cancelled").waitFor();
  assert.equal(held.length, 3, "the one that waited was never asked");
  await page.unroute(isQuery);
  await page.locator(`[data-tile="${slugs[3]}"]`).getByRole("button", { name: "Load" }).click();
  await page.locator(`[data-tile="${slugs[3]}"] .uplot`).waitFor();
  await page.close();
});

test("a live board refreshes automatically; a past range is not queried again", async () => {
  const [a] = await some();
  const past = "past-" + mark;
  await fetch(`${base}/api/v1/views/${past}`, {
    method: "PUT",
    body: JSON.stringify({ name: "Past", query: "from=-20m&to=-10m", shared: true }),
  });
  const page = await open(`/v/${a}+${past}`);
  await page.locator(`[data-tile="${past}"][data-answer]`).waitFor();
  const asked = [];
  page.on("request", (r) => isQuery(new URL(r.url())) && asked.push(r.url()));
  await page.locator("#refresh").selectOption("5");
  await page.waitForURL(/live=1/);
  await page.waitForRequest((r) => isQuery(new URL(r.url())));
  await page.waitForFunction(() => !document.querySelector(".tile[aria-busy=true]"));
  assert.ok(asked.length > 0 && asked.every((url) => !url.includes("to=-10m")), asked.join("\n"));
  await page.locator("#refresh").selectOption("off");
  // A tile whose query fails shows the error and keeps its chart.
  const tile = page.locator(`[data-tile="${a}"]`);
  await page.route("**/api/v1/query?**", (route) =>
    route.fulfill({ status: 400, contentType: "application/problem+json", body: '{"title":"no answer today","status":400}' }),
  );
  await page.getByRole("button", { name: /^Refresh now/ }).click();
  await tile.getByRole("alert").getByText("no answer today").waitFor();
  assert.equal(await page.locator(`[data-tile="${a}"][data-answer]`).count(), 1);
  await page.unroute("**/api/v1/query?**");
  await tile.getByRole("button", { name: "Retry" }).click();
  await tile.getByRole("alert").waitFor({ state: "detached" });
  await fetch(`${base}/api/v1/views/${past}`, { method: "DELETE" });
  await page.close();
});

test("many pinned views with long names do not widen the page", async () => {
  for (let i = 0; i < 6; i++)
    await fetch(`${base}/api/v1/views/pin-${i}-${mark}`, {
      method: "PUT",
      body: JSON.stringify({ name: `Customers of Frankfurt and Amsterdam ${i}`, query: `n=${i + 1}`, shared: true, pinned: true }),
    });
  for (const width of [390, 768, 1024, 1301, 1440]) {
    const page = await open("/views", { width });
    await page.locator(`[data-view="pin-5-${mark}"]`).waitFor();
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${width}: ${over} px too wide`);
    assert.equal((await page.locator("nav .pinned:visible").count()) > 0, width > 1300);
    await page.close();
  }
  for (let i = 0; i < 6; i++) await fetch(`${base}/api/v1/views/pin-${i}-${mark}`, { method: "DELETE" });
});

test("views: accessible in both themes, on a phone too", async () => {
  for (const [scheme, width] of [
    ["light", 1280],
    ["dark", 390],
  ]) {
    const page = await open("/views", { scheme, width });
    await page.locator("#views tbody tr").first().waitFor();
    const slugs = await some();
    for (const form of ["", "board", "form"]) {
      if (form === "board") {
        await page.goto(`${base}/v/${slugs.join("+")}`);
        await page.locator(".tile .uplot").nth(2).waitFor();
        await page.getByRole("button", { name: "Edit" }).click();
      } else if (form) {
        await page.goto(base + "/explore");
        await page.locator("#save-view").click();
        await page.locator(".save-view").waitFor();
      }
      assert.deepEqual(await violations(page, form === "form" ? "dialog[open]" : "html"), [], `${scheme} ${width} ${form}`);
    }
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${over} px too wide`);
    await page.close();
  }
});

test("no console errors", () => assert.deepEqual(here.complaints, []));
