// The error of a filter, and the suggested word.

import type { FilterError } from "../../api/api.ts";
import { Icon } from "../ui.tsx";

export function Wrong({ error, onFix }: { error: FilterError; onFix: (word: string) => void }) {
  const fix = error.suggestion;
  return (
    <p class="filter-error" id="filter-error" role="alert">
      <Icon name="warn" />
      <span>
        {error.message}
        {error.expected?.length ? <em> — expected {error.expected.slice(0, 8).join(", ")}</em> : null}
      </span>
      {fix && (
        <button type="button" class="button fix" onClick={() => onFix(fix)}>
          Use <b>{fix}</b>
        </button>
      )}
    </p>
  );
}
