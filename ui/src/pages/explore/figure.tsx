// The chart of the result, with its facts and errors.

import type { RefObject } from "preact";
import type { APIError, QueryResult } from "../../api/api.ts";
import { TimeChart } from "../../charts/time/chart.tsx";
import { Icon, lazy } from "../../parts/ui.tsx";
import { copyLink, go, reload, show, view } from "../../state/state.ts";
import { zoomBy } from "../../state/window.ts";
import { absolute } from "../../text/time.ts";
import { format, selected } from "../../text/url.ts";
import type { Answer, Asked } from "./answer.ts";
import { Header, summary } from "./header.tsx";
import type { Shown } from "./series.ts";

const CostHint = lazy(() => import("../../parts/costhint.tsx").then((m) => m.CostHint));
const Empty = lazy(() => import("../../parts/nothing.tsx").then((m) => m.Empty));
const OtherCharts = lazy(() => import("../../charts/other/other.tsx").then((m) => m.OtherCharts));
const Sankey = lazy(() => import("../../charts/sankey/sankey.tsx").then((m) => m.Sankey));

interface Props {
  asked: Asked;
  series: Shown;
  drawn: string;
  width: RefObject<HTMLDivElement | null>;
  onHover: (inside: boolean) => void;
}

/** Why there is nothing to draw; null: there is something. */
export const emptiness = (r: QueryResult | undefined) => (r ? (r.meta.empty ?? (r.series.length === 0 ? "no-match" : null)) : null);

export function Figure({ asked, series, drawn, width, onHover }: Props) {
  const { answer, error, hint, loading, slow, part } = asked;
  const bare = drawn === "table" && answer && !emptiness(answer.result);
  return (
    <section class={`panel figure ${bare ? "bare" : ""}`} aria-label="Chart" aria-busy={loading} ref={width}>
      <div
        class={`progress ${slow ? "on" : ""} ${part > 0 ? "known" : ""}`}
        style={part > 0 ? { "--part": part } : undefined}
        aria-hidden="true"
      />
      {slow && (
        <p class="running" role="status">
          {part > 0 ? `${Math.round(part * 100)}% read` : "Running"}, <kbd>Esc</kbd> to cancel
        </p>
      )}
      {hint && <CostHint hint={hint} />}
      {error && !error.filter && <Failure error={error} />}
      {answer ? (
        <Drawn answer={answer} series={series} drawn={drawn} onHover={onHover} />
      ) : (
        <div class="chart-placeholder">{error?.filter && <p class="quiet">Correct the filter to see the chart.</p>}</div>
      )}
    </section>
  );
}

function Failure({ error }: { error: APIError }) {
  const { title, detail } = error.problem;
  return (
    <p class="notice bad" role="alert">
      <Icon name="warn" />
      <span>
        {error.message}
        {detail && title && detail !== title ? <em> ({title})</em> : null}
      </span>
      <button type="button" class="button" onClick={() => (reload.value += 1)}>
        Retry
      </button>
    </p>
  );
}

function Drawn({ answer, series, drawn, onHover }: { answer: Answer } & Pick<Props, "series" | "drawn" | "onHover">) {
  const v = view.value;
  const { result, now } = answer;
  const empty = emptiness(result);
  const head = <Header answer={answer} v={v} bends={!empty && (drawn === "stack" || drawn === "line")} />;
  const chart = () => {
    if (empty) return <Empty kind={empty} q={v.q} now={now} matches={result.meta.matches_7d} />;
    switch (drawn) {
      case "table":
        return null;
      case "sankey":
        return result.by.length < 2 ? <OneGrouping /> : <Sankey result={result} summary={summary(result)} />;
      case "grid":
      case "bar":
      case "heat":
        return <OtherCharts result={result} layers={series.visible} viz={drawn} now={now} summary={summary(result)} />;
      default:
        return <Time answer={answer} series={series} drawn={drawn} onHover={onHover} />;
    }
  };
  return (
    <>
      {head}
      {chart()}
    </>
  );
}

const OneGrouping = () => (
  <div class="empty">
    <h2>A sankey needs two groupings</h2>
    <p>It shows traffic between the values of two or more fields.</p>
    <button type="button" class="button primary" data-opens onClick={() => document.getElementById("by-add")?.click()}>
      Group by another field
    </button>
  </div>
);

function Time({ answer: { result, now }, series, drawn, onHover }: { answer: Answer } & Pick<Props, "series" | "drawn" | "onHover">) {
  const v = view.value;
  return (
    <TimeChart
      result={result}
      layers={series.visible}
      viz={drawn}
      y={v.y}
      ymax={v.ymax}
      now={now}
      summary={summary(result)}
      sel={selected(v.sel)}
      onZoom={(a, b) => show({ from: absolute(a), to: absolute(b) })}
      onExplain={(a, b) => show({ sel: `${a}~${b}` })}
      onFlows={(a, b) => go("/flows?" + format({ ...v, from: absolute(a), to: absolute(b), sel: "", live: false, hide: [] }))}
      onLink={(a, b) => void copyLink("/explore?" + format({ ...v, from: absolute(a), to: absolute(b), live: false }), "Link to this time")}
      onZoomOut={() => zoomBy(2)}
      onHover={onHover}
    />
  );
}
