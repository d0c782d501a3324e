// The exact SQL of the chart, and its cost.

import type { Cost } from "../api/api.ts";
import { sqlOpen } from "../state/state.ts";
import * as fmt from "../text/format.ts";
import { CopyButton, IconButton } from "./ui.tsx";

const sqlWord =
  /('(?:[^'\\]|\\.|'')*')|(\{\w+:[^}]*\})|(--[^\n]*)|\b(WITH|SELECT|FROM|WHERE|GROUP|ORDER|BY|LIMIT|AND|OR|NOT|IN|AS|ON|DESC|ASC|HAVING|UNION|ALL|JOIN|LEFT|USING|SETTINGS|INTERVAL|SECOND|BETWEEN|DISTINCT|CASE|WHEN|THEN|ELSE|END|PREWHERE|ARRAY|IS|NULL)\b|\b(\d+(?:\.\d+)?)\b/gi;

function colour(sql: string) {
  const out = [];
  let at = 0;
  for (const m of sql.matchAll(sqlWord)) {
    if (m.index > at) out.push(sql.slice(at, m.index));
    out.push(<span class={m[1] ? "t-string" : m[2] ? "t-field" : m[3] ? "t-comment" : m[4] ? "t-keyword" : "t-value"}>{m[0]}</span>);
    at = m.index + m[0].length;
  }
  out.push(sql.slice(at));
  return out;
}

export function SQLDrawer({
  result,
  keys,
  path = "/api/v1/query",
}: {
  result: { meta: Cost & { table: string } } | undefined;
  keys: string;
  path?: string;
}) {
  const meta = result?.meta;
  const params = Object.entries(meta?.params ?? {});
  const asText = (v: unknown) => (typeof v === "string" ? v : JSON.stringify(v));
  return (
    <aside class="drawer" id="sql" aria-label="SQL">
      <header>
        <h2>SQL</h2>
        {meta && (
          <p class="facts">
            <span>{fmt.grouped(meta.rows)} rows read</span>
            <span>{fmt.bytes(meta.bytes)}</span>
            <span>{fmt.fixed(meta.ms, 1)} ms</span>
            <span>
              table <code>{meta.table}</code>
            </span>
          </p>
        )}
        <IconButton icon="close" label="Close  x" onClick={() => (sqlOpen.value = false)} />
      </header>
      {meta ? (
        <div class="drawer-body">
          <pre class="code sql" tabIndex={0}>
            {colour(meta.sql)}
          </pre>
          {params.length > 0 && (
            <table class="data params">
              <thead>
                <tr>
                  <th class="text">Parameter</th>
                  <th class="text">Value</th>
                </tr>
              </thead>
              <tbody>
                {params.map(([k, value]) => (
                  <tr key={k}>
                    <td class="text">
                      <code>{k}</code>
                    </td>
                    <td class="text">
                      <code>{asText(value)}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          <div class="row">
            <CopyButton text={meta.sql + params.map(([k, value]) => `\n-- ${k} = ${asText(value)}`).join("")} what="SQL" label="Copy SQL" />
            <CopyButton text={`curl -s '${location.origin}${path}?${keys}'`} what="curl command" label="Copy as curl" />
          </div>
        </div>
      ) : (
        <p class="quiet">No result yet.</p>
      )}
    </aside>
  );
}
