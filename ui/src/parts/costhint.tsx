// The cost of an expensive query, before it runs.

import { show } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { duration } from "../text/time.ts";
import { type Hint, mean } from "./cost.ts";
import { Icon } from "./ui.tsx";

export function CostHint({ hint }: { hint: Hint }) {
  return (
    <p class="notice cost" role="status">
      <Icon name="clock" />
      <span>
        This reads about {fmt.count(hint.rows)} rows
        {hint.ms > 0 ? `, ~${hint.ms < 1000 ? "1 s" : duration(Math.round(hint.ms / 1000))}` : ""}.
      </span>
      <button
        type="button"
        class="button primary"
        onClick={() => {
          mean(hint);
        }}
      >
        Run
      </button>
      <button type="button" class="button" onClick={() => show({ from: "-1h", to: "now" })}>
        Narrow to 1 h
      </button>
    </p>
  );
}
