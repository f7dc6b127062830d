// The field that says whom a list is about.
import { useEffect, useState } from "preact/hooks";

export function PersonFilter({ person, onChange }: { person: string; onChange: (person: string) => void }) {
  const [text, setText] = useState(person);
  useEffect(() => setText(person), [person]);
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(text.trim());
      }}
    >
      <input
        class="field person-filter"
        type="search"
        aria-label="Person: a user id, or anonymous: and a visitor id"
        title="A user id, or anonymous: and a visitor id. Enter applies it."
        placeholder="user id, or anonymous:id"
        value={text}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          setText(event.currentTarget.value);
          if (event.currentTarget.value === "") onChange("");
        }}
      />
    </form>
  );
}
