// The rows of the table: a group in one direction, and totals.

import type { QueryResult, Versus } from "../../api/api.ts";
import { Spark } from "../../parts/spark.tsx";
import { oneOf, ValueButton } from "../../parts/valuemenu.tsx";
import { highlight, show, view } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { arrows, type Layer, layerColour, seriesName, solidDir } from "../stack.ts";
import type { Has } from "./columns.ts";
import { Folded } from "./folded.tsx";

export function Row({
  l,
  again,
  oneWay,
  has,
  result,
  off,
  max,
  isDark,
  onPick,
}: {
  l: Layer;
  again: boolean;
  oneWay: boolean;
  has: Has;
  result: QueryResult;
  off: boolean;
  max: number;
  isDark: boolean;
  onPick: (ctrl: boolean) => void;
}) {
  const s = l.series;
  const { unit, by } = result;
  const colour = layerColour(l, isDark);
  const name = seriesName(l);
  const more = s.folded ?? result.other;
  return (
    <tr
      class={`${off ? "off" : ""} ${highlight.value === l.id ? "on" : ""} ${s.other ? "other" : ""} ${again ? "again" : ""}`}
      data-series={l.id}
      data-dir={s.dir}
      onPointerEnter={() => (highlight.value = l.id)}
      onPointerLeave={() => (highlight.value = null)}
    >
      <td class="swatch-cell">
        <button
          type="button"
          class={`swatch-button dir-${solidDir(result.dirs) === s.dir ? "solid" : s.dir}`}
          style={{ "--swatch": colour }}
          aria-pressed={!off}
          aria-label={`Show only ${name}`}
          title="Click: show only this. Ctrl+click: show or hide"
          onClick={(e) => onPick(e.ctrlKey || e.metaKey)}
        />
      </td>
      {s.other ? (
        <td class="text key" colSpan={Math.max(1, by.length)}>
          <Folded s={s} result={result} name={name} count={more > 0 ? `(${fmt.grouped(more)}${s.larger ? "" : " more"})` : ""} />
        </td>
      ) : (
        by.map((term, i) => (
          <td key={term} class="text key">
            <ValueButton value={oneOf(s, by, i)} />
          </td>
        ))
      )}
      {by.length === 0 && !s.other && <td class="text key">All traffic</td>}
      {!oneWay && (
        <td class="text dir">
          <button
            type="button"
            class="value"
            title={`Show only ${s.dir}`}
            onClick={() => show({ dir: view.value.dir === s.dir ? "both" : s.dir })}
          >
            <span aria-hidden="true">{arrows[s.dir] ?? ""}</span>
            <span class="dir-name"> {s.dir}</span>
          </button>
        </td>
      )}
      <Cell v={s.last} unit={unit} wide />
      <Cell v={s.avg} unit={unit} />
      <Cell v={s.max} unit={unit} wide />
      {has.peak && <Cell v={s.peak ?? 0} unit={unit} wide />}
      <Cell v={s.total} unit={fmt.totalUnit(unit)} wide exact />
      <td class="share">
        <data value={s.share}>{fmt.share(s.share)}</data>
        <i class="bar" style={{ width: Math.max(0, Math.min(100, (s.share ?? 0) * 100)) + "%", background: colour }} />
      </td>
      {has.change && <Change vs={s.vs} unit={unit} />}
      <td class={`wide ${s.error !== null && s.error > 0.36 ? "weak" : "quiet"}`}>{fmt.error(s.error)}</td>
      <td class="spark-cell wide">
        <Spark values={l.values} colour={colour} max={max} />
      </td>
    </tr>
  );
}

function Cell({ v, unit, wide, exact }: { v: number; unit: string; wide?: boolean; exact?: boolean }) {
  return (
    <td
      class={wide ? "wide" : undefined}
      title={v !== null && v !== undefined ? `${fmt.grouped(Math.round(v))} ${exact ? unit : fmt.unitSuffix(unit)}` : undefined}
    >
      <data value={v}>{fmt.value(v, unit)}</data>
    </td>
  );
}

/** The change of the average. */
function Change({ vs, unit }: { vs: Versus | null | undefined; unit: string }) {
  if (!vs) return <td />;
  const sign = vs.delta < 0 ? "−" : "+";
  return (
    <td class="change" title={`${sign}${fmt.value(vs.delta, unit)}: ${fmt.value(vs.avg, unit)} before`}>
      {vs.change === null
        ? vs.delta > 0
          ? "new"
          : "–"
        : Math.abs(vs.change) >= 10
          ? `${sign}${fmt.value(vs.delta, unit)}`
          : `${sign}${fmt.fixed(Math.abs(vs.change) * 100, 0)}%`}
    </td>
  );
}

export function TotalRow({
  name,
  dir,
  stats,
  share,
  result,
  has,
}: {
  name: string;
  dir: string;
  stats: { avg: number; max: number; last: number; total: number; peak?: number; vs?: Versus | null };
  share: number;
  result: QueryResult;
  has: Has;
}) {
  const { unit, by } = result;
  return (
    <tr class="total" data-total={name.toLowerCase()} data-dir={dir}>
      <td class="swatch-cell" />
      <th class="text key" scope="row" colSpan={Math.max(1, by.length)}>
        {name}
      </th>
      {result.dirs.length > 1 && (
        <td class="text dir">
          <span aria-hidden="true">{arrows[dir] ?? ""}</span>
          <span class="dir-name"> {dir}</span>
        </td>
      )}
      <Cell v={stats.last} unit={unit} wide />
      <Cell v={stats.avg} unit={unit} />
      <Cell v={stats.max} unit={unit} wide />
      {has.peak && (stats.peak === undefined ? <td class="wide" /> : <Cell v={stats.peak} unit={unit} wide />)}
      <Cell v={stats.total} unit={fmt.totalUnit(unit)} wide exact />
      <td>
        <data value={share}>{fmt.share(share)}</data>
      </td>
      {has.change && <Change vs={stats.vs} unit={unit} />}
      <td class="wide" />
      <td class="wide spark-cell" />
    </tr>
  );
}
