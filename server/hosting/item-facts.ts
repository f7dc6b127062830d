// What an event tells about its item: copied in from the catalogue before the event is written.
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";

/** From the catalogue as it is now: the fold must not look things up that a replay would find changed. */
export function addItemFacts(event: LoggedEvent, itemOf: (itemId: string) => Item | undefined): void {
  if (event.item_id === undefined || event.item !== undefined) return;
  const item = itemOf(event.item_id);
  if (item === undefined) return;
  const { categories, tags, price } = item;
  event.item = price === undefined ? { categories, tags } : { categories, tags, price };
}
