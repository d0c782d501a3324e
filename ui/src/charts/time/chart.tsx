// The time chart, drawn by uPlot. Values are bars without gaps, because an interval is one number, not a slope to the next. A stack is
// painted from its outer edge inwards, each layer down to zero over the one before it.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { dark, zone } from "../../state/state.ts";
import { EventMarks } from "../eventmarks.tsx";
import { drawnAs, edges } from "../stack.ts";
import { BrushMenu } from "./brush.tsx";
import { columns, reachOf } from "./data.ts";
import { point, step, words } from "./keyboard.ts";
import { theme } from "./paint.ts";
import { usePlot } from "./plot.ts";
import type { Area, Brush, Hover, Props } from "./props.ts";
import { Tooltip } from "./tooltip.tsx";

const nowhere: Area = { left: 0, top: 0, width: 0, height: 0 };
const same = (a: Area, b: Area) => a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height;

export function TimeChart(given: Props) {
  const p = { ...given, viz: drawnAs(given.viz, given.result.unit) };
  const props = useRef(p);
  props.current = p;
  const [hover, setHover] = useState<Hover | null>(null);
  const [brush, setBrush] = useState<Brush | null>(null);
  const [spoken, setSpoken] = useState("");
  const [area, setArea] = useState(nowhere);
  const stacked = p.viz !== "line";
  const percent = p.viz === "stack100";
  const isDark = dark.value;
  const tz = zone.value;

  const drawn = useMemo(() => edges(p.layers, p.result.times.length, percent), [p.layers, percent]);
  const lines = useMemo(() => p.layers.map((l) => l.values.map((v) => (v === null ? null : l.side * v))), [p.layers]);
  const order = useMemo(() => p.layers.map((_, i) => i).reverse(), [p.layers]);
  const data = useMemo(() => columns(p.result, order, stacked ? drawn : lines), [drawn, lines, order, stacked]);
  const layers = p.layers.map((l) => l.id + l.series.dir + l.colour).join("\n");
  const shape = layers + stacked + percent + isDark + tz + p.result.unit + p.capacity + p.nearlyFull + p.y;
  const [host, plot] = usePlot(shape, data, () => ({
    chart: () => props.current,
    layers: p.layers,
    order,
    stacked,
    percent,
    isDark,
    tz,
    theme: theme(),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    hand: undefined,
    setHover,
    setBrush,
    setArea: (now) => setArea((old) => (same(old, now) ? old : now)),
  }));

  useEffect(() => plot.current?.redraw(false, false), [p.sel?.join()]);
  // Counters arrive after the flows and may extend the axis.
  useEffect(() => plot.current?.setData(plot.current.data, true), [p.counters]);

  const unbrush = () => {
    setBrush(null);
    plot.current?.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
  const key = (e: KeyboardEvent) => {
    const index = step(e, hover?.index, p.result.times.length);
    if (!plot.current || index === undefined) return;
    e.preventDefault();
    setHover(point(plot.current, p, index));
    setSpoken(words(p, index, tz));
  };
  const reach = (side: 1 | -1) => (percent ? undefined : reachOf(p.layers, drawn, side));
  return (
    <div class="chart" data-above={reach(1)} data-below={reach(-1)}>
      <div ref={host} class="plot" role="img" aria-label={p.summary} tabIndex={0} onKeyDown={key} onBlur={() => setHover(null)} />
      <EventMarks
        from={p.result.from}
        to={p.result.to}
        now={p.now}
        area={area}
        onZoom={p.onZoom}
        onExplain={p.onExplain}
        onLink={p.onLink}
      />
      {brush && <BrushMenu brush={brush} p={p} onDone={unbrush} />}
      {hover && !brush && <Tooltip hover={hover} plot={plot.current} p={p} percent={percent} />}
      <div class="offscreen" aria-live="polite">
        {spoken}
      </div>
    </div>
  );
}
