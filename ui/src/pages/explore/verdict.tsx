// The result of Explain: the sentence, its causes, and the changes by field.

import type { Explanation } from "../../api/api.ts";
import { CopyButton, Icon } from "../../parts/ui.tsx";
import { ValueButton } from "../../parts/valuemenu.tsx";
import { go, show, termTitle, view } from "../../state/state.ts";
import { narrow } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { absolute } from "../../text/time.ts";
import { format } from "../../text/url.ts";

const words: Record<string, string> = { rise: "Rise", fall: "Fall", move: "Shift", steady: "Steady" };
const shownMovers = 4;

const only = (filter: string) => show({ q: narrow(view.value.q, filter), hide: [] });

/** `range` is the selected range. */
export function Verdict({ answer, range }: { answer: Explanation; range: readonly [number, number] | undefined }) {
  const flows = ([from, to]: readonly [number, number]) => {
    const { q } = view.value;
    const v = { ...view.value, q: answer.filter ? narrow(q, answer.filter) : q, from: absolute(from), to: absolute(to) };
    go("/flows?" + format({ ...v, sel: "", live: false, hide: [] }));
  };
  return (
    <>
      <p class={`verdict ${answer.kind}`}>
        <span class="badge">{words[answer.kind] ?? answer.kind}</span> {answer.text}
      </p>
      {answer.causes.length > 0 && <Causes causes={answer.causes} />}
      <div class="row">
        {answer.filter && (
          <button type="button" class="button" onClick={() => only(answer.filter)}>
            <Icon name="filter" /> Filter on the common pattern
          </button>
        )}
        {range && (
          <button type="button" class="button" onClick={() => flows(range)}>
            <Icon name="rows" /> Flows
          </button>
        )}
        <CopyButton text={answer.text} what="Sentence" label="Copy sentence" />
      </div>
      <details class="aspects">
        <summary>Changes by field</summary>
        <div class="aspect-grid">
          {answer.aspects
            .filter((a) => a.values.length > 0)
            .map((a) => (
              <Aspect key={a.by.join()} a={a} unit={answer.unit} />
            ))}
        </div>
      </details>
    </>
  );
}

function Causes({ causes }: { causes: Explanation["causes"] }) {
  return (
    <ol class="causes">
      {causes.map((c) => (
        <li key={c.by.join() + c.text}>
          <span
            class="cause-share"
            title={c.share > 1 ? "Share of the change; over 100% because other values changed in the opposite direction" : undefined}
          >
            {fmt.share(c.share)}
          </span>
          <i class="cause-bar">
            <i style={{ width: Math.max(0, Math.min(100, Math.abs(c.share) * 100)) + "%" }} />
          </i>
          <span class="quiet">{c.by.map(termTitle).join(" · ")}</span>
          {c.filter ? (
            <button type="button" class="value" title={`Filter to this: ${c.filter}`} onClick={() => only(c.filter)}>
              {c.text}
            </button>
          ) : (
            <span>{c.text}</span>
          )}
          <button
            type="button"
            class="facet-sign"
            aria-label={`Group by ${c.by.map(termTitle).join(", ")}`}
            title="Group chart by this"
            onClick={() => show({ by: c.by, hide: [] })}
          >
            <Icon name="rows" />
          </button>
        </li>
      ))}
    </ol>
  );
}

/** The biggest changes in one field: increases to the right, decreases to the left. */
function Aspect({ a, unit }: { a: Explanation["aspects"][number]; unit: string }) {
  const top = Math.max(...a.values.map((m) => Math.abs(m.delta)), 1);
  return (
    <div class="aspect">
      <h3>
        {a.by.map(termTitle).join(" · ")} <span class="quiet">{fmt.count(a.distinct)}</span>
      </h3>
      <ul>
        {a.values.slice(0, shownMovers).map((m) => (
          <li key={m.key.join("|")}>
            <ValueButton value={{ by: a.by, key: m.key, label: m.label, filter: m.filter }} />
            <i class={`mover ${m.delta < 0 ? "less" : ""}`} style={{ width: (Math.abs(m.delta) / top) * 46 + "px" }} />
            <span title={`${fmt.value(m.before, unit)} → ${fmt.value(m.now, unit)}`}>
              {m.delta < 0 ? "−" : "+"}
              {fmt.value(m.delta, unit)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
