// Polls the exporters for their pages.

import { useRef, useState } from "preact/hooks";
import { api, type Health, type Ignored } from "../../api/api.ts";
import { usePoll } from "../../parts/ui.tsx";

const pollMS = 2000;
const courseMS = 30_000;

export interface State {
  list: Health[];
  others?: Health;
  ignored: Ignored[];
  now: number;
  /** Flows and datagrams per second, by address and type. */
  rates: Map<string, [number, number]>;
}

export const idOf = (e: Health) => e.address + " " + e.type;

/** Polls the exporters; rates are the difference of two answers. */
export function useExporters(): [State | null, string, () => void] {
  const [state, setState] = useState<State | null>(null);
  const [down, setDown] = useState("");
  const before = useRef<{ at: number; list: Map<string, Health> } | null>(null);
  const poll = async (signal?: AbortSignal) => {
    try {
      const { body, now } = await api.exporters(signal);
      const at = performance.now();
      const b = before.current;
      const rates = new Map<string, [number, number]>();
      for (const e of body.exporters) {
        const old = b?.list.get(idOf(e));
        if (b && old && at > b.at)
          rates.set(
            idOf(e),
            [Math.max(0, e.flows - old.flows), Math.max(0, e.datagrams - old.datagrams)].map((n) => (n * 1000) / (at - b.at)) as [
              number,
              number,
            ],
          );
      }
      before.current = { at, list: new Map(body.exporters.map((e) => [idOf(e), e])) };
      setState({
        list: [...body.exporters].sort((x, y) => (x.address < y.address ? -1 : 1)),
        others: body.others,
        ignored: body.ignored ?? [],
        now,
        rates,
      });
      setDown("");
    } catch (e) {
      if (!signal?.aborted) setDown(e instanceof Error ? e.message : String(e));
    }
  };
  usePoll(pollMS, poll);
  return [state, down, () => void poll()];
}

/** The flows of each exporter over the last hour, by address. */
export function useCourses(): Map<string, (number | null)[]> {
  const [courses, setCourses] = useState(new Map<string, (number | null)[]>());
  usePoll(courseMS, async (signal) => {
    const { body } = await api.query("by=exporter&from=-1h&unit=fps&dir=sum&n=50&step=60", signal);
    setCourses(new Map(body.series.filter((s) => !s.other).map((s) => [s.key[0], s.values.slice(1, -1)])));
  });
  return courses;
}
