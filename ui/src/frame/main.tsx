// The frame around the pages: name, navigation, theme, help, and the page of the path.

import { render } from "preact";
import { useEffect } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "../style/style.css";
import "../style/pages.css";
import { nameOwner } from "../api/api.ts";
import { asks, type Page, pageAt, pages } from "../pages.ts";
import { NotFound } from "../parts/notfound.tsx";
import { IconButton, lazy } from "../parts/ui.tsx";
import { ValueMenu } from "../parts/valuemenu.tsx";
import { eventForm } from "../state/events.ts";
import { addressOf, boardOf, current, loadViews, ordered, save, savedViews, saving } from "../state/saved.ts";
import { copyLink, follow, helpOpen, link, loadFields, ownerChoice, path, setTheme, themeChoice, themes, toast } from "../state/state.ts";
import { pinnedLink } from "../state/window.ts";
import { listen } from "./keys.ts";

const Help = lazy(() => import("./help.tsx").then((m) => m.Help));
const OpenedView = lazy(() => import("./opened.tsx").then((m) => m.OpenedView));
const EventForm = lazy(() => import("../parts/eventform.tsx").then((m) => m.EventForm));
const SaveView = lazy(() => import("../parts/saveview.tsx").then((m) => m.SaveView));

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
          {pages
            .filter((x) => x.key)
            .map((x) => (
              <a key={x.path} href={addressFrom(p, x)} onClick={follow} aria-current={here(p, x.path) ? "page" : undefined}>
                {x.title}
              </a>
            ))}
          <Pinned />
        </nav>
        <div class="top-right">
          {p === "/explore" && (
            <IconButton
              icon="link"
              label="Copy link (fixed time)  y (with Shift: live link)"
              onClick={(e: MouseEvent) =>
                void copyLink(
                  e.shiftKey ? location.pathname + location.search : pinnedLink(),
                  e.shiftKey ? "Live link" : "Link (fixed time)",
                )
              }
            />
          )}
          {asks(p) && <IconButton icon="star" label="Save as view  s" id="save-view" onClick={save} />}
          <ThemeSwitch />
          <IconButton icon="question" label="Keyboard shortcuts  ?" onClick={() => (helpOpen.value = true)} />
        </div>
      </header>
      {current.value && <OpenedView {...current.value} />}
      <Shown p={p} />
      <ValueMenu />
      <footer class="credit quiet">
        <a href="/help/filter">Filter language</a> · <a href="/help/api">HTTP API</a> · Address data:{" "}
        <a href="https://db-ip.com">IP Geolocation by DB-IP</a>, <a href="https://www.routeviews.org">Route Views</a>,{" "}
        <a href="https://www.nro.net">NRO</a>
      </footer>
      {helpOpen.value && <Help />}
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

/** The target of the navigation, with filter and range if both pages have them. */
const addressFrom = (p: string, { path: to, carries }: Page) =>
  asks(p) && carries ? link(to, to === p ? {} : { columns: "", order: "desc", hide: [], sel: "" }) : to;

function undo() {
  const back = toast.value?.undo;
  toast.value = null;
  back?.();
}

/** The pinned views, next to the pages. The Views page lists all. */
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

const here = (p: string, page: string) => p === page || (page !== "/" && p.startsWith(page + "/"));

/** The window title: the subject of the page, and the page. */
function titleOf(p: string): string {
  const at = pageAt(p);
  const of = boardOf(p)?.board?.name ?? (at?.page.of ? at.page.of(at.rest) : at?.rest);
  return [of, at?.page.title, "NetMeta"].filter(Boolean).join(" · ");
}

const drawn = new Map(pages.map((page) => [page, lazy(() => page.load().then((m) => m.default))]));

function Shown({ p }: { p: string }) {
  const at = pageAt(p);
  const Page = at && drawn.get(at.page);
  return Page ? <Page rest={at.rest} /> : <NotFound link={p.startsWith("/s/")} />;
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

ownerChoice.signal.subscribe((name) => {
  nameOwner(name);
  void loadViews();
});
void loadFields();
listen();
const root = document.getElementById("app");
if (root) render(<App />, root);
