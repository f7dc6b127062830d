// A field for an item's id: who knows a word of its title only is offered those that have it.
import { useId } from "preact/hooks";
import type { SearchAnswer } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { useConsole } from "../shell/context.ts";
import { usePaused } from "./paced.ts";

const OFFERED_MAX = 12;
const NOTHING: Pick<SearchAnswer, "items"> = { items: [] };

interface ItemFieldProps {
  readonly value: string;
  readonly onValue: (id: string) => void;
  readonly onBlur?: () => void;
  /** In a row of fields, where no label stands around it. */
  readonly label?: string;
}

export function ItemField({ value, onValue, onBlur, label }: ItemFieldProps) {
  const { api } = useConsole();
  const list = useId();
  const text = usePaused(value.trim());
  const found = useRead(`offered ${api.project} ${text}`, () =>
    text === "" ? Promise.resolve(NOTHING) : api.search(text, OFFERED_MAX),
  );
  return (
    <>
      <input
        class={label === undefined ? "field" : "field grow"}
        aria-label={label}
        value={value}
        list={list}
        placeholder="an id or a title"
        spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => onValue(currentTarget.value)}
        onBlur={onBlur}
      />
      <datalist id={list}>
        {(found.data ?? NOTHING).items.map(({ item_id, title }) => (
          <option key={item_id} value={item_id}>
            {title}
          </option>
        ))}
      </datalist>
    </>
  );
}
