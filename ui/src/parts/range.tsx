// The time range: presets, a text field, steps left and right, zoom out, refresh.

import { useState } from "preact/hooks";
import { refreshChoice, reload, show, view, zone } from "../state/state.ts";
import { current, shift, zoomBy } from "../state/window.ts";
import { absolute, browserZone, parseRange, type Range, rangeText } from "../text/time.ts";
import { Icon, IconButton, Popover, Select } from "./ui.tsx";

const presets: [string, string][] = [
  ["5m", "5 minutes"],
  ["15m", "15 minutes"],
  ["1h", "1 hour"],
  ["6h", "6 hours"],
  ["24h", "24 hours"],
  ["2d", "2 days"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["today", "Today"],
  ["yesterday", "Yesterday"],
  ["this week", "This week"],
  ["last week", "Last week"],
];

export function TimeRange() {
  const v = view.value;
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [bad, setBad] = useState(false);
  const c = current();
  const range: Range = { from: v.from, to: v.to };

  function toggle() {
    setText(v.to === "now" && /^-\d+[smhdwy]$/.test(v.from) ? v.from : `${v.from}..${v.to}`);
    setBad(false);
    setOpen(!open);
  }

  function apply(input: string) {
    const r = parseRange(input, c.now, v.tz);
    if (!r) {
      setBad(true);
      return;
    }
    setOpen(false);
    show(r);
  }

  const zones = [
    { value: "browser", title: `Browser (${browserZone()})` },
    { value: "utc", title: "UTC" },
  ];
  return (
    <div class="range" role="group" aria-label="Time range">
      <IconButton icon="left" label="Earlier  [" onClick={() => shift(-1)} />
      <span class="anchor">
        <button
          type="button"
          class="button range-text"
          id="range"
          data-opens
          aria-haspopup="dialog"
          aria-expanded={open}
          onClick={toggle}
          title={`${absolute(c.from)} – ${absolute(c.to)}`}
        >
          <Icon name="clock" />
          <span>{rangeText(range, c.from, c.to, zone.value, c.now)}</span>
          <Icon name="down" />
        </button>
        <Popover open={open} onClose={() => setOpen(false)} class="range-panel" label="Time range">
          <form
            onSubmit={(e) => {
              e.preventDefault();
              apply(text);
            }}
          >
            <input
              id="range-input"
              class={bad ? "wrong" : ""}
              value={text}
              aria-label="Time range"
              aria-invalid={bad}
              autocomplete="off"
              autofocus
              onFocus={(e) => e.currentTarget.select()}
              onInput={(e) => {
                setText(e.currentTarget.value);
                setBad(false);
              }}
            />
            <button type="submit" class="button primary">
              Apply
            </button>
          </form>
          <p class={bad ? "hint wrong" : "hint"}>
            {bad ? "Invalid range. " : ""}Try <code>-6h</code>, <code>14:00..14:20</code>, <code>mon 09:00..now</code>,{" "}
            <code>yesterday</code>, <code>2026-11-20</code>
          </p>
          <div class="presets">
            {presets.map(([value, title]) => (
              <button
                key={value}
                type="button"
                class={`preset ${v.to === "now" && v.from === "-" + value ? "on" : ""}`}
                onClick={() => apply(value)}
              >
                {title}
              </button>
            ))}
          </div>
          <Select label="Time zone" value={v.tz} choices={zones} onChange={(tz) => show({ tz })} />
        </Popover>
      </span>
      <IconButton icon="right" label="Later  ]" onClick={() => shift(1)} />
      <IconButton icon="minus" label="Zoom out  -" onClick={() => zoomBy(2)} />
    </div>
  );
}

const intervals = [
  { value: "off", title: "Off" },
  { value: "auto", title: "Live" },
  { value: "5", title: "5 s" },
  { value: "10", title: "10 s" },
  { value: "30", title: "30 s" },
  { value: "60", title: "1 min" },
  { value: "300", title: "5 min" },
];

export const RefreshButton = ({ loading }: { loading: boolean }) => (
  <IconButton icon="refresh" label="Refresh now  r" class={`icon-button ${loading ? "spin" : ""}`} onClick={() => (reload.value += 1)} />
);

export function Refresh({ loading, paused }: { loading: boolean; paused: boolean }) {
  const v = view.value;
  const fixed = v.to !== "now";
  return (
    <div class="refresh">
      <Select
        label="Refresh"
        id="refresh"
        value={v.live ? refreshChoice.signal.value : "off"}
        choices={intervals}
        onChange={(value) => {
          if (value !== "off") refreshChoice.set(value as "auto");
          show({ live: value !== "off" }, "replace");
        }}
      />
      {v.live && (
        <span
          class={`live-dot ${fixed || paused ? "paused" : ""}`}
          title={fixed ? "Range ends in the past; nothing to refresh" : paused ? "Paused while the pointer is on the chart" : "Refreshing"}
        />
      )}
      <RefreshButton loading={loading} />
    </div>
  );
}
