// The form that marks an event: what happened, when, how grave.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, APIError } from "./api.ts";
import { remove } from "./eventmarks.tsx";
import { eventForm, eventsTurn, kindsSeen } from "./events.ts";
import { hiddenKinds, say, shown, zone } from "./state.ts";
import { parts, resolve } from "./time.ts";
import { Field, Icon, IconButton, Select } from "./ui.tsx";

const severities = ["info", "warning", "error", "critical"].map((s) => ({ value: s, title: s }));
const kinds = ["note", "change", "maintenance", "attack"];

/** A moment as the form writes it and reads it again, in the reader's zone. */
export function written(t: number, zone: string): string {
  const p = parts(t, zone);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${p.year}-${two(p.month)}-${two(p.day)} ${two(p.hour)}:${two(p.minute)}:${two(p.second)}`;
}

export function EventForm({ start, end }: { start: number; end: number }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const tz = zone.value;
  const [text, setText] = useState("");
  const [kind, setKind] = useState("note");
  const [target, setTarget] = useState("");
  const [severity, setSeverity] = useState("info");
  const [begin, setBegin] = useState(written(start, tz));
  const [until, setUntil] = useState(end > start ? written(end, tz) : "");
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("#event-text")?.focus();
  }, []);
  const close = () => dialog.current?.close();

  const save = async (e: SubmitEvent) => {
    e.preventDefault();
    const now = shown.peek()?.now ?? Date.now() / 1000;
    const from = resolve(begin, now, tz);
    const to = until.trim() === "" ? 0 : resolve(until, now, tz);
    const wrong: Record<string, string> = {};
    const how = "Write 2026-11-26 14:05, -10m or now";
    if (!text.trim() && !target.trim()) wrong.text = "Say what happened";
    if (from === undefined) wrong.start = how;
    if (to === undefined) wrong.end = how + ", or nothing";
    else if (from !== undefined && to !== 0 && to < from) wrong.end = "Is before the begin";
    setErrors(wrong);
    if (Object.keys(wrong).length > 0 || from === undefined || to === undefined) return;
    setBusy(true);
    try {
      const { body } = await api.addEvent({ text: text.trim(), kind: kind.trim(), target: target.trim(), severity, start: Math.floor(from), end: Math.floor(to) });
      if (hiddenKinds.signal.peek() === "*") hiddenKinds.set("");
      eventsTurn.value += 1;
      say("Event kept", () => void remove(body));
      close();
    } catch (e) {
      const key = e instanceof APIError ? e.problem.key : undefined;
      const message = e instanceof Error ? e.message.replace(`${key}: `, "") : String(e);
      setErrors({ [key && ["text", "kind", "target", "start", "end"].includes(key) ? key : "form"]: message });
    }
    setBusy(false);
  };

  return (
    <dialog ref={dialog} class="help save-view" aria-label="Mark an event" onClose={() => (eventForm.value = null)} onClick={(e) => e.target === e.currentTarget && close()}>
      <form class="help-body" onSubmit={save}>
        <header>
          <h2>Mark an event</h2>
          <IconButton icon="close" label="Close" onClick={close} />
        </header>
        <Field id="event-text" label="What happened" error={errors.text}>
          <input value={text} autocomplete="off" maxLength={2000} onInput={(e) => setText(e.currentTarget.value)} />
        </Field>
        <div class="form-pair">
          <Field id="event-start" label="Begin" error={errors.start}>
            <input value={begin} autocomplete="off" onInput={(e) => setBegin(e.currentTarget.value)} />
          </Field>
          <Field id="event-end" label="End" error={errors.end} hint="empty: none, or not yet">
            <input value={until} autocomplete="off" onInput={(e) => setUntil(e.currentTarget.value)} />
          </Field>
          <Field id="event-kind" label="Kind" error={errors.kind}>
            <input value={kind} autocomplete="off" maxLength={64} list="event-kinds" onInput={(e) => setKind(e.currentTarget.value)} />
          </Field>
          <Field id="event-target" label="About" error={errors.target} hint="address, prefix or interface">
            <input value={target} autocomplete="off" maxLength={256} onInput={(e) => setTarget(e.currentTarget.value)} />
          </Field>
        </div>
        <datalist id="event-kinds">
          {[...new Set([...kinds, ...kindsSeen.value])].map((k) => (
            <option key={k} value={k} />
          ))}
        </datalist>
        <div>
          <Select label="Severity" id="event-severity" value={severity} choices={severities} onChange={setSeverity} />
        </div>
        {errors.form && (
          <p class="notice bad" role="alert">
            <Icon name="warn" /> {errors.form}
          </p>
        )}
        <div class="row end">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy}>
            Mark
          </button>
        </div>
      </form>
    </dialog>
  );
}
