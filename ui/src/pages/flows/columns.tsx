// The column chooser.

import { useEffect, useState } from "preact/hooks";
import { api, type FlowColumn } from "../../api/api.ts";
import { Icon, Popover } from "../../parts/ui.tsx";
import { fieldByName, show } from "../../state/state.ts";

/** Chooses the columns of the list, from those that the server lists for the table. */
export function Columns({ shown: now }: { shown: FlowColumn[] }) {
  const [open, setOpen] = useState(false);
  const [all, setAll] = useState<FlowColumn[]>([]);
  const [search, setSearch] = useState("");
  useEffect(() => {
    if (!open || all.length) return;
    // A range without records still has its columns.
    api.flows("columns=all&limit=1&from=-1s").then(
      ({ body }) => setAll(body.columns),
      () => undefined,
    );
  }, [open]);
  const names = now.map((c) => c.column);
  const set = (list: string[]) => show({ columns: list.join(",") }, "replace");
  const toggle = (c: FlowColumn) => {
    const on = names.includes(c.column);
    // The time stays first; without it the order is meaningless.
    if (on) return c.column === names[0] ? undefined : set(names.filter((n) => n !== c.column));
    set([...names, c.column]);
  };
  const wanted = search.trim().toLowerCase();
  const found = all.filter((c) => wanted === "" || (c.title + " " + c.column + " " + c.name).toLowerCase().includes(wanted));
  return (
    <span class="anchor">
      <button
        type="button"
        class="button"
        id="columns"
        data-opens
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        Columns <span class="quiet">{now.length}</span> <Icon name="down" />
      </button>
      <Popover open={open} onClose={() => setOpen(false)} class="picker column-picker" label="Columns">
        <input
          type="text"
          class="picker-search"
          placeholder="Search columns"
          aria-label="Search columns"
          autofocus
          value={search}
          onInput={(e) => setSearch(e.currentTarget.value)}
        />
        <div class="picker-list" role="group" aria-label="Columns" tabIndex={0}>
          {found.map((c) => (
            <label key={c.column} class="picker-item check" title={fieldByName.value.get(c.name)?.doc}>
              <input
                type="checkbox"
                checked={names.includes(c.column)}
                disabled={c.column === names[0]}
                onChange={() => toggle(c)}
                data-column={c.column}
              />
              <b>{c.title}</b>
              <code>{c.name || c.column}</code>
            </label>
          ))}
        </div>
        <div class="row end">
          <button type="button" class="button" onClick={() => show({ columns: "" }, "replace")}>
            Default
          </button>
          <button type="button" class="button" onClick={() => show({ columns: "all" }, "replace")}>
            All
          </button>
        </div>
      </Popover>
    </span>
  );
}
