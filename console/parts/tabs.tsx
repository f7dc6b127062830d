// A choice between a few faces of one thing; arrow keys move between them. Where they are many it is a list that drops down.
/** More stand in no row, and what is out of sight in one nobody finds. */
const TABS_MAX = 8;

interface TabsProps {
  readonly label: string;
  readonly names: readonly string[];
  readonly titles?: Readonly<Record<string, string>>;
  readonly chosen: string;
  readonly onChoose: (name: string) => void;
}

export function Tabs({ label, names, titles = {}, chosen, onChoose }: TabsProps) {
  if (names.length > TABS_MAX)
    return (
      <select
        class="field choice"
        aria-label={label}
        value={chosen}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {titles[name] ?? name}
          </option>
        ))}
      </select>
    );
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLElement }): void => {
    const at = names.indexOf(chosen);
    const places: Readonly<Record<string, number>> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 };
    const place = places[event.key];
    if (place === undefined) return;
    const next = (place + names.length) % names.length;
    onChoose(names[next]!);
    (event.currentTarget.children[next] as HTMLElement | undefined)?.focus();
    event.preventDefault();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={name === chosen}
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {titles[name] ?? name}
        </button>
      ))}
    </div>
  );
}
