// A view on a board: its name, its figures and its chart.

import type { ComponentChildren } from "preact";
import type { QueryResult, SavedView } from "../../api/api.ts";
import { useWidth } from "../../parts/ui.tsx";
import { addressOf, savedViews, viewsLoaded } from "../../state/saved.ts";
import { follow, view, zone } from "../../state/state.ts";
import * as fmt from "../../text/format.ts";
import { duration } from "../../text/time.ts";
import { request, type View } from "../../text/url.ts";
import { type Answer, useAnswer } from "./answer.ts";
import { questionOf, type timeOf } from "./boards.ts";
import { Chart } from "./chart.tsx";

interface TileProps {
  slug: string;
  time: ReturnType<typeof timeOf>;
  q: string;
  asking: Set<AbortController>;
  children?: ComponentChildren;
}

export function Tile({ slug, time, q, asking, children }: TileProps) {
  const [box, width] = useWidth<HTMLElement>();
  const saved = savedViews.value.find((x) => x.slug === slug);
  const question = saved && saved.of.length === 0 ? questionOf(saved.page, saved.query, { q, time }) : undefined;
  const px = width > 0 ? Math.max(100, Math.round(width / 2 / 50) * 50) : 0;
  const [state, again] = useAnswer(question && px > 0 ? request(question, zone.value, px) : "", question?.to === "now", asking);
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
            <a href={withFilter(addressOf(saved, searchOf(time)), question?.q)} onClick={follow}>
              {saved.name}
            </a>
          ) : (
            slug
          )}
        </h2>
        <Facts result={state.kind === "there" ? state.result : undefined} range={!time} />
        {children}
      </div>
      {!saved ? (
        viewsLoaded.value && <p class="tile-note quiet">No such view. It was deleted or is private.</p>
      ) : !question ? (
        <p class="tile-note quiet">No chart. Click the name to open the page.</p>
      ) : (
        <Content state={state} saved={saved} question={question} again={again} />
      )}
    </section>
  );
}

/** The length of the range, unless all share it, and the traffic of the first directions. */
function Facts({ result, range }: { result: QueryResult | undefined; range: boolean }) {
  return (
    <p class="facts">
      {result && range && <span>{duration(result.to - result.from)}</span>}
      {result?.total.slice(0, 2).map((t) => (
        <span key={t.dir}>
          {t.dir} {fmt.value(t.avg, result.unit)}
        </span>
      ))}
    </p>
  );
}

function Content({ state, saved, question, again }: { state: Answer; saved: SavedView; question: View; again: () => void }) {
  const failed = "why" in state && state.why && (
    <p class="tile-note bad" role="alert">
      {state.why}{" "}
      <button type="button" class="button" onClick={again}>
        Retry
      </button>
    </p>
  );
  switch (state.kind) {
    case "failed":
      return failed || null;
    case "cancelled":
      return (
        <p class="tile-note quiet">
          Cancelled{" "}
          <button type="button" class="button" onClick={again}>
            Load
          </button>
        </p>
      );
    case "there":
      return (
        <>
          {failed}
          <Chart result={state.result} now={state.now} saved={saved} question={question} />
        </>
      );
    default:
      return <p class="tile-note quiet">{state.kind === "waiting" ? "Queued" : ""}</p>;
  }
}

/** The range of the board as URL parameters. */
const searchOf = (time: TileProps["time"]) =>
  time ? `from=${time.from}&to=${time.to}` + (time.tz === "browser" ? "" : `&tz=${time.tz}`) : "";

/** Adds the board's filter to the address of the full page. Pages about one thing add their own filter. */
function withFilter(address: string, q: string | undefined): string {
  const board = view.value.q;
  if (!board || q === undefined) return address;
  const [page, search = ""] = address.split("?");
  const own = page.startsWith("/explore") || page.startsWith("/flows") ? q : board;
  const rest = search.split("&").filter((pair) => pair && !pair.startsWith("q="));
  return page + "?" + [`q=${encodeURIComponent(own)}`, ...rest].join("&");
}
