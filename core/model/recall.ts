// What of the visitor's session and of his past the models see, as slots in their situation.
import { HISTORY_MAX, TRAIL_MAX } from "./config.ts";
import type { ItemIndex } from "./item-index.ts";
import type { OpenSession, SessionStore } from "./sessions.ts";
import type { Situation } from "./situation.ts";
import { NEGATIVE_TYPES, type RecentItem } from "./step.ts";

export interface Recall {
  /** The items of an open session, newest first, behind that of the page. */
  session(session: OpenSession | undefined, pageItemId: string | undefined): void;
  /** Items that the asker names himself, instead of a session's. */
  given(trail: readonly string[], pageItemId: string | undefined): void;
  /** Items from before the trail, but those whose newest word is a dismissal. To be called after it. */
  past(history: readonly RecentItem[]): void;
}

export function createRecall(items: ItemIndex, sessions: SessionStore, situation: Situation): Recall {
  let isGiven = false;
  const noteStep = (slot: number): void => {
    const { path, pathLength } = situation;
    if (pathLength === path.length || (pathLength > 0 && path[pathLength - 1] === slot)) return;
    path[pathLength] = slot;
    situation.pathLength++;
  };

  const fillTrail = (session: OpenSession | undefined, pageItemId: string | undefined): void => {
    const { trail, visits } = situation;
    let length = 0;
    const page = pageItemId === undefined ? -1 : items.slotOf(pageItemId);
    if (page >= 0) {
      visits[length] = 1;
      trail[length++] = page;
    }
    situation.sessionNumber = -1;
    if (session !== undefined) {
      situation.sessionNumber = session.number;
      const rows = sessions.itemsOf(session.number);
      const from = sessions.offsetOf(session.number);
      for (let i = sessions.lengthOf(session.number) - 1; i >= 0; i--) {
        const slot = items.resolve(rows[from + i]!);
        if (slot < 0) continue;
        if (slot === page) {
          visits[0] = session.visits[i]!;
          continue;
        }
        visits[length] = session.visits[i]!;
        trail[length++] = slot;
      }
    }
    situation.trailLength = length;
    isGiven = false;
    situation.pathLength = 0;
    if (length > 0) noteStep(trail[0]!);
  };

  const fillGivenTrail = (given: readonly string[], pageItemId: string | undefined): void => {
    fillTrail(undefined, pageItemId);
    const { trail, visits } = situation;
    let length = situation.trailLength;
    isGiven = true;
    for (let i = 0; i < given.length && length < TRAIL_MAX; i++) {
      const slot = items.slotOf(given[i]!);
      if (slot < 0) continue;
      noteStep(slot);
      const at = trail.subarray(0, length).indexOf(slot);
      if (at >= 0) {
        visits[at]!++;
        continue;
      }
      visits[length] = 1;
      trail[length++] = slot;
    }
    situation.trailLength = length;
  };

  /** Of one history, by its newest word. */
  const turnedAway: number[] = [];
  const fillPast = (history: readonly RecentItem[]): void => {
    const { past, trail, trailLength } = situation;
    let length = 0;
    /** A trail that was given tells its own path, unless the history is its own. */
    let tellsPath = !isGiven;
    let isNewest = true;
    turnedAway.length = 0;
    let last = "";
    for (let i = 0; i < history.length && i < HISTORY_MAX; i++) {
      // A view, a click and a dwell of one item follow each other: looking an id up costs more than all else here.
      if (history[i]!.item_id === last) continue;
      last = history[i]!.item_id;
      const slot = items.slotOf(last);
      if (slot < 0 || turnedAway.includes(slot)) continue;
      if (NEGATIVE_TYPES.has(history[i]!.event_type)) {
        turnedAway.push(slot);
        continue;
      }
      if (isNewest && isGiven && slot === trail[0] && trailLength > 0) {
        tellsPath = true;
        situation.pathLength = 0;
      }
      isNewest = false;
      if (tellsPath) noteStep(slot);
      let isKnown = false;
      for (let j = 0; j < trailLength && !isKnown; j++) isKnown = trail[j] === slot;
      for (let j = 0; j < length && !isKnown; j++) isKnown = past[j] === slot;
      if (!isKnown) past[length++] = slot;
    }
    situation.pastLength = length;
  };
  return { session: fillTrail, given: fillGivenTrail, past: fillPast };
}
