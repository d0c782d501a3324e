import assert from "node:assert/strict";
import { test } from "node:test";
import { vendors } from "../src/pages/start/vendors.ts";

test("every snippet has the collector, its port and its source", () => {
  assert.ok(vendors.length >= 19);
  assert.equal(new Set(vendors.map((v) => v.id)).size, vendors.length);
  for (const v of vendors) {
    const text = v.config("198.51.100.7", "9999");
    assert.match(text, /198\.51\.100\.7/, v.id);
    assert.match(text, /9999/, v.id);
    assert.ok(v.source && v.note, v.id);
    assert.doesNotMatch(text, /undefined|\$\{/, v.id);
  }
});

test("an IPv6 address joined with a port has brackets", () => {
  for (const v of vendors) {
    const text = v.config("2001:db8::7", "9999");
    if (v.config("198.51.100.7", "9999").includes("198.51.100.7:9999")) assert.match(text, /\[2001:db8::7\]:9999/, v.id);
    else assert.doesNotMatch(text, /\[2001/, v.id);
  }
});

test("routers export IPv6 as well", () => {
  const text = (id: string) => vendors.find((v) => v.id === id)!.config("198.51.100.7", "9999");
  assert.match(text("ios-xe"), /ipv6 flow monitor NETMETA6 sampler NETMETA input/);
  assert.match(text("ios-xr"), /record ipv6/);
  assert.match(text("junos"), /family inet6 output inline-jflow/);
  assert.match(text("huawei"), /ipv6 netstream inbound/);
  assert.match(text("ipt-netflow"), /ip6tables/);
});

test("no snippet counts a packet twice", () => {
  for (const v of vendors)
    assert.doesNotMatch(
      v.config("198.51.100.7", "9999"),
      /(sampler NETMETA|netstream|sampling) (output|outbound|egress) *$|sampling output|enable-egress|netflow-sampler (tx|both)/m,
      v.id,
    );
});

test("a snippet cites the manual of its vendor", () => {
  const maker: Record<string, RegExp> = {
    "ios-xe": /^Cisco IOS XE/,
    "ios-xr": /^Cisco .*IOS XR/,
    "nx-os": /^Cisco .*NX-OS/,
    junos: /^Juniper Junos OS/,
    "junos-sflow": /^Juniper Junos OS/,
    eos: /^Arista EOS/,
    routeros: /^MikroTik RouterOS/,
    sros: /^Nokia 7750 SR/,
    huawei: /^Huawei /,
    fortigate: /^Fortinet FortiOS/,
    vyos: /^VyOS documentation/,
    opnsense: /^OPNsense documentation/,
    pfsense: /^pfSense package softflowd/,
    pmacct: /^pmacct /,
    softflowd: /^softflowd\(8\)/,
    "ipt-netflow": /^ipt_NETFLOW README/,
    ipfixprobe: /^CESNET ipfixprobe documentation/,
    hsflowd: /^sflow\.net/,
    ovs: /^Open vSwitch documentation/,
  };
  for (const v of vendors) {
    assert.match(v.source, maker[v.id] ?? /$^/, v.id);
    assert.doesNotMatch(v.source, /public configurations|akvorado/i, v.id);
  }
});
