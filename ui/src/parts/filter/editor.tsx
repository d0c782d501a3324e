// The text of the filter: the textarea, the coloured text underneath, and completions.

import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import type { CompletionItem } from "../../api/api.ts";
import { coloured } from "./coloured.tsx";
import type { Completion } from "./completion.ts";
import { Completions } from "./completions.tsx";

interface Props {
  text: string;
  /** The span of the error. */
  span: readonly [number, number] | undefined;
  wrong: boolean;
  completion: Completion;
  area: RefObject<HTMLTextAreaElement | null>;
  onEdit: (text: string, caret: number) => void;
  onKey: (e: KeyboardEvent) => void;
  onAccept: (item: CompletionItem) => void;
}

const mostRows = 6;

export function Editor({ text, span, wrong, completion, area, onEdit, onKey, onAccept }: Props) {
  const mark = useRef<HTMLSpanElement>(null);
  const { list, active } = completion;
  return (
    <div class="editor">
      <pre aria-hidden="true">
        {coloured(text, span)}
        {"\n"}
      </pre>
      {list && (
        <pre class="measure" aria-hidden="true">
          {text.slice(0, list.start)}
          <span ref={mark} />
        </pre>
      )}
      <textarea
        ref={area}
        id="filter"
        rows={Math.min(mostRows, text.split("\n").length)}
        value={text}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        autocorrect="off"
        placeholder={"Filter, e.g.  src.as = 2906   or   udp src port 53"}
        aria-label="Filter"
        aria-haspopup="listbox"
        aria-controls={list ? "filter-list" : undefined}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `filter-item-${active}` : undefined}
        aria-invalid={wrong}
        aria-describedby={wrong ? "filter-error" : undefined}
        onInput={(e) => onEdit(e.currentTarget.value, e.currentTarget.selectionStart)}
        onKeyDown={onKey}
        onClick={(e) => {
          if (text === "" && !list) completion.ask(text, e.currentTarget.selectionStart);
        }}
        onBlur={() => completion.close()}
      />
      <span class="offscreen" role="status">
        {list && `${list.items.length} ${list.items.length === 1 ? "completion" : "completions"}, use arrow keys to choose`}
      </span>
      {list && <Completions list={list} active={active} mark={mark} onAccept={onAccept} />}
    </div>
  );
}
