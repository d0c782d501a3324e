// The keys of the filter line.

import type { CompletionItem } from "../../api/api.ts";
import type { Completion } from "./completion.ts";

interface Line {
  text: string;
  /** The text differs from the last one that was run. */
  changed: boolean;
  completion: Completion;
  accept: (item: CompletionItem) => void;
  complete: () => void;
  run: () => void;
  reset: () => void;
  leave: () => void;
}

/** The action of a key; undefined: the default of a text field. */
export function action(e: KeyboardEvent, line: Line): (() => void) | undefined {
  const { list, active, setActive, close } = line.completion;
  const last = (list?.items.length ?? 0) - 1;
  if (e.isComposing) return undefined;
  switch (e.key) {
    case "Enter":
      if (e.shiftKey) return undefined;
      return list && active >= 0 ? () => line.accept(list.items[active]) : line.run;
    case "Tab":
      if (!list || e.shiftKey || e.ctrlKey || e.altKey) return undefined;
      return () => line.accept(list.items[Math.max(0, active)]);
    case "ArrowDown":
      if (list) return () => setActive(active < last ? active + 1 : 0);
      return line.text.includes("\n") ? undefined : line.complete;
    case "ArrowUp":
      return list ? () => setActive(active > 0 ? active - 1 : last) : undefined;
    case "Escape":
      e.stopPropagation();
      if (list) return close;
      return () => {
        close(); // cancels a list that is still loading
        if (line.changed) line.reset();
        else line.leave();
      };
    case " ":
      return e.ctrlKey ? line.complete : undefined;
  }
  return undefined;
}
