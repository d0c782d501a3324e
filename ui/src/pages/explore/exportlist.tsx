// The export formats of the chart.

import { Popover } from "../../parts/ui.tsx";
import { copy } from "../../state/state.ts";
import type { Answer } from "./answer.ts";

/** Lists the formats, with `png` or `svg` depending on the chart. Each choice ends with `onDone`. */
export function ExportList({ answer, drawn, onDone }: { answer: Answer; drawn: string; onDone: () => void }) {
  const { result, now, asked } = answer;
  const picture = drawn === "sankey" ? "svg" : ["stack", "stack100", "line", "heat"].includes(drawn) ? "png" : "";
  const done = (f: () => void) => () => {
    onDone();
    f();
  };
  const load = (what: "saveSVG" | "savePNG") => void import("../../charts/export.tsx").then((m) => m[what](result, now));
  const file = `netmeta-${result.from}-${result.to}`;
  return (
    <Popover open onClose={onDone} class="menu" label="Export">
      <div role="menu" aria-label="Export" class="menu-list">
        <a role="menuitem" href={`/api/v1/query.csv?${asked}`} download={file + ".csv"} onClick={done(() => undefined)}>
          CSV <span class="quiet">each interval</span>
        </a>
        <a role="menuitem" href={`/api/v1/query.csv?${asked}&of=table`} download={file + "-table.csv"} onClick={done(() => undefined)}>
          CSV <span class="quiet">table</span>
        </a>
        <a role="menuitem" href={`/api/v1/query?${asked}`} download={file + ".json"} onClick={done(() => undefined)}>
          JSON
        </a>
        {picture === "png" && (
          <button type="button" role="menuitem" onClick={done(() => load("savePNG"))}>
            PNG <span class="quiet">double size</span>
          </button>
        )}
        {picture === "svg" && (
          <button type="button" role="menuitem" onClick={done(() => load("saveSVG"))}>
            SVG
          </button>
        )}
        <button
          type="button"
          role="menuitem"
          onClick={done(() => void copy(`curl -s '${location.origin}/api/v1/query.csv?${asked.replace(/'/g, "%27")}'`, "curl command"))}
        >
          Copy as curl
        </button>
      </div>
    </Popover>
  );
}
