// Flows, exporters, hosts, ASes and status on a running server: the screen is compared with the API. Skipped without a server.
import assert from "node:assert/strict";
import { after, before, test as plain } from "node:test";
import { given, holds, params, site, violations } from "./site.mjs";

const base = given;
const test = (name, f) => plain(name, { skip: base ? false : "needs a server" }, f);
let here;

before(async () => {
  if (base) here = await site({ width: 1280, height: 860 });
});
after(() => here?.close());

const open = (path, options) => here.open(base + path, options);

const get = async (path) => {
  const res = await fetch(base + path);
  assert.equal(res.status, 200, path);
  return res;
};
const json = async (path) => (await get(path)).json();

/** A fixed range with records. */
async function past(seconds = 120) {
  const { storage } = await json("/api/v1/status");
  const to = storage.newest - 60;
  return { from: to - seconds, to };
}

/** A rate in the format of the page: 25.2 Gb/s. */
function threeDigits(v) {
  const i = Math.max(0, Math.floor(Math.log10(Math.abs(v) * 1.0005) / 3));
  return `${(Math.abs(v) / 1000 ** i).toPrecision(3)} ${["", "k", "M", "G", "T"][i]}b/s`;
}

const isFlows = (r) => r.url().includes("/api/v1/flows?") && r.status() === 200;

test("flows: the rows are the records of the API, in its order", async () => {
  const w = await past();
  const api = await json(`/api/v1/flows?from=${w.from}&to=${w.to}&q=tcp&limit=20`);
  assert.ok(api.rows > 10);
  const page = await open(`/flows?q=tcp&from=${w.from}&to=${w.to}&tz=utc`);
  await page.locator("#records tbody tr td").first().waitFor();
  const values = (name) => api.values[api.columns.findIndex((c) => c.column === name)].map(String);
  const cells = async (name) => (await page.locator(`#records td[data-column=${name}]`).allInnerTexts()).slice(0, 20);
  for (const name of ["SrcAddr", "DstAddr", "SrcPort"]) assert.deepEqual(await cells(name), values(name), name);
  // Exporters and interfaces are shown by name, with the number as tooltip.
  const { interfaces } = await json("/api/v1/interfaces");
  const of = values("ExporterAddress").map((e, i) => interfaces.find((x) => x.exporter === e && String(x.index) === values("InIf")[i]));
  await page.locator("#records td[data-column=InIf]").getByText(of[0].interface, { exact: true }).first().waitFor();
  await holds(async () => {
    assert.deepEqual(
      await cells("InIf"),
      of.map((x) => x.interface),
    );
    assert.deepEqual(
      await cells("ExporterAddress"),
      of.map((x) => x.name),
    );
  });
  assert.equal(await page.locator("#records td[data-column=InIf] button").first().getAttribute("title"), values("InIf")[0]);
  // ASes are shown by number and name, in full in the tooltip; and no column overflows.
  const as = values("SrcAS").map((n) => [n, api.as_names[n]].filter(Boolean).join(" "));
  assert.ok(Object.keys(api.as_names).length > 0);
  assert.deepEqual(await cells("SrcAS"), as);
  assert.equal(await page.locator("#records td[data-column=SrcAS] button").first().getAttribute("title"), as[0]);
  await page.setViewportSize({ width: 1440, height: 860 });
  await holds(async () => {
    const [seen, whole] = await page.locator(".record-list").evaluate((e) => [e.clientWidth, e.scrollWidth]);
    assert.ok(whole <= seen, `${whole} of ${seen} pixels`);
  });
  await page.close();
});

test("flows: scrolling loads page after page, without gaps and without drawing all", async () => {
  const w = await past(300);
  const page = await open(`/flows?from=${w.from}&to=${w.to}`);
  await page.locator("#records tbody tr td").first().waitFor();
  for (let i = 0; i < 3; i++) {
    const more = page.waitForResponse(isFlows);
    await page.locator(".record-list").evaluate((e) => (e.scrollTop = e.scrollHeight));
    await more;
    await page.waitForFunction((n) => Number(document.querySelector("#loaded").textContent.replace(/,/g, "")) >= n, 200 * (i + 2));
  }
  const api = await json(`/api/v1/flows?from=${w.from}&to=${w.to}&limit=1000`);
  const src = api.columns.findIndex((c) => c.column === "SrcAddr");
  await holds(async () => {
    assert.ok((await page.locator("#records tbody tr").count()) < 120, "only what is in sight is drawn");
    const last = page.locator("#records tbody tr[aria-rowindex]").last();
    const at = Number(await last.getAttribute("aria-rowindex")) - 2;
    assert.equal(await last.locator("td[data-column=SrcAddr]").innerText(), api.values[src][at]);
  });
  await page.close();
});

test("flows: oldest first, other columns, the same from the URL, Back undoes", async () => {
  const w = await past();
  const page = await open(`/flows?from=${w.from}&to=${w.to}`);
  const time = page.locator("#records th[aria-sort] .sort");
  await time.waitFor();
  const turned = page.waitForResponse((r) => isFlows(r) && r.url().includes("order=asc"));
  await time.click();
  const body = await (await turned).json();
  assert.ok(body.values[0][0] <= body.values[0].at(-1));
  await page.locator("#columns").click();
  const added = page.waitForResponse((r) => isFlows(r) && r.url().includes("IPTTL"));
  await page.locator("input[data-column=IPTTL]").check();
  await added;
  await page.locator("#records td[data-column=IPTTL]").first().waitFor();
  await page.reload();
  await page.locator("#records td[data-column=IPTTL]").first().waitFor();
  assert.equal(await page.locator("#records th[aria-sort]").getAttribute("aria-sort"), "ascending");
  await page.goBack();
  await page.waitForFunction(() => !location.search.includes("order=asc"));
  await page.close();
});

test("flows: a head sorts by its column, by keyboard too; the same from the URL; a record of it is found; the file follows", async () => {
  const w = await past(300);
  const page = await open(`/flows?from=${w.from}&to=${w.to}`);
  const head = page.locator("#records th[data-column=Bytes]");
  await head.waitFor();
  const sorted = (sort) => page.waitForResponse((r) => isFlows(r) && r.url().includes("sort=" + sort));
  const largest = sorted("-Bytes");
  await head.locator(".sort").focus();
  await page.keyboard.press("Enter");
  await largest;
  await page.locator("#records th[data-column=Bytes][aria-sort=descending]").waitFor();
  assert.match(await head.innerText(), /↓/);
  await page.waitForFunction((k) => document.querySelector("#records").dataset.answer.includes(k), "sort=-Bytes");
  const more = sorted("-Bytes");
  await page.locator(".record-list").evaluate((e) => (e.scrollTop = e.scrollHeight));
  await more;
  await page.waitForFunction(() => Number(document.querySelector("#loaded").textContent.replace(/,/g, "")) >= 400);
  const api = await json(`/api/v1/flows?from=${w.from}&to=${w.to}&limit=1000&sort=-Bytes`);
  const bytes = api.values[api.columns.findIndex((c) => c.column === "Bytes")];
  assert.deepEqual(
    bytes,
    [...bytes].sort((a, b) => b - a),
  );
  const at = await holds(async () => {
    const last = page.locator("#records tbody tr[aria-rowindex]").last();
    const i = Number(await last.getAttribute("aria-rowindex")) - 2;
    assert.equal(Number((await last.locator("td[data-column=Bytes]").innerText()).replace(/,/g, "")), bytes[i]);
    return i;
  });

  const row = page.locator(`#records tbody tr[aria-rowindex="${at - 8}"]`);
  const source = await row.locator("td[data-column=SrcAddr]").innerText();
  await row.locator("td button").first().click();
  await page.locator(".details").getByText("record type", { exact: true }).waitFor();
  assert.ok((await page.locator(".details").innerText()).includes(source));
  await page.keyboard.press("Escape");
  await page.locator("#export").click();
  const href = await page.getByRole("menuitem", { name: /CSV/ }).getAttribute("href");
  assert.match(href, /sort=-Bytes/);
  await page.keyboard.press("Escape");

  const smallest = sorted("Bytes");
  await head.locator(".sort").click();
  await smallest;
  await page.locator("#records th[data-column=Bytes][aria-sort=ascending]").waitFor();
  await page.reload();
  await page.locator("#records th[data-column=Bytes][aria-sort=ascending]").waitFor();
  await page.goBack();
  await page.locator("#records th[data-column=Bytes][aria-sort=descending]").waitFor();
  await page.locator("#tail").click();
  await page.waitForFunction(() => location.search.includes("live=1") && !location.search.includes("sort="));
  await page.close();
});

test("flows: an expensive order needs confirmation", async () => {
  const page = await open("/explore?from=-1h");
  await page.evaluate(() => localStorage.setItem("dear-rows", "1"));
  await page.goto(base + "/flows?from=-30m&sort=-Bytes");
  await page.locator(".notice.cost").waitFor();
  const asked = page.waitForResponse((r) => isFlows(r) && r.url().includes("sort=-Bytes"));
  await page.locator(".notice.cost").getByRole("button", { name: "Run" }).click();
  await asked;
  await page.locator("#records tbody tr td").first().waitFor();
  await page.evaluate(() => localStorage.removeItem("dear-rows"));
  await page.close();
});

test("flows: one record has every column, and a value narrows the list", async () => {
  const w = await past();
  const page = await open(`/flows?from=${w.from}&to=${w.to}`);
  const row = page.locator("#records tbody tr").nth(4);
  const source = await row.locator("td[data-column=SrcAddr]").innerText();
  await row.locator("td button").first().click();
  const details = page.locator(".details");
  await details.getByText("record type", { exact: true }).waitFor(); // not a column of the list
  assert.ok((await details.innerText()).includes(source));
  const narrowed = page.waitForResponse((r) => isFlows(r) && r.url().includes("q="));
  await details.getByRole("button", { name: source, exact: true }).click();
  await page.getByRole("menuitem", { name: "Filter to this" }).click();
  const body = await (await narrowed).json();
  const src = body.columns.findIndex((c) => c.column === "SrcAddr");
  assert.ok(body.rows > 0 && body.values[src].every((x) => x === source));
  assert.equal(await page.evaluate(() => location.pathname), "/flows");
  await page.close();
});

test("flows: the export has the records of the API", async () => {
  const w = await past(30);
  const q = "udp src port 53 or udp dst port 53";
  const page = await open(`/flows?q=${encodeURIComponent(q)}&from=${w.from}&to=${w.to}`);
  await page.locator("#loaded").waitFor();
  await page.locator("#export").click();
  const href = await page.getByRole("menuitem", { name: /CSV/ }).getAttribute("href");
  const lines = (await (await get(href)).text()).trim().split("\r\n");
  const api = await json(`/api/v1/flows?q=${encodeURIComponent(q)}&from=${w.from}&to=${w.to}&limit=10000`);
  assert.equal(lines.length, api.rows + 1);
  const column = lines[0].split(",").findIndex((n) => n.replace(/"/g, "") === "SrcAddr");
  const i = api.columns.findIndex((c) => c.column === "SrcAddr");
  assert.deepEqual(
    lines.slice(1).map((l) => l.split(",")[column].replace(/"/g, "")),
    api.values[i],
  );
  const more = await page.getByRole("menuitem", { name: /JSON/ }).getAttribute("href");
  assert.equal((await (await get(more)).text()).trim().split("\n").length, api.rows);
  await page.close();
});

test("flows: the live tail continues automatically and stops on request", async () => {
  const page = await open("/flows?from=-5m&live=1");
  const a = await (await page.waitForResponse(isFlows)).json();
  const b = await (await page.waitForResponse(isFlows)).json();
  assert.ok(b.to > a.to);
  await page.locator("#tail").click();
  await page.waitForFunction(() => !location.search.includes("live"));
  await page.close();
});

test("exporters: each with its numbers; its page; back", async () => {
  const { exporters } = await json("/api/v1/exporters");
  const page = await open("/exporters");
  await page.locator(".exporter").first().waitFor();
  await holds(async () => assert.equal(await page.locator(".exporter").count(), exporters.length));
  const e = exporters[0];
  const row = page.locator(`[data-exporter="${e.address}"]`).first();
  if (e.sampling_rate > 1) assert.match(await row.innerText(), new RegExp("1:" + e.sampling_rate.toLocaleString("en-US")));
  await row.locator("a").first().click();
  await page.waitForURL(`**/exporters/${e.address}`);
  await page.locator("[aria-label^=Health]").first().waitFor();
  await page.locator("#interfaces tbody tr").first().waitFor();
  const samplings = exporters.filter((x) => x.address === e.address).flatMap((x) => x.samplings ?? []).length;
  await holds(async () => assert.equal(await page.locator("#samplings tbody tr").count(), samplings));
  await page.locator(".entity .uplot").waitFor();
  await page.goBack();
  await page.locator("#exporters").waitFor();
  await page.close();
});

test("exporters and their interfaces are found by name; an unknown name is reported", async () => {
  const e = (await json("/api/v1/exporters")).exporters.find((x) => x.name);
  const page = await open(`/exporters/${e.name}?from=-5m`);
  await page.waitForURL(`**/exporters/${e.address}?from=-5m`);
  await page.locator("[aria-label^=Health]").first().waitFor();
  await page.goto(`${base}/if/${e.name}/3`);
  await page.waitForURL(`**/if/${e.address}/3`);
  await page.goto(`${base}/exporters/nobody`);
  await page.getByText("No exporter with this name").waitFor();
  assert.equal(await page.getByText("has not sent anything").count(), 0);
  await page.close();
});

test("an unknown address is reported, with the next step", async () => {
  const page = await open("/nowhere");
  await page.getByRole("heading", { name: "No such page" }).waitFor();
  await page.goto(base + "/s/nothing");
  await page.getByRole("heading", { name: "No such link" }).waitFor();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Flows" }).click();
  await page.locator("#records tbody tr td").first().waitFor();
  await page.close();
});

test("a page that cannot be loaded is reported, with the next step", async () => {
  const page = await open("/flows?from=-5m");
  await page.locator("#loaded").waitFor();
  await page.route("**/assets/*.js", (route) => route.fulfill({ status: 404 }));
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Status" }).click();
  await page.getByRole("alert").getByText("Could not load this page").waitFor();
  await page.unroute("**/assets/*.js");
  await page.getByRole("button", { name: "Reload page" }).click();
  await page.locator(".pipeline").waitFor();
  await page.close();
});

test("the overview reports no all-clear without data", async () => {
  const page = await open("/?from=-15m");
  const attention = page.locator("[aria-label='What needs attention']");
  await page.locator("[data-overview=whole]").waitFor();
  const known = await attention.innerText();
  await page.route("**/api/v1/interfaces?**", (route) =>
    route.fulfill({ status: 400, contentType: "application/problem+json", body: '{"title":"no","status":400}' }),
  );
  await page
    .getByRole("button", { name: /^Refresh/ })
    .first()
    .click();
  await attention.getByText("Some data could not be loaded").waitFor();
  assert.equal(await attention.getByText("Nothing needs attention").count(), 0);
  await page.unroute("**/api/v1/interfaces?**");
  await page
    .getByRole("button", { name: /^Refresh/ })
    .first()
    .click();
  await attention.getByText("Some data could not be loaded").waitFor({ state: "detached" });
  await holds(async () => assert.equal((await attention.innerText()).split("\n")[0], known.split("\n")[0]));
  await page.close();
});

test("a server that does not answer is reported; the content stays, and is loaded again when the server is back", async () => {
  const { exporters } = await json("/api/v1/exporters");
  const pages = [
    ["/if?from=-15m", "#interfaces .link-row", "/api/v1/interfaces?"],
    [`/exporters/${exporters[0].address}?from=-15m`, ".entity .uplot", "/api/v1/query?"],
    ["/host/203.0.113.0%2F24?from=-15m", ".entity .facts", "/api/v1/query?"],
    ["/views", "[aria-label='Saved views']", "/api/v1/views"],
    ["/v/none+nothing", ".tile", "/api/v1/query?"],
  ];
  await Promise.all(
    pages.map(async ([path, known, asks]) => {
      const page = await open(path);
      await page.locator(known).first().waitFor();
      await page.route("**/healthz", (route) => route.fulfill({ status: 404 }));
      const notice = page.getByRole("alert").getByText("NetMeta does not answer; retrying.");
      await notice.waitFor();
      assert.equal(await notice.count(), 1, path);
      assert.ok(await page.locator(known).first().isVisible(), path);
      const again = path.startsWith("/v/") ? undefined : page.waitForResponse((r) => r.url().includes(asks) && r.status() === 200);
      await page.unroute("**/healthz");
      await again;
      await notice.waitFor({ state: "detached" });
      await page.close();
    }),
  );
});

test("interfaces: the numbers of the API, busiest first; the page of one; back", async () => {
  const { from, to } = await past(300);
  const { interfaces } = await json(`/api/v1/interfaces?from=${from}&to=${to}`);
  const page = await open(`/if?from=${from}&to=${to}`);
  const rows = page.locator("#interfaces .link-row");
  await rows.first().waitFor();
  assert.equal(await rows.count(), Math.min(200, interfaces.length));
  const use = (i) => Math.max(i.in.use_p95 ?? -1, i.out.use_p95 ?? -1);
  const first = interfaces.reduce((a, b) => (use(b) > use(a) ? b : a));
  assert.equal(await rows.first().getAttribute("data-link"), `${first.exporter}#${first.index}`);
  assert.match(await rows.first().innerText(), new RegExp((use(first) * 100).toFixed(use(first) < 0.9995 ? 1 : 0) + "%"));
  // The filter box matches all words, in any of the names.
  await page.getByLabel("Filter interfaces").fill(`${first.name ?? first.exporter} ${first.interface ?? "if " + first.index}`);
  await holds(async () => assert.ok((await rows.count()) < interfaces.length && (await rows.count()) > 0));
  await rows.first().locator("a b").click();
  await page.waitForURL(`**/if/${first.exporter}/${first.index}?*`);
  await page.locator(".entity .uplot").waitFor();
  // The chart has received traffic above zero and sent traffic below, regardless of the direction of records.
  const of = (side) =>
    json(
      `/api/v1/query?q=exporter+%3D+${first.exporter}+and+${side}.if+%3D+${first.index}&by=remote.as&n=8&dir=sum&layer=l2&px=400&from=${from}&to=${to}`,
    );
  const chart = page.locator(".entity .chart");
  for (const [side, attribute] of [
    ["in", "data-above"],
    ["out", "data-below"],
  ]) {
    const { total } = await of(side);
    const top = Math.max(0, ...(total[0]?.values ?? []));
    await holds(async () => {
      const drawn = await chart.getAttribute(attribute);
      assert.ok(Math.abs(Number(drawn) - top) <= 0.005 * top + 1, `${side}: ${drawn} of ${top}`);
    });
    // Both queries have the same average.
    assert.ok(
      Math.abs((total[0]?.avg ?? 0) - first[side].avg) <= 1e-6 * first[side].avg,
      `${side}: ${total[0]?.avg} and ${first[side].avg}`,
    );
  }
  await page.locator("[aria-label=Utilisation] dl").first().waitFor();
  assert.match(await page.locator("[aria-label=Utilisation]").innerText(), /95th percentile/);
  await page.goBack();
  await rows.first().waitFor();
  await page.close();
});

test("interfaces are sorted by their headers, and a third click restores the order", async () => {
  const { from, to } = await past(300);
  const page = await open(`/if?from=${from}&to=${to}`);
  const rows = page.locator("#interfaces .link-row");
  await rows.first().waitFor();
  const order = () => rows.evaluateAll((list) => list.map((e) => e.dataset.link));
  const before = await order();
  const { interfaces } = await json(`/api/v1/interfaces?from=${from}&to=${to}`);
  const sent = new Map(interfaces.map((i) => [`${i.exporter}#${i.index}`, i.out.avg]));
  const head = page.locator("#interfaces thead tr").nth(1).getByRole("columnheader", { name: "Avg" }).nth(1);
  for (const [how, sign] of [
    ["descending", -1],
    ["ascending", 1],
  ]) {
    await head.getByRole("button").click();
    await holds(async () => {
      assert.equal(await head.getAttribute("aria-sort"), how);
      const got = (await order()).map((link) => sent.get(link));
      assert.deepEqual(
        got,
        [...got].sort((a, b) => sign * (a - b)),
      );
    });
  }
  await head.getByRole("button").click();
  await holds(async () => {
    assert.equal(await head.getAttribute("aria-sort"), null);
    assert.deepEqual(await order(), before);
  });
  await page.close();
});

test("the page of an interface: coverage in the head, the device's counters with the flows, the week in words", async () => {
  const { from, to } = await past(300);
  const { interfaces } = await json(`/api/v1/interfaces?from=${from}&to=${to}`);
  const one = interfaces.find((i) => i.in.counter !== null && i.in.avg > 0);
  assert.ok(one, "a device that sends counters");
  const { counters, times, weeks } = await json(`/api/v1/interfaces/${one.exporter}/${one.index}?from=${from}&to=${to}&px=400`);
  assert.equal(counters.in.length, times.length);
  const known = counters.in.filter((v) => v !== null);
  assert.ok(known.length > 0);
  // The counters of the list are from the same readings.
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  assert.ok(Math.abs(mean / one.in.counter - 1) < 0.15, `${mean} and ${one.in.counter}`);
  const page = await open(`/if/${one.exporter}/${one.index}?from=${from}&to=${to}`);
  await page.locator(".counter-line").waitFor();
  await page.locator("[aria-label=Utilisation] dl").first().waitFor();
  if (one.in.coverage !== null)
    await page.locator("[aria-label=Utilisation] h2", { hasText: `coverage received ${one.in.coverage.toFixed(2)}` }).waitFor();
  // The tooltip has the counters below the total.
  await page.locator(".entity .plot").focus();
  await page.keyboard.press("Home");
  await page.locator(".tooltip").getByText("Counters").waitFor();
  if (weeks) assert.match((await page.locator("[aria-label=Week] svg").first().getAttribute("aria-label")) ?? "", /Mon: /);
  // Counters do not apply to a part of the traffic.
  await page.goto(`${base}/if/${one.exporter}/${one.index}?from=${from}&to=${to}&q=tcp`);
  await page.locator(".entity .uplot").waitFor();
  assert.equal(await page.locator(".counter-line").count(), 0);
  await page.close();
});

test("percent of the speed: lines of interfaces, and the remedy without an interface", async () => {
  const { from, to } = await past(300);
  const page = await open(`/explore?unit=pct&by=in.if&from=${from}&to=${to}`);
  await page.locator(".uplot").first().waitFor();
  assert.equal(await page.locator("tr.total").count(), 0);
  // Comparison and peaks, as for other units.
  await page.locator("#vs").selectOption("prev");
  await page.locator("#agg").selectOption("peak");
  await page.waitForURL(/vs=prev&agg=peak/);
  for (const name of ["Δ", "Peak 1 s"]) await page.getByRole("columnheader", { name }).waitFor();
  await page.locator(".plot").focus();
  await page.keyboard.press("Home");
  await page.locator(".tooltip").waitFor();
  assert.equal(await page.locator(".tooltip").getByText("Total", { exact: true }).count(), 0);
  await page.goto(`${base}/explore?unit=pct&from=${from}&to=${to}`);
  await page.getByText("write by=in.if or by=out.if").first().waitFor();
  await page.close();
});

test("the menu of an interface opens its page", async () => {
  const page = await open("/exporters");
  await page.goto(base + "/as/64500?from=-5m");
  await page.locator("[aria-label='Input interface name'] .value").first().click();
  await page.getByRole("menuitem", { name: "Open page" }).click();
  await page.waitForURL(/\/if\/[^/]+\/\d+/);
  await page.locator(".entity .uplot").waitFor();
  await page.close();
});

test("overview: the numbers of the API, what needs attention, and a link from each", async () => {
  const { from, to } = await past(1200);
  const page = await open(`/?from=${from}&to=${to}`);
  await page.locator("[data-overview=whole]").waitFor();
  const total = await json(`/api/v1/query?from=${from}&to=${to}&px=400`);
  assert.equal(await page.locator(".tell").count(), total.total.filter((t) => t.total > 0).length);
  for (const t of total.total) {
    const text = await page.locator(`.tell[data-dir=${t.dir}]`).innerText();
    for (const n of [t.last, t.avg, t.max]) assert.ok(text.includes(threeDigits(n)), `${t.dir}: ${threeDigits(n)} in ${text}`);
  }
  // One hour is stored, so 20 min are compared with the previous 20 min, drawn as the dashed line.
  const changes = await json(`/api/v1/query?from=${from}&to=${to}&by=remote.as&n=6&dir=sum&rank=delta&px=10&vs=prev`);
  const rows = page.locator("[aria-label='Biggest changes'] tr");
  const most = changes.series.filter((s) => !s.other).sort((a, b) => Math.abs(b.vs.delta) - Math.abs(a.vs.delta));
  for (const [i, s] of most.entries()) {
    const text = await rows.nth(i).innerText();
    assert.ok(
      text.includes(s.label[0]) && text.includes((s.vs.delta < 0 ? "−" : "+") + threeDigits(s.vs.delta)),
      `${text} is not ${JSON.stringify(s.label)} ${s.vs.delta}`,
    );
  }
  const { interfaces } = await json(`/api/v1/interfaces?from=${from}&to=${to}`);
  const use = (i) => Math.max(i.in.use_p95 ?? -1, i.out.use_p95 ?? -1);
  const [fullest] = [...interfaces].sort((a, b) => use(b) - use(a));
  const line = page.locator("[aria-label='Busiest interfaces'] tr").first();
  assert.ok((await line.innerText()).includes(fullest.interface));
  await line.getByRole("link").click();
  await page.waitForURL(`**/if/${fullest.exporter}/${fullest.index}*`);
  await page.goBack();
  await page.locator("[data-overview=whole]").waitFor();
  await page.locator("[aria-label=Top] button.value").first().click();
  await page.getByRole("menuitem", { name: "Filter to this" }).click();
  await page.waitForURL(/\/\?.*q=/);
  await page.locator("[data-overview=whole]").waitFor();
  assert.equal((await params(page)).get("from"), String(from), "the time stays");
  await page.close();
});

test("host, prefix and AS: traffic, parts, records", async () => {
  const { facets } = await json("/api/v1/facets?facets=dst.ip,src.as&from=-15m");
  const host = facets[0].values[0].key[0];
  const as = facets[1].values.find((v) => v.key[0] !== "0").key[0];
  for (const [path, title] of [
    ["/host/" + host, host],
    ["/as/" + as, "AS" + as],
    ["/host/198.18.0.0/15", "198.18.0.0/15"],
  ]) {
    const answered = here.context.waitForEvent("response", { predicate: (r) => r.url().includes("/api/v1/facets?") });
    const page = await open(path + "?from=-15m");
    const body = await (await answered).json();
    await page.locator(".entity .uplot").waitFor();
    await page.locator(".part").first().waitFor();
    // The owner is next to it, for a prefix only if all of it has one owner.
    const called = body.facets
      .find((f) => f.by[0] === "src.as")
      .values.find((x) => x.key[0] === as)
      ?.label[0].slice(2 + as.length)
      .trim();
    if (path.startsWith("/as/") && called) await page.locator("h1 small").getByText(called).waitFor();
    if (path === "/host/" + host) await page.locator("h1 small").getByText(/AS\d+/).waitFor();
    assert.ok((await page.locator("h1").innerText()).startsWith(title));
    await holds(async () => {
      assert.match(await page.title(), new RegExp(title.replace(/[.[\]/]/g, "\\$&")));
      assert.equal(await page.locator(".part").count(), body.facets.filter((f) => f.values.length).length);
    });
    assert.ok((await page.locator(".part").first().innerText()).includes(body.facets.find((f) => f.values.length).values[0].label[0]));
    await page.close();
  }
});

test("the columns of the newest records fit on a screen of 1440 pixels", async () => {
  const page = await open("/as/2906?from=-15m", { width: 1440 });
  const list = page.locator("[aria-label='Newest records, scrollable']");
  await list.locator("td[data-column=DstAS]").first().waitFor();
  await holds(async () => {
    const [seen, whole] = await list.evaluate((e) => [e.clientWidth, e.scrollWidth]);
    assert.ok(whole <= seen, `${whole} of ${seen} pixels`);
  });
  assert.match((await list.locator("td[data-column$=AS]").allInnerTexts()).join("\n"), /\b2906\b/);
  await page.close();
});

test("drill-down: from a host to its records and back", async () => {
  const { facets } = await json("/api/v1/facets?facets=dst.ip&from=-15m");
  const host = facets[0].values[0].key[0];
  const page = await open(`/host/${host}?from=-15m`);
  await page.getByRole("link", { name: "All records" }).click();
  await page.waitForURL("**/flows?**");
  await page.locator("#records tbody tr td").first().waitFor();
  assert.ok((await page.locator("#filter").inputValue()).includes(host));
  await page.goBack();
  await page.locator(".entity .uplot").waitFor();
  await page.close();
});

test("status: the stages, and a query that is cancelled", async () => {
  const page = await open("/status");
  for (const stage of ["udp", "decode", "enrich", "queue", "spool", "store"])
    await page.locator(`[data-stage=${stage}]`, { hasText: /\d/ }).waitFor();
  // Keep the store busy with a query over all data that no rollup can answer.
  const stop = new AbortController();
  let over = false;
  const tag = "e2e-" + process.pid;
  const busy = (async () => {
    while (!over)
      await fetch(base + "/api/v1/flows?from=-24h&limit=1000000&format=csv&columns=all", {
        signal: stop.signal,
        headers: { "Query-Tag": tag },
      })
        .then((r) => r.text())
        .catch(() => undefined);
  })();
  try {
    const mine = page.locator("#queries tr", { hasText: tag }).first();
    await mine.waitFor();
    const ended = page.waitForResponse((r) => r.request().method() === "DELETE");
    await mine.getByRole("button", { name: "Cancel" }).click();
    assert.ok([204, 404].includes((await ended).status()));
    await page.getByText(/Query cancelled|Query had already finished/).waitFor();
  } finally {
    over = true;
    stop.abort();
    await busy;
  }
  await page.close();
});

test("keys: g and a letter open the pages, with filter and range", async () => {
  const page = await open("/flows?q=tcp&from=-10m");
  await page.locator("#loaded").waitFor();
  for (const [key, path] of [
    ["x", "/exporters"],
    ["s", "/status"],
    ["f", "/flows"],
    ["e", "/explore"],
  ]) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.waitForURL(`**${path}*`);
  }
  await page.goto(base + "/flows?q=tcp&from=-10m");
  await page.locator("#loaded").waitFor();
  await page.getByRole("link", { name: "Explore", exact: true }).click();
  await page.waitForURL("**/explore?q=tcp&from=-10m");
  await page.close();
});

const pages = [
  "/?from=-5m",
  "/flows?from=-5m",
  "/exporters",
  "/if?from=-5m",
  "/status",
  "/start",
  "/as/64500?from=-5m",
  "/help/filter",
  "/help/api",
];
const ready =
  "main > .scroll, main > details > summary, [data-overview=whole], #records tbody tr td, .exporter, .link-row, .pipeline, .listener, .part";

/** The page of the interface with the most traffic. */
async function busiest() {
  const { interfaces } = await json("/api/v1/interfaces?from=-5m");
  return `/if/${interfaces[0].exporter}/${interfaces[0].index}?from=-5m`;
}

test("axe finds nothing, in both themes", async () => {
  const found = [];
  for (const scheme of ["light", "dark"]) {
    const page = await open("/status", { scheme });
    for (const [i, path] of [...pages, await busiest()].entries()) {
      if (process.env.SHORT && i % 2 === (scheme === "dark" ? 1 : 0)) continue; // each page in one theme
      await page.goto(base + path);
      await page.locator(ready).first().waitFor();
      found.push(...(await violations(page)).map((v) => `${path} ${scheme}: ${v}`));
    }
    await page.close();
  }
  assert.deepEqual(found, []);
});

test("a phone scrolls down only", async () => {
  const page = await open("/status", { width: 360, height: 740 });
  for (const path of [...pages, await busiest()]) {
    await page.goto(base + path);
    await page.locator(ready).first().waitFor();
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${path}: ${over} px too wide`);
  }
  await page.close();
});

test("no errors on these pages", () => assert.deepEqual(here.complaints, []));
