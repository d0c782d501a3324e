import assert from "node:assert/strict";
import { test } from "node:test";
import { elsewhere } from "../src/text/elsewhere.ts";

const names = (page?: string) =>
  elsewhere(page)
    .map((e) => e.href)
    .join(" ");

test("public addresses and ASes have external links", () => {
  assert.equal(names("/as/15169"), "https://www.peeringdb.com/asn/15169 https://stat.ripe.net/AS15169");
  assert.equal(names("/host/193.0.6.139"), "https://stat.ripe.net/193.0.6.139");
  assert.equal(names("/host/193.0.0.0/21"), "https://stat.ripe.net/193.0.0.0/21");
  assert.equal(names("/host/2001:67c:2e8::1"), "https://stat.ripe.net/2001:67c:2e8::1");
  for (const page of [
    undefined,
    "/exporters/193.0.6.139",
    "/if/193.0.6.139/3",
    "/as/0",
    "/as/64500",
    "/as/65000",
    "/as/65537",
    "/as/4200000001",
    "/as/23456",
  ])
    assert.equal(names(page), "", page);
  for (const own of [
    "10.1.2.3",
    "127.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.0/24",
    "100.64.0.1",
    "169.254.1.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "::1",
    "fd00::1",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
  ])
    assert.equal(names("/host/" + own), "", own);
  for (const other of [
    "172.32.0.1",
    "100.128.0.1",
    "100.63.0.1",
    "11.0.0.1",
    "192.0.1.1",
    "198.20.0.1",
    "223.1.1.1",
    "2001:db9::1",
    "2a00::1",
  ])
    assert.equal(elsewhere("/host/" + other).length, 1, other);
});
