// Completions at the caret: loaded while the user types, chosen with the arrow keys.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type CompletionItem } from "../../api/api.ts";
import { byteOffset, indexOfByte } from "../../text/filter.ts";

/** Items that can replace a part of the text. */
export interface List {
  start: number;
  end: number;
  items: CompletionItem[];
}

export interface Completion {
  list: List | null;
  /** The selected item; -1: none. */
  active: number;
  setActive: (i: number) => void;
  /** Loads the completions at the caret, after a short delay. */
  ask: (text: string, caret: number) => void;
  /** Reduces the list to items that still match, until a new list arrives. */
  narrow: (before: string, text: string, caret: number) => void;
  close: () => void;
}

const afterMS = 30;
const most = 50;

export function useCompletion(area: RefObject<HTMLTextAreaElement | null>): Completion {
  const [list, setList] = useState<List | null>(null);
  const [active, setActive] = useState(-1);
  const asked = useRef<AbortController | null>(null);
  const timer = useRef(0);
  /** The selected item, which a late answer does not deselect. */
  const chosen = useRef<string | undefined>(undefined);
  chosen.current = list?.items[active]?.label;
  useEffect(() => () => clearTimeout(timer.current), []);

  const answer = async (text: string, caret: number) => {
    asked.current?.abort();
    const stop = (asked.current = new AbortController());
    try {
      const { body } = await api.complete(text, byteOffset(text, caret), stop.signal);
      if (stop.signal.aborted || document.activeElement !== area.current) return;
      const items = (body.items ?? []).slice(0, most);
      const [start, end] = body.replace.map((byte) => indexOfByte(text, byte));
      setActive(items.findIndex((i) => i.label === chosen.current));
      setList(items.length ? { start, end, items } : null);
    } catch {
      // typing works without completions
    }
  };
  const ask = (text: string, caret: number) => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => void answer(text, caret), afterMS);
  };
  const narrow = (before: string, text: string, caret: number) => {
    setActive(-1);
    if (!list || caret < list.start || !text.startsWith(before.slice(0, list.start))) {
      setList(null);
      return;
    }
    const word = text.slice(list.start, caret).toLowerCase();
    const items = list.items.filter((i) => i.label.toLowerCase().includes(word));
    setList(items.length ? { start: list.start, end: caret, items } : null);
  };
  const close = () => {
    asked.current?.abort();
    clearTimeout(timer.current);
    setList(null);
    setActive(-1);
  };
  return { list, active, setActive, ask, narrow, close };
}
