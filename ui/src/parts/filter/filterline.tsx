// The filter line: a native textarea with its text coloured underneath, a list of completions, and errors at their position. Because the
// textarea is native, input methods, undo, phone keyboards and screen readers work as usual.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CompletionItem, FilterError } from "../../api/api.ts";
import { show, view } from "../../state/state.ts";
import { indexOfByte } from "../../text/filter.ts";
import { Icon } from "../ui.tsx";
import { useCheck } from "./check.ts";
import { useCompletion } from "./completion.ts";
import { Editor } from "./editor.tsx";
import { action } from "./keyboard.ts";
import { Wrong } from "./wrong.tsx";

export function FilterLine({ serverError }: { serverError: FilterError | undefined }) {
  const q = view.value.q;
  const [text, setText] = useState(q);
  const area = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);
  const check = useCheck();
  const completion = useCompletion(area);
  const { list } = completion;

  const reset = () => {
    setText(q);
    check.clear();
  };
  // The URL changed by Back, a value or a link.
  useLayoutEffect(() => {
    reset();
    completion.close();
  }, [q]);
  // The caret moves after the inserted text once that is rendered.
  useLayoutEffect(() => {
    if (caret.current === null || !area.current) return;
    area.current.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [text]);

  const edit = (value: string, at: number) => {
    setText(value);
    completion.narrow(text, value, at);
    completion.ask(value, at);
    check.later(value);
  };
  const run = async (value: string) => {
    completion.close();
    if (await check.now(value)) show({ q: value.trim() });
  };
  const accept = (item: CompletionItem) => {
    if (!list) return;
    caret.current = list.start + item.insert.length;
    edit(text.slice(0, list.start) + item.insert + text.slice(list.end), caret.current);
  };
  /** Sets the text and the focus. */
  const put = (value: string) => {
    setText(value);
    area.current?.focus();
  };
  const key = (e: KeyboardEvent) => {
    const act = action(e, {
      text,
      completion,
      accept,
      run: () => void run(text),
      changed: text !== q,
      reset,
      complete: () => completion.ask(text, area.current?.selectionStart ?? text.length),
      leave: () => area.current?.blur(),
    });
    if (!act) return;
    e.preventDefault();
    act();
  };

  // No error is shown while completions are open.
  const wrong = list ? undefined : (check.error ?? (text === q ? serverError : undefined));
  const span = wrong ? ([indexOfByte(text, wrong.span[0]), indexOfByte(text, wrong.span[1])] as const) : undefined;
  return (
    <div class="filter">
      <div class={`filter-box ${wrong ? "wrong" : ""}`}>
        <span class="filter-hint" aria-hidden="true">
          /
        </span>
        <Editor
          text={text}
          span={span}
          wrong={wrong !== undefined}
          completion={completion}
          area={area}
          onEdit={edit}
          onKey={key}
          onAccept={accept}
        />
        {text !== "" && (
          <button
            type="button"
            class="icon-button"
            aria-label="Clear filter"
            title="Clear filter"
            onClick={() => {
              check.clear();
              show({ q: "" });
              put("");
            }}
          >
            <Icon name="close" />
          </button>
        )}
        <button type="button" class={`button run ${text.trim() !== q.trim() ? "primary" : ""}`} onClick={() => void run(text)}>
          Run
        </button>
      </div>
      {wrong && span && (
        <Wrong
          error={wrong}
          onFix={(fix) => {
            const value = text.slice(0, span[0]) + fix + text.slice(span[1]);
            put(value);
            void run(value);
          }}
        />
      )}
    </div>
  );
}
