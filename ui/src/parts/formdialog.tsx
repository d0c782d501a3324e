// A form in a dialog: its title, fields, general error and buttons.

import { type ComponentChildren, cloneElement, toChildArray, type VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, IconButton } from "./ui.tsx";

interface Props {
  title: string;
  /** The id of the field with the initial focus. */
  first: string;
  submit: string;
  error: string | undefined;
  /** Saves the form; true: success. */
  onSave: () => Promise<boolean>;
  onClosed: () => void;
  children: ComponentChildren;
}

export function FormDialog({ title, first, submit, error, onSave, onClosed, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("#" + first)?.focus();
  }, []);
  const close = () => dialog.current?.close();
  const save = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    if (await onSave()) close();
    setBusy(false);
  };
  return (
    <dialog
      ref={dialog}
      class="help save-view"
      aria-label={title}
      onClose={onClosed}
      onClick={(e) => e.target === e.currentTarget && close()}
    >
      <form class="help-body" onSubmit={save}>
        <header>
          <h2>{title}</h2>
          <IconButton icon="close" label="Close" onClick={close} />
        </header>
        {children}
        {error && (
          <p class="notice bad" role="alert">
            <Icon name="warn" /> {error}
          </p>
        )}
        <div class="row end">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy}>
            {submit}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** An input with its label, and its error or hint below. */
export function Field({ id, label, error, hint, children }: { id: string; label: string; error?: string; hint?: string; children: VNode }) {
  const note = error ?? hint;
  const told = (input: VNode) =>
    cloneElement(input, { id, "aria-invalid": error !== undefined, "aria-describedby": note ? id + "-note" : undefined });
  // The input is the child, or the last thing in it.
  const kids = children.type === "span" ? toChildArray(children.props.children) : [];
  return (
    <div class="form-field">
      <label for={id}>{label}</label>
      {kids.length ? cloneElement(children, {}, ...kids.slice(0, -1), told(kids[kids.length - 1] as VNode)) : told(children)}
      {note && (
        <p id={id + "-note"} class={error ? "hint wrong" : "hint"} role={error ? "alert" : undefined}>
          {note}
        </p>
      )}
    </div>
  );
}
