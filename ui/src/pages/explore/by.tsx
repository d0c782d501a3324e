// The grouping: chips in order, moved by dragging or by keyboard, added from the fields that the server lists.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon, Popover } from "../../parts/ui.tsx";
import { fieldOf, fields, show, termTitle, view } from "../../state/state.ts";
import { isTime } from "../../text/url.ts";

/** Intervals to group by; the first ones are offered with the fields. */
const lengths = ["1h", "1d", "1w", "5m", "15m", "4h"].map((l) => "ts:" + l);

const masks = { 4: ["16", "24", "28"], 6: ["32", "48", "64"] };

export function GroupBy() {
  const by = view.value.by;
  const [adding, setAdding] = useState(false);
  const [menu, setMenu] = useState<string | null>(null);
  const act = (f: () => void) => {
    setMenu(null);
    f();
  };
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const row = useRef<HTMLDivElement>(null);

  const set = (next: string[]) => show({ by: next });

  function moveTo(term: string, target: number) {
    const rest = by.filter((b) => b !== term);
    const at = Math.max(0, Math.min(target, rest.length));
    set([...rest.slice(0, at), term, ...rest.slice(at)]);
    requestAnimationFrame(() => row.current?.querySelectorAll<HTMLElement>(".chip > button:first-child")[at]?.focus());
  }

  function key(e: KeyboardEvent, term: string, i: number) {
    if ((e.key === "ArrowLeft" || e.key === "ArrowRight") && (e.altKey || e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      moveTo(term, i + (e.key === "ArrowLeft" ? -1 : 1));
    } else if (e.key === "ArrowLeft" || e.key === "ArrowRight") {
      e.preventDefault();
      row.current?.querySelectorAll<HTMLElement>(".chip > button:first-child")[i + (e.key === "ArrowLeft" ? -1 : 1)]?.focus();
    } else if (e.key === "Delete" || e.key === "Backspace") {
      e.preventDefault();
      set(by.filter((b) => b !== term));
    }
  }

  return (
    <div class="group-by" ref={row} role="group" aria-label="Group by">
      <span class="control-label">by</span>
      {by.map((term, i) => (
        <span
          key={term}
          class={`chip ${over === term && dragged !== term ? "drop" : ""} ${dragged === term ? "dragged" : ""}`}
          draggable
          onDragStart={(e) => {
            setDragged(term);
            e.dataTransfer?.setData("text/plain", term);
          }}
          onDragEnd={() => {
            setDragged(null);
            setOver(null);
          }}
          onDragOver={(e) => {
            if (!dragged) return;
            e.preventDefault();
            setOver(term);
          }}
          onDrop={(e) => {
            e.preventDefault();
            if (dragged && dragged !== term) moveTo(dragged, i);
            setDragged(null);
            setOver(null);
          }}
        >
          <button
            type="button"
            data-opens
            aria-haspopup="menu"
            aria-label={`${termTitle(term)}, ${i + 1} of ${by.length}. Alt with arrow keys moves it, Delete removes it.`}
            title={fieldOf(term)?.doc ?? term}
            onClick={() => setMenu(menu === term ? null : term)}
            onKeyDown={(e) => key(e, term, i)}
          >
            {termTitle(term)}
          </button>
          <button
            type="button"
            class="chip-close"
            aria-label={`Remove ${termTitle(term)}`}
            title="Remove"
            onClick={() => set(by.filter((b) => b !== term))}
          >
            <Icon name="close" />
          </button>
          <Popover open={menu === term} onClose={() => setMenu(null)} class="menu" label={termTitle(term)}>
            <ChipMenu
              term={term}
              first={i === 0}
              last={i === by.length - 1}
              onMove={(d) => act(() => moveTo(term, i + d))}
              onReplace={(t) => act(() => set(by.map((b) => (b === term ? t : b)).filter((b, j, all) => all.indexOf(b) === j)))}
              onRemove={() => act(() => set(by.filter((b) => b !== term)))}
            />
          </Popover>
        </span>
      ))}
      <span class="anchor">
        <button
          type="button"
          class="chip-add"
          data-opens
          id="by-add"
          aria-haspopup="dialog"
          aria-expanded={adding}
          onClick={() => setAdding(!adding)}
        >
          <Icon name="plus" /> {by.length === 0 ? "Group by" : ""}
          <span class="offscreen">Add group</span>
        </button>
        <Popover open={adding} onClose={() => setAdding(false)} class="picker" label="Add a field to group by">
          <FieldPicker
            taken={by}
            onPick={(name) => {
              setAdding(false);
              set([...by, name]);
            }}
          />
        </Popover>
      </span>
    </div>
  );
}

function ChipMenu({
  term,
  first,
  last,
  onMove,
  onReplace,
  onRemove,
}: {
  term: string;
  first: boolean;
  last: boolean;
  onMove: (d: -1 | 1) => void;
  onReplace: (t: string) => void;
  onRemove: () => void;
}) {
  const name = term.split(":")[0];
  const field = fieldOf(term);
  const net = name.replace(/(^|\.)ip$/, "$1net");
  return (
    <div role="menu" class="menu-list">
      {!first && (
        <button type="button" role="menuitem" onClick={() => onMove(-1)}>
          Move left
        </button>
      )}
      {!last && (
        <button type="button" role="menuitem" onClick={() => onMove(1)}>
          Move right
        </button>
      )}
      {field?.kind === "ip" &&
        masks[4].map((m, i) => (
          <button key={m} type="button" role="menuitem" onClick={() => onReplace(`${net}:${m}:${masks[6][i]}`)}>
            Networks of /{m} and /{masks[6][i]}
          </button>
        ))}
      {isTime(term) &&
        lengths
          .filter((l) => l !== term)
          .map((l) => (
            <button key={l} type="button" role="menuitem" onClick={() => onReplace(l)}>
              {termTitle(l)}
            </button>
          ))}
      {term !== name && field && (
        <button type="button" role="menuitem" onClick={() => onReplace(field.name)}>
          Single addresses
        </button>
      )}
      <button type="button" role="menuitem" onClick={onRemove}>
        Remove
      </button>
    </div>
  );
}

function FieldPicker({ taken, onPick }: { taken: string[]; onPick: (name: string) => void }) {
  const [search, setSearch] = useState("");
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const wanted = search.trim().toLowerCase();
  const rank = (name: string, title: string, doc: string) => {
    const n = name.toLowerCase();
    if (wanted === "" || n.startsWith(wanted)) return 0;
    if (n.includes(wanted) || title.toLowerCase().includes(wanted)) return 1;
    return doc.toLowerCase().includes(wanted) ? 2 : 3;
  };
  const times = lengths
    .slice(0, 3)
    .map((name) => ({ name, title: termTitle(name), doc: "Time as a group, aligned to the clock of the time zone", group: "time" }));
  const found = [...fields.value.filter((f) => f.groupable), ...times]
    .filter((f) => !taken.includes(f.name))
    .map((f) => ({ f, r: rank(f.name, f.title, f.doc) }))
    .filter((x) => x.r < 3);
  if (wanted) found.sort((a, b) => a.r - b.r);
  useLayoutEffect(() => setActive(0), [wanted]);
  useEffect(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [active]);
  return (
    <>
      <input
        type="text"
        class="picker-search"
        placeholder="Search fields"
        aria-label="Search fields"
        aria-controls="field-list"
        aria-activedescendant={found[active] ? `field-${active}` : undefined}
        autofocus
        value={search}
        onInput={(e) => setSearch(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "ArrowDown" || e.key === "ArrowUp") {
            e.preventDefault();
            setActive((active + (e.key === "ArrowDown" ? 1 : found.length - 1)) % Math.max(1, found.length));
          } else if (e.key === "Enter" && found[active]) {
            e.preventDefault();
            onPick(found[active].f.name);
          }
        }}
      />
      <div class="picker-list" role="listbox" id="field-list" aria-label="Fields" ref={list}>
        {found.map(({ f }, i) => (
          <>
            {(wanted === "" ? i === 0 || found[i - 1].f.group !== f.group : false) && (
              <div class="picker-group" role="presentation">
                {f.group}
              </div>
            )}
            <div
              key={f.name}
              id={`field-${i}`}
              role="option"
              aria-selected={i === active}
              class="picker-item"
              title={f.doc}
              data-field={f.name}
              onPointerMove={() => setActive(i)}
              onClick={() => onPick(f.name)}
            >
              <b>{f.title}</b>
              <code>{f.name}</code>
            </div>
          </>
        ))}
        {found.length === 0 && <p class="quiet">{fields.value.length ? "No matching field." : "Loading …"}</p>}
      </div>
    </>
  );
}
