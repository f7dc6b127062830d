// Persons side by side, each a link to their page.
import type { PersonRef } from "../api/types.ts";
import { Chip } from "./chip.tsx";
import { PersonLink } from "./ids.tsx";

export function PersonList({ persons, label }: { persons: readonly PersonRef[]; label: string }) {
  // Where all are of one kind it says nothing.
  const isMixed = new Set(persons.map((person) => person.user_id === undefined)).size > 1;
  return (
    <ul class="members" aria-label={label}>
      {persons.map((person) => (
        <li key={JSON.stringify(person)}>
          <PersonLink person={person} />
          {!isMixed || person.user_id === undefined ? null : <Chip tone="accent">known</Chip>}
        </li>
      ))}
    </ul>
  );
}
