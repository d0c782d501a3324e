// A board: the charts of several views on one page, with one time for all or each with its own, and one filter that narrows
// them all. Its charts come a few at a time: the engine has few cores, and the first ones are read first.

import { useEffect, useRef, useState } from "preact/hooks";
import { APIError, api, type QueryResult, type SavedView } from "../../api/api.ts";
import { layers } from "../../charts/stack.ts";
import { ResultTable } from "../../charts/table.tsx";
import { TimeChart } from "../../charts/time/chart.tsx";
import { useAlive } from "../../parts/alive.ts";
import { Refresh, TimeRange } from "../../parts/range.tsx";
import { explain } from "../../parts/saveview.tsx";
import { Icon, IconButton, lazy, Select, useWidth } from "../../parts/ui.tsx";
import { addressOf, loadViews, savedViews, saving, viewsLoaded } from "../../state/saved.ts";
import { copyLink, follow, go, reload, say, show, view, zone } from "../../state/state.ts";
import { refreshSeconds } from "../../state/window.ts";
import * as fmt from "../../text/format.ts";
import { absolute, duration } from "../../text/time.ts";
import { format, request, type View } from "../../text/url.ts";
import { atOnce, moved, questionOf, timeOf } from "./boards.ts";

const OtherCharts = lazy(() => import("../../charts/charts.tsx").then((m) => m.OtherCharts));
const Sankey = lazy(() => import("../../charts/sankey.tsx").then((m) => m.Sankey));

const run = atOnce(2);
const mostViews = 24;
/** The seconds of a bucket for which a board is refreshed, unless its reader says how often. */
const boardStep = 20;

interface Props {
  /** The saved board, or undefined for one that only its address makes. */
  board: SavedView | undefined;
  of: string[];
}

export function Board({ board, of }: Props) {
  const v = view.value;
  const time = timeOf(location.search);
  const [editing, setEditing] = useState(false);
  const asking = useRef(new Set<AbortController>());
  const wrong = useAlive("");
  const list = savedViews.value;
  const mine = !board?.provisioned;

  useEffect(() => {
    const cancel = (e: KeyboardEvent) => {
      if (e.key !== "Escape" || document.querySelector("dialog[open], .popover")) return;
      for (const stop of asking.current) stop.abort();
    };
    addEventListener("keydown", cancel);
    return () => removeEventListener("keydown", cancel);
  }, []);

  // Live: asked again when all have answered, and not while nobody looks.
  const live = v.live && v.to === "now";
  const every = refreshSeconds(boardStep);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => document.hidden || asking.current.size > 0 || (reload.value += 1), every * 1000);
    return () => clearInterval(timer);
  }, [live, every]);

  const arrange = async (next: string[]) => {
    if (!board) return go(`/v/${next.join("+")}${location.search}`, "replace");
    try {
      await api.putView({ ...board, of: next });
    } catch (e) {
      say(Object.values(explain(e)).join(". "));
    }
    await loadViews();
  };
  const remove = (slug: string) => {
    void arrange(of.filter((s) => s !== slug)).then(() =>
      say(`${list.find((x) => x.slug === slug)?.name ?? slug} removed`, () => void arrange(of)),
    );
  };
  const others = list.filter((x) => x.of.length === 0 && !of.includes(x.slug));
  const name = board?.name ?? of.map((s) => list.find((x) => x.slug === s)?.name ?? s).join(" + ");
  return (
    <main class="board" id="main">
      <div class="entity-head">
        <header class="page-head">
          <h1>{name}</h1>
          {board?.description && <p>{board.description}</p>}
        </header>
        <div class="segments" role="radiogroup" aria-label="Time">
          <button
            type="button"
            role="radio"
            aria-checked={!time}
            class={time ? "" : "on"}
            onClick={() => go(location.pathname + withoutTime())}
          >
            As saved
          </button>
          <button
            type="button"
            role="radio"
            aria-checked={!!time}
            class={time ? "on" : ""}
            onClick={() => time || show({ from: "-1h", to: "now" })}
          >
            One time
          </button>
        </div>
        {time && <TimeRange />}
        {mine && (
          <button type="button" class={`button ${editing ? "on" : ""}`} aria-pressed={editing} onClick={() => setEditing(!editing)}>
            <Icon name="edit" /> Edit
          </button>
        )}
        {!board && (
          <button type="button" class="button" onClick={() => (saving.value = { of })}>
            <Icon name="star" /> Save the board
          </button>
        )}
        <Refresh loading={false} paused={false} />
      </div>
      {wrong && (
        <p class="notice bad" role="alert">
          <Icon name="warn" /> {wrong}
        </p>
      )}
      {v.q && (
        <p class="facts">
          all with <code>{v.q}</code>{" "}
          <button type="button" class="button" onClick={() => show({ q: "" })}>
            Without
          </button>
        </p>
      )}
      <div class="tiles">
        {of.map((slug, i) => (
          <Tile key={slug} slug={slug} time={time} q={v.q} asking={asking.current}>
            {editing && (
              <span class="acts">
                <IconButton icon="up" label={`Move ${slug} forward`} disabled={i === 0} onClick={() => arrange(moved(of, i, -1))} />
                <IconButton
                  icon="down"
                  label={`Move ${slug} back`}
                  disabled={i === of.length - 1}
                  onClick={() => arrange(moved(of, i, 1))}
                />
                <IconButton icon="trash" label={`Remove ${slug} from the board`} disabled={of.length === 1} onClick={() => remove(slug)} />
              </span>
            )}
          </Tile>
        ))}
        {editing && of.length < mostViews && (
          <section class="panel tile add" aria-label="Add a view">
            {others.length > 0 ? (
              <Select
                label="Add"
                id="add-view"
                value=""
                choices={[{ value: "", title: "a view …" }, ...others.map((x) => ({ value: x.slug, title: x.name }))]}
                onChange={(slug) => slug && arrange([...of, slug])}
              />
            ) : (
              <p class="quiet">
                Every view is here. Save more of them in Explore with <kbd>s</kbd>.
              </p>
            )}
          </section>
        )}
      </div>
    </main>
  );
}

/** The query of this URL without its time. */
function withoutTime(): string {
  const rest = location.search
    .slice(1)
    .split("&")
    .filter((pair) => pair && !/^(from|to|tz)=/.test(pair));
  return rest.length ? "?" + rest.join("&") : "";
}

interface TileProps {
  slug: string;
  time: ReturnType<typeof timeOf>;
  q: string;
  asking: Set<AbortController>;
  children?: preact.ComponentChildren;
}

type State =
  | { kind: "waiting" | "asking" | "cancelled" }
  | { kind: "failed"; why: string }
  | { kind: "there"; result: QueryResult; now: number; keys: string; why?: string };

export function Tile({ slug, time, q, asking, children }: TileProps) {
  const [box, width] = useWidth<HTMLElement>();
  const [state, setState] = useState<State>({ kind: "waiting" });
  const [again, setAgain] = useState(0);
  const saved = savedViews.value.find((x) => x.slug === slug);
  const question = saved && saved.of.length === 0 ? questionOf(saved.page, saved.query, { q, time }) : undefined;
  const px = width > 0 ? Math.max(100, Math.round(width / 2 / 50) * 50) : 0;
  const keys = question && px > 0 ? request(question, zone.value, px) : "";
  useEffect(() => {
    if (keys === "") return;
    const stop = new AbortController();
    asking.add(stop);
    let left = false;
    // What is there stays while it is asked again; what was another question does not.
    setState((old) => (old.kind === "there" && old.keys === keys ? old : { kind: "waiting" }));
    const ask = () => {
      setState((old) => (old.kind === "waiting" ? { kind: "asking" } : old));
      return api.query(keys, stop.signal);
    };
    run(ask, stop.signal)
      .then(
        ({ body, now }) => left || setState({ kind: "there", result: body, now, keys }),
        (e: unknown) => {
          const why = stop.signal.aborted ? "" : e instanceof APIError ? e.message : String(e);
          if (!left) setState((old) => (old.kind === "there" ? { ...old, why } : why ? { kind: "failed", why } : { kind: "cancelled" }));
        },
      )
      .finally(() => asking.delete(stop));
    return () => {
      left = true;
      stop.abort();
    };
  }, [keys, again, question?.to === "now" ? reload.value : 0]); // what is past does not change

  const search = [time && `from=${time.from}&to=${time.to}` + (time.tz === "browser" ? "" : `&tz=${time.tz}`)].filter(Boolean).join("&");
  const there = state.kind === "there" ? state.result : undefined;
  const failed = "why" in state && state.why && (
    <p class="tile-note bad" role="alert">
      {state.why}{" "}
      <button type="button" class="button" onClick={() => setAgain(again + 1)}>
        Try again
      </button>
    </p>
  );
  return (
    <section
      class="panel tile figure"
      data-tile={slug}
      data-answer={state.kind === "there" ? state.keys : undefined}
      aria-label={saved?.name ?? slug}
      aria-busy={state.kind === "asking"}
      ref={box}
    >
      <div class={`progress ${state.kind === "asking" ? "on" : ""}`} aria-hidden="true" />
      <div class="tile-head">
        <h2>
          {saved ? (
            <a href={withFilter(addressOf(saved, search), question?.q)} onClick={follow}>
              {saved.name}
            </a>
          ) : (
            slug
          )}
        </h2>
        <p class="facts">
          {there && !time && <span>{duration(there.to - there.from)}</span>}
          {there?.total.slice(0, 2).map((t) => (
            <span key={t.dir}>
              {t.dir} {fmt.value(t.avg, there.unit)}
            </span>
          ))}
        </p>
        {children}
      </div>
      {!saved ? (
        viewsLoaded.value && <p class="tile-note quiet">There is no such view: it was deleted, or it is private.</p>
      ) : !question ? (
        <p class="tile-note quiet">No chart: its name leads to it.</p>
      ) : state.kind === "failed" ? (
        failed
      ) : state.kind === "cancelled" ? (
        <p class="tile-note quiet">
          Cancelled{" "}
          <button type="button" class="button" onClick={() => setAgain(again + 1)}>
            Load
          </button>
        </p>
      ) : state.kind === "there" ? (
        <>
          {failed}
          <Chart result={state.result} now={state.now} saved={saved} question={question} />
        </>
      ) : (
        <p class="tile-note quiet">{state.kind === "waiting" ? "Waiting for its turn" : ""}</p>
      )}
    </section>
  );
}

/** The full page shows what the tile does: with the board's filter. Pages about one thing bring theirs themselves. */
function withFilter(address: string, q: string | undefined): string {
  const board = view.value.q;
  if (!board || q === undefined) return address;
  const [page, search = ""] = address.split("?");
  const own = page.startsWith("/explore") || page.startsWith("/flows") ? q : board;
  const rest = search.split("&").filter((pair) => pair && !pair.startsWith("q="));
  return page + "?" + [`q=${encodeURIComponent(own)}`, ...rest].join("&");
}

function Chart({ result, now, saved, question }: { result: QueryResult; now: number; saved: SavedView; question: View }) {
  const all = layers(result);
  const { viz } = question;
  const summary = `${saved.name}: ${result.total.map((t) => `${t.dir} average ${fmt.value(t.avg, result.unit)}`).join(", ")}`;
  if (result.series.length === 0)
    return <p class="tile-note quiet">Nothing in this range{result.meta.empty === "no-match" ? " matches" : ""}</p>;
  if (viz === "table")
    return <ResultTable result={result} rank={question.rank} layers={all} hidden={none} onIsolate={nothing} onToggle={nothing} />;
  if (viz === "sankey" && result.by.length > 1) return <Sankey result={result} summary={summary} />;
  if (viz === "grid" || viz === "bar" || viz === "heat" || viz === "sankey")
    return <OtherCharts result={result} layers={all} now={now} viz={viz === "sankey" ? "bar" : viz} summary={summary} />;
  const at = (from: number, to: number) => addressOf(saved, `from=${absolute(from)}&to=${absolute(to)}`);
  return (
    <TimeChart
      result={result}
      layers={all}
      viz={viz}
      y={question.y}
      ymax={question.ymax}
      small
      now={now}
      summary={summary}
      sel={undefined}
      onZoom={(a, b) => show({ from: absolute(a), to: absolute(b) })}
      onExplain={(a, b) => go("/explore?" + format({ ...question, sel: `${a}~${b}` }))}
      onFlows={(a, b) => go("/flows?" + format({ ...question, by: [], from: absolute(a), to: absolute(b) }))}
      onLink={(a, b) => void copyLink(at(a, b), "Link to this time")}
      onZoomOut={nothing}
      onHover={nothing}
    />
  );
}

const none: ReadonlySet<string> = new Set();
const nothing = () => undefined;
