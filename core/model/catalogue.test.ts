// Which items are the newest: none that left, and the same after a restart.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../math/rng.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { createRecommender } from "../rank/recommender.ts";
import { type Catalogue, createCatalogue, NEWEST_MAX } from "./catalogue.ts";

const item = (itemId: string) => ({ item_id: itemId, categories: [], tags: [] });
const newestOf = ({ items, newest }: Catalogue): string[] => newest().map((slot) => items.idAt(slot));

function restored({ table, items }: Catalogue): Catalogue {
  const other = createCatalogue(() => undefined);
  Object.assign(other.items.state, items.state);
  table.begin();
  while (!table.take(1_000, (key, bytes) => void (bytes !== null && other.table.load(key, bytes))));
  return other;
}

test("the newest are those that were put last, whatever left or was put again between, as after a restart", () => {
  const rng = rngFrom(3);
  const catalogue = createCatalogue(() => undefined);
  const listed: string[] = [];
  for (let n = 0; n < 4 * NEWEST_MAX; n++) {
    const id = `i${rng.between(0, 2 * NEWEST_MAX)}`;
    const at = listed.indexOf(id);
    if (at >= 0) listed.splice(at, 1);
    if (rng.between(0, 3) === 0) {
      // One of the newest, of which another has to take the place.
      const gone = listed.splice(Math.max(0, listed.length - 1 - rng.between(0, 5)), 1)[0];
      if (gone !== undefined) equal(catalogue.remove(gone), true);
      if (at >= 0) catalogue.remove(id);
      // Its place may go to an item that the catalogue does not hold.
      catalogue.items.intern(`event-${n}`, n);
    } else {
      catalogue.put(item(id), n);
      listed.push(id);
    }
  }
  const expected = listed.slice(-NEWEST_MAX).reverse();
  deepEqual(newestOf(catalogue), expected);
  deepEqual(newestOf(restored(catalogue)), expected);
});

test("many of the newest leave at once, and others come before anybody asks", () => {
  forEachSeed(10, (rng) => {
    const catalogue = createCatalogue(() => undefined);
    const ids = rng.shuffle(Array.from({ length: 3 * NEWEST_MAX }, (_, i) => `i${i}`));
    ids.forEach((id, n) => catalogue.put(item(id), n));
    const listed = rng.shuffle(ids); // Put again, in an order that is not that of the slots.
    listed.forEach((id, n) => catalogue.put(item(id), ids.length + n));
    const expected = (): string[] => listed.slice(-NEWEST_MAX).reverse();
    for (let turn = 0; turn < 4; turn++) {
      for (const id of listed.splice(-rng.between(1, NEWEST_MAX + 1))) catalogue.remove(id);
      for (let n = rng.between(0, 3); n > 0; n--) {
        const id = listed.splice(rng.between(0, listed.length - 1), 1)[0];
        if (id === undefined) continue;
        catalogue.put(item(id), 10_000);
        listed.push(id);
      }
      deepEqual(newestOf(catalogue), expected());
    }
    deepEqual(newestOf(restored(catalogue)), expected());
  });
});

test("an item that left is in no list, also where too few are left to fill it", () => {
  const recommender = createRecommender();
  for (const id of ["a", "b", "c"]) recommender.putItem(item(id), 1_000);
  recommender.deleteItem("b");
  const { items } = recommender.recommend({ personKey: "a:x", nowMs: 2_000, limit: 20, history: [], interests: [] });
  deepEqual(items.map(({ itemId }) => itemId).sort(), ["a", "c"]);
  deepEqual(recommender.trending({ limit: 20, nowMs: 2_000 }).items.map(({ itemId }) => itemId).sort(), ["a", "c"]);
});
