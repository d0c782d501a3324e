// Export of records to a file.

import { useState } from "preact/hooks";
import { Icon, Popover } from "../../parts/ui.tsx";
import { copy, view, zone } from "../../state/state.ts";
import { current } from "../../state/window.ts";
import * as fmt from "../../text/format.ts";
import { recordKeys } from "../../text/url.ts";

/** Exports the records of the range on screen, so that the file has the same rows as the list. */
export function Export({ window: w, most }: { window: { from: string; to: string } | null; most: number }) {
  const [open, setOpen] = useState(false);
  const c = current();
  const at = w ?? { from: String(Math.floor(c.from)), to: String(Math.floor(c.to)) };
  const url = (format: string) => `/api/v1/flows?${recordKeys({ ...view.value, ...at }, zone.value)}&limit=${most}&format=${format}`;
  return (
    <span class="anchor">
      <button type="button" class="button" id="export" data-opens aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        Export <Icon name="down" />
      </button>
      <Popover open={open} onClose={() => setOpen(false)} class="menu right" label="Export">
        <div class="menu-list" role="menu">
          <a role="menuitem" href={url("csv")} download="flows.csv" onClick={() => setOpen(false)}>
            CSV <span class="quiet">up to {fmt.grouped(most)} records</span>
          </a>
          <a role="menuitem" href={url("jsonl")} download="flows.jsonl" onClick={() => setOpen(false)}>
            JSON lines
          </a>
          <button
            type="button"
            role="menuitem"
            onClick={() => {
              setOpen(false);
              void copy(`curl -s '${location.origin}${url("csv").replace(/'/g, "%27")}'`, "curl command");
            }}
          >
            Copy as curl
          </button>
        </div>
      </Popover>
    </span>
  );
}
