// The charts that are drawn without uPlot: small multiples, bars and the heat map. Fetched when one is first shown.

import { useEffect, useRef, useState } from "preact/hooks";
import type { QueryResult } from "./api.ts";
import { layerColour, seriesName } from "./chart.tsx";
import { mix } from "./colour.ts";
import { EventMarks } from "./eventmarks.tsx";
import * as fmt from "./format.ts";
import { course, groups } from "./groups.ts";
import { bucket, type Layer } from "./stack.ts";
import { copyLink, dark, highlight, link, path, show, zone } from "./state.ts";
import { absolute, clock, dayName } from "./time.ts";
import { useWidth } from "./ui.tsx";
import { type Value, ValueButton } from "./valuemenu.tsx";

interface Props {
  result: QueryResult;
  layers: Layer[];
  viz: string;
  summary: string;
  now: number;
}

export function OtherCharts(p: Props) {
  return (
    <div class={`chart viz-${p.viz}`} role="group" aria-label={p.summary}>
      {p.viz === "grid" ? <Grid {...p} /> : p.viz === "heat" ? <Heat {...p} /> : <Bars {...p} />}
    </div>
  );
}

function Name({ layer, by }: { layer: Layer; by: string[] }) {
  const s = layer.series;
  if (s.other || by.length === 0) return <span class="value">{seriesName(layer)}</span>;
  const value: Value = { by, key: s.key, label: s.label, filter: s.filter?.length ? s.filter.join(" and ") : undefined };
  return <ValueButton value={value} />;
}

const hover = (id: string) => ({ onPointerEnter: () => (highlight.value = id), onPointerLeave: () => (highlight.value = null) });

function Bars({ result, layers }: Props) {
  const list = groups(layers);
  const top = Math.max(...list.map((g) => Math.max(g.up, g.down, g.before ?? 0)), 1);
  const both = list.some((g) => g.down > 0) && list.some((g) => g.up > 0);
  const bar = (v: number, colour: string, title: string) => v > 0 && <i class="bar-fill" title={`${title}: ${fmt.value(v, result.unit)}`} style={{ width: (v / top) * 100 + "%", background: colour }} />;
  return (
    <div class={`bars ${both ? "both" : ""}`}>
      {list.map((g) => {
        const colour = layerColour(g.layer, dark.value);
        return (
          <div key={g.layer.id} class={`bar-row ${highlight.value === g.layer.id ? "on" : ""}`} data-group={g.layer.id} {...hover(g.layer.id)}>
            <Name layer={g.layer} by={result.by} />
            {both && (
              <>
                <span class="bar-number">{g.down > 0 && fmt.value(g.down, result.unit)}</span>
                <span class="bar-track left">{bar(g.down, mix(colour, dark.value ? "#14171c" : "#ffffff", 0.6), "out")}</span>
              </>
            )}
            <span class="bar-track">
              {bar(both ? g.up : g.up + g.down, colour, both ? "not out" : "average")}
              {!both && g.before !== undefined && <i class="bar-before" title={`before: ${fmt.value(g.before, result.unit)}`} style={{ left: (g.before / top) * 100 + "%" }} />}
            </span>
            <span class="bar-number">{(g.up > 0 || !both) && fmt.value(both ? g.up : g.up + g.down, result.unit)}</span>
          </div>
        );
      })}
      <p class="quiet bars-foot">Averages over the range{both ? ": out to the left, the rest to the right" : ""}. All bars have one scale.</p>
    </div>
  );
}

const cellHeight = 74;

/** The named groups: Other would set a scale beside which nothing else is seen. */
const named = (layers: Layer[]) => groups(layers).filter((g) => !g.layer.series.other);

function Grid({ result, layers }: Props) {
  const list = named(layers);
  const max = (side: number) => Math.max(0, ...list.flatMap((g) => sides(layers, g.layer.id, side).map((v) => v ?? 0)));
  const up = max(1);
  const down = max(-1);
  const span = up + down || 1;
  const zero = (up / span) * cellHeight;
  return (
    <>
      <div class="grid-cells">
        {list.map((g) => {
          const colour = layerColour(g.layer, dark.value);
          return (
            <div key={g.layer.id} class={`grid-cell ${highlight.value === g.layer.id ? "on" : ""}`} data-group={g.layer.id} {...hover(g.layer.id)}>
              <div class="grid-head">
                <Name layer={g.layer} by={result.by} />
                <span class="quiet" title="Average">
                  {fmt.value(g.up + g.down, result.unit)}
                </span>
              </div>
              <svg viewBox={`0 0 300 ${cellHeight}`} preserveAspectRatio="none" aria-hidden="true">
                <path d={area(sides(layers, g.layer.id, 1), zero, cellHeight / span)} fill={colour} />
                {down > 0 && <path d={area(sides(layers, g.layer.id, -1), zero, -cellHeight / span)} fill={colour} opacity=".6" />}
                <line x1="0" x2="300" y1={zero} y2={zero} stroke="currentColor" stroke-width="1" vector-effect="non-scaling-stroke" opacity=".35" />
              </svg>
            </div>
          );
        })}
      </div>
      <p class="quiet bars-foot">
        All have one scale: {fmt.value(up, result.unit)} above zero{down > 0 ? `, ${fmt.value(down, result.unit)} below (out)` : ""}. Other is in the table.
      </p>
    </>
  );
}

const sides = (layers: Layer[], id: string, side: number) => course(layers.filter((l) => l.side === side), id);

/** Values as steps; time that is not known leaves a gap. */
function area(values: (number | null)[], zero: number, scale: number): string {
  const w = 300 / Math.max(1, values.length);
  let d = "";
  let open = false;
  values.forEach((v, i) => {
    if (v === null) {
      if (open) d += `V${zero}Z`;
      open = false;
      return;
    }
    const y = (zero - v * scale).toFixed(1);
    d += open ? `V${y}` : `M${(i * w).toFixed(1)} ${zero}V${y}`;
    d += `H${((i + 1) * w).toFixed(1)}`;
    open = true;
  });
  return open ? d + `V${zero}Z` : d;
}

const rowHeight = 24;

function Heat({ result, layers, now }: Props) {
  const list = named(layers);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [box, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<{ x: number; row: number; index: number } | null>(null);
  const isDark = dark.value;
  const tz = zone.value;
  const rows = list.map((g) => course(layers, g.layer.id));
  const top = Math.max(...rows.flat().map((v) => v ?? 0), 0);
  const { times, step, from, to } = result;
  const x = (t: number) => ((Math.max(from, Math.min(to, t)) - from) / (to - from)) * width;
  const shade = (v: number) => mix(isDark ? "#8fd0ff" : "#123a9c", isDark ? "#191d25" : "#eef2fc", Math.sqrt(v / (top || 1)));
  useEffect(() => {
    const c = canvas.current?.getContext("2d");
    if (!c || !canvas.current || width === 0) return;
    const ratio = devicePixelRatio;
    canvas.current.width = width * ratio;
    canvas.current.height = rows.length * rowHeight * ratio;
    c.scale(ratio, ratio);
    rows.forEach((values, r) =>
      values.forEach((v, i) => {
        if (v === null) return;
        const a = Math.floor(x(times[i]) * ratio) / ratio;
        c.fillStyle = shade(v);
        c.fillRect(a, r * rowHeight, Math.ceil(x(times[i] + step) * ratio) / ratio - a, rowHeight - 2);
      }),
    );
  }, [result, layers, width, isDark]);
  const move = (e: PointerEvent) => {
    const b = (e.currentTarget as HTMLElement).getBoundingClientRect();
    const row = Math.floor((e.clientY - b.top) / rowHeight);
    const index = bucket(times, from + ((e.clientX - b.left) / b.width) * (to - from));
    setAt(rows[row] && index >= 0 ? { x: e.clientX - b.left, row, index } : null);
  };
  const labels = Math.max(2, Math.floor(width / 130));
  const ticks = Array.from({ length: labels }, (_, i) => Math.round((from + ((i + 0.5) / labels) * (to - from)) / 60) * 60);
  return (
    <>
      <div class="heat">
        <div class="heat-names">
          {list.map((g) => (
            <div key={g.layer.id} class={highlight.value === g.layer.id ? "on" : ""} data-group={g.layer.id} {...hover(g.layer.id)}>
              <Name layer={g.layer} by={result.by} />
            </div>
          ))}
        </div>
        <div class="heat-cells" ref={box} onPointerMove={move} onPointerLeave={() => setAt(null)}>
          <EventMarks from={from} to={to} now={now} area={{ left: 0, top: 0, width, height: rows.length * rowHeight }} onZoom={(a, b) => show({ from: absolute(a), to: absolute(b) })} onExplain={path.value === "/explore" ? (a, b) => show({ sel: `${a}~${b}` }) : undefined} onLink={(a, b) => void copyLink(link(location.pathname, { from: absolute(a), to: absolute(b), live: false }), "Link to this time")} />
          <canvas ref={canvas} style={{ width: "100%", height: rows.length * rowHeight + "px" }} role="img" aria-label="Heat map; the table has the numbers" />
          {at && rows[at.row] && (
            <div class="tooltip" style={at.x > width / 2 ? { left: "auto", right: width - at.x + 14 + "px", top: (at.row + 1) * rowHeight + "px" } : { left: at.x + 14 + "px", top: (at.row + 1) * rowHeight + "px" }}>
              <b>{seriesName(list[at.row].layer)}</b> {fmt.value(rows[at.row][at.index], result.unit)}
              <br />
              <span class="quiet">
                {dayName(times[at.index], tz)} {clock(times[at.index], tz, step < 3600)}
              </span>
            </div>
          )}
          <div class="heat-ticks" aria-hidden="true">
            {ticks.map((t) => (
              <span key={t} style={{ left: x(t) + "px" }}>
                {to - from > 2 * 86400 ? dayName(t, tz) : clock(t, tz)}
              </span>
            ))}
          </div>
        </div>
      </div>
      <p class="quiet bars-foot heat-scale">
        0 <i style={{ background: `linear-gradient(90deg, ${[0, 0.1, 0.25, 0.5, 0.75, 1].map((s) => `${shade(s * top)} ${s * 100}%`).join(", ")})` }} /> {fmt.value(top, result.unit)} <span>· Other is in the table</span>
      </p>
    </>
  );
}
