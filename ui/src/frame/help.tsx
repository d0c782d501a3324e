// The help: what the keys do.

import { useEffect, useRef } from "preact/hooks";
import { type Page, pages } from "../pages.ts";
import { IconButton } from "../parts/ui.tsx";
import { helpOpen, keysChoice } from "../state/state.ts";

/** Where g and another key go, two pages a line. */
function ways(): [string, string][] {
  const called = (p: Page) => (p.path === "/" ? "go to the overview" : (p.title ?? p.path));
  const keyed = pages.filter((p) => p.key);
  const pairs = keyed.map((_, i) => keyed.slice(i, i + 2)).filter((_, i) => i % 2 === 0);
  return pairs.map((two) => [two.map((p) => `g ${p.key}`).join("  "), two.map(called).join(", ")]);
}

const help: [string, string][] = [
  ["/", "filter"],
  ["t", "time range"],
  ["b", "group by"],
  ["v  u  d", "next visualization, unit, direction"],
  ["[  ]", "earlier, later"],
  ["-  =", "zoom out, zoom in"],
  ["l", "live on or off"],
  ["r", "refresh"],
  ["c", "next comparison"],
  ["f", "facets"],
  ["s", "save as a view"],
  ["m", "mark an event"],
  ["x", "SQL"],
  ["y", "copy a link to exactly this time"],
  ["Y", "copy a link that moves with the clock"],
  ["1 … 9", "only this series; again: all"],
  ["j  k", "next, previous row"],
  ["+  _", "filter the row in, out"],
  ["← →", "values, when the chart has the focus"],
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
      aria-label="Keys"
      onClose={() => (helpOpen.value = false)}
      onClick={(e) => e.target === e.currentTarget && e.currentTarget.close()}
    >
      <div class="help-body">
        <header>
          <h2>Keys</h2>
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
