// Finds the address of an exporter by its name.

import { useState } from "preact/hooks";
import { api } from "../../api/api.ts";
import { usePoll } from "../../parts/ui.tsx";
import { follow, go, link } from "../../state/state.ts";

const pollMS = 2000;

/** The page of an exporter by name; redirects to its address. */
export function ByName({ name, page }: { name: string; page: (address: string) => string }) {
  const [said, say] = useState("Loading …");
  usePoll(pollMS, async (signal) => {
    try {
      const { body } = await api.exporters(signal);
      const one = body.exporters.find((e) => e.name === name);
      if (one) go(link(page(one.address)), "replace");
      else say("No exporter with this name has sent anything since NetMeta started. Try its address.");
    } catch (e) {
      if (!signal.aborted) say(e instanceof Error ? e.message : String(e));
    }
  });
  return (
    <main class="status" id="main">
      <header class="page-head">
        <h1>{name}</h1>
        <p role="status">
          {said}{" "}
          <a href="/exporters" onClick={follow}>
            All exporters
          </a>
        </p>
      </header>
    </main>
  );
}
