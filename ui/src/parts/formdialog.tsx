// A form in a dialog: its title, its fields, what is wrong with the whole, and the buttons.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, IconButton } from "./ui.tsx";

interface Props {
  title: string;
  /** The id of the field that is written in first. */
  first: string;
  submit: string;
  error: string | undefined;
  /** Saves what was written; true: the form is done. */
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
