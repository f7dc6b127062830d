// The knobs of a placement: each is a part of its document, and one that is not set is not in it.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Placement } from "../../lists/preview-types.ts";
import { Icon } from "../../parts/icon.tsx";
import { ItemField } from "../../parts/item-field.tsx";
import { Words } from "../../parts/words.tsx";
import type { KnobNotes } from "./knob-notes.ts";

export interface KnobsProps {
  readonly draft: Placement;
  readonly notes: KnobNotes;
  /** What caps can count by here, besides categories and tags. */
  readonly attributes: readonly string[];
  readonly onDraft: (draft: Placement) => void;
}

const EXCLUDES: Readonly<Record<string, string>> = {
  purchased: "bought",
  seen: "opened",
  dismissed: "waved away",
  session: "opened in this session",
};

/** The draft with some keys set; undefined takes a key away. */
function withKeys(draft: Placement, keys: { [K in keyof Placement]: Placement[K] | undefined }): Placement {
  const next: Record<string, unknown> = { ...draft, ...keys };
  for (const key of Object.keys(next)) {
    const value = next[key];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) delete next[key];
  }
  return next as Placement;
}

export function Knobs({ draft, notes, attributes, onDraft }: KnobsProps) {
  const set = (keys: Parameters<typeof withKeys>[1]): void => onDraft(withKeys(draft, keys));
  const { freshness, frequency, exclude = [] } = draft;
  return (
    <form class="knobs" onSubmit={(event) => event.preventDefault()}>
      <Slide
        label="Diversity"
        value={draft.diversity ?? 0}
        onValue={(value) => set({ diversity: value || undefined })}
      />
      <Slide
        label="Freshness"
        value={freshness?.weight ?? 0}
        onValue={(weight) =>
          set({ freshness: weight === 0 ? undefined : { weight, half_life: freshness?.half_life ?? "7d" } })
        }
      />
      {freshness === undefined ? null : (
        <Text
          label="Half-life of freshness"
          value={freshness.half_life}
          onValue={(half_life) => set({ freshness: { ...freshness, half_life } })}
        />
      )}
      <Note of="freshness" notes={notes} />
      <Text
        label="Filter"
        value={draft.filter ?? ""}
        placeholder="item.available"
        onValue={(filter) => set({ filter: filter || undefined })}
      />
      <Note of="filter" notes={notes} />
      <fieldset>
        <legend>Leave out what the visitor has</legend>
        {Object.entries(EXCLUDES).map(([kind, words]) => (
          <label key={kind} class="tick">
            <input
              type="checkbox"
              checked={exclude.includes(kind)}
              onChange={({ currentTarget: { checked } }) =>
                set({ exclude: checked ? [...exclude, kind] : exclude.filter((other) => other !== kind) })
              }
            />{" "}
            {words}
          </label>
        ))}
      </fieldset>
      <Rows
        legend="Boosts"
        place="boost"
        notes={notes}
        rows={draft.boost ?? []}
        fresh={{ when: '"new" in item.tags', by: 1.5 }}
        onRows={(boost) => set({ boost })}
        row={(boost, change, n) => (
          <>
            <Condition label={`Condition of boost ${n}`} value={boost.when} onValue={(when) => change({ ...boost, when })} />
            <Small label={`Factor of boost ${n}`} value={boost.by} onValue={(by) => change({ ...boost, by })} />
          </>
        )}
      />
      <Rows
        legend="Pins"
        place="pin"
        notes={notes}
        rows={draft.pin ?? []}
        fresh={{ when: '"new" in item.tags', at: firstFree(draft.pin ?? []) }}
        onRows={(pin) => set({ pin })}
        row={(pin, change, n) => {
          return (
            <>
              <select
                class="field"
                aria-label={`Kind of pin ${n}`}
                value={pin.item === undefined ? "when" : "item"}
                onChange={({ currentTarget: { value } }) =>
                  change({ at: pin.at, [value]: value === "when" ? '"new" in item.tags' : (pin.item ?? "") })
                }
              >
                <option value="when">the best with</option>
                <option value="item">the item</option>
              </select>
              {pin.item === undefined ? (
                <Condition label={`What pin ${n} shows`} value={pin.when ?? ""} onValue={(when) => change({ at: pin.at, when })} />
              ) : (
                <ItemField label={`What pin ${n} shows`} value={pin.item} onValue={(item) => change({ at: pin.at, item })} />
              )}
              <Small label={`Position of pin ${n}`} value={pin.at} onValue={(at) => change({ ...pin, at })} />
            </>
          );
        }}
      />
      <Rows
        legend="Caps"
        place="cap"
        notes={notes}
        rows={draft.cap ?? []}
        fresh={{ by: "category", max: 3 }}
        onRows={(cap) => set({ cap })}
        row={(cap, change, n) => (
          <>
            <input
              class="field grow"
              aria-label={`What cap ${n} counts by`}
              list="cap-kinds"
              value={cap.by}
              onInput={({ currentTarget: { value } }) => change({ ...cap, by: value })}
            />
            <Small label={`Most of cap ${n}`} value={cap.max} onValue={(max) => change({ ...cap, max })} />
          </>
        )}
      />
      <datalist id="cap-kinds">
        {["category", "categories", "tags", ...attributes].map((kind) => (
          <option key={kind} value={kind} />
        ))}
      </datalist>
      <fieldset>
        <legend>Frequency</legend>
        <label class="tick">
          <input
            type="checkbox"
            checked={frequency !== undefined}
            onChange={({ currentTarget: { checked } }) =>
              set({ frequency: checked ? { shows: 4, window: "1d" } : undefined })
            }
          />{" "}
          cap what is shown and not opened
        </label>
        {frequency === undefined ? null : (
          <div class="knob-row">
            <Small
              label="Shows"
              value={frequency.shows}
              onValue={(shows) => set({ frequency: { ...frequency, shows } })}
            />
            <input
              class="field grow"
              aria-label="Window of the shows"
              title="Window of the shows"
              value={frequency.window}
              onInput={({ currentTarget: { value } }) => set({ frequency: { ...frequency, window: value } })}
            />
            <Small
              label="Factor once it is reached"
              value={frequency.by ?? 0}
              onValue={(by) => set({ frequency: { ...frequency, by } })}
            />
          </div>
        )}
        <Note of="frequency" notes={notes} />
      </fieldset>
    </form>
  );
}

function firstFree(pins: readonly { at: number }[]): number {
  let at = 1;
  while (pins.some((pin) => pin.at === at)) at++;
  return at;
}

interface NumberProps {
  readonly label: string;
  readonly value: number;
  readonly onValue: (value: number) => void;
}

function Slide({ label, value, onValue }: NumberProps) {
  return (
    <label class="slide">
      <span>{label}</span>
      <input
        type="range"
        min="0"
        max="1"
        step="0.02"
        value={value}
        onInput={({ currentTarget }) => onValue(Number(currentTarget.value))}
      />
      <output class="num">{value.toFixed(2)}</output>
    </label>
  );
}

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly onValue: (value: string) => void;
}

function Text({ label, value, placeholder, onValue }: TextProps) {
  return (
    <label class="stacked">
      <span>{label}</span>
      <input
        class="field"
        value={value}
        placeholder={placeholder}
        spellcheck={false}
        onInput={({ currentTarget }) => onValue(currentTarget.value)}
      />
    </label>
  );
}

/** A field of text: one of numbers drops the comma that half the world writes for the point, and 2,75 would be 275. */
function Small({ label, value, onValue }: NumberProps) {
  // As it is typed: who has come to `2.` means to go on, and written back as a number it would lose its point.
  const [text, setText] = useState(String(value));
  return (
    <input
      class="field short num"
      inputmode="decimal"
      autocomplete="off"
      aria-label={label}
      title={label}
      value={numberOf(text) === value ? text : value}
      onInput={({ currentTarget }) => {
        const typed = numberOf(currentTarget.value);
        // What is no number changes nothing, not what the field shows either.
        if (Number.isNaN(typed)) return void (currentTarget.value = text);
        setText(currentTarget.value);
        onValue(typed);
      }}
      onBlur={() => setText(String(value))}
    />
  );
}

function numberOf(text: string): number {
  return Number(text.replace(",", "."));
}

/** Of a condition on the narrowest column: a browser without `field-sizing` has the lines that this makes. */
const LINE_CHARS = 22;

/** CEL: as many lines as it needs. */
function Condition({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  return (
    <textarea
      class="field grow"
      aria-label={label}
      rows={Math.max(1, Math.ceil(value.length / LINE_CHARS))}
      spellcheck={false}
      value={value}
      onInput={({ currentTarget }) => onValue(currentTarget.value.replaceAll("\n", " "))}
    />
  );
}

/** Its fault, or that it does nothing, beside the knob that has it. */
function Note({ of, notes }: { of: string; notes: KnobNotes }) {
  const note = notes.get(of);
  if (note === undefined) return null;
  return (
    <p class={note.isFault ? "knob-note bad-text" : "knob-note"}>
      <Words text={note.text} />
    </p>
  );
}

interface RowsProps<Row> {
  readonly legend: string;
  /** The list's key in the placement. */
  readonly place: string;
  readonly notes: KnobNotes;
  readonly rows: readonly Row[];
  /** What "Add" adds. */
  readonly fresh: Row;
  readonly onRows: (rows: Row[]) => void;
  readonly row: (row: Row, change: (row: Row) => void, number: number) => ComponentChildren;
}

function Rows<Row>({ legend, place, notes, rows, fresh, onRows, row }: RowsProps<Row>) {
  const one = legend.toLowerCase().slice(0, -1);
  const list = useRef<HTMLFieldSetElement>(null);
  /** What takes the focus once it is there: a keyboard goes on in the new row, and is not lost with the one taken away. */
  const next = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    const found = next.current === undefined ? null : list.current!.querySelector<HTMLElement>(next.current);
    if (found === null) return;
    next.current = undefined;
    found.focus();
  });
  return (
    <fieldset ref={list}>
      <legend>{legend}</legend>
      {rows.map((each, i) => (
        <div class="knob-row" key={i}>
          <span class="knob-number faint num" aria-hidden="true">
            {i + 1}
          </span>
          {row(each, (changed) => onRows(rows.map((other, j) => (j === i ? changed : other))), i + 1)}
          <button
            type="button"
            class="btn quiet icon"
            aria-label={`Take away ${one} ${i + 1}`}
            onClick={() => {
              next.current = ":scope > .btn";
              onRows(rows.filter((_, j) => j !== i));
            }}
          >
            <Icon name="close" />
          </button>
          <Note of={`${place}/${i}`} notes={notes} />
        </div>
      ))}
      <button
        type="button"
        class="btn small"
        onClick={() => {
          next.current = `.knob-row:nth-of-type(${rows.length + 1}) .field`;
          onRows([...rows, fresh]);
        }}
      >
        Add a {one}
      </button>
    </fieldset>
  );
}
