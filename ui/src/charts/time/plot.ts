// The plot in a chart: created for a shape, reused while later results have the same shape.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { highlight } from "../../state/state.ts";
import type { Drawing } from "./drawing.ts";
import { gestures } from "./gestures.ts";
import { options } from "./options.ts";

const smallHeight = 210;
const heightOf = (d: Drawing) => (d.chart().small ? smallHeight : Math.max(220, Math.min(420, Math.round(innerHeight * 0.42))));

/** Creates the plot in an element; `stop` removes it. */
function draw(el: HTMLElement, d: Drawing, data: uPlot.AlignedData): { plot: uPlot; stop: () => void } {
  const u = new uPlot(options(d, el.clientWidth, heightOf(d)), data, el);
  d.hand = gestures(u, {
    window: () => ({ from: d.chart().result.from, to: d.chart().result.to, now: d.chart().now }),
    moved: (from, to) => d.chart().onZoom(from, to),
  });
  const resize = new ResizeObserver(() => {
    if (el.clientWidth > 0 && (el.clientWidth !== u.width || heightOf(d) !== u.height))
      u.setSize({ width: el.clientWidth, height: heightOf(d) });
  });
  resize.observe(el);
  u.over.addEventListener("mouseenter", () => d.chart().onHover(true));
  u.over.addEventListener("mouseleave", () => {
    d.setHover(null);
    highlight.value = null;
    d.chart().onHover(false);
  });
  const stop = () => {
    resize.disconnect();
    d.hand?.stop();
    u.destroy();
    d.setHover(null);
  };
  return { plot: u, stop };
}

/** Draws `data` in the element of `host`, with a new plot when the shape changes. */
export function usePlot(
  shape: string,
  data: uPlot.AlignedData,
  drawing: () => Drawing,
): [RefObject<HTMLDivElement | null>, RefObject<uPlot | null>] {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);

  // Before the page is painted, because printing paints only once.
  useLayoutEffect(() => {
    if (!host.current) return;
    const made = draw(host.current, drawing(), data);
    plot.current = made.plot;
    return () => {
      made.stop();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data, true);
  }, [data]);

  // A highlight changes colours only.
  useEffect(() => highlight.subscribe(() => plot.current?.redraw(false, false)), []);

  return [host, plot];
}
