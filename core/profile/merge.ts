// Two persons become one: what linking an anonymous visitor to a known user does.
import { landmarkShift, mergeDecayed } from "../math/decay.ts";
import { adaptPerson } from "./adapt.ts";
import { mergeFeature } from "./features.ts";
import {
  addAnonymousId,
  addToDay,
  addTypeCount,
  putAttribute,
  putContext,
  rememberId,
  SEQUENCE_TIMES_MAX,
} from "./fold.ts";
import { mergeInterests } from "./interests.ts";
import { BOUGHT_MAX, putItemTime, SHOWN_MAX } from "./item-times.ts";
import { moveInterestLandmark } from "./landmark.ts";
import type { FoldPlan } from "./plan.ts";
import { putRecent } from "./recent.ts";
import { mergeSeries } from "./series.ts";
import { mergeSessions } from "./sessions.ts";
import { BUILT_IN_WINDOWS_MS, CLICK_TIMES_MAX, CONTEXT_FIELDS, type PersonState } from "./state.ts";
import { addTime } from "./times.ts";

/**
 * Makes `into` the state of both: merge(fold(a), fold(b)) = fold(a ∪ b) to 1e-9, within the bounds of the lists.
 * `from` is adapted to `plan` and must not be used afterwards. Memberships and trigger marks are united; the engine
 * evaluates them anew.
 */
export function mergePerson(into: PersonState, from: PersonState, plan: FoldPlan): void {
  adaptPerson(into, plan);
  adaptPerson(from, plan);
  mergeIdentity(into, from);
  mergeTimes(into, from);
  mergeKnown(into, from);
  mergeTotals(into, from);
  mergeWeights(into, from);
  mergePlanned(into, from, plan);
  into.sessionsForgotten += from.sessionsForgotten + mergeSessions(into.sessions, from.sessions);
}

function mergeIdentity(into: PersonState, from: PersonState): void {
  into.userId ??= from.userId;
  into.consent ??= from.consent;
  for (const anonymousId of from.anonymousIds) addAnonymousId(into, anonymousId);
  const { hi, lo, next } = from.recentIds;
  // From the oldest on: `next` is the oldest entry of a full ring, and 0 of one that is not full.
  for (let i = 0; i < lo.length; i++)
    rememberId(into.recentIds, hi[(next + i) % lo.length]!, lo[(next + i) % lo.length]!);
}

function mergeTimes(into: PersonState, from: PersonState): void {
  into.version += from.version;
  into.asOf = Math.max(into.asOf, from.asOf);
  into.updatedMs = Math.max(into.updatedMs, from.updatedMs);
  into.nextCheckMs = Math.min(into.nextCheckMs, from.nextCheckMs);
  into.lastMs = Math.max(into.lastMs, from.lastMs);
  into.lastInteractionMs = Math.max(into.lastInteractionMs, from.lastInteractionMs);
  if (from.firstInteractionMs < 0) return;
  if (into.firstInteractionMs < 0) into.firstInteractionMs = from.firstInteractionMs;
  else into.firstInteractionMs = Math.min(into.firstInteractionMs, from.firstInteractionMs);
}

function mergeKnown(into: PersonState, from: PersonState): void {
  for (const [name, at] of from.attributeMs) {
    // Of the same instant the surviving person's own word counts.
    if (into.attributeMs.get(name) !== at) putAttribute(into, name, from.attributes[name], at);
  }
  for (let i = 0; i < CONTEXT_FIELDS.length; i++) {
    const value = from.context[CONTEXT_FIELDS[i]!];
    if (value !== undefined) putContext(into, i, value, from.contextMs[i]!);
  }
  for (const [segment, sinceMs] of from.memberships) {
    into.memberships.set(segment, Math.min(into.memberships.get(segment) ?? Infinity, sinceMs));
  }
  for (const [trigger, mark] of from.triggerMarks) {
    const own = into.triggerMarks.get(trigger);
    if (own === undefined || (typeof own === "number" && typeof mark === "number" && mark > own)) {
      into.triggerMarks.set(trigger, mark);
    }
  }
  for (const entry of from.recent) putRecent(into, entry);
  for (const entry of from.shown) putItemTime(into.shown, entry, SHOWN_MAX);
  for (const entry of from.bought) putItemTime(into.bought, entry, BOUGHT_MAX);
}

function mergeTotals(into: PersonState, from: PersonState): void {
  into.interactions += from.interactions;
  into.dwellS += from.dwellS;
  into.dwells += from.dwells;
  into.scrollSum += from.scrollSum;
  into.scrolls += from.scrolls;
  for (const [eventType, { count, lastMs }] of from.types) addTypeCount(into, eventType, count, lastMs);
  for (const timeMs of from.clickMs) addTime(into.clickMs, CLICK_TIMES_MAX, timeMs);
  for (let i = 0; i < from.days.length; i++) addToDay(into, from.days[i]!, from.dayCounts[i]!);
}

function mergeWeights(into: PersonState, from: PersonState): void {
  if (from.engagement.landmark < 0) return;
  if (from.engagement.landmark > into.engagement.landmark) moveInterestLandmark(into, from.engagement.landmark);
  const factor = landmarkShift(from.engagement.landmark, into.engagement.landmark);
  mergeDecayed(into.engagement, from.engagement);
  mergeInterests(into.categories, from.categories, factor);
  mergeInterests(into.tags, from.tags, factor);
}

function mergePlanned(into: PersonState, from: PersonState, plan: FoldPlan): void {
  BUILT_IN_WINDOWS_MS.forEach((windowMs, i) => mergeSeries(into.rates[i]!, from.rates[i]!, windowMs, "count"));
  plan.windows.forEach(({ windowMs, measure }, i) =>
    mergeSeries(into.windows[i]!, from.windows[i]!, windowMs, measure),
  );
  plan.features.forEach((feature, i) => mergeFeature(into.features[i]!, from.features[i]!, feature));
  plan.sequences.forEach((_, i) => {
    for (const timeMs of from.sequences[i]!.first) addTime(into.sequences[i]!.first, SEQUENCE_TIMES_MAX, timeMs);
    for (const timeMs of from.sequences[i]!.second) addTime(into.sequences[i]!.second, SEQUENCE_TIMES_MAX, timeMs);
  });
}
