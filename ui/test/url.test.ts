import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { defaults, format, notMet, parse, request, type View } from "../src/text/url.ts";

// Every line is a URL that a user may have saved. Its meaning must never change: entries are added, not edited.
interface Case {
  url: string;
  /** The differences from the defaults. */
  view: Partial<View>;
  /** The canonical form. */
  canonical: string;
}

const file = (import.meta as unknown as { root: string }).root + "/testdata/urls.json";
const cases = JSON.parse(readFileSync(file, "utf8")) as Case[];

function difference(v: View): Partial<View> {
  const d = defaults();
  return Object.fromEntries(Object.entries(v).filter(([k, x]) => JSON.stringify(x) !== JSON.stringify(d[k as keyof View])));
}

if (process.env.UPDATE) {
  const lines = cases.map((c) => JSON.stringify({ url: c.url, view: difference(parse(c.url)), canonical: format(parse(c.url)) }));
  writeFileSync(file, "[\n" + lines.join(",\n") + "\n]\n");
}

test("saved URLs keep their meaning", () => {
  assert.ok(cases.length >= 60, `only ${cases.length} URLs`);
  for (const c of cases) {
    const v = parse(c.url);
    assert.deepEqual(difference(v), c.view, c.url);
    assert.equal(format(v), c.canonical, c.url);
    assert.deepEqual(parse("?" + c.canonical), v, "reading back " + c.canonical);
    assert.equal(format(parse(c.canonical)), c.canonical, "a canonical URL is its own form: " + c.canonical);
  }
});

test("every state survives its URL", () => {
  let seed = 1;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are plain characters
  const alphabet = "aZ09 +&=%?#/,:;@[]()<>\"'\\|~^${}é東🙂\n\t.-_*!`";
  const word = () => Array.from({ length: 1 + random(12) }, () => [...alphabet][random([...alphabet].length)]).join("");
  for (let i = 0; i < 2000; i++) {
    const v = defaults();
    v.q = word();
    v.by = [...new Set([word().replace(/[,\s]/g, "x"), word().replace(/[,\s]/g, "y")])];
    v.hide = [word(), word()];
    v.ymax = word();
    v.n = 1 + random(50);
    v.live = random(2) === 1;
    v.extra = [["x" + word(), word()]];
    assert.deepEqual(parse("?" + format(v)), v);
    // The standard parser, as on the server, reads the same values.
    const p = new URLSearchParams(format(v));
    assert.equal(p.get("q"), v.q);
    assert.equal(p.get("by"), v.by.join(","));
  }
});

test("a number of a URL that is limited is reported", () => {
  const f = (url: string, ...want: string[]) => assert.deepEqual(notMet(url, parse(url)), want);
  f("?n=99&skip=5000", "n=99 is shown as n=50", "skip=5000 is shown as skip=1000");
  f("?n=many&by=src.as", "n=many is shown as n=12");
  f("?n=0", "n=0 is shown as n=12");
  f("?n=50&skip=1000");
  f("?n=&q=n=99");
  f("");
});

test("requests contain only keys that affect the result", () => {
  const f = (url: string, want: string) => assert.equal(request(parse(url), "Europe/Berlin", 500), want);
  f("", "tz=Europe/Berlin&px=500");
  f("?viz=line&live=1&hide=a&y=log&foo=1&sel=1~2", "tz=Europe/Berlin&px=500");
  f("?by=src.as&skip=12", "by=src.as&tz=Europe/Berlin&skip=12&px=500");
  f("?by=ts:1h,src.as&viz=heat", "by=src.as&tz=Europe/Berlin&step=3600&px=500");
  f("?by=ts:1d&viz=heat", "by=ts:1d&tz=Europe/Berlin&n=50&px=500");
  f("?by=ts:1h,src.as&viz=table", "by=ts:1h,src.as&tz=Europe/Berlin&px=500");
  f("?q=port+53&by=src.as&from=-6h&n=5&tz=utc", "q=port+53&by=src.as&from=-6h&tz=utc&n=5&px=500");
});
