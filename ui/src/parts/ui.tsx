// Components and hooks shared by all pages.

import type { ButtonHTMLAttributes, ComponentChildren, ComponentType, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { copy } from "../state/state.ts";

const glyphs: Record<string, string> = {
  left: "M10 3 5 8l5 5",
  right: "m6 3 5 5-5 5",
  minus: "M3 8h10",
  plus: "M3 8h10M8 3v10",
  close: "m4 4 8 8m0-8-8 8",
  down: "m4 6 4 4 4-4",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5",
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2v12",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  link: "M6.5 9.5a3 3 0 0 0 4.2 0l2.4-2.4a3 3 0 0 0-4.2-4.2l-.9.9M9.5 6.5a3 3 0 0 0-4.2 0L2.9 8.9a3 3 0 0 0 4.2 4.2l.9-.9",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.8V8l2.2 1.4",
  code: "M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5",
  check: "m3 8.5 3.2 3L13 4.5",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
  question: "M6 6.2a2 2 0 1 1 2.8 1.9c-.5.3-.8.6-.8 1.2v.4M8 12v.2",
  warn: "M8 2.5 14.2 13H1.8zM8 6.5v3M8 11.2v.2",
  filter: "M2 3h12L9.5 8.6V13l-3-1.6V8.6z",
  open: "M9 3h4v4M13 3 7.5 8.5M11 9.5V13H3V5h3.5",
  rows: "M2.5 4h11M2.5 8h11M2.5 12h11",
  bulb: "M6 12.5h4M6.5 14.5h3M5.5 10a4.2 4.2 0 1 1 5 0c-.5.4-.7.9-.7 1.5H6.2c0-.6-.2-1.1-.7-1.5",
  zoom: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4 14 14M5 7h4M7 5v4",
  download: "M8 2v8m-3.5-3L8 10.5 11.5 7M3 13.5h10",
  panel: "M2.5 3h11v10h-11zM10 3v10",
  flag: "M4 14V2.5h8.5L10 6l2.5 3.5H4",
  star: "m8 1.8 1.9 4 4.3.5-3.2 3 .9 4.3L8 11.4l-3.9 2.2.9-4.3-3.2-3 4.3-.5z",
  pin: "M5.5 2h5M6.5 2v5L4 9.5h8L9.5 7V2M8 9.5V14",
  edit: "M3 13l.7-3L11 2.7l2.3 2.3L6 12.3z",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5",
  up: "m4 10 4-4 4 4",
  play: "M5 3.5v9l7-4.5z",
};

export function Icon({ name }: { name: string }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 16 16"
      width="16"
      height="16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={glyphs[name]} />
    </svg>
  );
}

export function IconButton({ icon, label, ...rest }: { icon: string; label: string } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}

export function CopyButton({ text, what, label = "Copy" }: { text: string; what: string; label?: string }) {
  return (
    <button type="button" class="button" onClick={() => copy(text, what)}>
      <Icon name="copy" /> {label}
    </button>
  );
}

export interface Choice {
  value: string;
  title: string;
}

/** A labelled native select, which is small and works well on phones. */
export function Select({
  label,
  value,
  choices,
  onChange,
  id,
}: {
  label: string;
  value: string;
  choices: Choice[];
  onChange: (v: string) => void;
  id?: string;
}) {
  const all = choices.some((c) => c.value === value) ? choices : [...choices, { value, title: value }];
  return (
    <label class="select">
      <span>{label}</span>
      <select id={id} aria-label={label} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
        {all.map((c) => (
          <option key={c.value} value={c.value} selected={c.value === value}>
            {c.title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A panel that opens below its button and closes on Escape and on a click elsewhere. */
export function Popover({
  open,
  onClose,
  class: cls,
  label,
  children,
  anchor,
}: {
  open: boolean;
  onClose: () => void;
  class?: string;
  label: string;
  children: ComponentChildren;
  anchor?: { x: number; y: number };
}) {
  const ref = useRef<HTMLDivElement>(null);
  const back = useRef<Element | null>(null);
  useLayoutEffect(() => {
    if (!open) return;
    back.current = document.activeElement;
    const el = ref.current;
    const first = el?.querySelector<HTMLElement>("[autofocus], input, button, [role=menuitem]");
    first?.focus({ preventScroll: true });
    const outside = (e: Event) => {
      if (el && !el.contains(e.target as Node) && !(e.target as Element).closest?.("[data-opens]")) onClose();
    };
    const key = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      e.stopPropagation();
      onClose();
      (back.current as HTMLElement | null)?.focus?.();
    };
    document.addEventListener("pointerdown", outside, true);
    el?.addEventListener("keydown", key);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      el?.removeEventListener("keydown", key);
    };
  }, [open]);
  // Stays inside the window: a menu opened near an edge moves away from it.
  useLayoutEffect(() => {
    const el = ref.current;
    if (!open || !el) return;
    if (anchor) {
      const box = el.getBoundingClientRect();
      el.style.left = Math.max(8, Math.min(anchor.x, innerWidth - box.width - 8)) + "px";
      el.style.top = Math.max(8, Math.min(anchor.y, innerHeight - box.height - 8)) + "px";
      return;
    }
    el.style.translate = "";
    const box = el.getBoundingClientRect();
    if (box.right > innerWidth - 8) el.style.translate = `${Math.max(8 - box.left, innerWidth - 8 - box.right)}px 0`;
    else if (box.left < 8) el.style.translate = `${8 - box.left}px 0`;
  });
  if (!open) return null;
  return (
    <div ref={ref} class={`popover ${anchor ? "fixed" : ""} ${cls ?? ""}`} role="dialog" aria-label={label}>
      {children}
    </div>
  );
}

/** A component that is loaded when first shown. If loading fails, such as after an upgrade, it shows an error. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>) {
  let loaded: ComponentType<P> | undefined;
  return (props: P) => {
    const [missing, done] = useState(false);
    const [, again] = useState(0);
    useEffect(() => {
      if (!loaded)
        load().then(
          (c) => {
            loaded = c;
            again(1);
          },
          () => done(true),
        );
    }, []);
    const Page = loaded;
    if (Page) return <Page {...props} />;
    return missing ? (
      <p class="notice bad" role="alert">
        Could not load this page. NetMeta is not reachable or has been updated.{" "}
        <button type="button" class="button" onClick={() => location.reload()}>
          Reload page
        </button>
      </p>
    ) : null;
  };
}

/** Calls `poll` at once and then every `ms` while the page is visible; each call waits for the one before. */
export function usePoll(ms: number, poll: (signal: AbortSignal) => Promise<void>): void {
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const round = async () => {
      if (!document.hidden) await poll(stop.signal).catch(() => undefined);
      if (!stop.signal.aborted) timer = window.setTimeout(round, ms);
    };
    void round();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [ms]);
}

/** The width of an element, in whole pixels. */
export function useWidth<T extends HTMLElement>(): [RefObject<T | null>, number] {
  const ref = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const el = ref.current;
    if (!el) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(el.clientWidth)));
    observer.observe(el);
    setWidth(Math.floor(el.clientWidth));
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

/** One of the numbers of a `dl.figures`. */
export function Figure({ name, value, more }: { name: string; value: string; more?: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
      {more && <dd class="quiet">{more}</dd>}
    </div>
  );
}
