// Two persons become one: what linking an anonymous visitor to a known user does.
import { landmarkShift, mergeDecayed } from "../math/decay.ts";
import { adaptPerson } from "./adapt.ts";
import { featureToChange, mergeFeature, NO_FEATURE } from "./features.ts";
import {
  addAnonymousId,
  addToDay,
  addTypeCount,
  putAttribute,
  putContext,
  rememberId,
} from "./fold.ts";
import { mergeInterests } from "./interests.ts";
import { BOUGHT_MAX, SHOWN_MAX, withItemTime } from "./item-times.ts";
import { moveInterestLandmark } from "./landmark.ts";
import type { FoldPlan } from "./plan.ts";
import { putRecent } from "./recent.ts";
import { mergeSeries, NO_SERIES, seriesToChange } from "./series.ts";
import { mergeSessions } from "./sessions.ts";
import { BUILT_IN_WINDOWS_MS, CONTEXT_FIELDS, putEntry, type PersonState } from "./state.ts";
import { withTime } from "./times.ts";

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
  const { recentIds: ids, recentIdsNext: oldest } = from;
  for (let i = 0; i < ids.length; i += 2) {
    const at = (2 * oldest + i) % ids.length;
    rememberId(into, ids[at]!, ids[at + 1]!);
  }
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
    putEntry(into, "memberships", segment, Math.min(into.memberships.get(segment) ?? Infinity, sinceMs));
  }
  for (const [trigger, mark] of from.triggerMarks) {
    const own = into.triggerMarks.get(trigger);
    if (own === undefined || (typeof own === "number" && typeof mark === "number" && mark > own)) {
      putEntry(into, "triggerMarks", trigger, mark);
    }
  }
  for (const entry of from.recent) putRecent(into, entry);
  for (const entry of from.shown) into.shown = withItemTime(into.shown, entry, SHOWN_MAX);
  for (const entry of from.bought) into.bought = withItemTime(into.bought, entry, BOUGHT_MAX);
}

function mergeTotals(into: PersonState, from: PersonState): void {
  into.interactions += from.interactions;
  into.dwellS += from.dwellS;
  into.dwells += from.dwells;
  into.scrollSum += from.scrollSum;
  into.scrolls += from.scrolls;
  for (const { eventType, count, lastMs } of from.types) addTypeCount(into, eventType, count, lastMs);
  for (const timeMs of from.clickMs) into.clickMs = withTime(into.clickMs, timeMs);
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
  plan.windows.forEach(({ windowMs, measure }, i) => {
    const series = from.windows[i]!;
    if (series !== NO_SERIES) mergeSeries(seriesToChange(into.windows, i), series, windowMs, measure);
  });
  plan.features.forEach((plan, i) => {
    const feature = from.features[i]!;
    if (feature !== NO_FEATURE) mergeFeature(featureToChange(into.features, i), feature, plan);
  });
  into.sequences.forEach((sequence, i) => {
    for (const timeMs of from.sequences[i]!.first) sequence.first = withTime(sequence.first, timeMs);
    for (const timeMs of from.sequences[i]!.second) sequence.second = withTime(sequence.second, timeMs);
  });
}
