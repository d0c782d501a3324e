// Why the selected range differs from the one before: the sentence, its causes, and the changes by field.

import { useEffect, useState } from "preact/hooks";
import { APIError, api, type Explanation } from "../../api/api.ts";
import { Icon, IconButton } from "../../parts/ui.tsx";
import { show, view, zone } from "../../state/state.ts";
import { clock, duration } from "../../text/time.ts";
import { ask, inSums, selected } from "../../text/url.ts";
import { Verdict } from "./verdict.tsx";

/** The explanation for the range in the URL. */
function useExplanation(): { answer: Explanation | null; error: string } {
  const [answer, setAnswer] = useState<Explanation | null>(null);
  const [error, setError] = useState("");
  const keys = ask(inSums(view.value), zone.value, ["q", "unit", "layer", "dir", "from", "to", "sel", "vs"]);
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
  return { answer, error };
}

export function Explain() {
  const tz = zone.value;
  const { answer, error } = useExplanation();
  const range = selected(view.value.sel);
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
      {!answer && !error && <p class="hint explain-wait">Comparing ten fields of both ranges …</p>}
      {answer && <Verdict answer={answer} range={range} />}
    </section>
  );
}
