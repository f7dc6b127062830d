// What a background model is trained on: the last distinct items of each person, bounded.
const TRAINED_PERSONS_MAX = 200_000;
export const TRAINED_ITEMS_MAX = 50_000;
const TRAIL_ITEMS_MAX = 200;

export interface CorpusOptions {
  /** Of all who send from one address only the one with the most items: ids cost a sender nothing, and none is to count for many. */
  readonly onePerSender?: boolean;
}

export interface Trails {
  /** @param source - the mark of the address that he sends from; undefined where it is not known, or a server speaks for him. */
  add(personKey: string, itemId: string, source?: string): void;
  /** A person turned away from an item. */
  drop(personKey: string, itemId: string): void;
  /** A person goes on under another key. */
  relink(from: string, to: string): void;
  /** The most frequent items, at most `TRAINED_ITEMS_MAX`, and each person's places among them, oldest first. */
  corpus(options?: CorpusOptions): { itemIds: string[]; sequences: Int32Array[] };
}

interface Trail {
  readonly items: string[];
  /** As he sent last. */
  readonly source: string | undefined;
}

/** Whoever was quiet the longest makes room. */
export function createTrails(): Trails {
  const trails = new Map<string, Trail>();
  const put = (personKey: string, trail: Trail): void => {
    trails.delete(personKey);
    trails.set(personKey, trail);
    if (trails.size > TRAINED_PERSONS_MAX) for (const [oldest] of trails) return void trails.delete(oldest);
  };
  return {
    add(personKey, itemId, source) {
      const items = trails.get(personKey)?.items ?? [];
      const at = items.indexOf(itemId);
      if (at >= 0) items.splice(at, 1);
      items.push(itemId);
      if (items.length > TRAIL_ITEMS_MAX) items.shift();
      put(personKey, { items, source });
    },
    drop(personKey, itemId) {
      const items = trails.get(personKey)?.items;
      const at = items?.indexOf(itemId) ?? -1;
      if (at >= 0) items!.splice(at, 1);
    },
    relink(from, to) {
      const moved = trails.get(from);
      if (moved === undefined || from === to) return;
      const stays = trails.get(to);
      trails.delete(from);
      const items = [...(stays?.items ?? []).filter((itemId) => !moved.items.includes(itemId)), ...moved.items];
      put(to, { items: items.slice(-TRAIL_ITEMS_MAX), source: moved.source });
    },
    corpus({ onePerSender = false } = {}) {
      const heard = onePerSender ? longestOfEachSender(trails.values()) : [...trails.values()].map(({ items }) => items);
      const counts = new Map<string, number>();
      for (const items of heard) for (const itemId of items) counts.set(itemId, (counts.get(itemId) ?? 0) + 1);
      const itemIds = [...counts.keys()];
      if (itemIds.length > TRAINED_ITEMS_MAX) {
        itemIds.sort((a, b) => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1)).length = TRAINED_ITEMS_MAX;
      }
      const places = new Map(itemIds.map((itemId, place) => [itemId, place]));
      const sequences: Int32Array[] = [];
      for (const items of heard) {
        const known = items.map((itemId) => places.get(itemId) ?? -1).filter((place) => place >= 0);
        if (known.length > 1) sequences.push(Int32Array.from(known));
      }
      return { itemIds, sequences };
    },
  };
}

function longestOfEachSender(trails: Iterable<Trail>): string[][] {
  const bySender = new Map<string, string[]>();
  const unmarked: string[][] = [];
  for (const { items, source } of trails) {
    if (source === undefined) unmarked.push(items);
    else if (items.length >= (bySender.get(source)?.length ?? 0)) bySender.set(source, items);
  }
  return [...unmarked, ...bySender.values()];
}
