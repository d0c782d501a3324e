// Polls the status, and keeps its last minutes for the small charts.

import { useRef, useState } from "preact/hooks";
import { api, type Status } from "../../api/api.ts";
import { usePoll } from "../../parts/ui.tsx";

const pollMS = 2000;
const kept = 90; // points in the small charts: three minutes

export interface History {
  datagrams: (number | null)[];
  flows: (number | null)[];
  rows: (number | null)[];
  queue: (number | null)[];
}

export interface Told {
  status: Status | null;
  /** The error; empty: none. The status is the last one received. */
  down: string;
  history: History;
  /** Rows a second. */
  inserted: number | null;
}

export function useStatus(): Told {
  const [status, setStatus] = useState<Status | null>(null);
  const [down, setDown] = useState("");
  const history = useRef<History>({ datagrams: [], flows: [], rows: [], queue: [] });
  const before = useRef<Status | null>(null);
  const inserted = useRef<number | null>(null);
  usePoll(pollMS, async (signal) => {
    try {
      const { body } = await api.status(signal);
      const h = history.current;
      const b = before.current;
      const dt = b ? body.now - b.now : 0;
      // The API has no rate of rows; it is the difference of two polls.
      if (b && dt > 0) inserted.current = Math.max(0, (body.pipeline.inserted_rows - b.pipeline.inserted_rows) / dt);
      for (const [list, value] of [
        [h.datagrams, body.rates.datagrams],
        [h.flows, body.rates.flows],
        [h.rows, inserted.current],
        [h.queue, body.pipeline.queue_blocks],
      ] as [(number | null)[], number | null][]) {
        list.push(value);
        if (list.length > kept) list.shift();
      }
      before.current = body;
      setStatus(body);
      setDown("");
    } catch (e) {
      if (!signal.aborted) setDown(e instanceof Error ? e.message : String(e));
    }
  });
  return { status, down, history: history.current, inserted: inserted.current };
}
