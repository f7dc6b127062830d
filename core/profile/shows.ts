// What a person was shown too often, and what he has bought: read from the times that his state keeps for placements.
import type { PersonState } from "./state.ts";

/** How often each item was shown within the window and not opened since; items below `shows` are left out. */
export function shownTooOften(
  person: Pick<PersonState, "shown" | "recent">,
  { shows, windowMs, nowMs }: { shows: number; windowMs: number; nowMs: number },
): Map<string, number> {
  const openedMs = new Map<string, number>();
  for (const { item_id, timestamp } of person.recent) {
    if (timestamp > (openedMs.get(item_id) ?? -Infinity)) openedMs.set(item_id, timestamp);
  }
  const counts = new Map<string, number>();
  for (const { item_id, timestamp } of person.shown) {
    if (timestamp <= nowMs - windowMs) break; // Newest first.
    if (timestamp <= (openedMs.get(item_id) ?? -Infinity)) continue;
    counts.set(item_id, (counts.get(item_id) ?? 0) + 1);
  }
  for (const [itemId, count] of counts) if (count < shows) counts.delete(itemId);
  return counts;
}

/** Items bought at `fromMs` or later. */
export function boughtSince({ bought }: Pick<PersonState, "bought">, fromMs: number): Set<string> {
  const items = new Set<string>();
  for (const { item_id, timestamp } of bought) {
    if (timestamp < fromMs) break;
    items.add(item_id);
  }
  return items;
}
