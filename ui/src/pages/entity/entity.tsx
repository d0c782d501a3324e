// The page about one thing: an address or prefix, an AS, an exporter. The same for all: its traffic, what it is made of, its records.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { APIError, api, type Facets, type FlowsResult, type LinkCourse, type QueryResult } from "../../api/api.ts";
import { alongside, bothWays, layers } from "../../charts/stack.ts";
import { TimeChart } from "../../charts/time/chart.tsx";
import { useAlive } from "../../parts/alive.ts";
import { Nothing } from "../../parts/nothing.tsx";
import { RefreshButton, TimeRange } from "../../parts/range.tsx";
import { Icon } from "../../parts/ui.tsx";
import { ValueButton } from "../../parts/valuemenu.tsx";
import { deviceNames, useDeviceNames } from "../../state/names.ts";
import { fieldByName, follow, link, reload, show, shown, termTitle, view, zone } from "../../state/state.ts";
import { doors } from "../../state/window.ts";
import { narrow } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { called, classOf, heading, numeric, text } from "../../text/records.ts";
import { ask } from "../../text/url.ts";
import { entities } from "../views/boards.ts";

interface Props {
  kind: string;
  name: string;
  /** Lets through what the page is about. */
  filter: string;
  /** Let through what comes in and what goes out by it, where that is not the direction of the record. */
  sides?: [string, string];
  /** Of a line: how much it can carry, in bits per second. */
  capacity?: number;
  /** Of a line: what its device counts. */
  course?: LinkCourse;
  /** How its traffic is split when the URL does not say. */
  by: string[];
  /** What tells more of it: groups of its traffic as source, and where there is none of it as destination. */
  known?: { of: string[]; by: string[][] };
  children?: ComponentChildren;
  /** What stands below the chart. */
  below?: ComponentChildren;
}

const mostly = 0.9;

export function Entity({ kind, name, filter, sides, capacity, course, by, known, children, below }: Props) {
  // A line carries whole frames, so its traffic is counted as they are unless the URL says otherwise.
  const v = sides && view.value.layer === "l3" ? { ...view.value, layer: "l2" } : view.value;
  const q = narrow(v.q, filter);
  const split = v.by.length ? v.by : by;
  const [traffic, setTraffic] = useState<{ result: QueryResult; now: number } | null>(null);
  const [facets, setFacets] = useState<Facets | null>(null);
  const [records, setRecords] = useState<FlowsResult | null>(null);
  const [error, setError] = useState("");
  const wrong = useAlive(error);
  const [loading, setLoading] = useState(false);
  const keys = (q: string, dir: string) =>
    ask({ ...v, q, by: split, n: 8, dir }, zone.value, ["q", "by", "from", "to", "n", "unit", "layer", "dir"]);
  const asked = sides ? sides.map((s) => keys(narrow(v.q, s), "sum")).join(" ") : keys(q, "both");
  useDeviceNames();
  const part = ask({ ...v, q }, zone.value, ["q", "from", "to"]);

  useEffect(() => {
    const stop = new AbortController();
    const failed = (e: unknown) => {
      if (stop.signal.aborted) return;
      setLoading(false);
      setError(e instanceof APIError ? e.message : String(e));
    };
    setLoading(true);
    setError("");
    Promise.all(asked.split(" ").map((keys) => api.query(`${keys}&px=400`, stop.signal))).then(([first, second]) => {
      setLoading(false);
      setTraffic({ result: second ? bothWays(first.body, second.body) : first.body, now: first.now });
    }, failed);
    api.facets(part, stop.signal).then(({ body }) => setFacets(body), failed);
    api.flows(`${part}&limit=12`, stop.signal).then(({ body }) => setRecords(body), failed);
    return () => stop.abort();
  }, [asked, part, reload.value]);

  // Its largest group, if it is nearly all, says whose it is. Without an answer the page is as whole.
  const [told, setTold] = useState<string[]>([]);
  const questions =
    known?.of
      .map((of, i) => ask({ ...v, q: of, by: known.by[i], n: 1, dir: "sum" }, zone.value, ["q", "by", "from", "to", "n", "dir"]))
      .join(" ") ?? "";
  useEffect(() => {
    const stop = new AbortController();
    const look = async () => {
      for (const question of questions.split(" ")) {
        const { body } = await api.query(`${question}&px=10`, stop.signal);
        const largest = body.series.find((s) => !s.other);
        if (!largest || largest.share < mostly) continue;
        const named = largest.label.filter((text, i) => largest.key[i] !== "" && largest.key[i] !== "0" && text !== name);
        setTold(named.map((text) => (text.startsWith(name + " ") ? text.slice(name.length + 1) : text)));
        return;
      }
    };
    if (questions) look().catch(() => undefined);
    return () => stop.abort();
  }, [questions]);

  useEffect(() => {
    shown.value = traffic
      ? { from: traffic.result.from, to: traffic.result.to, step: traffic.result.step, now: traffic.now, ids: [] }
      : null;
    return () => {
      shown.value = null;
    };
  }, [traffic]);

  const r = traffic?.result;
  const there = { q, by: split, layer: v.layer };
  const none = r !== undefined && r.series.length === 0;
  // Counters count whole frames, and of all traffic: beside other numbers they say nothing.
  const counters = useMemo(
    () => (r?.unit === "bps" && v.layer === "l2" && !v.q && course ? alongside(r.times, course) : undefined),
    [r, v.layer, v.q, course],
  );
  return (
    <main class="status entity" id="main">
      <div class="entity-head">
        <header class="page-head">
          <p>{kind}</p>
          <h1>
            {name} {told.length > 0 && <small>{told.join(" · ")}</small>}
          </h1>
        </header>
        <TimeRange />
        <RefreshButton loading={loading} />
      </div>
      {v.q && (
        <p class="facts">
          with <code>{v.q}</code>{" "}
          <button type="button" class="button" onClick={() => show({ q: "" })}>
            Without
          </button>
        </p>
      )}
      {wrong && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {wrong}
        </p>
      )}
      {(kind === "Exporter" || kind === "Interface") && children}
      <section class="panel figure" aria-label="Traffic" aria-busy={loading}>
        <div class="figure-head">
          <h2>Traffic</h2>
          <p class="facts">
            <span>by {split.map(termTitle).join(", ")}</span>
            {r?.total.map((t) => (
              <span key={t.dir}>
                {t.dir} {fmt.value(t.avg, r.unit)}, peak {fmt.value(t.max, r.unit)}
              </span>
            ))}
            {counters && (
              <span>
                <i class="counter-line" /> octets that the device counts
              </span>
            )}
          </p>
          <p class="facts right">
            <a href={link("/explore", there)} onClick={follow}>
              Explore
            </a>
          </p>
        </div>
        {none ? (
          <Nothing q={q} now={traffic?.now ?? 0} />
        ) : r && traffic ? (
          <TimeChart
            result={r}
            layers={layers(r)}
            viz="stack"
            capacity={r.unit === "bps" ? capacity : undefined}
            counters={counters}
            now={traffic.now}
            summary={`Traffic of ${name}: ${r.total.map((t) => `${t.dir} average ${fmt.value(t.avg, r.unit)}`).join(", ")}`}
            {...doors(there)}
          />
        ) : (
          <div class="chart-placeholder" />
        )}
      </section>
      {kind !== "Exporter" && kind !== "Interface" && children}
      {below}
      {facets && !none && (
        <div class="parts">
          {facets.facets
            .filter((f) => f.values.length > 0)
            .map((f) => (
              <section key={f.by.join("/")} class="panel part" aria-label={f.by.map(termTitle).join(", ")}>
                <h2>
                  {f.by.map(termTitle).join(" · ")}{" "}
                  <span class="quiet">{f.distinct > f.values.length ? `${fmt.count(f.distinct)} in all` : ""}</span>
                </h2>
                <table class="data">
                  <tbody>
                    {f.values.slice(0, 8).map((x) => (
                      <tr key={x.key.join("|")}>
                        <td class="text key">
                          <ValueButton value={{ by: f.by, key: x.key, label: x.label, filter: x.filter }} />
                        </td>
                        <td>{fmt.value(x.rate, facets.unit)}</td>
                        <td class="share">
                          {fmt.share(x.share)}
                          <i class="bar" style={{ width: Math.min(100, x.share * 100) + "%", background: "var(--accent)" }} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </section>
            ))}
        </div>
      )}
      {records && records.rows > 0 && (
        <section class="panel" aria-label="Newest records">
          <h2>
            Newest records <span class="quiet">{records.rows}</span>{" "}
            <a class="more" href={link("/flows", { q, by: [] })} onClick={follow}>
              All of them
            </a>
          </h2>
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Newest records, scrollable">
            <table class="data small recent">
              <thead>
                <tr>
                  {records.columns.map((c) => (
                    <th key={c.column} class={numeric(c, fieldByName.value.get(c.name)) ? "" : "text"}>
                      {heading(c)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {Array.from({ length: records.rows }, (_, i) => (
                  <tr key={i}>
                    {records.columns.map((c, j) => {
                      const field = fieldByName.value.get(c.name);
                      const name = called(
                        records.columns,
                        records.values.map((column) => column[i]),
                        j,
                        field,
                        { devices: deviceNames.value, as: records.as_names },
                      );
                      const shown = name || text(c, records.values[j][i], field, zone.value, traffic?.now ?? records.to);
                      return (
                        <td key={c.column} class={classOf(c, field)} data-column={c.column} title={shown}>
                          {shown}
                        </td>
                      );
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </main>
  );
}

/** What the page about one thing lets through and how it splits it. */
export const about = (kind: string, name: string) => ({ filter: entities[kind].filter(name), by: entities[kind].by });
