// Export of the chart as PNG or SVG. CSV and JSON come from the server.

import type { QueryResult } from "../api/api.ts";
import { termTitle, view, zone } from "../state/state.ts";
import { duration, moments } from "../text/time.ts";

function save(name: string, data: Blob): void {
  const url = URL.createObjectURL(data);
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const ink = ["fill", "stroke", "stroke-width", "stroke-opacity", "font", "opacity", "paint-order", "stroke-linejoin", "text-anchor"];

const headLines = (r: QueryResult, now: number): string[] => [
  `Traffic${r.by.length ? " by " + r.by.map(termTitle).join(", ") : ""}${view.value.q ? `   ${view.value.q}` : ""}`,
  `${moments(r.from, zone.value, now)} – ${moments(r.to, zone.value, now)}   ${duration(r.step)} intervals   ${location.host}`,
];

export const fileName = (r: QueryResult, ending: string) =>
  `netmeta-${new Date(r.from * 1000).toISOString().slice(0, 16).replace(":", "")}-${r.by.join("-").replace(/[^\w-]+/g, "_") || "total"}.${ending}`;

/** Saves the drawing with inline colours, so that it looks the same elsewhere. */
export function saveSVG(r: QueryResult, now: number): void {
  const svg = document.querySelector<SVGSVGElement>(".sankey svg");
  if (!svg) return;
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const from = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((el, i) => {
    const style = getComputedStyle(from[i]);
    for (const k of ink) el.setAttribute(k, style.getPropertyValue(k));
  });
  const [w, h] = [svg.clientWidth, svg.clientHeight];
  const lines = headLines(r, now);
  const body = getComputedStyle(document.body);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `-16 -52 ${w + 32} ${h + 66}`);
  copy.setAttribute("width", String(w + 32));
  copy.setAttribute("height", String(h + 66));
  copy.removeAttribute("class");
  const add = (name: string, attributes: Record<string, string>, text = "") => {
    const el = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [k, v] of Object.entries(attributes)) el.setAttribute(k, v);
    el.textContent = text;
    return el;
  };
  copy.prepend(
    add("rect", { x: "-16", y: "-52", width: String(w + 32), height: String(h + 66), fill: panel() }),
    ...lines.map((l, i) =>
      add(
        "text",
        {
          x: "0",
          y: String(-30 + 19 * i),
          fill: body.color,
          "font-family": "system-ui, sans-serif",
          "font-size": String(14 - i),
          "font-weight": i === 0 ? "600" : "400",
        },
        l,
      ),
    ),
  );
  save(fileName(r, "svg"), new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
}

const panel = () => getComputedStyle(document.querySelector(".figure") ?? document.body).backgroundColor;

/** Saves the chart at double size, with a title above and the legend below. */
export async function savePNG(r: QueryResult, now: number): Promise<void> {
  const chart = document.querySelector<HTMLCanvasElement>(".figure canvas");
  if (!chart) return;
  const scale = 2;
  const width = chart.clientWidth;
  const legend = [...document.querySelectorAll<HTMLElement>(".result tr[data-series]:not(.again):not(.off)")].map((tr) => ({
    colour: tr.querySelector<HTMLElement>(".swatch-button")?.style.getPropertyValue("--swatch") ?? "",
    name: [...tr.querySelectorAll(".key")].map((k) => k.textContent).join(" · "),
  }));
  const heat = document.querySelector(".heat-names");
  const left = heat ? heat.clientWidth + 8 : 0;
  const perRow = Math.max(1, Math.floor((width + left) / 210));
  const rows = heat ? 0 : Math.ceil(legend.length / perRow);
  const out = document.createElement("canvas");
  out.width = (width + left + 32) * scale;
  out.height = (chart.clientHeight + 66 + rows * 20) * scale;
  const c = out.getContext("2d");
  if (!c) return;
  c.scale(scale, scale);
  c.fillStyle = panel();
  c.fillRect(0, 0, out.width, out.height);
  const body = getComputedStyle(document.body);
  c.textBaseline = "middle";
  const text = (s: string, x: number, y: number, font: string) => {
    c.font = `${font} ${body.fontFamily}`;
    c.fillStyle = body.color;
    c.fillText(s, x, y);
  };
  for (const [i, l] of headLines(r, now).entries()) text(l, 16, 20 + i * 19, i === 0 ? "600 14px" : "12px");
  c.drawImage(chart, 16 + left, 52, width, chart.clientHeight);
  for (const [i, el] of (heat?.querySelectorAll("[data-group]") ?? []).entries()) text(el.textContent ?? "", 16, 52 + i * 24 + 11, "12px");
  if (!heat) {
    legend.forEach((l, i) => {
      const x = 16 + (i % perRow) * 210;
      const y = 52 + chart.clientHeight + 12 + Math.floor(i / perRow) * 20;
      c.fillStyle = l.colour;
      c.fillRect(x, y - 5, 10, 10);
      text(l.name.length > 28 ? l.name.slice(0, 27) + "…" : l.name, x + 16, y, "12px");
    });
  }
  const blob = await new Promise<Blob | null>((done) => out.toBlob(done, "image/png"));
  if (blob) save(fileName(r, "png"), blob);
}
