// Simulated exporters, for users without a router.

import { useState } from "preact/hooks";
import { api } from "../../api/api.ts";
import { Icon } from "../../parts/ui.tsx";

export function Demo({ runs, asked }: { runs: boolean; asked: () => void }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const turn = async () => {
    setBusy(true);
    try {
      await api.demo(!runs);
      setWrong("");
      asked();
    } catch (e) {
      setWrong(e instanceof Error ? e.message : String(e));
    }
    setBusy(false);
  };
  return (
    <div class="demo">
      <p class="hint">
        {runs
          ? "Simulated exporters are sending, from 127.0.6.1, 127.0.9.1, 127.0.10.1 and following. Their flows are stored with your real flows."
          : "No router at hand? Six simulated exporters send one hour of sample history, then live traffic. It is stored with your real flows (exporters 127.0.0.0/8)."}
      </p>
      <button type="button" class="button" id="demo" disabled={busy} onClick={() => void turn()}>
        {runs ? "Stop demo" : "Start demo"}
      </button>
      {wrong && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {wrong}
        </p>
      )}
    </div>
  );
}
