// A new sender is ignored, accepted and undone, on the pages and on the server.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { after, before, test as plain } from "node:test";
import { given, holds, site, violations } from "./site.mjs";

const test = (name, f) => plain(name, { skip: given ? false : "needs a server" }, f);
let here;
before(async () => {
  if (given) here = await site({ answers: [409] });
});
after(() => here?.close());

const status = async () => (await fetch(here.base + "/api/v1/status")).json();

/** The sender: a loopback address that nothing else uses. */
const stranger = `127.77.${1 + Math.floor(Math.random() * 250)}.${1 + Math.floor(Math.random() * 250)}`;

/** Sends NetFlow v9 headers without a set, which are accepted without errors. */
async function send(count) {
  const { listeners } = await status();
  const before = listeners.reduce((a, l) => a + l.datagrams, 0);
  const header = Buffer.alloc(20);
  header.writeUInt16BE(9, 0);
  header.writeUInt32BE(Math.floor(Date.now() / 1000), 8);
  const socket = createSocket("udp4");
  await new Promise((bound) => socket.bind(0, stranger, bound));
  for (let i = 0; i < count; i++) {
    header.writeUInt32BE(i, 12);
    await new Promise((sent) => socket.send(header, Number(listeners[0].addr.split(":").pop()), "127.0.0.1", sent));
  }
  socket.close();
  await holds(async () => assert.ok((await status()).listeners.reduce((a, l) => a + l.datagrams, 0) >= before + count));
}

test("a new sender is asked about, ignored, and accepted again", async () => {
  const page = await here.open(here.base + "/start");
  await send(3);
  const row = page.locator("#new li", { hasText: stranger });
  await row.waitFor();
  assert.deepEqual(await violations(page), []);

  // An ignored sender leaves the list at once; its datagrams are dropped and counted.
  await row.getByRole("button", { name: `Ignore ${stranger}` }).click();
  const ignored = page.locator(`[data-ignored="${stranger}"]`);
  await ignored.waitFor();
  await row.waitFor({ state: "detached" });
  await send(2);
  await page.locator(`[data-ignored="${stranger}"]`, { hasText: /since .*; 2 datagrams dropped since start, last / }).waitFor();
  await holds(async () => {
    const s = await status();
    assert.ok(!s.exporters.some((e) => e.address === stranger));
    assert.ok(s.ignored.some((x) => x.address === stranger && x.datagrams === 2));
  });

  // The Exporters page and its own page show it as ignored. Undo reverts the last decision.
  await page.goto(here.base + "/exporters");
  await ignored.getByRole("button", { name: `Accept ${stranger}` }).click();
  await page.locator(`[data-exporter="${stranger}"]`).waitFor();
  await holds(async () => assert.equal((await status()).exporters.find((e) => e.address === stranger).standing, "accepted"));
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await ignored.waitFor();
  await page.goto(`${here.base}/exporters/${stranger}`);
  await page
    .locator(".notice", { hasText: "Ignored since" })
    .getByRole("button", { name: `Accept ${stranger}` })
    .click();

  // An accepted exporter is no longer asked about on Start.
  await page.locator(`[data-ignored="${stranger}"]`).waitFor({ state: "detached" });
  await page.goto(here.base + "/start");
  await page.locator("#known").evaluate((d) => (d.open = true));
  await page.locator("#known li", { hasText: stranger }).waitFor();
  assert.equal(await row.count(), 0);
  const { exporters } = await status();
  assert.equal(exporters.find((e) => e.address === stranger).standing, "accepted");
  await page.close();
});

test("a sender in the configuration cannot be ignored", async () => {
  const named = (await status()).exporters.find((e) => e.standing === "named");
  const page = await here.open(here.base + "/exporters/" + named.address);
  await page.locator(".health").first().waitFor();
  assert.equal(await page.locator(".decide").count(), 0);
  const answer = await page.evaluate(async (a) => {
    const res = await fetch("/api/v1/senders", { method: "POST", body: JSON.stringify({ addresses: [a], decision: "ignore" }) });
    return [res.status, (await res.json()).detail];
  }, named.address);
  assert.equal(answer[0], 409);
  assert.match(answer[1], /the sender is configured/);
  await page.close();
});

test("no errors on these pages", () => assert.deepEqual(here.complaints, []));
