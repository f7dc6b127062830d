// What a background model is trained on: the last distinct items of each person, bounded.
const TRAINED_PERSONS_MAX = 200_000;
export const TRAINED_ITEMS_MAX = 50_000;
const TRAIL_ITEMS_MAX = 200;

export interface Trails {
  add(personKey: string, itemId: string): void;
  /** A person turned away from an item. */
  drop(personKey: string, itemId: string): void;
  /** A person goes on under another key. */
  relink(from: string, to: string): void;
  /** The most frequent items, at most `TRAINED_ITEMS_MAX`, and each person's places among them, oldest first. */
  corpus(): { itemIds: string[]; sequences: Int32Array[] };
}

/** Whoever was quiet the longest makes room. */
export function createTrails(): Trails {
  const trails = new Map<string, string[]>();
  const put = (personKey: string, trail: string[]): void => {
    trails.delete(personKey);
    trails.set(personKey, trail);
    if (trails.size > TRAINED_PERSONS_MAX) for (const [oldest] of trails) return void trails.delete(oldest);
  };
  return {
    add(personKey, itemId) {
      const trail = trails.get(personKey) ?? [];
      const at = trail.indexOf(itemId);
      if (at >= 0) trail.splice(at, 1);
      trail.push(itemId);
      if (trail.length > TRAIL_ITEMS_MAX) trail.shift();
      put(personKey, trail);
    },
    drop(personKey, itemId) {
      const trail = trails.get(personKey);
      const at = trail?.indexOf(itemId) ?? -1;
      if (at >= 0) trail!.splice(at, 1);
    },
    relink(from, to) {
      const moved = trails.get(from);
      if (moved === undefined || from === to) return;
      const stays = trails.get(to) ?? [];
      trails.delete(from);
      put(to, [...stays.filter((itemId) => !moved.includes(itemId)), ...moved].slice(-TRAIL_ITEMS_MAX));
    },
    corpus() {
      const counts = new Map<string, number>();
      for (const trail of trails.values()) for (const itemId of trail) counts.set(itemId, (counts.get(itemId) ?? 0) + 1);
      const itemIds = [...counts.keys()];
      if (itemIds.length > TRAINED_ITEMS_MAX) {
        itemIds.sort((a, b) => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1)).length = TRAINED_ITEMS_MAX;
      }
      const places = new Map(itemIds.map((itemId, place) => [itemId, place]));
      const sequences: Int32Array[] = [];
      for (const trail of trails.values()) {
        const known = trail.map((itemId) => places.get(itemId) ?? -1).filter((place) => place >= 0);
        if (known.length > 1) sequences.push(Int32Array.from(known));
      }
      return { itemIds, sequences };
    },
  };
}
