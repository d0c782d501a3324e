import "./browser.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { headerOf, type SavedView } from "../src/api/api.ts";
import * as saved from "../src/state/saved.ts";
import { go } from "../src/state/state.ts";

const view = (v: Partial<SavedView>): SavedView => ({
  slug: "x",
  name: "X",
  description: "",
  page: "explore",
  query: "",
  of: [],
  shared: true,
  pinned: false,
  owner: "",
  provisioned: false,
  source: "",
  updated: 0,
  ...v,
});

test("the address of a view, with the overrides of a link", () => {
  const f = (v: Partial<SavedView>, search: string, want: string) => assert.equal(saved.addressOf(view(v), search), want);
  f({ query: "by=src.as&q=tcp&from=-6h" }, "", "/explore?q=tcp&by=src.as&from=-6h");
  f({ query: "by=src.as&q=tcp&from=-6h" }, "?from=-7d&to=-1d", "/explore?q=tcp&by=src.as&from=-7d&to=-1d");
  f({ query: "q=tcp" }, "q=udp+port+53", "/explore?q=udp+port+53");
  f({ query: "" }, "", "/explore");
  f({ page: "host/10.0.0.0/8", query: "unit=pps" }, "", "/host/10.0.0.0/8?unit=pps");
  f({ of: ["a", "b"], slug: "noc" }, "from=-1d", "/v/noc?from=-1d");
  f({ query: "q=tcp&later=1" }, "", "/explore?q=tcp&later=1");
});

test("slugs are those of the server", () => {
  const f = (name: string, want: string) => assert.equal(saved.slugOf(name), want);
  f("Traffic of our CDN!", "traffic-of-our-cdn");
  f("  a  ", "a");
  f("Zürich 10G", "z-rich-10g");
  f("x".repeat(70), "x".repeat(64));
  f("!?", "");
  assert.ok(saved.slugForm.test("a") && saved.slugForm.test("a-1") && !saved.slugForm.test("-a") && !saved.slugForm.test("A"));
});

test("pinned views first, then own, shared, and those of the configuration", () => {
  const list = [
    view({ slug: "p", name: "p", provisioned: true }),
    view({ slug: "s", name: "s", owner: "bob" }),
    view({ slug: "z", name: "z", provisioned: true, pinned: true }),
    view({ slug: "b", name: "b", owner: "ann" }),
    view({ slug: "a", name: "a", owner: "ann" }),
  ];
  assert.equal(
    saved
      .ordered(list, "ann")
      .map((v) => v.slug)
      .join(" "),
    "z a b s p",
  );
});

test("the current view, and whether it was changed", () => {
  const f = (to: string, want: string) => {
    go(to);
    const c = saved.current.value;
    assert.equal(c ? c.view.slug + (c.changed ? " changed" : "") : "none", want, to);
  };
  saved.savedViews.value = [
    view({ slug: "tcp", query: "by=src.as&q=tcp" }),
    view({ slug: "udp", query: "q=udp" }),
    view({ slug: "list", page: "flows", query: "q=tcp" }),
    view({ slug: "net", page: "host/10.0.0.0/8" }),
  ];
  f("/explore?q=icmp", "none");
  f("/explore?q=tcp&by=src.as", "tcp");
  f("/explore?q=tcp&by=src.as&live=1", "tcp");
  f("/explore?q=tcp&by=dst.as", "tcp changed");
  f("/explore?q=udp", "udp");
  f("/explore?q=udp&n=5", "udp changed");
  f("/flows?q=tcp", "list");
  f("/host/10.0.0.0/8", "net");
  f("/explore?q=udp&n=5", "none");
  f("/explore?q=udp", "udp");
  f("/explore", "udp changed");
  saved.leave();
  assert.equal(saved.current.value, null);
  f("/status", "none");
});

test("a name is encoded for a header", () => {
  assert.equal(headerOf("Ann Lee"), "Ann Lee");
  assert.equal(headerOf("Łukasz"), "%C5%81ukasz");
  assert.equal(headerOf("100%"), "100%25");
});
