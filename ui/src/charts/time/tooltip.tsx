// The values of all series in the interval under the pointer.

import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Series, Total } from "../../api/api.ts";
import { dark, highlight, zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { clock, dayName, parts } from "../../text/time.ts";
import { type Layer, layerColour, otherID, seriesName } from "../stack.ts";
import type { Hover, Props } from "./props.ts";

const mostRows = 10;

interface TooltipProps {
  hover: Hover;
  plot: uPlot | null;
  p: Props;
  percent: boolean;
}

export function Tooltip({ hover, plot, p, percent }: TooltipProps) {
  const ref = useRef<HTMLDivElement>(null);
  const { result, layers } = p;
  const i = hover.index;
  const isDark = dark.value;
  useEffect(() => {
    if (ref.current && plot) place(ref.current, plot, hover);
  });
  if (result.times[i] === undefined) return null;
  const dirs = result.dirs.filter((d) => layers.some((l) => l.series.dir === d));
  const rows = rowsOf(layers, i);
  const cell = (l: Layer | undefined) => {
    if (!l) return "";
    const v = l.values[i];
    if (v === null || v === undefined) return "–";
    const n = l.series.n?.[i] ?? 0;
    const told = n > 0 && v > 0 && (highlight.value === l.id || rows.length === 1);
    return (
      <>
        {percent ? fmt.share(shareOf(l, layers, i)) : fmt.value(v, result.unit)}
        {told && <ErrorOf n={n} />}
      </>
    );
  };
  return (
    <div ref={ref} class="tooltip" role="presentation">
      <Head p={p} i={i} />
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
          {rows.slice(0, mostRows).map(({ layer, values }) => (
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
          {rows.length > mostRows && (
            <tr>
              <th>{rows.length - mostRows} more</th>
            </tr>
          )}
        </tbody>
        {!percent && (result.by.length > 0 || result.vs) && <Foot p={p} i={i} dirs={dirs} />}
      </table>
    </div>
  );
}

/** Places the tooltip next to the pointer, on the side with room. */
function place(el: HTMLElement, plot: uPlot, { left, top }: Hover): void {
  const x = plot.over.offsetLeft + left;
  const right = x + 16 + el.offsetWidth <= plot.width;
  el.style.left = Math.max(0, right ? x + 16 : x - 16 - el.offsetWidth) + "px";
  el.style.top = Math.max(0, Math.min(top + 12, plot.height - el.offsetHeight - 8)) + "px";
}

interface Row {
  layer: Layer;
  /** By direction. */
  values: Map<string, Layer>;
}

/** The groups in an interval, largest first, Other last. */
function rowsOf(layers: Layer[], i: number): Row[] {
  const rows = new Map<string, Row>();
  for (const l of layers) {
    const row = rows.get(l.id) ?? { layer: l, values: new Map<string, Layer>() };
    row.values.set(l.series.dir, l);
    rows.set(l.id, row);
  }
  const weight = (r: Row) => [...r.values.values()].reduce((a, l) => a + (l.values[i] ?? 0), 0);
  return [...rows.values()].sort((a, b) => Number(a.layer.id === otherID) - Number(b.layer.id === otherID) || weight(b) - weight(a));
}

/** The share of a layer in its side. */
function shareOf(l: Layer, layers: Layer[], i: number): number {
  const all = layers.reduce((a, o) => a + (o.side === l.side ? (o.values[i] ?? 0) : 0), 0);
  return all > 0 ? (l.values[i] ?? 0) / all : 0;
}

/** The error of n samples, with 95% confidence. */
function ErrorOf({ n }: { n: number }) {
  const err = 1.96 / Math.sqrt(n);
  return <small class={n < 30 ? "weak" : ""}> {err > 1 ? "±>100%" : fmt.error(err)}</small>;
}

function Head({ p: { result }, i }: { p: Props; i: number }) {
  const tz = zone.value;
  const { times, step, to, meta } = result;
  const partial = (i === 0 && meta.partial.first) || (i === times.length - 1 && meta.partial.last);
  const sameDay = parts(times[i], tz).day === parts(to, tz).day;
  return (
    <div class="tooltip-head">
      <b>
        {sameDay ? "" : dayName(times[i], tz) + " "}
        {clock(times[i], tz, step < 3600)} – {clock(times[i] + step, tz, step < 3600)}
      </b>
      {partial && <span class="tag">incomplete</span>}
    </div>
  );
}

/** The total, and the values drawn in addition to the series. */
function Foot({ p, i, dirs }: { p: Props; i: number; dirs: string[] }) {
  const { result, layers, counters } = p;
  // Values that do not add up have no total; the series under the pointer has the earlier values.
  const whole = (d: string): Total | Series | undefined =>
    result.total.find((t) => t.dir === d) ?? layers.find((l) => l.id === highlight.value && l.series.dir === d)?.series;
  const cells = (value: (d: string) => number | null | undefined) => dirs.map((d) => <td key={d}>{fmt.value(value(d), result.unit)}</td>);
  return (
    <tfoot>
      {result.total.length > 0 && (
        <tr>
          <th>Total</th>
          {cells((d) => whole(d)?.values[i])}
        </tr>
      )}
      {counters && (
        <tr class="aside">
          <th>Counters</th>
          {cells((d) => counters[d === "out" ? "out" : "in"][i])}
        </tr>
      )}
      {dirs.some((d) => whole(d)?.vs) && (
        <tr class="aside">
          <th>Before</th>
          {cells((d) => whole(d)?.vs?.values?.[i])}
        </tr>
      )}
      {dirs.some((d) => whole(d)?.peaks) && (
        <tr class="aside">
          <th>Peak, 1 s</th>
          {cells((d) => whole(d)?.peaks?.[i])}
        </tr>
      )}
    </tfoot>
  );
}
