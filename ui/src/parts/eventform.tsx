// The form that saves an event: text, time, severity.

import { useState } from "preact/hooks";
import { APIError, api, type Event } from "../api/api.ts";
import { eventForm, eventsTurn, kindsSeen, remove } from "../state/events.ts";
import { hiddenKinds, say, shown, zone } from "../state/state.ts";
import { parts, resolve } from "../text/time.ts";
import { Field, FormDialog } from "./formdialog.tsx";
import { Select } from "./ui.tsx";

const severities = ["info", "warning", "error", "critical"].map((s) => ({ value: s, title: s }));
const kinds = ["note", "change", "maintenance", "attack"];

/** A moment in the format of the form, in the user's time zone. */
export function written(t: number, zone: string): string {
  const p = parts(t, zone);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${p.year}-${two(p.month)}-${two(p.day)} ${two(p.hour)}:${two(p.minute)}:${two(p.second)}`;
}

export function EventForm({ start, end }: { start: number; end: number }) {
  const tz = zone.value;
  const [text, setText] = useState("");
  const [kind, setKind] = useState("note");
  const [target, setTarget] = useState("");
  const [severity, setSeverity] = useState<Event["severity"]>("info");
  const [begin, setBegin] = useState(written(start, tz));
  const [until, setUntil] = useState(end > start ? written(end, tz) : "");
  const [errors, setErrors] = useState<Record<string, string>>({});

  const save = async () => {
    const now = shown.peek()?.now ?? Date.now() / 1000;
    const from = resolve(begin, now, tz);
    const to = until.trim() === "" ? 0 : resolve(until, now, tz);
    const wrong: Record<string, string> = {};
    const how = "Use 2026-11-26 14:05, -10m or now";
    if (!text.trim() && !target.trim()) wrong.text = "Enter what happened";
    if (from === undefined) wrong.start = how;
    if (to === undefined) wrong.end = how + ", or leave empty";
    else if (from !== undefined && to !== 0 && to < from) wrong.end = "End is before start";
    setErrors(wrong);
    if (Object.keys(wrong).length > 0 || from === undefined || to === undefined) return false;
    try {
      const { body } = await api.addEvent({
        text: text.trim(),
        kind: kind.trim(),
        target: target.trim(),
        severity,
        start: Math.floor(from),
        end: Math.floor(to),
      });
      if (hiddenKinds.signal.peek() === "*") hiddenKinds.set("");
      eventsTurn.value += 1;
      say("Event saved", () => void remove(body));
      return true;
    } catch (e) {
      const key = e instanceof APIError ? e.problem.key : undefined;
      const message = e instanceof Error ? e.message.replace(`${key}: `, "") : String(e);
      setErrors({ [key && ["text", "kind", "target", "start", "end"].includes(key) ? key : "form"]: message });
    }
    return false;
  };

  return (
    <FormDialog
      title="Mark an event"
      first="event-text"
      submit="Save"
      error={errors.form}
      onSave={save}
      onClosed={() => (eventForm.value = null)}
    >
      <Field id="event-text" label="What happened" error={errors.text}>
        <input value={text} autocomplete="off" maxLength={2000} onInput={(e) => setText(e.currentTarget.value)} />
      </Field>
      <div class="form-pair">
        <Field id="event-start" label="Start" error={errors.start}>
          <input value={begin} autocomplete="off" onInput={(e) => setBegin(e.currentTarget.value)} />
        </Field>
        <Field id="event-end" label="End" error={errors.end} hint="leave empty if ongoing or instantaneous">
          <input value={until} autocomplete="off" onInput={(e) => setUntil(e.currentTarget.value)} />
        </Field>
        <Field id="event-kind" label="Kind" error={errors.kind}>
          <input value={kind} autocomplete="off" maxLength={64} list="event-kinds" onInput={(e) => setKind(e.currentTarget.value)} />
        </Field>
        <Field id="event-target" label="Target" error={errors.target} hint="address, prefix or interface">
          <input value={target} autocomplete="off" maxLength={256} onInput={(e) => setTarget(e.currentTarget.value)} />
        </Field>
      </div>
      <datalist id="event-kinds">
        {[...new Set([...kinds, ...kindsSeen.value])].map((k) => (
          <option key={k} value={k} />
        ))}
      </datalist>
      <div>
        <Select
          label="Severity"
          id="event-severity"
          value={severity}
          choices={severities}
          onChange={(v) => setSeverity(v as Event["severity"])}
        />
      </div>
    </FormDialog>
  );
}
