// The heat map: a row for each group, a cell for each bucket; every cell opens the menu of its group and its time.

import { useEffect, useRef, useState } from "preact/hooks";
import { useWidth } from "../parts/ui.tsx";
import { groupOf, openAt, openValue, type Value } from "../parts/valuemenu.tsx";
import { copyLink, dark, highlight, link, path, show, zone } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { absolute, clock, dayName, duration } from "../text/time.ts";
import { mix } from "./colour.ts";
import { EventMarks } from "./eventmarks.tsx";
import { type Lane, lanes as lanesOf } from "./groups.ts";
import { hover, Name, type Props } from "./name.tsx";
import { seriesName } from "./stack.ts";

const rowHeight = 24;
const day = 86400;

export function Heat({ result, layers, now }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [box, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<{ row: number; index: number; spoken?: boolean } | null>(null);
  const isDark = dark.value;
  const tz = zone.value;
  const { lanes, span, apart } = lanesOf(result, layers);
  const top = Math.max(...lanes.flatMap((l) => l.cells.map((c) => c.value ?? 0)), 0);
  const { step, from, to } = result;
  const height = lanes.length * rowHeight;
  const shade = (v: number) => mix(isDark ? "#8fd0ff" : "#123a9c", isDark ? "#191d25" : "#eef2fc", Math.sqrt(v / (top || 1)));
  const x = (l: Lane, t: number) => ((t - l.base) / span) * width;
  const cell = at && lanes[at.row]?.cells[at.index];
  useEffect(() => {
    const c = canvas.current?.getContext("2d");
    if (!c || !canvas.current || width === 0) return;
    const ratio = devicePixelRatio;
    canvas.current.width = width * ratio;
    canvas.current.height = height * ratio;
    c.scale(ratio, ratio);
    for (const [r, l] of lanes.entries())
      for (const k of l.cells) {
        if (k.value === null) continue;
        const a = Math.floor(x(l, k.from) * ratio) / ratio;
        c.fillStyle = shade(k.value);
        c.fillRect(a, r * rowHeight, Math.ceil(x(l, k.to) * ratio) / ratio - a, rowHeight - 2);
      }
  }, [result, layers, width, isDark]);

  const under = (e: MouseEvent) => {
    const b = canvas.current!.getBoundingClientRect();
    const row = Math.floor((e.clientY - b.top) / rowHeight);
    const l = lanes[row];
    if (!l) return null;
    const t = l.base + ((e.clientX - b.left) / b.width) * span;
    const index = l.cells.findIndex((c) => c.from <= t && t < c.to);
    return index < 0 ? null : { row, index };
  };
  const value = (row: number, index: number): Value => {
    const { group, cells } = lanes[row];
    return { ...groupOf(group.layer.series, result.by), time: [cells[index].from, cells[index].to] };
  };
  const click = (e: MouseEvent) => {
    const c = under(e);
    if (c) openValue(e, value(c.row, c.index));
  };
  // The arrow keys go from cell to cell, by time from row to row; Enter opens the menu.
  const key = (e: KeyboardEvent) => {
    const [across, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key] ?? [0, 0];
    if (e.key === "Enter" && at && cell) {
      e.preventDefault(); // or the same key would choose from the menu that it opens
      const b = canvas.current!.getBoundingClientRect();
      return openAt(b.left + x(lanes[at.row], cell.from), b.top + (at.row + 1) * rowHeight, value(at.row, at.index));
    }
    if (across === 0 && down === 0) return;
    e.preventDefault();
    const row = Math.max(0, Math.min(lanes.length - 1, (at?.row ?? 0) + (at ? down : 0)));
    const most = (lanes[row]?.cells.length ?? 0) - 1;
    if (most >= 0) setAt({ row, index: Math.max(0, Math.min(most, (at?.index ?? 0) + (at ? across : 0))), spoken: true });
  };
  const when = cell ? `${dayName(cell.from, tz)} ${clock(cell.from, tz, step < 3600)}` : "";
  const left = at && cell ? (x(lanes[at.row], cell.from) + x(lanes[at.row], cell.to)) / 2 : 0;
  return (
    <>
      <div class="heat">
        <div class="heat-names">
          {lanes.map(({ group: g }) => (
            <div key={g.layer.id} class={highlight.value === g.layer.id ? "on" : ""} data-group={g.layer.id} {...hover(g.layer.id)}>
              <Name layer={g.layer} by={result.by} />
            </div>
          ))}
        </div>
        <div class="heat-cells" ref={box} onPointerMove={(e) => setAt(under(e))} onPointerLeave={() => setAt(null)}>
          {!apart && (
            <EventMarks
              from={from}
              to={to}
              now={now}
              area={{ left: 0, top: 0, width, height }}
              onZoom={(a, b) => show({ from: absolute(a), to: absolute(b) })}
              onExplain={path.value === "/explore" ? (a, b) => show({ sel: `${a}~${b}` }) : undefined}
              onLink={(a, b) =>
                void copyLink(link(location.pathname, { from: absolute(a), to: absolute(b), live: false }), "Link to this time")
              }
            />
          )}
          <canvas
            ref={canvas}
            style={{ width: "100%", height: height + "px" }}
            role="img"
            tabIndex={0}
            data-opens
            onClick={click}
            onKeyDown={key}
            onBlur={() => setAt(null)}
            aria-label="Heat map. Arrow keys go from cell to cell, Enter opens the menu of one; the table has the numbers"
          />
          {at && cell && (
            <>
              <i
                class="heat-cell"
                style={{
                  left: x(lanes[at.row], cell.from) + "px",
                  width: x(lanes[at.row], cell.to) - x(lanes[at.row], cell.from) + "px",
                  top: at.row * rowHeight + "px",
                }}
              />
              <div
                class="tooltip"
                style={{
                  ...(left > width / 2 ? { left: "auto", right: width - left + 14 + "px" } : { left: left + 14 + "px" }),
                  top: (at.row + 1) * rowHeight + "px",
                }}
              >
                <b>{seriesName(lanes[at.row].group.layer)}</b> {fmt.value(cell.value ?? 0, result.unit)}
                <br />
                <span class="quiet">{when}</span>
              </div>
            </>
          )}
          <div class="offscreen" aria-live="polite">
            {at?.spoken && cell ? `${seriesName(lanes[at.row].group.layer)}, ${when}: ${fmt.value(cell.value ?? 0, result.unit)}` : ""}
          </div>
          <div class="heat-ticks" aria-hidden="true">
            {ticks(apart ? (lanes[0]?.base ?? 0) : from, span, Math.max(2, Math.floor(width / 130))).map((t) => (
              <span key={t.at} style={{ left: t.at * width + "px" }}>
                {apart && span < day
                  ? "+" + duration(t.time - lanes[0].base)
                  : span <= 2 * day
                    ? clock(t.time, tz, false)
                    : apart
                      ? weekday(t.time, tz)
                      : dayName(t.time, tz)}
              </span>
            ))}
          </div>
        </div>
      </div>
      <p class="quiet bars-foot heat-scale">
        0{" "}
        <i
          style={{
            background: `linear-gradient(90deg, ${[0, 0.1, 0.25, 0.5, 0.75, 1].map((s) => `${shade(s * top)} ${s * 100}%`).join(", ")})`,
          }}
        />{" "}
        {fmt.value(top, result.unit)} <span>· Other is in the table</span>
      </p>
    </>
  );
}

/** Times to write under the cells, each with its place from 0 to 1. */
const ticks = (base: number, span: number, n: number) =>
  Array.from({ length: n }, (_, i) => {
    const time = Math.round((base + ((i + 0.5) / n) * span) / 60) * 60;
    return { time, at: (time - base) / span };
  }).filter((t) => t.at > 0.03 && t.at < 0.97);

const weekday = (t: number, timeZone: string) => new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone }).format(t * 1000);
