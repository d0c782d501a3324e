// Why the brushed window differs from the one before: the sentence, its causes, and what moved in each field.

import { useEffect, useState } from "preact/hooks";
import { APIError, api, type Explanation } from "../../api/api.ts";
import { CopyButton, Icon, IconButton } from "../../parts/ui.tsx";
import { ValueButton } from "../../parts/valuemenu.tsx";
import { go, show, termTitle, view, zone } from "../../state/state.ts";
import { narrow } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { absolute, clock, duration } from "../../text/time.ts";
import { ask, format, inSums, selected } from "../../text/url.ts";

const words: Record<string, string> = { rise: "Rise", fall: "Fall", move: "Moved", steady: "Steady" };
const shownMovers = 4;

export function Explain() {
  const v = view.value;
  const tz = zone.value;
  const [answer, setAnswer] = useState<Explanation | null>(null);
  const [error, setError] = useState("");
  const keys = ask(inSums(v), tz, ["q", "unit", "layer", "dir", "from", "to", "sel", "vs"]);
  useEffect(() => {
    const stop = new AbortController();
    setAnswer(null);
    setError("");
    api.explain(keys, stop.signal).then(
      ({ body }) => !stop.signal.aborted && setAnswer(body),
      (e: unknown) => !stop.signal.aborted && setError(e instanceof APIError ? e.message : String(e)),
    );
    return () => stop.abort();
  }, [keys]);
  const only = (filter: string) => show({ q: narrow(v.q, filter), hide: [] });
  const range = selected(v.sel);
  return (
    <section class="panel explain" id="explain" aria-label="Explain" aria-busy={!answer && !error}>
      <header>
        <Icon name="bulb" />
        <h2>Explain</h2>
        {range && (
          <p class="facts">
            <span>
              {clock(range[0], tz, true)} – {clock(range[1], tz, true)}
            </span>
            <span>{duration(range[1] - range[0])}</span>
            {answer && (
              <span>
                against {clock(answer.before_from, tz, true)} – {clock(answer.before_to, tz, true)}
              </span>
            )}
          </p>
        )}
        <IconButton icon="close" label="Close" onClick={() => show({ sel: "" })} />
      </header>
      {error && (
        <p class="hint bad" role="alert">
          {error}
        </p>
      )}
      {!answer && !error && <p class="hint explain-wait">Comparing ten fields of both windows …</p>}
      {answer && (
        <>
          <p class={`verdict ${answer.kind}`}>
            <span class="badge">{words[answer.kind] ?? answer.kind}</span> {answer.text}
          </p>
          {answer.causes.length > 0 && (
            <ol class="causes">
              {answer.causes.map((c) => (
                <li key={c.by.join() + c.text}>
                  <span class="cause-share" title={c.share > 1 ? "Of the change: others changed the other way" : undefined}>
                    {fmt.share(c.share)}
                  </span>
                  <i class="cause-bar">
                    <i style={{ width: Math.max(0, Math.min(100, Math.abs(c.share) * 100)) + "%" }} />
                  </i>
                  <span class="quiet">{c.by.map(termTitle).join(" · ")}</span>
                  {c.filter ? (
                    <button type="button" class="value" title={`Only this: ${c.filter}`} onClick={() => only(c.filter)}>
                      {c.text}
                    </button>
                  ) : (
                    <span>{c.text}</span>
                  )}
                  <button
                    type="button"
                    class="facet-sign"
                    aria-label={`Group by ${c.by.map(termTitle).join(", ")}`}
                    title="Group the chart by this"
                    onClick={() => show({ by: c.by, hide: [] })}
                  >
                    <Icon name="rows" />
                  </button>
                </li>
              ))}
            </ol>
          )}
          <div class="row">
            {answer.filter && (
              <button type="button" class="button" onClick={() => only(answer.filter)}>
                <Icon name="filter" /> Only what they have in common
              </button>
            )}
            {range && (
              <button
                type="button"
                class="button"
                onClick={() =>
                  go(
                    "/flows?" +
                      format({
                        ...v,
                        q: answer.filter ? narrow(v.q, answer.filter) : v.q,
                        from: absolute(range[0]),
                        to: absolute(range[1]),
                        sel: "",
                        live: false,
                        hide: [],
                      }),
                  )
                }
              >
                <Icon name="rows" /> Flows
              </button>
            )}
            <CopyButton text={answer.text} what="Sentence" label="Copy sentence" />
          </div>
          <details class="aspects">
            <summary>What moved in each field</summary>
            <div class="aspect-grid">
              {answer.aspects
                .filter((a) => a.values.length > 0)
                .map((a) => {
                  const top = Math.max(...a.values.map((m) => Math.abs(m.delta)), 1);
                  return (
                    <div key={a.by.join()} class="aspect">
                      <h3>
                        {a.by.map(termTitle).join(" · ")} <span class="quiet">{fmt.count(a.distinct)}</span>
                      </h3>
                      <ul>
                        {a.values.slice(0, shownMovers).map((m) => (
                          <li key={m.key.join("|")}>
                            <ValueButton value={{ by: a.by, key: m.key, label: m.label, filter: m.filter }} />
                            <i class={`mover ${m.delta < 0 ? "less" : ""}`} style={{ width: (Math.abs(m.delta) / top) * 46 + "px" }} />
                            <span title={`${fmt.value(m.before, answer.unit)} → ${fmt.value(m.now, answer.unit)}`}>
                              {m.delta < 0 ? "−" : "+"}
                              {fmt.value(m.delta, answer.unit)}
                            </span>
                          </li>
                        ))}
                      </ul>
                    </div>
                  );
                })}
            </div>
          </details>
        </>
      )}
    </section>
  );
}
