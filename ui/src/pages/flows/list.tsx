// The list: the visible rows, and spacers for the others.

import type { Field, FlowColumn } from "../../api/api.ts";
import { SortHead } from "../../parts/sorthead.tsx";
import { ValueButton } from "../../parts/valuemenu.tsx";
import { deviceNames } from "../../state/names.ts";
import { fieldByName, show, zone } from "../../state/state.ts";
import { type Cell, called, classOf, heading, numeric, type Rec, text, tip } from "../../text/records.ts";
import type { Loaded } from "./loaded.ts";

export const rowHeight = 28;

interface Props {
  list: Loaded | null;
  /** The visible records, from and to. */
  sight: [number, number];
  by: string;
  asc: boolean;
  open: Rec | null;
  onOpen: (r: Rec | null) => void;
}

export function List({ list, sight: [first, end], by, asc, open, onOpen }: Props) {
  const records = list?.records ?? [];
  const columns = list?.columns ?? [];
  return (
    <table class="data" id="records" aria-rowcount={list?.next ? -1 : records.length + 1} data-answer={list?.keys}>
      <thead>
        <tr>
          {columns.map((c) => (
            <Head key={c.column} c={c} time={c.kind === "time" && c.column === columns[0].column} by={by} asc={asc} />
          ))}
        </tr>
      </thead>
      <tbody>
        {first > 0 && <Space rows={first} columns={columns.length} />}
        {records.slice(first, end).map((r, i) => (
          <Row
            key={first + i}
            r={r}
            index={first + i}
            columns={columns}
            as={list?.as ?? {}}
            now={list?.now ?? 0}
            open={open === r}
            onOpen={() => onOpen(open === r ? null : r)}
          />
        ))}
        {end < records.length && <Space rows={records.length - end} columns={columns.length} />}
      </tbody>
    </table>
  );
}

/** A spacer for rows that are not visible. */
const Space = ({ rows, columns }: { rows: number; columns: number }) => (
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row takes no focus
  <tr class="space" aria-hidden="true" style={{ height: rows * rowHeight + "px" }}>
    <td colSpan={columns} />
  </tr>
);

const isColumn = (c: FlowColumn, by: string) => [c.column, c.name].some((n) => n.toLowerCase() === by.toLowerCase());
export const title = (columns: FlowColumn[], by: string) => columns.find((c) => isColumn(c, by))?.title ?? by;

/** A column head that sorts: largest numbers first, names from A, and the reverse. */
function Head({ c, time, by, asc }: { c: FlowColumn; time: boolean; by: string; asc: boolean }) {
  const right = numeric(c, fieldByName.value.get(c.name));
  const on = time ? by === "" : by !== "" && isColumn(c, by);
  const up = on ? !asc : !time && !right;
  const sort = () =>
    show(time ? { order: up ? "asc" : "desc", sort: "", live: false } : { sort: (up ? "" : "-") + c.column, order: "desc", live: false });
  return (
    <SortHead
      class={right ? "" : "text"}
      data-column={c.column}
      title={fieldByName.value.get(c.name)?.doc ?? c.column}
      on={on}
      up={asc}
      onSort={sort}
    >
      {time ? "Time" : heading(c)}
    </SortHead>
  );
}

function Row({
  r,
  index,
  columns,
  as,
  now,
  open,
  onOpen,
}: {
  r: Rec;
  index: number;
  columns: FlowColumn[];
  as: Loaded["as"];
  now: number;
  open: boolean;
  onOpen: () => void;
}) {
  const tz = zone.value;
  return (
    <tr class={open ? "on" : ""} aria-rowindex={index + 2} onClick={(e) => (e.target as Element).closest("button") || onOpen()}>
      {columns.map((c, i) => {
        const f = fieldByName.value.get(c.name);
        const name = called(columns, r.cells, i, f, { devices: deviceNames.value, as });
        const s = name || text(c, r.cells[i], f, tz, now);
        return (
          <td key={c.column} class={classOf(c, f)} data-column={c.column}>
            {i === 0 ? (
              <button type="button" class="value" aria-expanded={open} title="Show all fields" onClick={onOpen}>
                {s}
              </button>
            ) : s === "" ? (
              <span class="quiet">–</span>
            ) : f && can(f, r.cells[i]) ? (
              <ValueButton value={{ by: [c.name], key: [String(r.cells[i])], label: [s] }} title={tip(f, r.cells[i], s)} />
            ) : (
              s
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** Whether a value can become a condition. */
export const can = (f: Field, cell: Cell) => f.filterable && !Array.isArray(cell) && f.kind !== "flags";
