// The form that saves the current page as a view, or edits one: name, link, description, visibility, pinned.

import { useState } from "preact/hooks";
import { APIError, api, headerOf, type SavedView } from "../api/api.ts";
import { current, loadViews, pageOf, savedViews, saving, shownQuery, slugForm, slugOf } from "../state/saved.ts";
import { go, ownerChoice, path, say } from "../state/state.ts";
import { Field, FormDialog } from "./formdialog.tsx";

type Errors = Partial<Record<"name" | "slug" | "description" | "owner" | "form", string>>;

/** The maximum length of a name in bytes. */
const maxOwner = 64;

/** Assigns an error of the server to its field. */
export function explain(e: unknown): Errors {
  if (!(e instanceof APIError)) return { form: String(e) };
  const key = e.problem.key;
  const text = e.message.replace(/^\w+: /, (m) => (m === key + ": " ? "" : m));
  if (key === "name" || key === "slug" || key === "description") return { [key]: text.charAt(0).toUpperCase() + text.slice(1) };
  return { form: text };
}

export function SaveView({ change, of }: { change?: SavedView; of?: string[] }) {
  const from = change ?? current.peek()?.view;
  const board = change ? change.of.length > 0 : of !== undefined;
  const title = change ? (board ? "Edit board" : "Edit view") : board ? "Save as board" : "Save as view";
  const [name, setName] = useState(change?.name ?? "");
  const [slug, setSlug] = useState<string | null>(change?.slug ?? null);
  const [description, setDescription] = useState(from?.description ?? "");
  const [shared, setShared] = useState(change?.shared ?? true);
  const [pinned, setPinned] = useState(change?.pinned ?? false);
  const [owner, setOwner] = useState(ownerChoice.signal.peek());
  const [errors, setErrors] = useState<Errors>({});
  const address = slug ?? slugOf(name);

  const save = async () => {
    const wrong: Errors = {};
    if (!name.trim()) wrong.name = "Enter a name";
    else if (!slugForm.test(address)) wrong.slug = "Use 1 to 64 lower-case letters, digits and -";
    else if (!change && savedViews.peek().some((v) => v.slug === address))
      wrong.slug = `“${savedViews.peek().find((v) => v.slug === address)!.name}” has this link; use another one, or open that view and save it`;
    if (!shared && !owner.trim()) wrong.owner = "Enter your name to find it again";
    if (headerOf(owner.trim()).length > maxOwner) wrong.owner = "Name too long; shorten it";
    setErrors(wrong);
    if (Object.keys(wrong).length > 0) return false;
    if (owner.trim() !== ownerChoice.signal.peek()) ownerChoice.set(owner.trim());
    try {
      const said = { name, slug: address, description, shared, pinned };
      const { body } = change
        ? await api.putView({ ...change, ...said })
        : await api.addView(of ? { ...said, of } : { ...said, page: pageOf(path.peek()), query: shownQuery() });
      await loadViews();
      say(`${of ? "Board" : "View"} saved: ${location.origin}/v/${body.slug}`);
      if (of) go("/v/" + body.slug);
      return true;
    } catch (e) {
      setErrors(explain(e));
    }
    return false;
  };

  return (
    <FormDialog title={title} first="view-name" submit="Save" error={errors.form} onSave={save} onClosed={() => (saving.value = null)}>
      <Field id="view-name" label="Name" error={errors.name}>
        <input value={name} maxLength={100} autocomplete="off" onInput={(e) => setName(e.currentTarget.value)} />
      </Field>
      <Field id="view-slug" label="Link" error={errors.slug} hint={change ? "fixed, so that existing links keep working" : undefined}>
        <span class="prefixed">
          <span class="quiet">/v/</span>
          <input
            value={address}
            maxLength={64}
            autocomplete="off"
            spellcheck={false}
            disabled={change !== undefined}
            onInput={(e) => setSlug(e.currentTarget.value || null)}
          />
        </span>
      </Field>
      <Field id="view-description" label="Description" error={errors.description}>
        <input value={description} maxLength={2000} autocomplete="off" onInput={(e) => setDescription(e.currentTarget.value)} />
      </Field>
      <div class="segments" role="radiogroup" aria-label="Visibility">
        {([true, false] as const).map((s) => (
          <button
            key={String(s)}
            type="button"
            role="radio"
            aria-checked={shared === s}
            class={shared === s ? "on" : ""}
            onClick={() => setShared(s)}
          >
            {s ? "Shared" : "Private"}
          </button>
        ))}
      </div>
      {!shared && (
        <Field
          id="view-owner"
          label="Your name"
          error={errors.owner}
          hint="Listed only for users who enter this name. There is no login, so this is not access control"
        >
          <input value={owner} autocomplete="off" onInput={(e) => setOwner(e.currentTarget.value)} />
        </Field>
      )}
      <label class="check">
        <input type="checkbox" checked={pinned} onChange={(e) => setPinned(e.currentTarget.checked)} /> Pin to the navigation bar
      </label>
    </FormDialog>
  );
}
