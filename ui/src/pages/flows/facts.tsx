// The facts of the list: how many records, their order, and whether there are more.

import type { FlowColumn } from "../../api/api.ts";
import { reload, show, view } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { title } from "./list.tsx";
import type { Asked } from "./loaded.ts";

interface Props {
  asked: Asked;
  columns: FlowColumn[];
  by: string;
  asc: boolean;
  live: boolean;
  /** The list has its maximum length. */
  full: boolean;
  fresh: boolean;
}

export function Facts({ asked, columns, by, asc, live, full, fresh }: Props) {
  const v = view.value;
  const { list, ended, loading } = asked;
  const records = list?.records ?? [];
  return (
    <p class="facts" role="status">
      {list && (
        <>
          <span>
            <b id="loaded">{fmt.grouped(records.length)}</b> {records.length === 1 ? "record" : "records"}
            {live ? ", newest" : list.next ? " loaded" : ""}
          </span>
          <span>
            {fmt.count(list.meta.rows)} rows read in {fmt.millis(list.meta.ms)} ms
          </span>
          {list.meta.notes?.map((n) => (
            <span key={n} class="warn">
              {n}
            </span>
          ))}
        </>
      )}
      {by && (
        <span>
          Sorted by {title(columns, by)}, {asc ? "ascending" : "descending"}.{" "}
          <button type="button" class="value link" onClick={() => show({ sort: "", order: "desc" })}>
            Sort by time
          </button>
        </span>
      )}
      {ended && !loading && (
        <span class="warn">
          Cancelled.{" "}
          <button type="button" class="value link" onClick={() => (records.length && fresh ? asked.goOn() : (reload.value += 1))}>
            Continue
          </button>
        </span>
      )}
      {v.live && (by !== "" || asc) && <span class="warn">Live tail requires the order newest first</span>}
      {full && <span class="warn">End of the list; narrow the filter or export</span>}
    </p>
  );
}
