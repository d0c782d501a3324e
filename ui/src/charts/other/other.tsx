// The charts without uPlot: small multiples and bars; the heat map is in heat/. Loaded when first shown.

import type { QueryResult } from "../../api/api.ts";
import { groupOf, openValue, type Value } from "../../parts/valuemenu.tsx";
import { dark, highlight } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { mix } from "../colour.ts";
import { course, groups } from "../groups.ts";
import { Heat } from "../heat/heat.tsx";
import { has, hover, Name, type Props } from "../name.tsx";
import { type Layer, layerColour } from "../stack.ts";

export function OtherCharts(p: Props) {
  return (
    <div class={`chart viz-${p.viz}`} role="group" aria-label={p.summary}>
      {p.viz === "grid" ? <Grid {...p} /> : p.viz === "heat" ? <Heat {...p} /> : <Bars {...p} />}
    </div>
  );
}

function Bars({ result, layers }: Props) {
  const list = groups(layers);
  const top = Math.max(...list.map((g) => Math.max(g.up, g.down, g.before ?? 0)), 1);
  const both = list.some((g) => g.down > 0) && list.some((g) => g.up > 0);
  const bar = (v: number, colour: string, title: string) =>
    v > 0 && (
      <i class="bar-fill" title={`${title}: ${fmt.value(v, result.unit)}`} style={{ width: (v / top) * 100 + "%", background: colour }} />
    );
  return (
    <div class={`bars ${both ? "both" : ""}`}>
      {list.map((g) => {
        const colour = layerColour(g.layer, dark.value);
        const door = has(g.layer, result.by)
          ? { "data-opens": true, onClick: (e: MouseEvent) => openValue(e, groupOf(g.layer.series, result.by)) }
          : {};
        return (
          <div
            key={g.layer.id}
            class={`bar-row ${highlight.value === g.layer.id ? "on" : ""}`}
            data-group={g.layer.id}
            {...hover(g.layer.id)}
          >
            <Name layer={g.layer} by={result.by} />
            {both && (
              <>
                <span class="bar-number">{g.down > 0 && fmt.value(g.down, result.unit)}</span>
                <span class="bar-track left" {...door}>
                  {bar(g.down, mix(colour, dark.value ? "#14171c" : "#ffffff", 0.6), "out")}
                </span>
              </>
            )}
            <span class="bar-track" {...door}>
              {bar(both ? g.up : g.up + g.down, colour, both ? "not out" : "average")}
              {!both && g.before !== undefined && (
                <i
                  class="bar-before"
                  title={`before: ${fmt.value(g.before, result.unit)}`}
                  style={{ left: (g.before / top) * 100 + "%" }}
                />
              )}
            </span>
            <span class="bar-number">{(g.up > 0 || !both) && fmt.value(both ? g.up : g.up + g.down, result.unit)}</span>
          </div>
        );
      })}
      <p class="quiet bars-foot">
        Averages over the range{both ? ", out to the left, the rest to the right" : ""}. All bars share one scale.
      </p>
    </div>
  );
}

const cellHeight = 74;

/** The groups without Other, which would dominate the scale. */
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
            <div
              key={g.layer.id}
              class={`grid-cell ${highlight.value === g.layer.id ? "on" : ""}`}
              data-group={g.layer.id}
              {...hover(g.layer.id)}
            >
              <div class="grid-head">
                <Name layer={g.layer} by={result.by} />
                <span class="quiet" title="Average">
                  {fmt.value(g.up + g.down, result.unit)}
                </span>
              </div>
              <svg
                data-opens={has(g.layer, result.by)}
                onClick={(e) => has(g.layer, result.by) && openValue(e, inBucket(e, result, groupOf(g.layer.series, result.by)))}
                viewBox={`0 0 300 ${cellHeight}`}
                preserveAspectRatio="none"
                aria-hidden="true"
              >
                <path d={area(sides(layers, g.layer.id, 1), zero, cellHeight / span)} fill={colour} />
                {down > 0 && <path d={area(sides(layers, g.layer.id, -1), zero, -cellHeight / span)} fill={colour} opacity=".6" />}
                <line
                  x1="0"
                  x2="300"
                  y1={zero}
                  y2={zero}
                  stroke="currentColor"
                  stroke-width="1"
                  vector-effect="non-scaling-stroke"
                  opacity=".35"
                />
              </svg>
            </div>
          );
        })}
      </div>
      <p class="quiet bars-foot">
        All charts share one scale: {fmt.value(up, result.unit)} above zero{down > 0 ? `, ${fmt.value(down, result.unit)} below (out)` : ""}
        . Other is in the table.
      </p>
    </>
  );
}

/** A value with the range of the clicked interval. */
function inBucket(e: MouseEvent, r: QueryResult, value: Value): Value {
  const box = (e.currentTarget as Element).getBoundingClientRect();
  const i = Math.min(r.times.length - 1, Math.floor(((e.clientX - box.left) / box.width) * r.times.length));
  const from = r.times[i];
  return i < 0 ? value : { ...value, time: [Math.max(r.from, from), Math.min(r.to, r.times[i + 1] ?? from + r.step)] };
}

const sides = (layers: Layer[], id: string, side: number) =>
  course(
    layers.filter((l) => l.side === side),
    id,
  );

/** Values as steps; unknown values leave a gap. */
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
