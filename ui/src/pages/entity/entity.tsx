// The page about one thing: an address or prefix, an AS, an exporter. All show its traffic, its top values and its records.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { LinkCourse } from "../../api/api.ts";
import { alongside, layers } from "../../charts/stack.ts";
import { TimeChart } from "../../charts/time/chart.tsx";
import { useAlive } from "../../parts/alive.ts";
import { Nothing } from "../../parts/nothing.tsx";
import { RefreshButton, TimeRange } from "../../parts/range.tsx";
import { Icon } from "../../parts/ui.tsx";
import { useDeviceNames } from "../../state/names.ts";
import { follow, link, show, shown, termTitle, view, zone } from "../../state/state.ts";
import { doors } from "../../state/window.ts";
import { narrow } from "../../text/filter.ts";
import * as fmt from "../../text/format.ts";
import { ask } from "../../text/url.ts";
import { entities } from "../views/boards.ts";
import { useOwner, useThing } from "./asked.ts";
import { Newest, Parts } from "./parts.tsx";

interface Props {
  kind: string;
  name: string;
  /** Matches the traffic of the page. */
  filter: string;
  /** Match received and sent traffic, if that is not the direction of the record. */
  sides?: [string, string];
  /** Of an interface: its speed, in bits per second. */
  capacity?: number;
  /** Of an interface: the counters of its device. */
  course?: LinkCourse;
  /** The default grouping. */
  by: string[];
  /** Queries that identify it: groups of its traffic as source, else as destination. */
  known?: { of: string[]; by: string[][] };
  children?: ComponentChildren;
  /** Content below the chart. */
  below?: ComponentChildren;
}

export function Entity({ kind, name, filter, sides, capacity, course, by, known, children, below }: Props) {
  // An interface carries whole frames, so its traffic is counted as layer 2 unless the URL sets a layer.
  const v = sides && view.value.layer === "l3" ? { ...view.value, layer: "l2" } : view.value;
  const q = narrow(v.q, filter);
  const split = v.by.length ? v.by : by;
  const keys = (q: string, dir: string) =>
    ask({ ...v, q, by: split, n: 8, dir }, zone.value, ["q", "by", "from", "to", "n", "unit", "layer", "dir"]);
  const asked = sides ? sides.map((s) => keys(narrow(v.q, s), "sum")).join(" ") : keys(q, "both");
  const { traffic, facets, records, error, loading } = useThing(asked, ask({ ...v, q }, zone.value, ["q", "from", "to"]));
  const wrong = useAlive(error);
  useDeviceNames();
  const questions =
    known?.of
      .map((of, i) => ask({ ...v, q: of, by: known.by[i], n: 1, dir: "sum" }, zone.value, ["q", "by", "from", "to", "n", "dir"]))
      .join(" ") ?? "";
  const told = useOwner(name, questions);

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
  // Counters count whole frames of all traffic, so they compare only with the same.
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
          filtered by <code>{v.q}</code>{" "}
          <button type="button" class="button" onClick={() => show({ q: "" })}>
            Clear filter
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
                <i class="counter-line" /> bytes counted by the device
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
            nearlyFull={course?.nearly_full.share}
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
      {facets && !none && <Parts facets={facets} />}
      {records && records.rows > 0 && <Newest records={records} q={q} now={traffic?.now ?? records.to} />}
    </main>
  );
}

/** The filter and grouping of a page about one thing. */
export const about = (kind: string, name: string) => ({ filter: entities[kind].filter(name), by: entities[kind].by });
