// The frame around the pages: name, navigation, theme, help, and which page the path asks for.

import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { api, nameOwner } from "../api/api.ts";
import { eventForm } from "../state/events.ts";
import { addressOf, boardOf, current, leave, loadViews, ordered, save, savedViews, saving, shownQuery } from "../state/saved.ts";
import {
  asks,
  copyLink,
  follow,
  helpOpen,
  keysChoice,
  link,
  loadFields,
  ownerChoice,
  path,
  say,
  setTheme,
  themeChoice,
  themes,
  toast,
} from "../state/state.ts";
import { pinnedLink } from "../state/window.ts";
import { isAddress } from "../text/filter.ts";
import { help, listen } from "./keys.ts";
import "../style/style.css";
import "../style/pages.css";
import { IconButton, lazy, Select } from "../parts/ui.tsx";
import { ValueMenu } from "../parts/valuemenu.tsx";

const Start = lazy(() => import("../pages/start/start.tsx").then((m) => m.Start));
const Home = lazy(() => import("../pages/overview/overview.tsx").then((m) => m.Home));
const Status = lazy(() => import("../pages/status/status.tsx").then((m) => m.Status));

const Explore = lazy(() => import("../pages/explore/explore.tsx").then((m) => m.Explore));
const Flows = lazy(() => import("../pages/flows/flows.tsx").then((m) => m.Flows));

const Exporters = lazy(() => import("../pages/exporters/exporters.tsx").then((m) => m.Exporters));
const ByName = lazy(() => import("../pages/exporters/exporters.tsx").then((m) => m.ByName));
const OneExporter = lazy(() => import("../pages/exporters/exporters.tsx").then((m) => m.OneExporter));
const Interfaces = lazy(() => import("../pages/interfaces/interfaces.tsx").then((m) => m.Interfaces));
const Link = lazy(() => import("../pages/interfaces/interfaces.tsx").then((m) => m.Link));
const Host = lazy(() => import("../pages/entity/entity.tsx").then((m) => m.Host));
const AS = lazy(() => import("../pages/entity/entity.tsx").then((m) => m.AS));

const Views = lazy(() => import("../pages/views/views.tsx").then((m) => m.Views));
const OneView = lazy(() => import("../pages/views/views.tsx").then((m) => m.OneView));
const Board = lazy(() => import("../pages/views/board.tsx").then((m) => m.Board));
const EventForm = lazy(() => import("../parts/eventform.tsx").then((m) => m.EventForm));
const SaveView = lazy(() => import("../parts/saveview.tsx").then((m) => m.SaveView));

const pages: [string, string][] = [
  ["/", "Overview"],
  ["/explore", "Explore"],
  ["/flows", "Flows"],
  ["/views", "Views"],
  ["/exporters", "Exporters"],
  ["/if", "Interfaces"],
  ["/status", "Status"],
  ["/start", "Start"],
];
/** Pages that take filter and time along. */
const carries = ["/", "/explore", "/flows"];

function App() {
  const p = path.value;
  const title = titleOf(p);
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href="/" onClick={follow}>
          <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
            <path d="M3 16h4v5H3z" opacity=".45" />
            <path d="M10 10h4v11h-4z" opacity=".72" />
            <path d="M17 3h4v18h-4z" />
          </svg>
          NetMeta
        </a>
        <nav aria-label="Pages">
          {pages.map(([to, name]) => (
            <a
              key={to}
              href={asks(p) && carries.includes(to) ? link(to, to === p ? {} : { columns: "", order: "desc", hide: [], sel: "" }) : to}
              onClick={follow}
              aria-current={here(p, to) ? "page" : undefined}
            >
              {name}
            </a>
          ))}
          <Pinned />
        </nav>
        <div class="top-right">
          {p === "/explore" && (
            <IconButton
              icon="link"
              label="Copy a link to exactly this time  y (with Shift: one that moves with the clock)"
              onClick={(e: MouseEvent) =>
                void copyLink(
                  e.shiftKey ? location.pathname + location.search : pinnedLink(),
                  e.shiftKey ? "Live link" : "Link to exactly this time",
                )
              }
            />
          )}
          {asks(p) && <IconButton icon="star" label="Save as a view  s" id="save-view" onClick={save} />}
          <ThemeSwitch />
          <IconButton icon="question" label="Keys  ?" onClick={() => (helpOpen.value = true)} />
        </div>
      </header>
      <OpenedView />
      <Page p={p} />
      <ValueMenu />
      <footer class="credit quiet">
        <a href="/help/filter">Filter language</a> · <a href="/help/api">HTTP API</a> · AS of addresses:{" "}
        <a href="https://db-ip.com">IP Geolocation by DB-IP</a>, <a href="https://www.routeviews.org">Route Views</a>,{" "}
        <a href="https://www.nro.net">NRO</a>
      </footer>
      <Help />
      {eventForm.value && <EventForm {...eventForm.value} />}
      {saving.value && <SaveView {...saving.value} />}
      <div class={`toast ${toast.value ? "on" : ""}`} role="status">
        {toast.value?.text}
        {toast.value?.undo && (
          <button type="button" onClick={undo}>
            Undo
          </button>
        )}
      </div>
    </>
  );
}

function undo() {
  const back = toast.value?.undo;
  toast.value = null;
  back?.();
}

/** The pinned views, beside the pages; all are on the page Views. */
function Pinned() {
  const list = ordered(
    savedViews.value.filter((v) => v.pinned),
    ownerChoice.signal.value,
  ).slice(0, mostPinned);
  const now = current.value?.view.slug;
  return (
    <>
      {list.map((v) => (
        <a
          key={v.slug}
          class="pinned"
          href={addressOf(v)}
          onClick={follow}
          title={v.description || v.name}
          aria-current={v.slug === now || path.value === "/v/" + v.slug ? "page" : undefined}
        >
          {v.name}
        </a>
      ))}
    </>
  );
}
const mostPinned = 6;

/** Puts the view on screen on a board. */
function ToBoard({ slug }: { slug: string }) {
  const boards = savedViews.value.filter((b) => b.of.length > 0 && !b.provisioned && !b.of.includes(slug));
  const add = async (to: string) => {
    const board = boards.find((b) => b.slug === to);
    if (!board) {
      if (to) saving.value = { of: [slug] };
      return;
    }
    try {
      await api.putView({ ...board, of: [...board.of, slug] });
      say(`Added to ${board.name}`);
    } catch (e) {
      say(e instanceof Error ? e.message : String(e));
    }
    await loadViews();
  };
  return (
    <Select
      label="Add to"
      id="to-board"
      value=""
      choices={[
        { value: "", title: "a board …" },
        ...boards.map((b) => ({ value: b.slug, title: b.name })),
        { value: "+", title: "a new board" },
      ]}
      onChange={add}
    />
  );
}

/** Which view is on screen, and whether it has been changed. */
function OpenedView() {
  const c = current.value;
  if (!c) return null;
  const { view: v, changed } = c;
  const saveAgain = async () => {
    try {
      await api.putView({ ...v, query: shownQuery() });
      await loadViews();
      say(`${v.name} saved`);
    } catch {
      saving.value = { change: v }; // the form says what helps
    }
  };
  return (
    <div class="opened-view" role="region" aria-label="Saved view">
      <a href={"/v/" + v.slug} onClick={follow} title={v.description || "As it was saved"}>
        {v.name}
      </a>
      {!changed && <ToBoard slug={v.slug} />}
      {changed && (
        <>
          <span class="tag">changed</span>
          {!v.provisioned && (
            <button type="button" class="button" onClick={saveAgain}>
              Save
            </button>
          )}
          <button type="button" class="button" onClick={save}>
            Save as …
          </button>
          <a href={addressOf(v)} onClick={follow}>
            As it was
          </a>
          <IconButton icon="close" label="Leave the view" onClick={leave} />
        </>
      )}
    </div>
  );
}

/** The part of a path behind a prefix, as it is meant. */
function rest(p: string, prefix: string): string | undefined {
  if (!p.startsWith(prefix) || p.length === prefix.length) return undefined;
  try {
    return decodeURIComponent(p.slice(prefix.length));
  } catch {
    return p.slice(prefix.length);
  }
}

const here = (p: string, page: string) => p === page || (page !== "/" && p.startsWith(page + "/"));

function titleOf(p: string): string {
  const page = pages.find(([x]) => here(p, x));
  const of =
    rest(p, "/host/") ?? (rest(p, "/as/") && "AS" + rest(p, "/as/")) ?? boardOf(p)?.board?.name ?? (page && rest(p, page[0] + "/"));
  return [of, page?.[1], "NetMeta"].filter(Boolean).join(" · ");
}

function Page({ p }: { p: string }) {
  switch (p) {
    case "/":
      return <Home />;
    case "/explore":
      return <Explore />;
    case "/flows":
      return <Flows />;
    case "/exporters":
      return <Exporters />;
    case "/views":
      return <Views />;
    case "/if":
      return <Interfaces />;
    case "/start":
      return <Start />;
    case "/status":
      return <Status />;
  }
  const slugs = rest(p, "/v/");
  const board = boardOf(p);
  if (board) return <Board key={board.board?.slug} {...board} />;
  if (slugs) return <OneView key={p} slug={slugs} />;
  const exporter = rest(p, "/exporters/");
  if (exporter)
    return isAddress(exporter) ? (
      <OneExporter key={p} address={exporter} />
    ) : (
      <ByName key={p} name={exporter} page={(address) => `/exporters/${address}`} />
    );
  const at = rest(p, "/if/")?.match(/^(.+)\/(\d+)$/);
  if (at)
    return isAddress(at[1]) ? (
      <Link key={p} exporter={at[1]} index={Number(at[2])} />
    ) : (
      <ByName key={p} name={at[1]} page={(address) => `/if/${address}/${at[2]}`} />
    );
  const host = rest(p, "/host/");
  if (host) return <Host key={p} address={host} />;
  const as = rest(p, "/as/");
  if (as) return <AS key={p} asn={as} />;
  return <NotFound link={p.startsWith("/s/")} />;
}

function NotFound({ link }: { link: boolean }) {
  return (
    <main class="start" id="main">
      <header class="page-head">
        <h1>{link ? "No such link" : "No such page"}</h1>
        <p>
          {link && "Nothing was kept under this name: look whether the link was copied whole. "}
          <a href="/explore">Explore</a> is a good place to go on.
        </p>
      </header>
    </main>
  );
}

function ThemeSwitch() {
  const now = themeChoice.signal.value;
  const icons = { auto: "auto", light: "sun", dark: "moon" };
  return (
    <div class="segments theme" role="radiogroup" aria-label="Theme">
      {themes.map((t) => (
        <IconButton
          key={t}
          icon={icons[t]}
          label={`Theme: ${t}`}
          role="radio"
          aria-checked={t === now}
          class={`icon-button ${t === now ? "on" : ""}`}
          onClick={() => setTheme(t)}
        />
      ))}
    </div>
  );
}

function Help() {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helpOpen.value && !ref.current?.open) ref.current?.showModal();
    if (!helpOpen.value && ref.current?.open) ref.current.close();
  }, [helpOpen.value]);
  return (
    <dialog
      ref={ref}
      class="help"
      aria-label="Keys"
      onClose={() => (helpOpen.value = false)}
      onClick={(e) => e.target === e.currentTarget && e.currentTarget.close()}
    >
      <div class="help-body">
        <header>
          <h2>Keys</h2>
          <IconButton icon="close" label="Close" onClick={() => (helpOpen.value = false)} />
        </header>
        <dl>
          {help.map(([keys, what]) => (
            <div key={keys}>
              <dt>
                {keys.split("  ").map((k) => (
                  <kbd key={k}>{k}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <p class="quiet">
          On the chart: drag to choose a time (touched: press, then drag), Shift and drag to move, Ctrl and the wheel to zoom, double click
          to zoom out. On a value: click for the menu, Alt+click to exclude, Shift+click to add to a list. On a colour: click for only this
          one, Ctrl+click to switch it.
        </p>
        <label class="check">
          <input
            type="checkbox"
            checked={keysChoice.signal.value === "on"}
            onChange={(e) => keysChoice.set(e.currentTarget.checked ? "on" : "off")}
          />{" "}
          Single keys are shortcuts
        </label>
      </div>
    </dialog>
  );
}

ownerChoice.signal.subscribe((name) => {
  nameOwner(name);
  void loadViews();
});
void loadFields();
listen();
const root = document.getElementById("app");
if (root) render(<App />, root);
