// What is to be said beside a knob: its fault, or that it is right and does nothing.
import { namedRules } from "../../lists/rule-names.ts";
import type { Placement, Preview } from "../../lists/preview-types.ts";
import type { ProgramFault } from "../../api/types.ts";

export interface KnobNote {
  readonly text: string;
  readonly isFault: boolean;
}

/** Items that one preview may be asked about. */
export const WHY_NOT_MAX = 20;

/** By the knob's place in the placement: `boost/0`, `pin/2`, `filter`. */
export type KnobNotes = ReadonlyMap<string, KnobNote>;

/** `/placements/home/boost/0/when` → `boost/0`; `/placements/home/frequency/window` → `frequency`. */
const PLACE = /^\/placements\/[^/]+\/((?:boost|pin|cap)\/\d+|[a-z_]+)/;

/** Faults beside the knobs that have them. */
export function faultNotes(faults: readonly ProgramFault[]): KnobNotes {
  const notes = new Map<string, KnobNote>();
  for (const { path, message } of faults) {
    const place = PLACE.exec(path)?.[1];
    if (place !== undefined && !notes.has(place)) notes.set(place, { text: message, isFault: true });
  }
  return notes;
}

/** Items that pins name: whoever asks why they are missing can say it beside the pin. */
export function pinnedItems({ pin = [] }: Placement): string[] {
  return [...new Set(pin.flatMap(({ item }) => (item === undefined || item === "" ? [] : [item])))];
}

/** Pins that put nothing where they say, and caps by what no item of the lists has; `preview` answers to `draft`. */
export function idleNotes(draft: Placement, preview: Preview): KnobNotes {
  const notes = new Map<string, KnobNote>();
  const { items } = preview.after;
  const say = (place: string, text: string): void => void notes.set(place, { text, isFault: false });
  draft.pin?.forEach(({ item, at }, index) => {
    if (item !== undefined) {
      const asked = preview.why_not.find(({ item_id }) => item_id === item);
      if (asked !== undefined && items.every(({ item_id }) => item_id !== item)) say(`pin/${index}`, `Not in this list. ${namedRules(asked.after.text)}`);
    } else if (at <= items.length && items[at - 1]!.account.placed !== "pinned") {
      say(`pin/${index}`, "Pins nothing in this list: it holds for no item that may be listed.");
    }
  });
  const attributes = new Set(attributeNames(preview));
  draft.cap?.forEach(({ by }, index) => {
    if (by.startsWith(ATTRIBUTE) && !attributes.has(by)) say(`cap/${index}`, `Counts nothing: no item of this list has \`${by}\`.`);
  });
  return notes;
}

const ATTRIBUTE = "attributes.";

/** What caps can count by, as items of both lists have it: `attributes.maker`, in the order of the alphabet. */
export function attributeNames({ before, after }: Preview): string[] {
  const names = new Set<string>();
  for (const { item } of [...before.items, ...after.items]) {
    for (const [name, value] of Object.entries(item?.attributes ?? {}))
      if (value !== null && value !== undefined) names.add(`${ATTRIBUTE}${name}`);
  }
  return [...names].sort();
}
