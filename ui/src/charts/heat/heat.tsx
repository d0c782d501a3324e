// The heat map: a row for each group, a cell for each interval. Every cell opens the menu of its group and range.

import { useEffect, useRef, useState } from "preact/hooks";
import { useWidth } from "../../parts/ui.tsx";
import { groupOf, openAt, openValue, type Value } from "../../parts/valuemenu.tsx";
import { copyLink, dark, highlight, link, path, show, zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { absolute, clock, dayName } from "../../text/time.ts";
import { EventMarks } from "../eventmarks.tsx";
import { type Lane, lanes as lanesOf } from "../groups.ts";
import { hover, Name, type Props } from "../name.tsx";
import { seriesName } from "../stack.ts";
import { type At, type Grid, heightOf, moved, paint, rowHeight, shading, under, x } from "./grid.ts";
import { Ticks } from "./ticks.tsx";

export function Heat({ result, layers, now }: Props) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<At | null>(null);
  const { lanes, span, apart } = lanesOf(result, layers);
  const { step, from, to, unit, by } = result;
  const grid = { lanes, span, width };
  const top = Math.max(...lanes.flatMap((l) => l.cells.map((c) => c.value ?? 0)), 0);
  const shade = shading(top, dark.value);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => paint(canvas.current, grid, shade), [result, layers, width, dark.value]);

  const cell = at && lanes[at.row]?.cells[at.index];
  const name = at && cell ? seriesName(lanes[at.row].group.layer) : "";
  const when = cell ? `${dayName(cell.from, zone.value)} ${clock(cell.from, zone.value, step < 3600)}` : "";
  const number = cell ? fmt.value(cell.value ?? 0, unit) : "";
  return (
    <>
      <div class="heat">
        <Names lanes={lanes} by={by} />
        <div class="heat-cells" ref={box} onPointerMove={(e) => setAt(pointed(grid, canvas.current, e))} onPointerLeave={() => setAt(null)}>
          {!apart && <Marks from={from} to={to} now={now} width={width} height={heightOf(grid)} />}
          <canvas
            ref={canvas}
            style={{ width: "100%", height: heightOf(grid) + "px" }}
            role="img"
            tabIndex={0}
            data-opens
            onClick={(e) => {
              const c = pointed(grid, canvas.current, e);
              if (c) openValue(e, aboutCell(lanes[c.row], c.index, by));
            }}
            onKeyDown={(e) => keyed(e, canvas.current, grid, at, by, setAt)}
            onBlur={() => setAt(null)}
            aria-label="Heat map. Arrow keys move between cells, Enter opens the menu of a cell; the table has the numbers"
          />
          {at && cell && (
            <Pointed row={at.row} left={x(grid, lanes[at.row], cell.from)} right={x(grid, lanes[at.row], cell.to)} width={width}>
              <b>{name}</b> {number}
              <br />
              <span class="quiet">{when}</span>
            </Pointed>
          )}
          <div class="offscreen" aria-live="polite">
            {at?.spoken && cell ? `${name}, ${when}: ${number}` : ""}
          </div>
          <Ticks base={apart ? (lanes[0]?.base ?? 0) : from} span={span} apart={apart} width={width} />
        </div>
      </div>
      <Scale top={top} shade={shade} unit={unit} />
    </>
  );
}

/** The cell under the mouse. */
function pointed(grid: Grid, canvas: HTMLCanvasElement | null, e: MouseEvent): At | null {
  const b = canvas!.getBoundingClientRect();
  return under(grid, (e.clientX - b.left) / b.width, (e.clientY - b.top) / rowHeight);
}

/** Arrow keys move between cells and rows; Enter opens the menu. */
function keyed(e: KeyboardEvent, canvas: HTMLCanvasElement | null, grid: Grid, at: At | null, by: string[], go: (at: At) => void) {
  const cell = at && grid.lanes[at.row]?.cells[at.index];
  if (e.key === "Enter" && at && cell) {
    e.preventDefault(); // otherwise the same key would select an item of the opened menu
    const b = canvas!.getBoundingClientRect();
    const l = grid.lanes[at.row];
    return openAt(b.left + x(grid, l, cell.from), b.top + (at.row + 1) * rowHeight, aboutCell(l, at.index, by));
  }
  const to = moved(grid, at, e.key);
  if (to === undefined) return;
  e.preventDefault();
  if (to) go(to);
}

/** The value of a cell, for its menu. */
const aboutCell = ({ group, cells }: Lane, index: number, by: string[]): Value => ({
  ...groupOf(group.layer.series, by),
  time: [cells[index].from, cells[index].to],
});

function Names({ lanes, by }: { lanes: Lane[]; by: string[] }) {
  return (
    <div class="heat-names">
      {lanes.map(({ group: g }) => (
        <div key={g.layer.id} class={highlight.value === g.layer.id ? "on" : ""} data-group={g.layer.id} {...hover(g.layer.id)}>
          <Name layer={g.layer} by={by} />
        </div>
      ))}
    </div>
  );
}

/** The events of the range, over the cells. */
function Marks({ from, to, now, width, height }: { from: number; to: number; now: number; width: number; height: number }) {
  return (
    <EventMarks
      from={from}
      to={to}
      now={now}
      area={{ left: 0, top: 0, width, height }}
      onZoom={(a, b) => show({ from: absolute(a), to: absolute(b) })}
      onExplain={path.value === "/explore" ? (a, b) => show({ sel: `${a}~${b}` }) : undefined}
      onLink={(a, b) => void copyLink(link(location.pathname, { from: absolute(a), to: absolute(b), live: false }), "Link to this time")}
    />
  );
}

/** The frame of the cell under the pointer, and its tooltip on the side with more room. */
function Pointed(p: { row: number; left: number; right: number; width: number; children: preact.ComponentChildren }) {
  const middle = (p.left + p.right) / 2;
  return (
    <>
      <i class="heat-cell" style={{ left: p.left + "px", width: p.right - p.left + "px", top: p.row * rowHeight + "px" }} />
      <div
        class="tooltip"
        style={{
          ...(middle > p.width / 2 ? { left: "auto", right: p.width - middle + 14 + "px" } : { left: middle + 14 + "px" }),
          top: (p.row + 1) * rowHeight + "px",
        }}
      >
        {p.children}
      </div>
    </>
  );
}

/** The colour scale. */
function Scale({ top, shade, unit }: { top: number; shade: (v: number) => string; unit: string }) {
  const stops = [0, 0.1, 0.25, 0.5, 0.75, 1].map((s) => `${shade(s * top)} ${s * 100}%`);
  return (
    <p class="quiet bars-foot heat-scale">
      0 <i style={{ background: `linear-gradient(90deg, ${stops.join(", ")})` }} /> {fmt.value(top, unit)}{" "}
      <span>· Other is in the table</span>
    </p>
  );
}
