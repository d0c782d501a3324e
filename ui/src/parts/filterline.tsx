// The filter line: a plain textarea with its own text coloured beneath it, a list of completions, and errors where they are. The text
// area stays native, so input methods, undo, phone keyboards and screen readers work as they do everywhere.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type CompletionItem, type FilterError } from "../api/api.ts";
import { show, view, words } from "../state/state.ts";
import { byteOffset, indexOfByte, tokens } from "../text/filter.ts";
import { Icon } from "./ui.tsx";

interface List {
  start: number;
  end: number;
  items: CompletionItem[];
}

const completeAfterMS = 30;
const checkAfterMS = 250;

export function FilterLine({ serverError }: { serverError: FilterError | undefined }) {
  const q = view.value.q;
  const [text, setText] = useState(q);
  const [error, setError] = useState<FilterError | undefined>();
  const [list, setList] = useState<List | null>(null);
  const [active, setActive] = useState(-1);
  const area = useRef<HTMLTextAreaElement>(null);
  const mark = useRef<HTMLSpanElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const asked = useRef<AbortController | null>(null);
  const checking = useRef<AbortController | null>(null);
  const timers = useRef({ complete: 0, check: 0 });
  const caret = useRef<number | null>(null);
  /** The item that was chosen: an answer that comes late does not take the choice away. */
  const chosen = useRef<string | undefined>(undefined);
  chosen.current = list?.items[active]?.label;

  // Back, a click on a value, a link: the URL changed under the line.
  useLayoutEffect(() => {
    setText(q);
    setError(undefined);
    close();
  }, [q]);
  useEffect(() => () => [timers.current.complete, timers.current.check].forEach(clearTimeout), []);

  function close() {
    asked.current?.abort();
    clearTimeout(timers.current.complete);
    setList(null);
    setActive(-1);
  }

  function complete(value: string, cursor: number) {
    clearTimeout(timers.current.complete);
    timers.current.complete = window.setTimeout(async () => {
      asked.current?.abort();
      const stop = (asked.current = new AbortController());
      try {
        const { body } = await api.complete(value, byteOffset(value, cursor), stop.signal);
        if (stop.signal.aborted || document.activeElement !== area.current) return;
        const items = (body.items ?? []).slice(0, 50);
        setActive(items.findIndex((i) => i.label === chosen.current));
        setList(items.length ? { start: indexOfByte(value, body.replace[0]), end: indexOfByte(value, body.replace[1]), items } : null);
      } catch {
        // completion is a help; typing goes on without it
      }
    }, completeAfterMS);
  }

  /** True unless the server says that the text is wrong. */
  async function check(value: string): Promise<boolean> {
    clearTimeout(timers.current.check);
    checking.current?.abort();
    const stop = (checking.current = new AbortController());
    if (value.trim() === "") {
      setError(undefined);
      return true;
    }
    try {
      const { body } = await api.check(value, stop.signal);
      if (stop.signal.aborted) return false;
      setError(body.ok ? undefined : body.error);
      return body.ok;
    } catch (e) {
      if (stop.signal.aborted) return false;
      const filter = e instanceof APIError ? e.filter : undefined;
      setError(filter);
      return filter === undefined; // no answer: let the query itself say what is wrong
    }
  }

  function edit(value: string, cursor: number) {
    setText(value);
    // Until the server answers, the list follows the word: what no longer fits goes, and what is accepted replaces what stands there now.
    if (list && cursor >= list.start && value.startsWith(text.slice(0, list.start))) {
      const word = value.slice(list.start, cursor).toLowerCase();
      const items = list.items.filter((i) => i.label.toLowerCase().includes(word));
      setList(items.length ? { start: list.start, end: cursor, items } : null);
    } else setList(null);
    setActive(-1);
    complete(value, cursor);
    clearTimeout(timers.current.check);
    setError(undefined);
    timers.current.check = window.setTimeout(() => void check(value), checkAfterMS);
  }

  async function run(value: string) {
    close();
    if (await check(value)) show({ q: value.trim() });
  }

  function accept(item: CompletionItem) {
    if (!list) return;
    const value = text.slice(0, list.start) + item.insert + text.slice(list.end);
    caret.current = list.start + item.insert.length;
    edit(value, caret.current);
  }

  // The caret belongs after what was inserted, once the new text is in place.
  useLayoutEffect(() => {
    if (caret.current === null || !area.current) return;
    area.current.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [text]);

  // The list hangs under the word that it completes.
  useLayoutEffect(() => {
    if (!box.current || !mark.current) return;
    const room = (box.current.offsetParent as HTMLElement).clientWidth - box.current.offsetWidth;
    box.current.style.left = Math.max(0, Math.min(mark.current.offsetLeft - 10, room)) + "px";
    box.current.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  });

  function key(e: KeyboardEvent) {
    if (e.isComposing) return;
    const open = list !== null;
    switch (e.key) {
      case "Enter":
        if (e.shiftKey) return;
        e.preventDefault();
        if (open && active >= 0) accept(list.items[active]);
        else void run(text);
        return;
      case "Tab":
        if (!open || e.shiftKey || e.ctrlKey || e.altKey) return;
        e.preventDefault();
        accept(list.items[Math.max(0, active)]);
        return;
      case "ArrowDown":
      case "ArrowUp": {
        if (!open) {
          if (e.key === "ArrowDown" && !text.includes("\n")) {
            e.preventDefault();
            complete(text, area.current?.selectionStart ?? text.length);
          }
          return;
        }
        e.preventDefault();
        const n = list.items.length;
        setActive(e.key === "ArrowDown" ? (active + 1) % n : active <= 0 ? n - 1 : active - 1);
        return;
      }
      case "Escape":
        e.preventDefault();
        e.stopPropagation();
        if (open) close();
        else if (text !== q) {
          setText(q);
          setError(undefined);
        } else area.current?.blur();
        return;
      case " ":
        if (!e.ctrlKey) return;
        e.preventDefault();
        complete(text, area.current?.selectionStart ?? text.length);
    }
  }

  // A text that is still being completed is not wrong yet.
  const wrong = list ? undefined : (error ?? (text === q ? serverError : undefined));
  const span = wrong ? ([indexOfByte(text, wrong.span[0]), indexOfByte(text, wrong.span[1])] as const) : undefined;
  const rows = Math.min(6, text.split("\n").length);
  const fix = wrong?.suggestion && span ? wrong.suggestion : undefined;

  return (
    <div class="filter">
      <div class={`filter-box ${wrong ? "wrong" : ""}`}>
        <span class="filter-hint" aria-hidden="true">
          /
        </span>
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
            rows={rows}
            value={text}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            autocorrect="off"
            placeholder={"Filter, for example:  src.as = 2906   or   udp src port 53"}
            aria-label="Filter"
            aria-haspopup="listbox"
            aria-controls={list ? "filter-list" : undefined}
            aria-autocomplete="list"
            aria-activedescendant={active >= 0 ? `filter-item-${active}` : undefined}
            aria-invalid={wrong !== undefined}
            aria-describedby={wrong ? "filter-error" : undefined}
            onInput={(e) => edit(e.currentTarget.value, e.currentTarget.selectionStart)}
            onKeyDown={key}
            onClick={(e) => {
              if (text === "" && !list) complete(text, e.currentTarget.selectionStart);
            }}
            onBlur={() => close()}
          />
          <span class="offscreen" role="status">
            {list && `${list.items.length} ${list.items.length === 1 ? "completion" : "completions"}, arrow keys choose`}
          </span>
          {list && (
            <div class="completions" ref={box} id="filter-list" role="listbox" aria-label="Completions">
              {list.items.map((item, i) => (
                <div
                  key={item.label + item.kind}
                  id={`filter-item-${i}`}
                  role="option"
                  aria-selected={i === active}
                  class="completion"
                  onPointerDown={(e) => {
                    e.preventDefault(); // the focus stays in the line
                    accept(item);
                  }}
                >
                  <span class={`kind kind-${item.kind}`}>{item.kind}</span>
                  <b>{item.label}</b>
                  <span class="detail">{item.detail}</span>
                </div>
              ))}
              <div class="completions-foot" aria-hidden="true">
                <kbd>Tab</kbd> accept <kbd>↑↓</kbd> choose <kbd>Enter</kbd> run
              </div>
            </div>
          )}
        </div>
        {text !== "" && (
          <button
            type="button"
            class="icon-button"
            aria-label="Clear filter"
            title="Clear filter"
            onClick={() => {
              setText("");
              setError(undefined);
              show({ q: "" });
              area.current?.focus();
            }}
          >
            <Icon name="close" />
          </button>
        )}
        <button type="button" class={`button run ${text.trim() !== q.trim() ? "primary" : ""}`} onClick={() => void run(text)}>
          Run
        </button>
      </div>
      {wrong && (
        <p class="filter-error" id="filter-error" role="alert">
          <Icon name="warn" />
          <span>
            {wrong.message}
            {wrong.expected?.length ? <em> — expected {wrong.expected.slice(0, 8).join(", ")}</em> : null}
          </span>
          {fix && span && (
            <button
              type="button"
              class="button fix"
              onClick={() => {
                const value = text.slice(0, span[0]) + fix + text.slice(span[1]);
                setText(value);
                area.current?.focus();
                void run(value);
              }}
            >
              Use <b>{fix}</b>
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function coloured(text: string, span: readonly [number, number] | undefined) {
  // A span of nothing, as at the end of the text, still needs something to stand under.
  const from = span ? span[0] : -1;
  const to = span ? Math.max(span[1], span[0] + 1) : -1;
  const out = [];
  for (const t of tokens(text, words.value)) {
    const cuts = [t.start, ...[from, to].filter((c) => c > t.start && c < t.end), t.end];
    for (let i = 0; i + 1 < cuts.length; i++) {
      const bad = cuts[i] >= from && cuts[i + 1] <= to && from >= 0;
      out.push(<span class={`t-${t.type}${bad ? " bad" : ""}`}>{text.slice(cuts[i], cuts[i + 1])}</span>);
    }
  }
  if (from >= text.length && from >= 0) out.push(<span class="bad"> </span>);
  return out;
}
