// Ids as links. A person, an item and a segment look and behave the same wherever they are named.
import type { Item, PersonRef } from "../api/types.ts";
import { useConsole } from "../shell/context.ts";
import { Chip } from "./chip.tsx";

export function nameOf(ref: PersonRef): string {
  return ref.user_id ?? ref.anonymous_id ?? "nobody";
}

export function PersonLink({ person }: { person: PersonRef }) {
  const { links } = useConsole();
  const kind = person.user_id !== undefined ? "known user" : "anonymous visitor";
  return (
    <a class="id" href={links.person(person)} title={`${nameOf(person)}, ${kind}`}>
      {nameOf(person)}
    </a>
  );
}

/** An item by its title where the catalogue has one, otherwise by its id. */
export function ItemLink({ id, item }: { id: string; item?: Item | undefined }) {
  const { links } = useConsole();
  return item?.title === undefined ? (
    <a class="id" href={links.item(id)}>
      {id}
    </a>
  ) : (
    <a class="title" href={links.item(id)} title={id}>
      {item.title}
    </a>
  );
}

export function SegmentChip({ name, fresh }: { name: string; fresh?: boolean }) {
  const { links } = useConsole();
  return (
    <Chip href={links.segment(name)} title={name} fresh={fresh === true}>
      {name}
    </Chip>
  );
}
