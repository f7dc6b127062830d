// Items for somebody who looks for one: by how the id, or a word of the title, begins.
import type { Item } from "../item/item.ts";
import type { ItemIndex } from "../model/item-index.ts";

/** Slots looked at for one answer: nobody else waits longer than this takes. */
const LOOKED_AT_MAX = 200_000;

/** The item with this very id first, then in the order in which items came; letters of either case. */
export function findItems(items: ItemIndex, text: string, limit: number): Item[] {
  const exact = items.slotOf(text);
  const found: Item[] = [];
  const take = (slot: number): void => {
    const item = items.itemAt(slot);
    if (item !== undefined) found.push(item);
  };
  if (exact >= 0) take(exact);
  const wanted = text.toLowerCase();
  const end = Math.min(items.slotEnd, LOOKED_AT_MAX);
  for (let slot = 0; slot < end && found.length < limit; slot++) {
    const item = items.itemAt(slot);
    if (item !== undefined && slot !== exact && begins(item, wanted)) take(slot);
  }
  return found;
}

function begins({ item_id: id, title }: Item, wanted: string): boolean {
  if (id.toLowerCase().startsWith(wanted)) return true;
  if (title === undefined) return false;
  const words = title.toLowerCase();
  return words.startsWith(wanted) || words.includes(` ${wanted}`);
}
