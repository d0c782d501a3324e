// Whether the server still answers, for pages that do not poll.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, noAnswer } from "../api/api.ts";
import { reload } from "../state/state.ts";
import { usePoll } from "./ui.tsx";

const pollMS = 5000;
const patienceMS = 10_000;

/**
 * useAlive returns the error that a page shows, given that of its last query; empty: none. It also detects between queries that the
 * server is gone. When the server is back, the page loads again.
 */
export function useAlive(error: string): string {
  const [down, setDown] = useState(false);
  const lost = useRef(false);
  useEffect(() => {
    if (error === noAnswer) lost.current = true;
  }, [error]);
  usePoll(pollMS, async (left) => {
    try {
      await api.alive(AbortSignal.timeout(patienceMS));
    } catch {
      lost.current = true;
      setDown(true);
      return;
    }
    setDown(false);
    if (lost.current && !left.aborted) reload.value += 1;
    lost.current = false;
  });
  return down || error === noAnswer ? `${noAnswer}; retrying.` : error;
}
