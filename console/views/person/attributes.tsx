// What the site says of a person, and how an operator corrects it.
import { useState } from "preact/hooks";
import type { PersonRef, Profile } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { FirstOf } from "../../parts/first-of.tsx";
import { adviceOn } from "../../parts/state.tsx";
import { useConsole } from "../../shell/context.ts";
import { textOf, valueOf } from "./attribute-text.ts";
import { Facts } from "./facts.tsx";
import { plainWords } from "./fact-words.ts";

/** Shown before somebody asks for all: a person may have 64. */
const FIRST = 12;
const NAMES_ID = "attribute-names";

interface AttributesProps {
  readonly person: PersonRef;
  readonly attributes: Profile["attributes"];
}

export function Attributes({ person, attributes }: AttributesProps) {
  const [isOpen, setOpen] = useState(false);
  const entries = Object.entries(attributes);
  return (
    <Card
      title="Attributes"
      note={entries.length === 0 ? undefined : String(entries.length)}
      end={
        <button type="button" class="btn small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Close" : "Change"}
        </button>
      }
    >
      {entries.length === 0 ? (
        <p class="soft">
          None. Set them here, with <code>PATCH …/profile</code> or <code>attune.identify</code>.
        </p>
      ) : (
        <FirstOf all={entries} first={FIRST}>
          {(shown) => <Facts entries={shown} shown={plainWords} />}
        </FirstOf>
      )}
      {isOpen ? <Change person={person} attributes={attributes} /> : null}
    </Card>
  );
}

function Change({ person, attributes }: AttributesProps) {
  const { api, notify } = useConsole();
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const isThere = Object.hasOwn(attributes, name.trim());
  const say = (value: unknown): void => {
    const named = name.trim();
    api.setAttributes(person, { [named]: value }).then(
      () => {
        notify(value === null ? `${named} removed` : `${named} saved`);
        // What was written meanwhile stays.
        setName((now) => (now === name ? "" : now));
        setText((now) => (now === text ? "" : now));
      },
      (error: unknown) => notify(adviceOn(error), "bad"),
    );
  };
  return (
    <form
      class="whom spaced"
      onSubmit={(event) => {
        event.preventDefault();
        say(valueOf(text));
      }}
    >
      <label class="stacked">
        <span>Name</span>
        <input
          class="field"
          value={name}
          list={NAMES_ID}
          required
          maxLength={64}
          spellcheck={false}
          autocomplete="off"
          onInput={({ currentTarget: { value } }) => {
            setName(value);
            if (Object.hasOwn(attributes, value)) setText(textOf(attributes[value]));
          }}
        />
      </label>
      <datalist id={NAMES_ID}>
        {Object.keys(attributes).map((known) => (
          <option key={known} value={known} />
        ))}
      </datalist>
      <label class="stacked">
        <span>Value</span>
        <input
          class="field"
          value={text}
          dir="auto"
          spellcheck={false}
          autocomplete="off"
          title='42, true and ["a", "b"] are a number, a truth and a list; "42" is a text'
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <div class="row">
        <button type="submit" class="btn primary">
          Save
        </button>
        <button type="button" class="btn" disabled={!isThere} onClick={() => say(null)}>
          Remove
        </button>
      </div>
    </form>
  );
}
