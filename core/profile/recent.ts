// The last interactions with items, newest first; what happened in one millisecond is ordered by the event id's hash, so
// the list is a function of the set of events.
import type { LoggedEvent } from "../event/event.ts";
import { inserted } from "./lists.ts";
import { RECENT_CATEGORIES_MAX, RECENT_MAX, type PersonState, type RecentItem } from "./state.ts";

const NO_CATEGORIES: readonly string[] = [];

/** `event` has an `item_id`. */
export function addRecent(state: PersonState, event: LoggedEvent, tie: number): void {
  const { recent } = state;
  if (recent.length === RECENT_MAX && !newer(event.timestamp, tie, recent[RECENT_MAX - 1]!)) return;
  const categories = event.item?.categories ?? NO_CATEGORIES;
  putRecent(state, {
    item_id: event.item_id!,
    event_type: event.event_type,
    timestamp: event.timestamp,
    value: event.value,
    tie,
    categories: categories.length > RECENT_CATEGORIES_MAX ? categories.slice(0, RECENT_CATEGORIES_MAX) : categories,
  });
}

export function putRecent(state: PersonState, entry: RecentItem): void {
  const { recent, recentCategories } = state;
  let at = 0;
  while (at < recent.length && !newer(entry.timestamp, entry.tie, recent[at]!)) at++;
  if (at === RECENT_MAX) return;
  state.recent = inserted(recent, at, entry, RECENT_MAX);
  const gone = recent[RECENT_MAX - 1];
  if (recentCategories === null) return;
  countCategories(recentCategories, entry, 1);
  if (gone !== undefined) countCategories(recentCategories, gone, -1);
}

/** How often each category occurs in `recent`. Counted when first asked for, from then on kept event by event. */
export function categoriesOf(state: PersonState): ReadonlyMap<string, number> {
  if (state.recentCategories !== null) return state.recentCategories;
  const counts = new Map<string, number>();
  for (const entry of state.recent) countCategories(counts, entry, 1);
  state.recentCategories = counts;
  return counts;
}

function newer(timeMs: number, tie: number, than: RecentItem): boolean {
  return timeMs !== than.timestamp ? timeMs > than.timestamp : tie > than.tie;
}

function countCategories(counts: Map<string, number>, entry: RecentItem, by: number): void {
  for (const category of entry.categories) {
    const count = (counts.get(category) ?? 0) + by;
    if (count === 0) counts.delete(category);
    else counts.set(category, count);
  }
}
