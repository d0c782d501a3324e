// The help: keyboard shortcuts.

import { useEffect, useRef } from "preact/hooks";
import { type Page, pages } from "../pages.ts";
import { IconButton } from "../parts/ui.tsx";
import { helpOpen, keysChoice } from "../state/state.ts";

/** The shortcuts of pages, two per line. */
function ways(): [string, string][] {
  const called = (p: Page) => (p.path === "/" ? "go to Overview" : (p.title ?? p.path));
  const keyed = pages.filter((p) => p.key);
  const pairs = keyed.map((_, i) => keyed.slice(i, i + 2)).filter((_, i) => i % 2 === 0);
  return pairs.map((two) => [two.map((p) => `g ${p.key}`).join("  "), two.map(called).join(", ")]);
}

const help: [string, string][] = [
  ["/", "filter"],
  ["t", "time range"],
  ["b", "group by"],
  ["v  u  d", "next visualisation, unit, direction"],
  ["[  ]", "earlier, later"],
  ["-  =", "zoom out, zoom in"],
  ["l", "live on or off"],
  ["r", "refresh"],
  ["c", "next comparison"],
  ["f", "facets"],
  ["s", "save as view"],
  ["m", "mark an event"],
  ["x", "SQL"],
  ["y", "copy link (fixed time)"],
  ["Y", "copy link (live)"],
  ["1 … 9", "show only this series; again for all"],
  ["j  k", "next, previous row"],
  ["+  _", "filter to the row, exclude it"],
  ["← →", "read values, when the chart has focus"],
  ["Esc", "close, cancel a query"],
  ...ways(),
  ["?", "this help"],
];

export function Help() {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => ref.current?.showModal(), []);
  return (
    <dialog
      ref={ref}
      class="help"
      aria-label="Keyboard shortcuts"
      onClose={() => (helpOpen.value = false)}
      onClick={(e) => e.target === e.currentTarget && e.currentTarget.close()}
    >
      <div class="help-body">
        <header>
          <h2>Keyboard shortcuts</h2>
          <IconButton icon="close" label="Close" onClick={() => ref.current?.close()} />
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
          On the chart: drag to select a range (on touch screens, long press, then drag), Shift+drag to move, Ctrl+wheel to zoom,
          double-click to zoom out. On a value: click for the menu, Alt+click to exclude, Shift+click to add to the filter. On a colour:
          click to show only this series, Ctrl+click to show or hide it.
        </p>
        <label class="check">
          <input
            type="checkbox"
            checked={keysChoice.signal.value === "on"}
            onChange={(e) => keysChoice.set(e.currentTarget.checked ? "on" : "off")}
          />{" "}
          Enable single-key shortcuts
        </label>
      </div>
    </dialog>
  );
}
