// How the question is put: grouping, visualization, unit, direction, order.

import { drawnAs } from "../../charts/stack.ts";
import { Icon, Select } from "../../parts/ui.tsx";
import { comparisons, dirs, vizzes } from "../../state/choices.ts";
import { facetsChoice, show, sqlOpen, units, view } from "../../state/state.ts";
import type { Answer } from "./answer.ts";
import { GroupBy } from "./by.tsx";
import { ExportMenu } from "./exportmenu.tsx";

const layerChoices = [
  { value: "l3", title: "L3, IP" },
  { value: "l2", title: "L2, Ethernet" },
  { value: "l1", title: "L1, on the line" },
];
const aggs = [
  { value: "avg", title: "average" },
  { value: "peak", title: "average, peak" },
  { value: "spread", title: "average, records spread" },
];
const ranks = [
  { value: "avg", title: "average" },
  { value: "max", title: "maximum" },
  { value: "last", title: "last" },
  { value: "p95", title: "95th perc." },
];
/** Behind a statistic: over all directions. */
const together = " sum";
/** The units in which the length of a packet counts. */
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
          title="The SQL behind this chart  x"
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
          title="Facets: the largest values of several fields  f"
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
    <div class="segments" role="radiogroup" aria-label="Visualization">
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
      {layered.has(v.unit) && <Select label="of" id="layer" value={v.layer} choices={layerChoices} onChange={(layer) => show({ layer })} />}
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
        label="vs"
        id="vs"
        value={v.vs}
        choices={comparisons}
        onChange={(vs) => show({ vs, rank: vs === "" && v.rank === "delta" ? "avg" : v.rank })}
      />
      <Select
        label="Show"
        id="agg"
        value={v.spread ? "spread" : v.agg}
        choices={aggs}
        onChange={(agg) => show(agg === "spread" ? { agg: "avg", spread: true } : { agg, spread: false })}
      />
    </>
  );
}

/** By which statistic groups are the largest, in each direction or over all. */
function Rank() {
  const v = view.value;
  // Directions may each have their own largest groups.
  const directed = v.dir === "both" && v.by.length > 0;
  const statistics = v.vs ? [...ranks, { value: "delta", title: "change" }] : ranks;
  const overAll = statistics.map((r) => ({ value: r.value + together, title: `${r.title} over all` }));
  return (
    <Select
      label="by"
      id="rank"
      value={v.rankdir === "sum" && directed ? v.rank + together : v.rank}
      choices={directed ? [...statistics, ...overAll] : statistics}
      onChange={(s) => show({ rank: s.replace(together, ""), rankdir: s.endsWith(together) ? "sum" : "each", hide: [] })}
    />
  );
}
