// Gestures of a time chart: Shift+drag moves it, Ctrl+wheel zooms at the pointer, and on touch screens a long press starts a selection.
// (uPlot itself selects with the mouse.) The drawing moves at once; the query follows when the gesture ends.

import type uPlot from "uplot";

interface Moves {
  /** The range on screen, and the server's clock, after which nothing is shown. */
  window: () => { from: number; to: number; now: number };
  moved: (from: number, to: number) => void;
}

export interface Hand {
  /** Whether a gesture is active. It then sets the range, and the vertical scale stays. */
  moving: () => boolean;
  /** Handles a mouse press that moves the chart; false: not handled. */
  press: (e: MouseEvent) => boolean;
  stop: () => void;
}

const restMS = 250;
const pressMS = 400;
/** The movement, in pixels, that a resting finger may have. */
const tremble = 10;
/** The minimum range, in seconds. */
const shortest = 10;

/** Shifts a range, which ends now at the latest. */
export function shifted(from: number, to: number, by: number, now: number): [number, number] {
  const d = Math.min(by, Math.max(0, now - to));
  return [from + d, to + d];
}

/** Scales a range around a moment in it; it ends now at the latest. */
export function scaled(from: number, to: number, at: number, factor: number, now: number): [number, number] {
  const f = Math.max(factor, shortest / (to - from));
  return [at - (at - from) * f, Math.min(Math.max(now, to), at + (to - at) * f)];
}

export function gestures(u: uPlot, m: Moves): Hand {
  let moving = false;
  const move = (on: boolean) => u.root.classList.toggle("moving", (moving = on));
  const draw = ([min, max]: [number, number]) => u.setScale("x", { min, max });
  const tell = () => {
    const { min = 0, max = 0 } = u.scales.x;
    move(false);
    const w = m.window();
    if (Math.abs(min - w.from) >= 1 || Math.abs(max - w.to) >= 1) m.moved(Math.round(min), Math.round(max));
    else draw([w.from, w.to]);
  };

  const press = (e: MouseEvent): boolean => {
    if (!e.shiftKey || e.button !== 0) return false;
    const { from, to, now } = m.window();
    const perPixel = (to - from) / u.over.clientWidth;
    move(true);
    const drag = (d: MouseEvent) => draw(shifted(from, to, (e.clientX - d.clientX) * perPixel, now));
    const end = () => {
      removeEventListener("mousemove", drag);
      removeEventListener("mouseup", end);
      tell();
    };
    addEventListener("mousemove", drag);
    addEventListener("mouseup", end);
    return true;
  };

  let rest = 0;
  const wheel = (e: WheelEvent) => {
    if (!e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    move(true);
    const { min = 0, max = 0 } = u.scales.x;
    const factor = Math.max(0.5, Math.min(2, Math.exp(e.deltaY * 0.002)));
    draw(scaled(min, max, u.posToVal(e.offsetX, "x"), factor, m.window().now));
    clearTimeout(rest);
    rest = window.setTimeout(tell, restMS);
  };

  // Touch: until the long press, the page scrolls as usual.
  let origin: { x: number; y: number; left: number } | null = null;
  let selecting = false;
  let timer = 0;
  const lift = () => {
    clearTimeout(timer);
    origin = null;
    selecting = false;
  };
  const left = (e: PointerEvent) => Math.max(0, Math.min(u.over.clientWidth, e.clientX - u.over.getBoundingClientRect().left));
  const down = (e: PointerEvent) => {
    lift();
    if (e.pointerType === "mouse" || !e.isPrimary) return;
    origin = { x: e.clientX, y: e.clientY, left: left(e) };
    timer = window.setTimeout(() => {
      selecting = true;
      navigator.vibrate?.(12);
      u.setSelect({ left: origin?.left ?? 0, top: 0, width: 2, height: u.over.clientHeight }, false);
    }, pressMS);
  };
  const slide = (e: PointerEvent) => {
    if (!origin) return;
    if (!selecting) {
      if (Math.hypot(e.clientX - origin.x, e.clientY - origin.y) > tremble) lift();
      return;
    }
    const at = left(e);
    u.setSelect({ left: Math.min(origin.left, at), top: 0, width: Math.abs(at - origin.left), height: u.over.clientHeight }, false);
  };
  const up = () => {
    const chosen = selecting;
    lift();
    if (chosen) u.setSelect(u.select, true); // as after a drag with the mouse
  };
  const stay = (e: Event) => selecting && e.preventDefault();

  const events: [string, (e: never) => void][] = [
    ["pointerdown", down],
    ["pointermove", slide],
    ["pointerup", up],
    ["pointercancel", lift],
    ["touchmove", stay],
    ["contextmenu", stay],
    ["wheel", wheel],
  ];
  for (const [name, f] of events) u.over.addEventListener(name, f as EventListener, { passive: false });
  return {
    moving: () => moving,
    press,
    stop: () => {
      clearTimeout(rest);
      lift();
      for (const [name, f] of events) u.over.removeEventListener(name, f as EventListener);
    },
  };
}
