// The export menu of the chart.

import { useState } from "preact/hooks";
import { Icon, lazy } from "../../parts/ui.tsx";
import type { Answer } from "./answer.ts";

const ExportList = lazy(() => import("./exportlist.tsx").then((m) => m.ExportList));

export function ExportMenu({ answer, drawn }: { answer: Answer; drawn: string }) {
  const [open, setOpen] = useState(false);
  return (
    <span class="anchor">
      <button
        type="button"
        class="button"
        id="export"
        data-opens
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label="Export"
        title="Export"
        onClick={() => setOpen(!open)}
      >
        <Icon name="download" />
      </button>
      {open && <ExportList answer={answer} drawn={drawn} onDone={() => setOpen(false)} />}
    </span>
  );
}
