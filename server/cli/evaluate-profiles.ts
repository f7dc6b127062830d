// The interests that a node's profiles would hold while `evaluate` replays a file. They come from what the catalogue says of
// items, so without one nobody has any, and nothing is kept.
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";
import { foldEvent, mergePerson, newPerson, type PersonState } from "../../core/profile/person.ts";
import type { FoldPlan } from "../../core/profile/plan.ts";
import { strongestInterests } from "../../core/profile/reading.ts";
import { addItemFacts } from "../hosting/item-facts.ts";

type Shares = readonly (readonly [name: string, share: number])[];

export interface Profiles {
  /** By share of the whole, strongest first. */
  interests(personKey: string): Shares;
  /** The same before his latest visit to an item began. */
  interestsBefore(personKey: string): Shares;
  /** A visit to an item begins: to be called before its first event is folded. */
  beginVisit(personKey: string): void;
  fold(personKey: string, event: LoggedEvent): void;
  /** A visitor goes on under another key. */
  relink(fromPersonKey: string, toPersonKey: string): void;
}

const NOTHING: Shares = [];

/** Where nobody asks for interests. */
export const NO_PROFILES: Profiles = {
  interests: () => NOTHING,
  interestsBefore: () => NOTHING,
  beginVisit: () => {},
  fold: () => {},
  relink: () => {},
};

export function createProfiles(plan: FoldPlan, itemOf: (itemId: string) => Item | undefined): Profiles {
  const persons = new Map<string, PersonState>();
  const before = new Map<string, Shares>();
  const interests = (personKey: string): Shares => {
    const person = persons.get(personKey);
    return person === undefined ? NOTHING : strongestInterests(person);
  };
  return {
    interests,
    interestsBefore: (personKey) => before.get(personKey) ?? NOTHING,
    beginVisit: (personKey) => void before.set(personKey, interests(personKey)),
    fold(personKey, event) {
      let person = persons.get(personKey);
      if (person === undefined) persons.set(personKey, (person = newPerson(personKey, plan)));
      addItemFacts(event, itemOf);
      foldEvent(person, event, plan);
    },
    relink(from, to) {
      const moved = persons.get(from);
      if (moved === undefined || from === to) return;
      let person = persons.get(to);
      if (person === undefined) persons.set(to, (person = newPerson(to, plan)));
      mergePerson(person, moved, plan);
      persons.delete(from);
      const known = before.get(from);
      if (known !== undefined && !before.has(to)) before.set(to, known);
      before.delete(from);
    },
  };
}
