// Everything that rules and routes read from a person, as one flat record of numbers, to compare two states by.
import { deepEqual, ok } from "node:assert/strict";
import type { PersonState } from "../profile/person.ts";
import {
  BUILT_IN_FEATURES,
  builtinNextChangeMs,
  builtinValue,
  featureNextChangeMs,
  featureValue,
  followed,
  interestShares,
  lastTimeMs,
  sessionView,
  windowNextChangeMs,
  windowValue,
} from "../profile/reading.ts";

export type Numbers = Record<string, number | string>;

export function numbersOf(state: PersonState, nowMs: number): Numbers {
  const out: Numbers = {};
  const { plan } = state.layout;
  plan.windows.forEach(({ key }, i) => {
    out[`window.${key}`] = windowValue(state, i, nowMs);
    out[`window.${key}.next`] = windowNextChangeMs(state, i, nowMs);
  });
  plan.features.forEach(({ name }, i) => {
    out[`feature.${name}`] = featureValue(state, i, nowMs);
    out[`feature.${name}.next`] = featureNextChangeMs(state, i, nowMs);
  });
  plan.sequences.forEach(({ key }, i) => (out[`sequence.${key}`] = Number(followed(state, i))));
  for (const name of BUILT_IN_FEATURES) {
    out[`builtin.${name}`] = builtinValue(state, name, nowMs);
    out[`builtin.${name}.next`] = builtinNextChangeMs(state, name, nowMs);
  }
  for (const [name, share] of interestShares(state)) out[`interest.${name}`] = share;
  for (const { eventType, count } of state.types) {
    out[`type.${eventType}`] = count;
    out[`last.${eventType}`] = lastTimeMs(state, eventType);
  }
  for (const [name, value] of Object.entries(sessionView(state, nowMs))) out[`session.${name}`] = String(value);
  for (const [name, value] of Object.entries(state.context)) out[`context.${name}`] = value;
  state.recent.forEach(
    ({ item_id, event_type, timestamp }, i) => (out[`recent.${i}`] = `${item_id} ${event_type} ${timestamp}`),
  );
  state.days.forEach((day, i) => (out[`day.${day}`] = state.dayCounts[i]!));
  return out;
}

/** Same names, strings and infinities the same, numbers to 1e-9. */
export function closeTo(actual: Numbers, expected: Numbers): void {
  deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  for (const [name, want] of Object.entries(expected)) {
    const got = actual[name]!;
    if (got === want) continue;
    const isClose =
      typeof got === "number" && typeof want === "number" && Math.abs(got - want) <= 1e-9 * Math.max(1, Math.abs(want));
    ok(isClose, `${name}: ${got} instead of ${want}`);
  }
}
