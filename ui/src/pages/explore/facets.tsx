// The panel next to the chart: the top values of several fields for the same query, each with buttons to filter and exclude.

import { useEffect, useRef, useState } from "preact/hooks";
import { type Facets as Answer, APIError, api, type Facet } from "../../api/api.ts";
import { Icon, IconButton } from "../../parts/ui.tsx";
import { filterBy, type Value, ValueButton } from "../../parts/valuemenu.tsx";
import { facetsChoice, show, termTitle, view } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { ask, inSums } from "../../text/url.ts";

const shortList = 5;
/** How many rows the panel may read automatically: 1 to 2 s. */
const mostRows = 20_000_000;
/** In live mode the lists refresh more slowly than the chart, because each reads every row of the range. */
const refreshSeconds = 30;

export function Facets({ from, to, zone }: { from: number; to: number; zone: string }) {
  const v = view.value;
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState("");
  const [loading, setLoading] = useState(false);
  const asked = useRef({ keys: "", at: 0, all: false, stop: new AbortController() });
  const question = ask(inSums(v), zone, ["q", "unit", "layer", "dir"]);
  // Lists that read more are counted on request, and then for this query and ranges of this length.
  const [wanted, want] = useState("");
  const scope = `${question}&${to - from}`;
  const all = wanted === scope;
  const keys = `${question}&from=${from}&to=${to}${all ? "" : `&most=${mostRows}`}`;
  useEffect(() => {
    const last = asked.current;
    if (v.live && last.all === all && last.keys.startsWith(question + "&") && to - last.at < refreshSeconds && to >= last.at) return;
    last.stop.abort();
    const stop = new AbortController();
    asked.current = { keys, at: to, all, stop };
    setLoading(true);
    api.facets(keys, stop.signal).then(
      ({ body }) => {
        if (stop.signal.aborted) return;
        setLoading(false);
        setError("");
        setAnswer(body);
      },
      (e: unknown) => {
        if (stop.signal.aborted) return;
        setLoading(false);
        want("");
        setError(e instanceof APIError ? e.message : String(e));
      },
    );
  }, [keys]);
  useEffect(() => () => asked.current.stop.abort(), []);
  return (
    <aside class="facets panel" id="facets" aria-label="Facets" aria-busy={loading}>
      <header>
        <h2>Facets</h2>
        <span class="quiet">for this filter</span>
        <IconButton icon="close" label="Close facets  f" onClick={() => facetsChoice.set("off")} />
      </header>
      <div class={`facet-lists ${loading && answer ? "stale" : ""}`}>
        {error && <p class="hint bad">{error}</p>}
        {!answer && !error && <p class="hint">Loading …</p>}
        {answer?.facets
          .filter((f) => f.values.length > 0)
          .map((f) => (
            <List key={f.by.join("/")} facet={f} unit={answer.unit} />
          ))}
        {answer?.left ? (
          <p class="hint left-out">
            Not counted, because it would read {fmt.count(answer.left.rows)} rows:{" "}
            {answer.left.facets.map((f) => f.split("/").map(termTitle).join(" · ")).join(", ")}.
            <button type="button" class="button" onClick={() => want(scope)}>
              Count all
            </button>
          </p>
        ) : (
          answer?.facets.every((f) => f.values.length === 0) && <p class="hint">No values.</p>
        )}
      </div>
    </aside>
  );
}

function List({ facet, unit }: { facet: Facet; unit: string }) {
  const [all, setAll] = useState(false);
  const title = facet.by.map(termTitle).join(" · ");
  const by = view.value.by;
  const grouped = facet.by.every((t) => by.includes(t));
  return (
    <section class="facet">
      <h3>
        <button
          type="button"
          title={grouped ? "Chart is grouped by this" : "Group chart by this"}
          disabled={grouped}
          onClick={() => show({ by: facet.by, hide: [] })}
        >
          {title}
        </button>
        <span class="quiet">{fmt.count(facet.distinct)}</span>
      </h3>
      <ul>
        {facet.values.slice(0, all ? undefined : shortList).map((x) => {
          const value: Value = { by: facet.by, key: x.key, label: x.label, filter: x.filter };
          const name = x.label.join(" ");
          return (
            <li key={x.key.join("|")} title={`${fmt.value(x.rate, unit)} on average`}>
              <i class="bar" style={{ width: Math.min(100, x.share * 100) + "%" }} />
              <ValueButton value={value} />
              <span class="facet-share">{fmt.share(x.share)}</span>
              <button
                type="button"
                class="facet-sign"
                aria-label={`Filter to ${name}`}
                title="Filter to this"
                onClick={() => filterBy(value, "only")}
              >
                <Icon name="plus" />
              </button>
              <button
                type="button"
                class="facet-sign"
                aria-label={`Exclude ${name}`}
                title="Exclude"
                onClick={() => filterBy(value, "exclude")}
              >
                <Icon name="minus" />
              </button>
            </li>
          );
        })}
      </ul>
      {facet.values.length > shortList && (
        <button type="button" class="facet-more" onClick={() => setAll(!all)}>
          {all ? "Fewer" : `${facet.values.length - shortList} more`}
        </button>
      )}
    </section>
  );
}
