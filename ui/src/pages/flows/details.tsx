// All fields of one record.

import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type FlowColumn } from "../../api/api.ts";
import { IconButton } from "../../parts/ui.tsx";
import { ValueButton } from "../../parts/valuemenu.tsx";
import { copy, fieldByName, view, zone } from "../../state/state.ts";
import { type Cell, called, find, type Rec, text } from "../../text/records.ts";
import { recordKeys } from "../../text/url.ts";
import { can } from "./list.tsx";
import type { Loaded } from "./loaded.ts";

/** Every column of one record, with the menu of its value. */
export function Details({ r, list, onClose }: { r: Rec; list: Loaded; onClose: () => void }) {
  const [all, setAll] = useState<{ columns: FlowColumn[]; cells: Cell[] } | null>(null);
  const [as, setAS] = useState(list.as);
  const [note, setNote] = useState("");
  const [empty, setEmpty] = useState(false);
  const tz = zone.value;
  const v = view.value;
  useEffect(() => {
    const stop = new AbortController();
    setAll(null);
    setNote("");
    // Records have no id: it is queried by its position in its second and recognised by its visible columns.
    const at = Number(r.cursor.split(".")[0]);
    const q = recordKeys({ ...v, from: String(at), to: String(at + 1), columns: "all", order: "desc", sort: "" }, tz);
    api.flows(`${q}&limit=20&cursor=${r.cursor}`, stop.signal).then(
      ({ body }) => {
        const place = find(list.columns, r.cells, body);
        if (place < 0) setNote("Cannot load the whole record; showing the columns of the list.");
        setAS({ ...list.as, ...body.as_names });
        setAll(place < 0 ? { columns: list.columns, cells: r.cells } : { columns: body.columns, cells: body.values.map((c) => c[place]) });
      },
      (e: unknown) => {
        if (stop.signal.aborted) return;
        setNote(e instanceof Error ? e.message : String(e));
        setAll({ columns: list.columns, cells: r.cells });
      },
    );
    return () => stop.abort();
  }, [r]);
  const groups = useMemo(() => {
    const out = new Map<string, [FlowColumn, Cell][]>();
    all?.columns.forEach((c, i) => {
      const g = fieldByName.value.get(c.name)?.group ?? "record";
      const cell = all.cells[i];
      if (!empty && blank(cell)) return;
      out.set(g, [...(out.get(g) ?? []), [c, cell]]);
    });
    return [...out];
  }, [all, empty]);
  return (
    <aside class="drawer details" aria-label="Record">
      <header>
        <h2>Record</h2>
        <span class="quiet">{text(list.columns[0], r.cells[0], undefined, tz, list.now)}</span>
        <label class="check">
          <input type="checkbox" checked={empty} onChange={(e) => setEmpty(e.currentTarget.checked)} /> Show empty fields
        </label>
        <IconButton icon="close" label="Close  Esc" onClick={onClose} />
      </header>
      <div class="drawer-body">
        {note && <p class="quiet">{note}</p>}
        {!all && <p class="quiet">Loading …</p>}
        {groups.map(([g, items]) => (
          <section key={g}>
            <h3 class="group-name">{g}</h3>
            <dl class="record-facts">
              {items.map(([c, cell]) => (
                <Fact key={c.column} c={c} cell={cell} as={as} now={list.now} />
              ))}
            </dl>
          </section>
        ))}
      </div>
    </aside>
  );
}

const none: ReadonlyMap<string, string> = new Map();

const blank = (c: Cell) =>
  c === "" || c === 0 || c === "::" || c === "{}" || c === "0" || c === "00:00:00:00:00:00" || (Array.isArray(c) && c.length === 0);

function Fact({ c, cell, as, now }: { c: FlowColumn; cell: Cell; as: Loaded["as"]; now: number }) {
  const f = fieldByName.value.get(c.name);
  const s = called([c], [cell], 0, f, { devices: none, as }) || text(c, cell, f, zone.value, now);
  return (
    <>
      <dt title={f?.doc ?? c.column}>{c.title}</dt>
      <dd>
        {f && can(f, cell) ? <ValueButton value={{ by: [c.name], key: [String(cell)], label: [s] }} /> : <span>{s === "" ? "–" : s}</span>}
        <span class="acts">
          <IconButton
            icon="copy"
            label={`Copy ${c.title}`}
            onClick={() => void copy(Array.isArray(cell) ? cell.join(" ") : String(cell), c.title)}
          />
        </span>
      </dd>
    </>
  );
}
