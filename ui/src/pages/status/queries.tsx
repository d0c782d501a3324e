// The queries that run.

import { useState } from "preact/hooks";
import { APIError, api, type RunningQuery } from "../../api/api.ts";
import { usePoll } from "../../parts/ui.tsx";
import { copy, say } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";

/** What the store works on now, whoever asked, each with the means to end it. */
export function Running() {
  const [list, setList] = useState<RunningQuery[] | null>(null);
  usePoll(1000, async (signal) => {
    const { body } = await api.running(signal).catch(() => ({ body: { queries: null } }));
    if (!signal.aborted) setList(body.queries);
  });
  const end = async (q: RunningQuery) => {
    try {
      await api.end(q.id);
      say("Query ended");
    } catch (e) {
      say(e instanceof APIError && e.status === 404 ? "It had ended by itself" : e instanceof Error ? e.message : String(e));
    }
  };
  return (
    <section class="panel" aria-label="Queries">
      <h2>
        Queries running <span class="quiet">{list?.length || ""}</span>
      </h2>
      {list === null ? (
        <p class="quiet">The store does not say.</p>
      ) : list.length === 0 ? (
        <p class="quiet">None.</p>
      ) : (
        <div class="table-scroll">
          <table class="data" id="queries">
            <thead>
              <tr>
                <th class="text">Query</th>
                <th class="text">Asked by</th>
                <th>For</th>
                <th>Rows read</th>
                <th>Memory</th>
                <th>
                  <span class="offscreen">End</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map((q) => (
                <tr key={q.id} data-query={q.id}>
                  <td class="text sql-cell">
                    <button type="button" class="value" title={q.sql} onClick={() => void copy(q.sql, "SQL")}>
                      <code>{q.sql.replace(/\s+/g, " ").slice(0, 160)}</code>
                    </button>
                  </td>
                  <td class="text">{askedBy(q)}</td>
                  <td>{fmt.fixed(q.elapsed, 1)} s</td>
                  <td>
                    {fmt.count(q.rows)}
                    {q.of > 0 && <span class="quiet"> of {fmt.count(q.of)}</span>}
                  </td>
                  <td>{fmt.bytes(q.memory)}</td>
                  <td>
                    <button type="button" class="button end" onClick={() => void end(q)}>
                      End
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** The tags that Explore makes up say nothing to people. */
const askedBy = (q: RunningQuery) => [q.what, q.tag.startsWith("page-") ? "on a page" : q.tag].filter(Boolean).join(" · ") || q.user;
