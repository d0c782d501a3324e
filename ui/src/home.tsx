// The door: Explore when there is something to see, Start until then.

import { useEffect, useState } from "preact/hooks";
import { api } from "./api.ts";
import { Start } from "./start.tsx";
import { go } from "./state.ts";

/** Groupings to open with, the most telling first; one that tells nothing apart here is passed over. */
const openings = ["remote.as", "remote.ip"];
/** The door does not keep anybody waiting: a store that is slow now opens without grouping. */
const giveUpMS = 500;

export function Home() {
  const [fresh, setFresh] = useState(false);
  useEffect(() => {
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort(), giveUpMS);
    let left = false;
    const open = async () => {
      // All at once; the status decides where to go, the answers only how.
      const answers = openings.map((name) => api.query(`by=${name}&from=-5m&n=3&px=10`, gone.signal).catch(() => undefined));
      const { body } = await api.status();
      if ((body.exporters ?? []).length === 0 && body.storage.rows === 0) {
        setFresh(true);
        return;
      }
      let by = "";
      for (const [i, pending] of answers.entries()) {
        const answer = await pending;
        if (answer && new Set(answer.body.series.map((s) => s.key.join())).size > 2) {
          by = `by=${openings[i]}&`;
          break;
        }
      }
      if (!left) go(`/explore?${by}live=1`, "replace");
    };
    open().catch(() => setFresh(true)); // Start says that nothing answers, and goes on asking
    return () => {
      left = true;
      clearTimeout(timer);
      gone.abort();
    };
  }, []);
  return fresh ? <Start /> : null;
}
