// The list of completions, below the word they complete.

import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { CompletionItem } from "../../api/api.ts";
import type { List } from "./completion.ts";

interface Props {
  list: List;
  active: number;
  /** Marks the start of the word. */
  mark: RefObject<HTMLSpanElement | null>;
  onAccept: (item: CompletionItem) => void;
}

export function Completions({ list, active, mark, onAccept }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!box.current || !mark.current) return;
    const room = (box.current.offsetParent as HTMLElement).clientWidth - box.current.offsetWidth;
    box.current.style.left = Math.max(0, Math.min(mark.current.offsetLeft - 10, room)) + "px";
    box.current.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  });
  return (
    <div class="completions" ref={box} id="filter-list" role="listbox" aria-label="Completions">
      {list.items.map((item, i) => (
        <div
          key={item.label + item.kind}
          id={`filter-item-${i}`}
          role="option"
          aria-selected={i === active}
          class="completion"
          onPointerDown={(e) => {
            e.preventDefault(); // keeps the focus in the line
            onAccept(item);
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
  );
}
