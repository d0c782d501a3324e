// The time range on screen, and functions that move it.

import { absolute, move, resolve, zoom } from "../text/time.ts";
import { format, type View } from "../text/url.ts";
import { copyLink, go, link, refreshChoice, show, shown, view, zone } from "./state.ts";

/** The range in epoch seconds: as resolved by the server, or by the page until the server has answered. */
export function current(): { from: number; to: number; now: number } {
  const s = shown.value;
  const now = s?.now ?? Date.now() / 1000;
  const v = view.value;
  return { from: s?.from ?? resolve(v.from, now, zone.value) ?? now - 3600, to: s?.to ?? resolve(v.to, now, zone.value) ?? now, now };
}

export function shift(direction: -1 | 1): void {
  const c = current();
  show(move(c.from, c.to, direction, c.now));
}

export function zoomBy(factor: number): void {
  const c = current();
  show(zoom({ from: view.value.from, to: view.value.to }, c.from, c.to, factor, c.now));
}

/** Seconds between refreshes; live mode follows the interval. */
export function refreshSeconds(step: number): number {
  const choice = refreshChoice.signal.value;
  return choice === "auto" ? Math.min(60, Math.max(1, step / 2)) : Number(choice);
}

/** The actions of a selected range on a page with one chart; `there` is the query of the page besides the URL. */
export const doors = (there: Partial<View> = {}) => ({
  sel: undefined,
  onZoom: (a: number, b: number) => show({ from: absolute(a), to: absolute(b) }),
  onExplain: (a: number, b: number) => go(link("/explore", { ...there, sel: `${a}~${b}` })),
  onFlows: (a: number, b: number) => go("/flows?" + format({ ...view.value, ...there, by: [], from: absolute(a), to: absolute(b) })),
  onLink: (a: number, b: number) => void copyLink(link(location.pathname, { from: absolute(a), to: absolute(b) }), "Link to this time"),
  onZoomOut: () => zoomBy(2),
  onHover: () => undefined,
});

/** The link that always shows the same range: relative times become absolute. */
export function pinnedLink(): string {
  const { from, to } = current();
  return "/explore?" + format({ ...view.value, from: absolute(from), to: absolute(to), live: false });
}
