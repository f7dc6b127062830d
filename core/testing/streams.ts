// Seeded streams of steps with structure to learn: items come in groups, visitors walk within one, now and then go back
// or change over, and some items are more popular than others.
import type { Rng } from "../math/rng.ts";
import type { RecentItem, Step } from "../model/step.ts";

export interface StreamOptions {
  steps: number;
  persons: number;
  items: number;
  groupSize: number;
  startMs?: number;
  stepMs?: number;
}

const RECENT_MAX = 50;
const BACK_MAX = 5; // Steps that a visitor goes back.

export function stepStream(rng: Rng, options: StreamOptions): Step[] {
  const { steps, persons, items, groupSize, startMs = 1_700_000_000_000, stepMs = 2_000 } = options;
  const histories = new Map<string, RecentItem[]>();
  const places = new Map<string, number>();
  const out: Step[] = [];
  for (let i = 0; i < steps; i++) {
    const person = rng.between(0, persons - 1);
    const personKey = `a:p${person}`;
    const before = places.get(personKey);
    const history = histories.get(personKey) ?? [];
    const lot = rng.between(0, 99);
    let item: number;
    if (before === undefined || lot < 15)
      item = Math.floor((rng.between(0, items - 1) * rng.between(0, items - 1)) / items);
    else if (lot < 35) item = Number(history[rng.between(0, Math.min(history.length, BACK_MAX) - 1)]!.item_id.slice(1));
    else item = Math.floor(before / groupSize) * groupSize + (((before % groupSize) + rng.between(1, 2)) % groupSize);
    item = Math.min(item, items - 1);
    places.set(personKey, item);
    const timeMs = startMs + i * stepMs;
    out.push({
      personKey,
      itemId: `i${item}`,
      eventType: rng.between(0, 9) === 0 ? "view" : "click",
      weight: 1,
      timeMs,
      sampled: rng.between(0, 3) === 0,
      history,
      country: person % 2 === 0 ? "DE" : "FR",
      device: person % 3 === 0 ? "mobile" : "desktop",
    });
    histories.set(
      personKey,
      [{ item_id: `i${item}`, event_type: "click", timestamp: timeMs }, ...history].slice(0, RECENT_MAX),
    );
  }
  return out;
}
