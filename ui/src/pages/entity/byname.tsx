// The address of something that is called by its name.

import { useState } from "preact/hooks";
import { api } from "../../api/api.ts";
import { usePoll } from "../../parts/ui.tsx";
import { follow, go, link } from "../../state/state.ts";

const pollMS = 2000;

/** The page of an exporter that is called by its name: leads to that of its address. */
export function ByName({ name, page }: { name: string; page: (address: string) => string }) {
  const [said, say] = useState("Asking …");
  usePoll(pollMS, async (signal) => {
    try {
      const { body } = await api.exporters(signal);
      const one = body.exporters.find((e) => e.name === name);
      if (one) go(link(page(one.address)), "replace");
      else
        say(
          "No exporter that has sent something since the start of NetMeta has this name. One that sends again shows up here; its address works in any case.",
        );
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
