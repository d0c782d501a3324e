// Whether a filter is right, as the server says.

import { useEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type FilterError } from "../../api/api.ts";

export interface Check {
  error: FilterError | undefined;
  /** Nothing is said of the text any more. */
  clear: () => void;
  /** Checks at once: true unless the server says that the text is wrong. */
  now: (text: string) => Promise<boolean>;
  /** Checks when nobody has typed for a moment. */
  later: (text: string) => void;
}

const afterMS = 250;

export function useCheck(): Check {
  const [error, setError] = useState<FilterError | undefined>();
  const asked = useRef<AbortController | null>(null);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);

  const clear = () => setError(undefined);
  const now = async (text: string) => {
    clearTimeout(timer.current);
    asked.current?.abort();
    const stop = (asked.current = new AbortController());
    if (text.trim() === "") {
      clear();
      return true;
    }
    try {
      const { body } = await api.check(text, stop.signal);
      if (stop.signal.aborted) return false;
      setError(body.ok ? undefined : body.error);
      return body.ok;
    } catch (e) {
      if (stop.signal.aborted) return false;
      const filter = e instanceof APIError ? e.filter : undefined;
      setError(filter);
      return filter === undefined; // no answer: let the query itself say what is wrong
    }
  };
  const later = (text: string) => {
    clearTimeout(timer.current);
    clear();
    timer.current = window.setTimeout(() => void now(text), afterMS);
  };
  return { error, clear, now, later };
}
