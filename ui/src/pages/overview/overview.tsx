// Overview, the first page: traffic compared with an earlier range, what needs attention, top talkers and changes. All data comes from
// the rollups and the server's own counters, so that the page may stay open on a wall display. A new installation shows Start instead.

import { useEffect, useState } from "preact/hooks";
import { api, type QueryResult, type Status, type Total } from "../../api/api.ts";
import { arrows, layers } from "../../charts/stack.ts";
import { TimeChart } from "../../charts/time/chart.tsx";
import { FilterLine } from "../../parts/filter/filterline.tsx";
import { Nothing } from "../../parts/nothing.tsx";
import { RefreshButton, TimeRange } from "../../parts/range.tsx";
import { Spark } from "../../parts/spark.tsx";
import { Icon, lazy } from "../../parts/ui.tsx";
import { savedViews } from "../../state/saved.ts";
import { follow, go, link, view } from "../../state/state.ts";
import { doors } from "../../state/window.ts";
import * as fmt from "../../text/format.ts";
import { duration } from "../../text/time.ts";
import { type Asked, useFound } from "./asked.ts";
import { Attention } from "./attention.tsx";
import { Change, comparedWith } from "./change.tsx";
import { usual } from "./glance.ts";
import { Changes, Links, Who } from "./lists.tsx";

const Start = lazy(() => import("../start/start.tsx").then((m) => m.default));
const Tile = lazy(() => import("../views/tile.tsx").then((m) => m.Tile));

const mostPinned = 4;

export default function Home() {
  const [status, setStatus] = useState<Status | null>(null);
  const [down, setDown] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    api.status(stop.signal).then(
      ({ body }) => setStatus(body),
      () => stop.signal.aborted || setDown(true),
    );
    return () => stop.abort();
  }, []);
  const timed = view.value && /[?&](from|to)=/.test(location.search);
  useEffect(() => {
    if (status && status.storage.rows > 0 && !timed) go(link("/", { from: usual(status.now - status.storage.oldest) }), "replace");
  }, [status, timed]);
  if (down) return <Start />; // shows that the server does not answer, and polls
  if (!status) return null;
  return (status.exporters ?? []).length === 0 && status.storage.rows === 0 ? <Start /> : <Overview first={status} />;
}

function Overview({ first }: { first: Status }) {
  const { found, error, loading } = useFound(first);
  return (
    <main class="overview entity" id="main">
      <h1 class="offscreen">Overview</h1>
      <div class="question">
        <FilterLine serverError={undefined} />
        <div class="when">
          <TimeRange />
          <RefreshButton loading={loading} />
        </div>
      </div>
      {error && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {error}
        </p>
      )}
      {found ? <Answers found={found} error={error} loading={loading} /> : !error && <Awaited />}
    </main>
  );
}

type Known = NonNullable<Asked["found"]>;

function Answers({ found, error, loading }: { found: Known; error: string; loading: boolean }) {
  const { total } = found;
  const none = total.series.length === 0;
  return (
    <>
      <div class="overview-top" data-overview={loading ? undefined : "whole"}>
        {!none && total.total.filter((t) => t.total > 0).map((t) => <Tell key={t.dir} total={t} result={total} />)}
        <Attention found={found} known={error ? "old" : (found.looked ?? "asking")} />
      </div>
      {none ? (
        <section class="panel" aria-label="Traffic">
          <Nothing q={view.value.q} now={found.now} />
        </section>
      ) : (
        <div class="overview-grid">
          <Traffic found={found} loading={loading} />
          <div class="overview-side">
            {found.changes && <Changes r={found.changes} vs={found.vs} />}
            {found.who && <Who r={found.who} />}
            {found.links && <Links list={found.links} />}
          </div>
          <Pinned />
        </div>
      )}
    </>
  );
}

function Traffic({ found, loading }: { found: Known; loading: boolean }) {
  const { total } = found;
  return (
    <section class="panel figure" aria-label="Traffic" aria-busy={loading}>
      <div class="figure-head">
        <h2>Traffic by direction</h2>
        <p class="facts">
          <span>{duration(total.step)} intervals</span>
          {total.vs && <span>dashed: {comparedWith[found.vs]}</span>}
        </p>
        <p class="facts right">
          <a href={link("/explore", { vs: found.vs })} onClick={follow}>
            Explore
          </a>
        </p>
      </div>
      <TimeChart
        result={total}
        layers={layers(total)}
        viz="stack"
        small
        now={found.now}
        summary={`Traffic by direction: ${total.total.map((t) => `${t.dir} average ${fmt.value(t.avg, total.unit)}`).join(", ")}`}
        {...doors()}
      />
    </section>
  );
}

const asking = new Set<AbortController>();

/** The first pinned views. */
function Pinned() {
  const pinned = savedViews.value.filter((x) => x.pinned && x.of.length === 0).slice(0, mostPinned);
  if (pinned.length === 0) return null;
  return (
    <div class="tiles" role="region" aria-label="Pinned views">
      {pinned.map((x) => (
        <Tile key={x.slug} slug={x.slug} time={undefined} q={view.value.q} asking={asking} />
      ))}
    </div>
  );
}

/** The placeholder until results are loaded. */
function Awaited() {
  return (
    <>
      <div class="overview-top" aria-hidden="true">
        <section class="panel tell awaited" />
        <section class="panel tell awaited" />
        <section class="panel attention" />
      </div>
      <div class="overview-grid">
        <section class="panel figure awaited" aria-label="Traffic" aria-busy="true">
          <div class="progress on" aria-hidden="true" />
        </section>
      </div>
    </>
  );
}

/** The traffic of one direction. */
function Tell({ total, result }: { total: Total; result: QueryResult }) {
  const { unit, step } = result;
  return (
    <section class="panel tell" aria-label={total.dir} data-dir={total.dir}>
      <h2>
        <span aria-hidden="true">{arrows[total.dir]}</span> {total.dir === "sum" ? "all" : total.dir}
      </h2>
      <p class="now">{fmt.value(total.last, unit)}</p>
      <p class="facts">
        <span>average {fmt.value(total.avg, unit)}</span>
        <span title={`Highest ${duration(step)} average`}>peak {fmt.value(total.max, unit)}</span>
        {total.vs && <Change of={total.vs.change} />}
      </p>
      <Spark values={total.values} width={240} height={34} />
    </section>
  );
}
