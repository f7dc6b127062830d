// Seeded shop traffic: sessions that stay within a neighbourhood of items, popular items more often than others.
import { rngFrom } from "../core/math/rng.ts";

const TYPES = ["view", "view", "view", "view", "click", "click", "click", "dwell", "add_to_cart", "purchase"];
const CATEGORIES = ["lamps", "chairs", "shoes", "books", "audio", "plants", "bags", "bikes"];
const NEIGHBOURHOOD = 20;
const STEPS_A_SESSION = 6;

export interface Traffic {
  events(count: number): unknown[];
  items(): unknown[];
}

export function traffic(options: { seed: number; persons: number; items: number }): Traffic {
  const rng = rngFrom(options.seed);
  let serial = 0;
  let person = 0;
  let home = 0;
  let left = 0;
  return {
    events(count) {
      return Array.from({ length: count }, () => {
        if (left-- <= 0) {
          person = rng.between(1, options.persons);
          const first = rng.between(1, options.items);
          // The lower of two draws: low numbers are popular.
          home = Math.min(first, rng.between(1, options.items));
          left = rng.between(1, STEPS_A_SESSION * 2);
        }
        const type = TYPES[rng.between(0, TYPES.length - 1)]!;
        const item = 1 + ((home + rng.between(0, NEIGHBOURHOOD)) % options.items);
        return {
          event_id: `b${options.seed}-${serial++}`,
          user_id: `user-${person}`,
          event_type: type,
          timestamp: Date.now(),
          item_id: `item-${item}`,
          page_url: `https://shop.example/p/item-${item}`,
          ...(type === "dwell" ? { value: rng.between(1, 60) } : {}),
          ...(type === "purchase" ? { value: rng.between(5, 500) } : {}),
          context: { device: "mobile", country: "NO", locale: "nb-NO" },
        };
      });
    },
    items() {
      return Array.from({ length: options.items }, (_, i) => ({
        item_id: `item-${i + 1}`,
        title: `Item ${i + 1} of the ${CATEGORIES[i % CATEGORIES.length]} range`,
        categories: [CATEGORIES[i % CATEGORIES.length]],
        tags: [`tag-${i % 50}`, `tag-${i % 7}`],
        price: 10 + (i % 400),
      }));
    },
  };
}
