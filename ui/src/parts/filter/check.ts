// Checks a filter on the server.

import { useEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type FilterError } from "../../api/api.ts";

export interface Check {
  error: FilterError | undefined;
  /** Removes the error. */
  clear: () => void;
  /** Checks at once: false if the server reports an error. */
  now: (text: string) => Promise<boolean>;
  /** Checks after a short pause in typing. */
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
      return filter === undefined; // no answer: the query will report the error
    }
  };
  const later = (text: string) => {
    clearTimeout(timer.current);
    clear();
    timer.current = window.setTimeout(() => void now(text), afterMS);
  };
  return { error, clear, now, later };
}
