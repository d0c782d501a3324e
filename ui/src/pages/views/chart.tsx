// The chart of a tile, as saved in the view.

import type { QueryResult, SavedView } from "../../api/api.ts";
import { layers } from "../../charts/stack.ts";
import { ResultTable } from "../../charts/table/table.tsx";
import { TimeChart } from "../../charts/time/chart.tsx";
import { lazy } from "../../parts/ui.tsx";
import { addressOf } from "../../state/saved.ts";
import { copyLink, go, show } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { absolute } from "../../text/time.ts";
import { format, type View } from "../../text/url.ts";

const OtherCharts = lazy(() => import("../../charts/other/other.tsx").then((m) => m.OtherCharts));
const Sankey = lazy(() => import("../../charts/sankey/sankey.tsx").then((m) => m.Sankey));

export function Chart({ result, now, saved, question }: { result: QueryResult; now: number; saved: SavedView; question: View }) {
  const all = layers(result);
  const { viz } = question;
  const summary = `${saved.name}: ${result.total.map((t) => `${t.dir} average ${fmt.value(t.avg, result.unit)}`).join(", ")}`;
  if (result.series.length === 0)
    return <p class="tile-note quiet">{result.meta.empty === "no-match" ? "No matches in this range" : "No data in this range"}</p>;
  if (viz === "table")
    return <ResultTable result={result} rank={question.rank} layers={all} hidden={none} onIsolate={nothing} onToggle={nothing} />;
  if (viz === "sankey" && result.by.length > 1) return <Sankey result={result} summary={summary} />;
  if (viz === "grid" || viz === "bar" || viz === "heat" || viz === "sankey")
    return <OtherCharts result={result} layers={all} now={now} viz={viz === "sankey" ? "bar" : viz} summary={summary} />;
  const at = (from: number, to: number) => addressOf(saved, `from=${absolute(from)}&to=${absolute(to)}`);
  return (
    <TimeChart
      result={result}
      layers={all}
      viz={viz}
      y={question.y}
      ymax={question.ymax}
      small
      now={now}
      summary={summary}
      sel={undefined}
      onZoom={(a, b) => show({ from: absolute(a), to: absolute(b) })}
      onExplain={(a, b) => go("/explore?" + format({ ...question, sel: `${a}~${b}` }))}
      onFlows={(a, b) => go("/flows?" + format({ ...question, by: [], from: absolute(a), to: absolute(b) }))}
      onLink={(a, b) => void copyLink(at(a, b), "Link to this time")}
      onZoomOut={nothing}
      onHover={nothing}
    />
  );
}

const none: ReadonlySet<string> = new Set();
const nothing = () => undefined;
