// Search from anywhere: persons by the start of an id, items by id or title, segments, experiments and views by a part of the name.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { PersonRef, SearchAnswer } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { nameOf } from "../parts/ids.tsx";
import { usePaused } from "../parts/paced.ts";
import { useConsole } from "./context.ts";
import { go } from "./route.ts";
import { VIEWS } from "./views.ts";

interface Names {
  readonly segments: readonly string[];
  readonly experiments: readonly string[];
}

interface Hit {
  readonly key: string;
  readonly icon: IconName;
  readonly text: string;
  readonly kind: string;
  readonly hash: string;
}

const NOTHING: SearchAnswer = { persons: [], items: [], segments: [] };
const NO_NAMES: Names = { segments: [], experiments: [] };
/** So many of each are shown. */
const SHOWN_MAX = 8;

export function SearchPalette({ onClose }: { onClose: () => void }) {
  const { api } = useConsole();
  const [text, setText] = useState("");
  const asked = usePaused(text.trim());
  const [chosen, setChosen] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const found = useRead(asked, () => (asked === "" ? Promise.resolve(NOTHING) : api.search(asked, SHOWN_MAX)));
  const names = useRead(`names ${api.project}`, async () => {
    const [segments, experiments] = await Promise.all([api.segments(), api.experiments()]);
    return { segments: segments.map(({ name }) => name), experiments: experiments.map(({ name }) => name) };
  });
  const hits = useHits(text.trim(), { ...(found.data ?? NOTHING), ...(names.data ?? NO_NAMES) });
  const current = Math.min(chosen, hits.length - 1);

  const open = (hit: Hit | undefined): void => {
    if (hit === undefined) return;
    go(hit.hash);
    dialog.current?.close();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && hits.length > 0) setChosen((current + step + hits.length) % hits.length);
    else if (event.key === "Enter") open(hits[current]);
    else return;
    event.preventDefault();
  };
  useEffect(
    () => dialog.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }),
    [current],
  );

  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label="Search"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="palette-field">
        <Icon name="search" />
        <input
          autofocus
          role="combobox"
          aria-expanded="true"
          aria-controls="search-hits"
          aria-autocomplete="list"
          aria-label="Search persons, items, segments, experiments"
          aria-activedescendant={hits[current] ? `hit-${current}` : undefined}
          placeholder="A user, a visitor, an item, a segment, an experiment …"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onKeyDown={onKeyDown}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
        />
        <kbd>Esc</kbd>
      </div>
      <div class="palette-list" role="listbox" id="search-hits" aria-label="Found">
        {hits.map((hit, index) => (
          <div
            key={hit.key}
            id={`hit-${index}`}
            role="option"
            aria-selected={index === current}
            onClick={() => open(hit)}
            onMouseMove={() => setChosen(index)}
          >
            <Icon name={hit.icon} /> <span class="cut" dir="auto">{hit.text}</span> <span class="kind">{hit.kind}</span>
          </div>
        ))}
        {hits.length === 0 ? (
          <div role="option" aria-selected="false" aria-disabled="true" class="faint">
            {found.error
              ? "The node does not answer the search. Try again in a moment."
              : `Nothing is called “${text.trim()}”.`}
          </div>
        ) : null}
      </div>
      <div class="palette-foot wide-only">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Enter</kbd> open
        </span>
      </div>
    </dialog>
  );
}

function useHits(text: string, found: Pick<SearchAnswer, "persons" | "items"> & Names): Hit[] {
  const { links } = useConsole();
  const person = (ref: PersonRef): Hit => ({
    key: `person ${nameOf(ref)} ${ref.user_id === undefined}`,
    icon: "person",
    text: nameOf(ref),
    kind: ref.user_id === undefined ? "visitor" : "user",
    hash: links.person(ref),
  });
  const isMeant = (name: string): boolean => name.toLowerCase().includes(text.toLowerCase());
  const meantOf = (names: readonly string[]): string[] => (text === "" ? [] : names.filter(isMeant).slice(0, SHOWN_MAX));
  return [
    ...found.persons.map(person),
    ...found.items.map((item): Hit => ({
      key: `item ${item.item_id}`,
      icon: "items",
      text: item.title ?? item.item_id,
      kind: "item",
      hash: links.item(item.item_id),
    })),
    ...meantOf(found.segments).map((name): Hit => ({
      key: `segment ${name}`,
      icon: "segments",
      text: name,
      kind: "segment",
      hash: links.segment(name),
    })),
    ...meantOf(found.experiments).map((name): Hit => ({
      key: `experiment ${name}`,
      icon: "experiments",
      text: name,
      kind: "experiment",
      hash: links.experiment(name),
    })),
    ...VIEWS.filter(({ title }) => isMeant(title)).map((view): Hit => ({
      key: `view ${view.path}`,
      icon: view.icon,
      text: view.title,
      kind: "view",
      hash: links.view([view.path]),
    })),
  ];
}
