// The catalogue as the models know it: rows of the item index, and what is derived from the items in them.
import type { Item } from "../item/item.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { createContent, type Content } from "./content.ts";
import { createItemIndex, listedSlots, type StoredItemIndex } from "./item-index.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

export const NEWEST_MAX = 200;

export interface Catalogue {
  readonly items: StoredItemIndex;
  /** Good after `settle`. */
  readonly content: Content;
  /** Slots of the items that were listed or changed last, newest first, at most NEWEST_MAX. */
  newest(): readonly number[];
  put(item: Item, atMs: number): void;
  /** True where the catalogue held the item. What events alone know of goes too. */
  remove(itemId: string): boolean;
  /** Derives content anew where rows were loaded since. */
  settle(): void;
  readonly table: WholeTable;
}

/** @param leaving - told before a slot is used for nothing, or for another item. */
export function createCatalogue(leaving: (slot: number) => void): Catalogue {
  const dirty = new DirtySlots((slot) => encode(slot));
  const items = createItemIndex({ touch: (slot) => dirty.touch(slot), leaving });
  // Content is derived: after a restart it is built from the catalogue, in the order in which items were listed.
  const content = createContent();
  /** The newest of what is listed, in order; where some have left, fewer than there could be. */
  const newest: number[] = [];
  let isShort = false;
  let isStale = false;

  const encode = (slot: number): Uint8Array => {
    const row = items.readSlot(slot);
    const out = rowWriter();
    out.u8(2);
    out.i32(row.generation);
    out.i32(row.nextFree);
    out.u8(row.id === undefined ? 0 : 1);
    if (row.id !== undefined) out.text(row.id);
    out.f64(row.lastSeenMs);
    out.f64(row.firstSeenMs);
    out.f64(row.listedAtMs);
    out.f64(row.order);
    out.text(row.item === undefined ? "" : JSON.stringify(row.item));
    return out.bytes();
  };

  const load = (slot: number, bytes: Uint8Array): void => {
    const input = rowReader(bytes);
    const version = input.version(2);
    const generation = input.i32();
    const nextFree = input.i32();
    const id = input.u8() === 1 ? input.text() : undefined;
    const lastSeenMs = input.f64();
    const firstSeenMs = version === 1 ? lastSeenMs : input.f64();
    const row = { generation, nextFree, id, lastSeenMs, firstSeenMs, listedAtMs: input.f64(), order: input.f64() };
    const text = input.text();
    items.loadSlot(slot, { ...row, item: text === "" ? undefined : (JSON.parse(text) as Item) });
    isStale = true;
  };

  const remember = (slot: number): void => {
    const at = newest.indexOf(slot);
    if (at >= 0) newest.splice(at, 1);
    newest.unshift(slot);
    if (newest.length > NEWEST_MAX) newest.pop();
  };

  /** What left makes room for the newest of the others, as after a restart: they are looked for when somebody asks. */
  const forgetNewest = (at: number): void => {
    isShort ||= newest.length === NEWEST_MAX;
    newest.splice(at, 1);
  };

  /** O(slots), once for however many have left: a catalogue that goes as a whole is not looked through for each of its items. */
  const fillNewest = (): void => {
    isShort = false;
    const orderOf = (place: number): number => items.listedOrder(newest[place]!);
    const held = newest.length;
    const limit = held === 0 ? Infinity : orderOf(held - 1);
    // From the end: slots are given in turn, so what was listed last mostly comes first.
    for (let slot = items.slotEnd - 1; slot >= 0; slot--) {
      const order = items.listedOrder(slot);
      if (order === 0 || order >= limit) continue; // Not listed, or held already.
      if (newest.length === NEWEST_MAX && order < orderOf(NEWEST_MAX - 1)) continue;
      let place = newest.length;
      while (place > held && orderOf(place - 1) < order) place--;
      newest.splice(place, 0, slot);
      if (newest.length > NEWEST_MAX) newest.pop();
    }
  };

  const settle = (): void => {
    if (!isStale) return;
    isStale = false;
    for (const slot of listedSlots(items)) content.put(slot, items.itemAt(slot));
    newest.length = 0;
    isShort = true;
  };

  return {
    items,
    content,
    newest() {
      settle();
      if (isShort) fillNewest();
      return newest;
    },
    put(item, atMs) {
      settle();
      const slot = items.list(item, atMs);
      if (slot < 0) return;
      content.put(slot, item);
      remember(slot);
    },
    remove(itemId) {
      settle();
      const slot = items.slotOf(itemId);
      if (slot < 0) return false;
      const wasListed = items.itemAt(slot) !== undefined;
      const at = newest.indexOf(slot);
      if (at >= 0) forgetNewest(at);
      items.free(slot);
      return wasListed;
    },
    settle,
    table: slotTable("items", dirty, load),
  };
}
