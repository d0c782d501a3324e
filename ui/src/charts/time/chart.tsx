// The time chart: uPlot draws, this decides what. Values are bars without gaps: a bucket is one number and is drawn as one, not
// as a slope to the next. A stack is painted from its outer edge inwards, each layer down to zero over the one before it.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { QueryResult, Versus } from "../../api/api.ts";
import { Icon, Popover } from "../../parts/ui.tsx";
import { eventForm } from "../../state/events.ts";
import { dark, highlight, zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { clock, dayName, duration, parts } from "../../text/time.ts";
import { grey, greyLarger, mix, palette } from "../colour.ts";
import { EventMarks } from "../eventmarks.tsx";
import { bucket, drawnAs, edges, type Layer, nearlyFull, otherID } from "../stack.ts";
import { gestures, type Hand } from "./gestures.ts";
import { curve, ticks } from "./scale.ts";

interface Props {
  result: QueryResult;
  layers: Layer[];
  viz: string;
  /** The axis of values: lin, log or sqrt, and where it ends. */
  y?: string;
  ymax?: string;
  /** One of several on a page. */
  small?: boolean;
  now: number;
  /** What can be at most, on either side: a dashed line, if the values come near it. */
  capacity?: number;
  /** Rates that are known from elsewhere, bucket by bucket: a line on either side. */
  counters?: { in: (number | null)[]; out: (number | null)[] };
  summary: string;
  /** The window that Explain is about. */
  sel: [number, number] | undefined;
  onZoom: (from: number, to: number) => void;
  onExplain: (from: number, to: number) => void;
  onFlows: (from: number, to: number) => void;
  onLink: (from: number, to: number) => void;
  onZoomOut: () => void;
  onHover: (inside: boolean) => void;
}

interface Theme {
  page: string;
  text: string;
  grid: string;
  zero: string;
  grey: string;
  accent: string;
}

function theme(): Theme {
  return dark.value
    ? { page: "#14171c", text: "#9aa1ad", grid: "#22262e", zero: "#4a505c", grey: grey.dark, accent: "#7aa2ff" }
    : { page: "#ffffff", text: "#626a78", grid: "#eceef2", zero: "#a3a9b5", grey: grey.light, accent: "#2f5fe0" };
}

export function layerColour(l: Pick<Layer, "colour">, isDark: boolean): string {
  if (l.colour >= 0) return palette[l.colour];
  return (l.colour < -1 ? greyLarger : grey)[isDark ? "dark" : "light"];
}

/** The one direction above zero that is drawn plain: "in", or the first there is. */
export const solidDir = (dirs: readonly string[]) => (dirs.includes("in") ? "in" : dirs.find((d) => d !== "out"));

/** The others that share the upper side are told apart by stripes as well as by name. */
function stripes(ctx: CanvasRenderingContext2D, colour: string, dir: string, page: string): string | CanvasPattern {
  if (dir !== "internal" && dir !== "transit" && dir !== "unknown") return colour;
  const size = 8 * devicePixelRatio;
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const c = tile.getContext("2d");
  if (!c) return colour;
  c.fillStyle = mix(colour, page, 0.55);
  c.fillRect(0, 0, size, size);
  c.strokeStyle = colour;
  c.lineWidth = size / 4;
  c.beginPath();
  if (dir === "unknown") {
    c.moveTo(0, size / 2);
    c.lineTo(size, size / 2);
  } else {
    const down = dir === "internal";
    for (const o of [-size, 0, size]) {
      c.moveTo(o, down ? 0 : size);
      c.lineTo(o + size, down ? size : 0);
    }
  }
  c.stroke();
  return ctx.createPattern(tile, "repeat") ?? colour;
}

interface Brush {
  from: number;
  to: number;
  x: number;
  y: number;
}

/** What can be done with a stretch of time. */
function BrushMenu({ brush, p, onDone }: { brush: Brush; p: Props; onDone: () => void }) {
  const tz = zone.value;
  const items: [string, string, string, (from: number, to: number) => void][] = [
    ["zoom", "Zoom", "z", p.onZoom],
    ["bulb", "Explain", "e", p.onExplain],
    ["rows", "Flows", "f", p.onFlows],
    ["link", "Copy link", "c", p.onLink],
    ["flag", "Mark event", "m", (start, end) => (eventForm.value = { start, end })],
  ];
  const run = (f: (from: number, to: number) => void) => {
    onDone();
    f(brush.from, brush.to);
  };
  const key = (e: KeyboardEvent) => {
    const item = items.find((i) => i[2] === e.key);
    const buttons = [...(e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=menuitem]")];
    const move = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (item) run(item[3]);
    else if (move) buttons[(buttons.indexOf(document.activeElement as HTMLElement) + move + buttons.length) % buttons.length]?.focus();
    else return;
    e.preventDefault();
  };
  return (
    <Popover open onClose={onDone} class="menu brush" label="This time" anchor={brush}>
      <div role="menu" aria-label="This time" class="menu-list" onKeyDown={key}>
        <div class="menu-title" role="presentation">
          <b>
            {clock(brush.from, tz, true)} – {clock(brush.to, tz, true)}
          </b>{" "}
          {duration(brush.to - brush.from)}
        </div>
        {items.map(([icon, name, letter, f]) => (
          <button key={name} type="button" role="menuitem" onClick={() => run(f)}>
            <Icon name={icon} /> {name} <kbd>{letter}</kbd>
          </button>
        ))}
      </div>
    </Popover>
  );
}

const smallHeight = 210;
const axisHeight = 42;
/** Between labels of an axis that is not linear, in pixels. */
const tickSpace = 24;

interface Hover {
  index: number;
  left: number;
  top: number;
}

const lineDash: Record<string, number[]> = { out: [6, 3], internal: [2, 3], transit: [8, 3, 2, 3], unknown: [1, 4] };

export function TimeChart(given: Props) {
  const p = { ...given, viz: drawnAs(given.viz, given.result.unit) };
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const props = useRef(p);
  props.current = p;
  const [hover, setHover] = useState<Hover | null>(null);
  const [brush, setBrush] = useState<Brush | null>(null);
  const [spoken, setSpoken] = useState("");
  const [area, setArea] = useState({ left: 0, top: 0, width: 0, height: 0 });
  const stacked = p.viz !== "line";
  const percent = p.viz === "stack100";
  const isDark = dark.value;
  const tz = zone.value;

  const drawn = useMemo(() => edges(p.layers, p.result.times.length, percent), [p.layers, percent]);
  const lines = useMemo(() => p.layers.map((l) => l.values.map((v) => (v === null ? null : l.side * v))), [p.layers]);

  // Outermost first, so that each layer is painted over the one outside it.
  const order = useMemo(() => p.layers.map((_, i) => i).reverse(), [p.layers]);
  const data = useMemo((): uPlot.AlignedData => {
    const { times, step } = p.result;
    if (times.length === 0) return [[p.result.from, p.result.to], ...order.map(() => [null, null])];
    // One point more than there are buckets: the last bucket has a width too.
    const x = [...times, times[times.length - 1] + step];
    const source = stacked ? drawn : lines;
    return [x, ...order.map((i) => [...source[i], source[i][source[i].length - 1] ?? null])];
  }, [drawn, lines, order, stacked]);

  const shape =
    p.layers.map((l) => l.id + l.series.dir + l.colour).join("\n") + stacked + percent + isDark + tz + p.result.unit + p.capacity + p.y;

  // Before the page is painted: on paper it is painted only once.
  useLayoutEffect(() => {
    const el = host.current;
    if (!el) return;
    const t = theme();
    // The layers of this shape. A later answer of the same shape has others, alike in all that is drawn from here; one of another
    // shape gets another plot, and until then this one may still be asked to paint.
    const own = p.layers;
    const fills = new Map<string, string | CanvasPattern>();
    const paint = (u: uPlot, l: Layer): string | CanvasPattern => {
      const base = layerColour(l, isDark);
      const faded = highlight.peek() !== null && highlight.peek() !== l.id;
      const key = base + l.series.dir + faded;
      let f = fills.get(key);
      if (f === undefined)
        fills.set(key, (f = stripes(u.ctx, faded ? mix(base, t.page, 0.38) : base, solid() === l.series.dir ? "" : l.series.dir, t.page)));
      return f;
    };
    const solid = () => solidDir(props.current.result.dirs);
    const unit = () => (percent ? "pct" : props.current.result.unit);
    const height = () => (props.current.small ? smallHeight : Math.max(220, Math.min(420, Math.round(innerHeight * 0.42))));
    const stepped = uPlot.paths.stepped!({ align: 1 });
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    let hand: Hand | undefined;
    // Shares of a whole are linear.
    const y = percent ? "lin" : (p.y ?? "lin");
    let bent = curve(y, 1);

    const u = new uPlot(
      {
        width: el.clientWidth,
        height: height(),
        padding: [10, 16, 0, 0],
        legend: { show: false },
        tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), tz),
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: true, y: false, setScale: false, dist: 4 },
          bind: {
            mousedown: (_u, _target, handler) => (e) => {
              if (!hand?.press(e)) handler(e);
              return null;
            },
            dblclick: () => () => {
              props.current.onZoomOut();
              return null;
            },
          },
        },
        scales: {
          x: { time: true, range: (_u, lo, hi) => (hand?.moving() ? [lo, hi] : [props.current.result.from, props.current.result.to]) },
          y: {
            ...(bent && { distr: 100 as uPlot.Scale.Distr, fwd: (v: number) => bent!.to(v), bwd: (h: number) => bent!.from(h) }),
            range: (su, lo, hi) => {
              if (hand?.moving()) return [su.scales.y.min ?? 0, su.scales.y.max ?? 1];
              const [least, most] = range(lo ?? 0, hi ?? 0);
              bent = curve(y, Math.max(most, -least));
              return [least, most];
            },
          },
        },
        axes: [
          {
            stroke: t.text,
            font,
            space: 78,
            size: axisHeight,
            gap: 7,
            grid: { show: false },
            ticks: { stroke: t.zero, width: 1, size: 5 },
            values: (_u, splits, _a, _s, incr) => {
              let day = "";
              return splits.map((s) => {
                const d = dayName(s, tz);
                if (incr >= 86400) return d;
                const first = d !== day;
                const c = clock(s, tz, incr < 60);
                const label = first ? `${c}\n${d}` : c;
                day = d;
                return label;
              });
            },
          },
          {
            stroke: t.text,
            font,
            space: 42,
            gap: 8,
            size: (_u, values) => 22 + Math.max(...(values ?? [""]).map((v) => v.length), 3) * 6.1,
            grid: { stroke: t.grid, width: 1 },
            ticks: { show: false },
            ...(bent && {
              splits: (su: uPlot, _i: number, lo: number, hi: number) =>
                ticks(bent!, lo, hi, tickSpace / Math.max(1, su.height - axisHeight)),
              filter: (_u: uPlot, splits: number[]) => splits,
            }),
            values: (_u, splits) => (bent ? splits.map((s) => fmt.axis([0, s], unit())[1]) : fmt.axis(splits, unit())),
          },
        ],
        series: [
          {},
          ...order.map((i): uPlot.Series => {
            const layer = () => own[i];
            return stacked
              ? {
                  paths: stepped,
                  points: { show: false },
                  width: 0.6,
                  stroke: t.page,
                  fill: (su) => paint(su, layer()) as string,
                  fillTo: 0,
                }
              : {
                  paths: stepped,
                  points: { show: false },
                  width: 1.6,
                  dash: lineDash[layer().series.dir],
                  stroke: () => {
                    const base = layerColour(layer(), isDark);
                    return highlight.peek() !== null && highlight.peek() !== layer().id ? mix(base, t.page, 0.3) : base;
                  },
                };
          }),
        ],
        hooks: {
          draw: [
            (su) => {
              if (!percent) besides(su, props.current, t);
              if (!percent && p.capacity) ceiling(su, props.current, t);
              overlay(su, props.current, t);
              // Where the plot lies inside the chart follows from its axes.
              const { offsetLeft: left, offsetTop: top, clientWidth: width, clientHeight: height } = su.over;
              setArea((old) =>
                old.left === left && old.top === top && old.width === width && old.height === height ? old : { left, top, width, height },
              );
            },
          ],
          setCursor: [
            (su) => {
              const { left, top } = su.cursor;
              const { result } = props.current;
              if (left === undefined || left === null || left < 0 || result.times.length === 0) {
                setHover(null);
                return;
              }
              const index = bucket(result.times, su.posToVal(left, "x"));
              if (index < 0) {
                setHover(null);
                return;
              }
              highlight.value = pick(su, index, top ?? -1);
              setHover({ index, left, top: top ?? 0 });
            },
          ],
          setSelect: [
            (su) => {
              if (su.select.width < 5) return;
              const a = su.posToVal(su.select.left, "x");
              const b = su.posToVal(su.select.left + su.select.width, "x");
              if (b - a < 1) return su.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              const box = su.over.getBoundingClientRect();
              setBrush({ from: Math.floor(a), to: Math.ceil(b), x: box.left + su.select.left + su.select.width + 8, y: box.top + 24 });
            },
          ],
        },
      },
      data,
      el,
    );
    plot.current = u;
    hand = gestures(u, {
      window: () => ({ from: props.current.result.from, to: props.current.result.to, now: props.current.now }),
      moved: (a, b) => props.current.onZoom(a, b),
    });

    /** The values at the ends of the axis, where the series reach from lo to hi. */
    function range(lo: number, hi: number): [number, number] {
      const out = props.current.layers.some((l) => l.side < 0);
      if (percent) return [out ? -100 : 0, 100];
      const cap = fmt.parseAmount(props.current.ymax ?? "");
      if (cap) return [out ? -cap : 0, cap];
      const beside = extras(props.current);
      const line = capacityOf(props.current, Math.max(hi, -lo));
      const most = (side: number) =>
        Math.max(side > 0 || out ? line : 0, ...beside.filter((e) => e.side === side).flatMap((e) => e.high.map((v) => v ?? 0)));
      const top = Math.max(hi, most(1)) * 1.06;
      const bottom = Math.min(lo, -most(-1)) * 1.06;
      return top === 0 && bottom === 0 ? [0, 1] : [bottom, top];
    }

    /** The series at a height: the layer that contains it in a stack, the nearest line otherwise. */
    function pick(su: uPlot, index: number, top: number): string | null {
      if (top < 0) return null;
      const y = su.posToVal(top, "y");
      let best: string | null = null;
      let bestDistance = Infinity;
      for (let k = 0; k < order.length; k++) {
        const v = su.data[k + 1][index] as number | null;
        if (v === null || v === undefined) continue;
        const l = own[order[k]];
        if (stacked) {
          if (l.side > 0 ? y >= 0 && y <= v && v < bestDistance : y < 0 && y >= v && -v < bestDistance) {
            best = l.id;
            bestDistance = Math.abs(v);
          }
        } else {
          const d = Math.abs(su.valToPos(v, "y") - top);
          if (d < 24 && d < bestDistance) {
            best = l.id;
            bestDistance = d;
          }
        }
      }
      return best;
    }

    const resize = new ResizeObserver(() => {
      if (el.clientWidth > 0 && (el.clientWidth !== u.width || height() !== u.height))
        u.setSize({ width: el.clientWidth, height: height() });
    });
    resize.observe(el);
    const leave = () => {
      setHover(null);
      highlight.value = null;
      props.current.onHover(false);
    };
    const enter = () => props.current.onHover(true);
    u.over.addEventListener("mouseenter", enter);
    u.over.addEventListener("mouseleave", leave);
    return () => {
      resize.disconnect();
      hand?.stop();
      u.destroy();
      plot.current = null;
      setHover(null);
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data, true);
  }, [data]);

  useEffect(() => plot.current?.redraw(false, false), [p.sel?.join()]);

  // The counters come after the flows, and the axis makes room for them.
  useEffect(() => plot.current?.setData(plot.current.data, true), [p.counters]);

  // A highlight changes colours only.
  useEffect(() => highlight.subscribe(() => plot.current?.redraw(false, false)), []);

  const unbrush = () => {
    setBrush(null);
    plot.current?.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };

  const times = p.result.times;
  const key = (e: KeyboardEvent) => {
    const u = plot.current;
    if (!u || times.length === 0 || e.ctrlKey || e.metaKey || e.altKey) return;
    const jump = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[e.key];
    if (jump === undefined) return;
    e.preventDefault();
    const at = hover ? hover.index : jump > 0 ? -1 : times.length;
    const index = Math.max(0, Math.min(times.length - 1, at + jump));
    const left = u.valToPos(Math.max(p.result.from, times[index]) + p.result.step / 2, "x");
    u.setCursor({ left: Math.max(0, Math.min(left, u.over.clientWidth - 1)), top: -1 }, false);
    setHover({ index, left, top: 0 });
    const parts = p.result.total.map((t) => `${t.dir} ${fmt.value(t.values[index], p.result.unit)}`);
    setSpoken(`${clock(times[index], tz)}: ${parts.join(", ")}`);
  };

  const edge = (side: 1 | -1) => {
    let top = 0;
    p.layers.forEach((l, i) => {
      if (l.side === side) for (const v of drawn[i]) top = Math.max(top, Math.abs(v ?? 0));
    });
    return top;
  };

  return (
    <div class="chart" data-above={percent ? undefined : edge(1)} data-below={percent ? undefined : edge(-1)}>
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

/** What is drawn over the series: the earlier window as a dashed line, the band of four weeks, the largest seconds, counters as a line. */
interface Extra {
  kind: "before" | "band" | "peak" | "counter";
  side: 1 | -1;
  high: (number | null)[];
  /** Lower edge of a band. */
  low: (number | null)[] | undefined;
  colour: string | undefined;
}

function extras(p: Props): Extra[] {
  const out: Extra[] = [];
  const one = (
    side: 1 | -1,
    s: { vs?: Versus | null; peaks?: (number | null)[] | null; values: (number | null)[] },
    colour: string | undefined,
  ) => {
    if (s.vs?.max && s.vs.min) out.push({ kind: "band", side, high: s.vs.max, low: s.vs.min, colour: undefined });
    if (s.vs?.values) out.push({ kind: "before", side, high: s.vs.values, low: undefined, colour });
    if (s.peaks) out.push({ kind: "peak", side, high: s.peaks, low: s.values, colour });
  };
  if (p.viz === "line") for (const l of p.layers) one(l.side, l.series, layerColour(l, dark.peek()));
  else {
    // Of a stack, the totals: what is above zero is one edge, whatever directions it is made of.
    for (const side of [1, -1] as const) {
      const all = p.result.total.filter((t) => (t.dir === "out") === side < 0);
      if (all.length === 0) continue;
      const add = (get: (t: (typeof all)[number]) => (number | null)[] | null | undefined) =>
        all.some(get)
          ? p.result.times.map((_, i) => all.reduce<number | null>((a, t) => (get(t)?.[i] == null ? a : (a ?? 0) + get(t)![i]!), null))
          : undefined;
      const vs = all.find((t) => t.vs)?.vs;
      one(
        side,
        {
          values: add((t) => t.values) ?? [],
          peaks: add((t) => t.peaks),
          vs: vs ? { ...vs, values: add((t) => t.vs?.values), min: add((t) => t.vs?.min), max: add((t) => t.vs?.max) } : null,
        },
        undefined,
      );
    }
  }
  if (p.counters)
    for (const [side, high] of [
      [1, p.counters.in],
      [-1, p.counters.out],
    ] as const)
      out.push({ kind: "counter", side, high, low: undefined, colour: undefined });
  return out;
}

function besides(u: uPlot, p: Props, t: Theme): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const { times, step } = p.result;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const x = (v: number) => u.valToPos(v, "x", true);
  const y = (v: number, side: number) => u.valToPos(v * side, "y", true);
  for (const e of extras(p)) {
    const ink = e.colour ?? (dark.peek() ? "#d8dce4" : "#3c4350");
    if (e.low) {
      ctx.fillStyle = e.kind === "band" ? t.text : ink;
      ctx.globalAlpha = e.kind === "band" ? 0.22 : 0.2;
      times.forEach((at, i) => {
        const hi = e.high[i];
        const lo = e.low?.[i];
        if (hi == null || lo == null) return;
        const a = Math.round(x(at));
        ctx.fillRect(a, y(hi, e.side), Math.round(x(at + step)) - a, y(lo, e.side) - y(hi, e.side));
      });
      ctx.globalAlpha = 1;
      continue;
    }
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1.4 * ratio;
    if (e.kind !== "counter") ctx.setLineDash([5 * ratio, 4 * ratio]);
    ctx.beginPath();
    let pen = false;
    times.forEach((at, i) => {
      const v = e.high[i];
      if (v == null) {
        pen = false;
        return;
      }
      if (pen) ctx.lineTo(x(at), y(v, e.side));
      else ctx.moveTo(x(at), y(v, e.side));
      ctx.lineTo(x(at + step), y(v, e.side));
      pen = true;
    });
    ctx.stroke();
    ctx.setLineDash([]);
  }
  ctx.restore();
}

/** Nearly idle lines keep their own scale: their capacity would press them to the axis. */
const nearCapacity = 0.2;

/** The capacity if it is to be in the picture, else 0. */
const capacityOf = (p: Props, top: number) => (p.capacity && top > nearCapacity * p.capacity ? p.capacity : 0);

/** The capacity as a dashed line on each side that is drawn, and a thin one where the line is nearly full. */
function ceiling(u: uPlot, p: Props, t: Theme): void {
  const { ctx, bbox } = u;
  const { min = 0, max = 0 } = u.scales.y;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = t.text;
  ctx.lineWidth = 1.2 * ratio;
  ctx.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textAlign = "left";
  for (const side of [1, -1]) {
    for (const share of [1, nearlyFull]) {
      const v = side * share * (p.capacity ?? 0);
      if (v > max || v < min || v === 0) continue;
      const y = Math.round(u.valToPos(v, "y", true)) + 0.5;
      ctx.lineWidth = (share < 1 ? 0.7 : 1.2) * ratio;
      ctx.setLineDash(share < 1 ? [2 * ratio, 3 * ratio] : [7 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.textBaseline = side > 0 ? "top" : "bottom";
      ctx.fillText(
        share < 1 ? fmt.share(share).replace(".0", "") : `speed ${fmt.value(p.capacity, p.result.unit)}`,
        bbox.left + 4 * ratio,
        y + side * 3 * ratio,
      );
    }
  }
  ctx.restore();
}

/** Over the series: the zero line, and what is not whole. Partial buckets and time without data are veiled, never drawn as zero. */
function overlay(u: uPlot, p: Props, t: Theme): void {
  const { ctx, bbox } = u;
  const r = p.result;
  const ratio = uPlot.pxRatio;
  const x = (v: number) => Math.round(Math.max(bbox.left, Math.min(bbox.left + bbox.width, u.valToPos(v, "x", true))));
  ctx.save();
  const veil = (from: number, to: number, edge: number) => {
    const a = x(from);
    const b = x(to);
    if (b - a < 1) return;
    ctx.fillStyle = t.page;
    ctx.globalAlpha = 0.6;
    ctx.fillRect(a, bbox.top, b - a, bbox.height);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = t.zero;
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x(edge) + 0.5, bbox.top);
    ctx.lineTo(x(edge) + 0.5, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
  };
  const n = r.times.length;
  if (n > 0 && r.meta.partial.first) veil(r.from, r.times[0] + r.step, r.times[0] + r.step);
  if (n > 0 && r.meta.partial.last) veil(r.times[n - 1], r.to, r.times[n - 1]);
  if (p.sel && p.sel[1] > r.from && p.sel[0] < r.to) {
    const [a, b] = p.sel.map(x);
    ctx.fillStyle = t.accent;
    ctx.globalAlpha = 0.13;
    ctx.fillRect(a, bbox.top, Math.max(2 * ratio, b - a), bbox.height);
    ctx.globalAlpha = 0.9;
    for (const e of [a, b]) ctx.fillRect(e, bbox.top, ratio, bbox.height);
    ctx.globalAlpha = 1;
  }
  const zero = Math.round(u.valToPos(0, "y", true)) + 0.5;
  if (zero >= bbox.top && zero <= bbox.top + bbox.height + 1) {
    ctx.strokeStyle = t.zero;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(bbox.left, zero);
    ctx.lineTo(bbox.left + bbox.width, zero);
    ctx.stroke();
  }
  // Which side is which, in words.
  const dirs = r.dirs.filter((d) => d !== "sum");
  if (dirs.includes("out")) {
    ctx.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textAlign = "right";
    const word = (s: string, y: number, base: CanvasTextBaseline) => {
      ctx.textBaseline = base;
      ctx.lineWidth = 3 * ratio;
      ctx.strokeStyle = t.page;
      ctx.lineJoin = "round";
      ctx.fillStyle = t.text;
      ctx.strokeText(s, bbox.left + bbox.width - 6 * ratio, y);
      ctx.fillText(s, bbox.left + bbox.width - 6 * ratio, y);
    };
    const up = dirs.filter((d) => d !== "out");
    if (up.length) word(up.join(", "), bbox.top + 4 * ratio, "top");
    word("out", bbox.top + bbox.height - 4 * ratio, "bottom");
  }
  ctx.restore();
}

const tooltipRows = 10;

function Tooltip({ hover, plot, p, percent }: { hover: Hover; plot: uPlot | null; p: Props; percent: boolean }) {
  const ref = useRef<HTMLDivElement>(null);
  const { result, layers } = p;
  const i = hover.index;
  const tz = zone.value;
  const start = result.times[i];
  const isDark = dark.value;
  useEffect(() => {
    const el = ref.current;
    if (!el || !plot) return;
    const room = plot.width;
    const x = plot.over.offsetLeft + hover.left;
    const right = x + 16 + el.offsetWidth <= room;
    el.style.left = Math.max(0, right ? x + 16 : x - 16 - el.offsetWidth) + "px";
    el.style.top = Math.max(0, Math.min(hover.top + 12, plot.height - el.offsetHeight - 8)) + "px";
  });
  if (start === undefined) return null;
  const dirs = result.dirs.filter((d) => layers.some((l) => l.series.dir === d));
  const rows = new Map<string, { layer: Layer; values: Map<string, Layer> }>();
  for (const l of layers) {
    const row = rows.get(l.id) ?? { layer: l, values: new Map<string, Layer>() };
    row.values.set(l.series.dir, l);
    rows.set(l.id, row);
  }
  const weight = (r: { values: Map<string, Layer> }) => [...r.values.values()].reduce((a, l) => a + (l.values[i] ?? 0), 0);
  const list = [...rows.values()].sort((a, b) => Number(a.layer.id === otherID) - Number(b.layer.id === otherID) || weight(b) - weight(a));
  const cell = (l: Layer | undefined) => {
    if (!l) return "";
    const v = l.values[i];
    const n = l.series.n?.[i];
    const err = n && n > 0 ? 1.96 / Math.sqrt(n) : null;
    if (v === null || v === undefined) return "–";
    return (
      <>
        {percent ? fmt.share(percentOf(l, layers, i)) : fmt.value(v, result.unit)}
        {err !== null && v > 0 && (highlight.value === l.id || list.length === 1) && (
          <small class={n! < 30 ? "weak" : ""}> {err > 1 ? "±>100 %" : fmt.error(err)}</small>
        )}
      </>
    );
  };
  // Where nothing adds up there is no total, and the one under the pointer says how it was.
  const whole = (d: string) =>
    result.total.find((t) => t.dir === d) ?? layers.find((l) => l.id === highlight.value && l.series.dir === d)?.series;
  const last = result.times.length - 1;
  const partial = (i === 0 && result.meta.partial.first) || (i === last && result.meta.partial.last);
  const sameDay = parts(start, tz).day === parts(result.to, tz).day;
  return (
    <div ref={ref} class="tooltip" role="presentation">
      <div class="tooltip-head">
        <b>
          {sameDay ? "" : dayName(start, tz) + " "}
          {clock(start, tz, result.step < 3600)} – {clock(start + result.step, tz, result.step < 3600)}
        </b>
        {partial && <span class="tag">partial</span>}
      </div>
      <table>
        {dirs.length > 1 && (
          <thead>
            <tr>
              <th />
              {dirs.map((d) => (
                <th key={d}>{d}</th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {list.slice(0, tooltipRows).map(({ layer, values }) => (
            <tr key={layer.id} class={highlight.value === layer.id ? "on" : ""}>
              <th>
                <i class="swatch" style={{ background: layerColour(layer, isDark) }} />
                {seriesName(layer)}
              </th>
              {dirs.map((d) => (
                <td key={d}>{cell(values.get(d))}</td>
              ))}
            </tr>
          ))}
          {list.length > tooltipRows && (
            <tr>
              <th>{list.length - tooltipRows} more</th>
            </tr>
          )}
        </tbody>
        {!percent && (result.by.length > 0 || result.vs) && (
          <tfoot>
            {result.total.length > 0 && (
              <tr>
                <th>Total</th>
                {dirs.map((d) => (
                  <td key={d}>{fmt.value(whole(d)?.values[i], result.unit)}</td>
                ))}
              </tr>
            )}
            {p.counters && (
              <tr class="aside">
                <th>Counters</th>
                {dirs.map((d) => (
                  <td key={d}>{fmt.value(p.counters?.[d === "out" ? "out" : "in"][i], result.unit)}</td>
                ))}
              </tr>
            )}
            {(["vs", "peaks"] as const).map(
              (what) =>
                dirs.some((d) => whole(d)?.[what]) && (
                  <tr key={what} class="aside">
                    <th>{what === "vs" ? "Before" : "Peak, 1 s"}</th>
                    {dirs.map((d) => {
                      const t = whole(d);
                      return <td key={d}>{fmt.value((what === "vs" ? t?.vs?.values : t?.peaks)?.[i], result.unit)}</td>;
                    })}
                  </tr>
                ),
            )}
          </tfoot>
        )}
      </table>
    </div>
  );
}

function percentOf(l: Layer, layers: Layer[], i: number): number {
  const all = layers.reduce((a, o) => a + (o.side === l.side ? (o.values[i] ?? 0) : 0), 0);
  return all > 0 ? (l.values[i] ?? 0) / all : 0;
}

export function seriesName(l: Pick<Layer, "series">): string {
  const s = l.series;
  return s.larger ? "Larger" : s.other ? "Other" : s.label.length ? s.label.join(" · ") : `Total ${s.dir === "sum" ? "" : s.dir}`.trim();
}
