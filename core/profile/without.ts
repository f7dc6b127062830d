// What a person would be had he never met some items: for questions of the kind "what if", never for what is stored.
import type { LoggedEvent } from "../event/event.ts";
import { foldWeight } from "./fold.ts";
import type { PersonState } from "./state.ts";

/**
 * Takes the items out of the recent history, and what they weighed out of the interests: exactly, since a decayed sum
 * is linear, for interactions that the history still holds. Windows, features and segments stay as they are.
 */
export function leaveOut(
  state: PersonState,
  itemIds: ReadonlySet<string>,
  factsOf: (itemId: string) => LoggedEvent["item"],
): void {
  const left = state.recent.filter(({ item_id }) => itemIds.has(item_id));
  for (const { item_id, event_type, timestamp, value } of left) {
    const facts = factsOf(item_id);
    const weight = state.layout.plan.weights.get(event_type) ?? 0;
    const event = {
      event_type,
      timestamp,
      ...(value === undefined ? {} : { value }),
      ...(facts === undefined ? {} : { item: facts }),
    };
    foldWeight(state, event, -weight);
  }
  state.recent = state.recent.filter(({ item_id }) => !itemIds.has(item_id));
  state.recentCategories = null;
  state.shown = state.shown.filter(({ item_id }) => !itemIds.has(item_id));
  state.bought = state.bought.filter(({ item_id }) => !itemIds.has(item_id));
}
