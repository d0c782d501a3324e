// Loads the interfaces for their pages.

import { useEffect, useState } from "preact/hooks";
import { api, type Interfaces as List } from "../../api/api.ts";
import { reload, view, zone } from "../../state/state.ts";
import { ask } from "../../text/url.ts";

/** The interfaces of one exporter or of all, in the range of the URL; loaded again when it changes and every minute. */
export function useInterfaces(exporter = ""): { list?: List; error: string; loading: boolean } {
  const [state, setState] = useState<{ list?: List; error: string; loading: boolean }>({ error: "", loading: true });
  const [minute, setMinute] = useState(0);
  const keys = ask(view.value, zone.value, ["from", "to"]) + (exporter && `&exporter=${exporter}`);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setMinute((m) => m + 1), 60_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    setState((s) => ({ ...s, loading: true }));
    api.interfaces(keys, stop.signal).then(
      ({ body }) => setState({ list: body, error: "", loading: false }),
      (e) => stop.signal.aborted || setState((s) => ({ ...s, error: e instanceof Error ? e.message : String(e), loading: false })),
    );
    return () => stop.abort();
  }, [keys, minute, reload.value]);
  return state;
}
