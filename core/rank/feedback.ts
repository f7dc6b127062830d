// What a visitor turned away from: it and its like fall at once, for him alone, read from his own history.
import type { Models } from "../model/models.ts";
import { createCandidateList } from "../model/candidates.ts";
import { NEIGHBOURS_MAX } from "../model/neighbour-rows.ts";
import type { ExcludeKind } from "../program/program.ts";
import { NEGATIVE_TYPES, type RecentItem } from "../model/step.ts";
import type { RankQuery } from "./query.ts";

const ITEM_FACTOR = 0.02;
const LIKE_FACTOR = 0.75; // Of the likeness: the like of a dismissed item keeps a quarter of its score at least.
const DISLIKED_MAX = 10; // Newest ones that count.
const RATING_LOW = 2; // Stars; at or below, a rating turns away.

export interface Feedback {
  /** What is left of a candidate's score: 1 where nothing speaks against it. */
  factor(slot: number): number;
  /** Whether the visitor's last word on the item itself is against it. */
  isTurnedAway(slot: number): boolean;
}

const isNegative = (recent: RecentItem): boolean =>
  NEGATIVE_TYPES.has(recent.event_type) || (recent.event_type === "rating" && recent.value !== undefined && recent.value <= RATING_LOW);

const isPositive = (recent: RecentItem): boolean =>
  recent.event_type === "click" || recent.event_type === "like" || recent.event_type === "add_to_cart" ||
  recent.event_type === "purchase" || recent.event_type === "rating";

export function feedbackOf(models: Models, history: readonly RecentItem[], nowMs: number): Feedback | undefined {
  let decided: Set<string> | undefined;
  const disliked: number[] = [];
  for (const recent of history) {
    if (!isNegative(recent)) {
      // A change of mind: the newest word on an item counts.
      if (isPositive(recent)) (decided ??= new Set()).add(recent.item_id);
      continue;
    }
    const slot = models.items.slotOf(recent.item_id);
    if (slot < 0 || decided?.has(recent.item_id) === true || disliked.includes(slot)) continue;
    disliked.push(slot);
    if (disliked.length === DISLIKED_MAX) break;
  }
  if (disliked.length === 0) return undefined;
  const likeness = new Map<number, number>();
  const near = createCandidateList(NEIGHBOURS_MAX);
  for (const slot of disliked) {
    models.cosine.neighbours(slot, nowMs, near);
    for (let i = 0; i < near.length; i++) {
      const other = near.slots[i]!;
      likeness.set(other, Math.max(likeness.get(other) ?? 0, Math.min(near.scores[i]!, 1)));
    }
  }
  return {
    factor(slot) {
      if (disliked.includes(slot)) return ITEM_FACTOR;
      let most = likeness.get(slot) ?? 0;
      for (const other of disliked) most = Math.max(most, models.content.likeness(slot, other));
      return 1 - LIKE_FACTOR * most;
    },
    isTurnedAway: (slot) => disliked.includes(slot),
  };
}

/** What says yes to an item so plainly that a dismissal before it is no longer meant; a click may be that of the button that dismissed. */
const TAKES_BACK: ReadonlySet<string> = new Set(["like", "add_to_cart", "purchase"]);

/**
 * Items of the history that the kinds leave out, each with the kind. Purchases count from `purchasesFromMs` on, what was
 * opened in the session from `sessionFromMs` on.
 */
export function excludedByHistory(
  history: readonly RecentItem[],
  kinds: readonly ExcludeKind[],
  { purchasesFromMs = -Infinity, sessionFromMs = Infinity }: Pick<RankQuery, "purchasesFromMs" | "sessionFromMs">,
): Map<string, ExcludeKind> {
  const excluded = new Map<string, ExcludeKind>();
  if (kinds.length === 0) return excluded;
  const seen = kinds.includes("seen");
  const purchased = kinds.includes("purchased");
  const dismissed = kinds.includes("dismissed");
  const inSession = kinds.includes("session");
  let wanted: Set<string> | undefined;
  for (const { item_id, event_type, timestamp } of history) {
    const isOpening = event_type !== "impression" && !NEGATIVE_TYPES.has(event_type);
    if (dismissed && TAKES_BACK.has(event_type)) (wanted ??= new Set()).add(item_id);
    const kind =
      purchased && event_type === "purchase" && timestamp >= purchasesFromMs
        ? "purchased"
        : dismissed && (event_type === "dismiss" || event_type === "dislike") && wanted?.has(item_id) !== true
          ? "dismissed"
          : seen && event_type !== "impression"
            ? "seen"
            : inSession && isOpening && timestamp >= sessionFromMs ? "session" : undefined;
    // The strongest word on an item is the one that is told.
    const isStrong = kind === "purchased" || kind === "dismissed";
    if (kind !== undefined && (isStrong || !excluded.has(item_id))) excluded.set(item_id, kind);
  }
  return excluded;
}
