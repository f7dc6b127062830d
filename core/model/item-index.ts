// Items as dense integers. Slots of items that left are used again, and a reference carries the slot's generation, so
// that a row which still names the old item does not speak for the new one.
import type { Item } from "../item/item.ts";

const SLOT_BITS = 22;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const ITEMS_MAX = 1 << 20;
const GENERATION_MASK = 0x3ff;
const UNUSED = 0x400; // Beside the generation while no item has the slot: no reference equals it.
const NEVER = 0;
const TIMES = 4;
const LAST_SEEN = 0;
const FIRST_SEEN = 1;
const LISTED = 2;
const ORDER = 3;
const EVICT_LOOK_AT = 64; // Slots compared when a new item finds the index full.

export interface ItemIndex {
  readonly count: number;
  /** One past the highest slot ever used. */
  readonly slotEnd: number;
  /** The latest time (ms) of an event. The catalogue does not move it: whoever brings in his history has put that first, now. */
  readonly clockMs: number;
  /** Slot of a known item, or -1. */
  slotOf(itemId: string): number;
  /** Slot of the item that an event names, given one if it is new; -1 where the index is full of catalogue items. */
  intern(itemId: string, timeMs: number): number;
  /** Slot of an item that the catalogue holds from now on; the same. */
  list(item: Item, atMs: number): number;
  /** Looks at the next slot in turn and frees it if its item has expired. */
  sweep(ttlMs: number): void;
  idAt(slot: number): string;
  itemAt(slot: number): Item | undefined;
  /** Time (ms) at which the catalogue first held the item; 0 for one that only events know. */
  listedAt(slot: number): number;
  /** Place in the order of catalogue changes. */
  listedOrder(slot: number): number;
  /** Time (ms) since which the item has been there: when it was published, by what the catalogue says, else when it was first heard of. */
  firstSeenAt(slot: number): number;
  /** Time (ms) of the latest event that named the item; of one that no event has named, since when it has been there. */
  lastSeenAt(slot: number): number;
  isUsed(slot: number): boolean;
  free(slot: number): void;
  refOf(slot: number): number;
  /** Slot behind a reference, or -1 when its item has left. */
  resolve(ref: number): number;
  readonly state: ItemIndexState;
}

/** What a snapshot holds of the index as a whole. */
export interface ItemIndexState {
  slotEnd: number;
  hand: number;
  clockMs: number;
  freeFirst: number;
  freeLast: number;
  order: number;
}

/** One slot as a snapshot holds it. */
export interface ItemSlot {
  generation: number;
  nextFree: number;
  id: string | undefined;
  lastSeenMs: number;
  firstSeenMs: number;
  listedAtMs: number;
  order: number;
  item: Item | undefined;
}

export interface ItemIndexHooks {
  /** Before slot changes. */
  touch(slot: number): void;
  /** The slot's item is about to leave. */
  leaving(slot: number): void;
}

export interface StoredItemIndex extends ItemIndex {
  readSlot(slot: number): ItemSlot;
  loadSlot(slot: number, row: ItemSlot): void;
}

/** Slots of the catalogue's items, in the order in which these were last put. */
export function listedSlots(items: ItemIndex): number[] {
  const listed: number[] = [];
  for (let slot = 0; slot < items.slotEnd; slot++) if (items.itemAt(slot) !== undefined) listed.push(slot);
  return listed.sort((a, b) => items.listedOrder(a) - items.listedOrder(b));
}

export function createItemIndex(hooks: ItemIndexHooks): StoredItemIndex {
  const slots = new Map<string, number>();
  const ids: (string | undefined)[] = [];
  const items: (Item | undefined)[] = [];
  let generations = new Uint16Array(1024).fill(UNUSED);
  let nextFree = new Int32Array(1024).fill(-1);
  // Four numbers a slot, side by side: a ranker that reads them all fetches one line of memory.
  let times = new Float64Array(1024 * TIMES);
  const state: ItemIndexState = { slotEnd: 0, hand: 0, clockMs: 0, freeFirst: -1, freeLast: -1, order: 0 };

  const reserve = (slot: number): void => {
    if (slot < generations.length) return;
    const size = Math.max(slot + 1, generations.length * 2);
    const grow = <T extends Uint16Array | Int32Array | Float64Array>(from: T, to: T): T => (to.set(from), to);
    generations = grow(generations, new Uint16Array(size).fill(UNUSED));
    nextFree = grow(nextFree, new Int32Array(size));
    times = grow(times, new Float64Array(size * TIMES));
  };

  const take = (): number => {
    if (state.freeFirst >= 0) {
      const slot = state.freeFirst;
      hooks.touch(slot);
      state.freeFirst = nextFree[slot]!;
      if (state.freeFirst < 0) state.freeLast = -1;
      nextFree[slot] = -1;
      return slot;
    }
    if (state.slotEnd < ITEMS_MAX) {
      const slot = state.slotEnd;
      reserve(slot);
      hooks.touch(slot);
      state.slotEnd++;
      nextFree[slot] = -1;
      return slot;
    }
    return -1;
  };

  const evict = (): void => {
    let oldest = -1;
    for (let i = 0; i < EVICT_LOOK_AT; i++) {
      state.hand = (state.hand + 1) % state.slotEnd;
      const slot = state.hand;
      if (ids[slot] === undefined || items[slot] !== undefined) continue;
      if (oldest < 0 || times[slot * TIMES + LAST_SEEN]! < times[oldest * TIMES + LAST_SEEN]!) oldest = slot;
    }
    if (oldest >= 0) index.free(oldest);
  };

  /** A slot for an item that has none. */
  const make = (itemId: string, atMs: number): number => {
    if (state.freeFirst < 0 && state.slotEnd >= ITEMS_MAX) evict();
    const slot = take();
    if (slot < 0) return -1;
    slots.set(itemId, slot);
    generations[slot] = generations[slot]! & GENERATION_MASK;
    ids[slot] = itemId;
    items[slot] = undefined;
    times[slot * TIMES + LAST_SEEN] = NEVER;
    times[slot * TIMES + FIRST_SEEN] = atMs;
    times[slot * TIMES + LISTED] = 0;
    times[slot * TIMES + ORDER] = 0;
    return slot;
  };

  const index: StoredItemIndex = {
    get count() {
      return slots.size;
    },
    get slotEnd() {
      return state.slotEnd;
    },
    get clockMs() {
      return state.clockMs;
    },
    state,
    slotOf: (itemId) => slots.get(itemId) ?? -1,
    intern(itemId, timeMs) {
      if (timeMs > state.clockMs) state.clockMs = timeMs;
      let slot = slots.get(itemId) ?? -1;
      if (slot < 0) slot = make(itemId, timeMs);
      if (slot < 0) return -1;
      if (timeMs > times[slot * TIMES + LAST_SEEN]!) {
        hooks.touch(slot);
        times[slot * TIMES + LAST_SEEN] = timeMs;
      }
      return slot;
    },
    list(item, atMs) {
      let slot = slots.get(item.item_id) ?? -1;
      if (slot < 0) slot = make(item.item_id, atMs);
      if (slot < 0) return -1;
      hooks.touch(slot);
      const at = slot * TIMES;
      times[at + FIRST_SEEN] = item.published_at ?? Math.min(times[at + FIRST_SEEN]!, atMs);
      if (times[at + LISTED] === 0) times[at + LISTED] = atMs;
      times[at + ORDER] = ++state.order;
      items[slot] = item;
      return slot;
    },
    sweep(ttlMs) {
      if (state.slotEnd === 0) return;
      state.hand = state.hand + 1 >= state.slotEnd ? 0 : state.hand + 1;
      const slot = state.hand;
      if (times[slot * TIMES + LAST_SEEN]! + ttlMs < state.clockMs && ids[slot] !== undefined && items[slot] === undefined) index.free(slot);
    },
    idAt: (slot) => ids[slot]!,
    itemAt: (slot) => items[slot],
    listedAt: (slot) => times[slot * TIMES + LISTED]!,
    listedOrder: (slot) => times[slot * TIMES + ORDER]!,
    firstSeenAt: (slot) => times[slot * TIMES + FIRST_SEEN]!,
    lastSeenAt: (slot) => times[slot * TIMES + LAST_SEEN]! || times[slot * TIMES + FIRST_SEEN]!,
    isUsed: (slot) => ids[slot] !== undefined,
    free(slot) {
      hooks.leaving(slot);
      hooks.touch(slot);
      slots.delete(ids[slot]!);
      ids[slot] = undefined;
      items[slot] = undefined;
      times[slot * TIMES + LISTED] = 0;
      times[slot * TIMES + ORDER] = 0;
      generations[slot] = ((generations[slot]! + 1) & GENERATION_MASK) | UNUSED;
      // First freed, first used: a generation comes round only after 1,024 uses of one slot.
      nextFree[slot] = -1;
      if (state.freeLast >= 0) {
        hooks.touch(state.freeLast);
        nextFree[state.freeLast] = slot;
      } else {
        state.freeFirst = slot;
      }
      state.freeLast = slot;
    },
    refOf: (slot) => slot | (generations[slot]! << SLOT_BITS),
    resolve(ref) {
      const slot = ref & SLOT_MASK;
      return generations[slot] === ref >>> SLOT_BITS ? slot : -1;
    },
    readSlot: (slot) => ({
      generation: generations[slot]! & GENERATION_MASK,
      nextFree: nextFree[slot]!,
      id: ids[slot],
      lastSeenMs: times[slot * TIMES + LAST_SEEN]!,
      firstSeenMs: times[slot * TIMES + FIRST_SEEN]!,
      listedAtMs: times[slot * TIMES + LISTED]!,
      order: times[slot * TIMES + ORDER]!,
      item: items[slot],
    }),
    loadSlot(slot, row) {
      reserve(slot);
      generations[slot] = row.id === undefined ? row.generation | UNUSED : row.generation;
      nextFree[slot] = row.nextFree;
      times[slot * TIMES + LAST_SEEN] = row.lastSeenMs;
      times[slot * TIMES + FIRST_SEEN] = row.item?.published_at ?? row.firstSeenMs; // Earlier releases kept no publication here.
      times[slot * TIMES + LISTED] = row.listedAtMs;
      times[slot * TIMES + ORDER] = row.order;
      while (ids.length <= slot) {
        ids.push(undefined);
        items.push(undefined);
      }
      ids[slot] = row.id;
      items[slot] = row.item;
      if (row.id !== undefined) slots.set(row.id, slot);
    },
  };
  return index;
}
