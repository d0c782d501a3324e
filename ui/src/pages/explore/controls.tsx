// The controls of a query: grouping, visualisation, unit, direction, order.

import { drawnAs } from "../../charts/stack.ts";
import { Icon, Select } from "../../parts/ui.tsx";
import { comparisons, dirs, vizzes } from "../../state/choices.ts";
import { facetsChoice, show, sqlOpen, units, view } from "../../state/state.ts";
import type { Answer } from "./answer.ts";
import { GroupBy } from "./by.tsx";
import { ExportMenu } from "./exportmenu.tsx";

const layerChoices = [
  { value: "l3", title: "IP (L3)" },
  { value: "l2", title: "Ethernet (L2)" },
  { value: "l1", title: "on the wire (L1)" },
];
const aggs = [
  { value: "avg", title: "average" },
  { value: "peak", title: "average + 1 s peak" },
  { value: "spread", title: "spread over flow duration" },
];
const ranks = [
  { value: "avg", title: "average" },
  { value: "max", title: "maximum" },
  { value: "last", title: "last" },
  { value: "p95", title: "95th percentile" },
];
/** Suffix of a statistic: over all directions. */
const together = " sum";
/** The units that depend on the packet length. */
const layered = new Set(["bps", "bytes", "bpp", "pct"]);
const tops = [1, 3, 5, 8, 12, 20, 30, 50];

export function Controls({ answer, drawn }: { answer: Answer | null; drawn: string }) {
  const facets = facetsChoice.signal.value === "on";
  return (
    <div class="controls">
      <GroupBy />
      <div class="options">
        <Visualization />
        <Choices />
        <button
          type="button"
          class={`button sql-button ${sqlOpen.value ? "on" : ""}`}
          aria-pressed={sqlOpen.value}
          title="SQL of this chart  x"
          onClick={() => (sqlOpen.value = !sqlOpen.value)}
        >
          <Icon name="code" /> SQL
        </button>
        {answer && <ExportMenu answer={answer} drawn={drawn} />}
        <button
          type="button"
          class={`button ${facets ? "on" : ""}`}
          aria-pressed={facets}
          aria-label="Facets"
          title="Facets: top values of several fields  f"
          onClick={() => facetsChoice.set(facets ? "off" : "on")}
        >
          <Icon name="panel" />
        </button>
      </div>
    </div>
  );
}

function Visualization() {
  const { viz, unit } = view.value;
  const now = drawnAs(viz, unit);
  return (
    <div class="segments" role="radiogroup" aria-label="Visualisation">
      {vizzes.map(({ value, title }) => (
        <button
          key={value}
          type="button"
          role="radio"
          aria-checked={now === value}
          class={now === value ? "on" : ""}
          onClick={() => show({ viz: value })}
        >
          {title}
        </button>
      ))}
    </div>
  );
}

function Choices() {
  const v = view.value;
  return (
    <>
      <Select
        label="Unit"
        id="unit"
        value={v.unit}
        choices={units.value.map((u) => ({ value: u.name, title: u.title }))}
        onChange={(unit) => show({ unit })}
      />
      {layered.has(v.unit) && (
        <Select label="Layer" id="layer" value={v.layer} choices={layerChoices} onChange={(layer) => show({ layer })} />
      )}
      <Select label="Direction" id="dir" value={v.dir} choices={dirs} onChange={(dir) => show({ dir })} />
      <Select
        label="Top"
        id="top"
        value={String(v.n)}
        choices={tops.map((n) => ({ value: String(n), title: String(n) }))}
        onChange={(n) => show({ n: Number(n), hide: [] })}
      />
      <Rank />
      <Select
        label="Compare"
        id="vs"
        value={v.vs}
        choices={comparisons}
        onChange={(vs) => show({ vs, rank: vs === "" && v.rank === "delta" ? "avg" : v.rank })}
      />
      <Select
        label="Values"
        id="agg"
        value={v.spread ? "spread" : v.agg}
        choices={aggs}
        onChange={(agg) => show(agg === "spread" ? { agg: "avg", spread: true } : { agg, spread: false })}
      />
    </>
  );
}

/** The statistic that ranks groups, in each direction or over all. */
function Rank() {
  const v = view.value;
  // Each direction may have its own top groups.
  const directed = v.dir === "both" && v.by.length > 0;
  const statistics = v.vs ? [...ranks, { value: "delta", title: "change" }] : ranks;
  const overAll = statistics.map((r) => ({ value: r.value + together, title: `${r.title}, all directions` }));
  return (
    <Select
      label="Rank by"
      id="rank"
      value={v.rankdir === "sum" && directed ? v.rank + together : v.rank}
      choices={directed ? [...statistics, ...overAll] : statistics}
      onChange={(s) => show({ rank: s.replace(together, ""), rankdir: s.endsWith(together) ? "sum" : "each", hide: [] })}
    />
  );
}
