// Explore: a query (filter, grouping, range, unit) and its result (chart, table, SQL).

import { useEffect, useState } from "preact/hooks";
import { drawnAs } from "../../charts/stack.ts";
import { ResultTable } from "../../charts/table/table.tsx";
import { FilterLine } from "../../parts/filter/filterline.tsx";
import { Refresh, TimeRange } from "../../parts/range.tsx";
import { lazy, useWidth } from "../../parts/ui.tsx";
import { vizzes } from "../../state/choices.ts";
import { dark, facetsChoice, shown, sqlOpen, view, zone } from "../../state/state.ts";
import { request } from "../../text/url.ts";
import { useAnswer } from "./answer.ts";
import { Controls } from "./controls.tsx";
import { emptiness, Figure } from "./figure.tsx";
import { isolate, toggle, useSeries } from "./series.ts";

const Facets = lazy(() => import("./facets.tsx").then((m) => m.Facets));
const Explain = lazy(() => import("./explain.tsx").then((m) => m.Explain));
const SQLDrawer = lazy(() => import("../../parts/sql.tsx").then((m) => m.SQLDrawer));

/** The maximum density of points: one every two pixels. */
const pixelsPerPoint = 2;
/** The minimum width of a sankey; below it bars show the same numbers. */
const sankeyWidth = 600;

/** The visualisation that is drawn at a width in pixels; an unknown one becomes a stack. */
function drawing(viz: string, unit: string, width: number): string {
  const as = drawnAs(viz, unit);
  const known = vizzes.some((z) => z.value === as) ? as : "stack";
  return known === "sankey" && width > 0 && width < sankeyWidth ? "bar" : known;
}

export default function Explore() {
  const v = view.value;
  const [box, width] = useWidth<HTMLDivElement>();
  const [hovered, setHovered] = useState(false);
  // A few pixels more or less are the same query.
  const px = width > 0 ? Math.max(100, Math.round(width / pixelsPerPoint / 50) * 50) : 0;
  const keys = px > 0 ? request(v, zone.value, px) : "";
  const asked = useAnswer(keys, hovered);
  const { answer } = asked;
  const result = answer?.result;
  const series = useSeries(result);
  const { ids } = series;

  useEffect(() => {
    shown.value = answer ? { from: answer.result.from, to: answer.result.to, step: answer.result.step, now: answer.now, ids } : null;
  }, [answer, ids]);
  useEffect(
    () => () => {
      shown.value = null;
    },
    [],
  );

  const facets = facetsChoice.signal.value === "on";
  const drawn = drawing(v.viz, v.unit, width);
  return (
    <main class="explore" id="main">
      <h1 class="offscreen">Explore</h1>
      <div class="question">
        <FilterLine serverError={asked.error?.filter} />
        <div class="when">
          <TimeRange />
          <Refresh loading={asked.loading} paused={hovered} />
        </div>
      </div>
      <Controls answer={answer} drawn={drawn} />

      <div class={`split ${facets ? "with-facets" : ""}`}>
        <div class="column">
          <Figure asked={asked} series={series} drawn={drawn} width={box} onHover={setHovered} />
          {v.sel && <Explain />}
          {result && !emptiness(result) && (
            <section class="panel" aria-label="Table">
              <ResultTable
                result={result}
                rank={v.rank}
                layers={series.all}
                hidden={series.hidden}
                onIsolate={(id) => isolate(series, id)}
                onToggle={(id) => toggle(series, id)}
              />
            </section>
          )}
        </div>
        {facets && result && <Facets from={result.from} to={result.to} zone={zone.value} />}
      </div>
      {sqlOpen.value && <SQLDrawer result={result} keys={keys} />}
      <span hidden data-dark={dark.value} data-answer={answer?.asked} data-to={result?.to} />
    </main>
  );
}
