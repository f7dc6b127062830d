// The newest few event times, ascending: what windows, click patterns and sequences need, and a function of the set of
// events. A list is a value, never changed in place: what one event adds to many lists of a person that are one, is one.
import { insertedNumber, NO_NUMBERS } from "./lists.ts";

/** Times that a list holds; an older one leaves for a newer. */
export const TIMES_MAX = 16;

// The last list that was made, and of what.
let madeFrom = NO_NUMBERS;
let madeOfMs = NaN;
let made = NO_NUMBERS;

/** `times` with `timeMs`, of which the newest TIMES_MAX. */
export function withTime(times: readonly number[], timeMs: number): readonly number[] {
  if (times === madeFrom && timeMs === madeOfMs) return made;
  if (times.length === TIMES_MAX && timeMs <= times[0]!) return times;
  let at = times.length;
  while (at > 0 && times[at - 1]! > timeMs) at--;
  made = times.length < TIMES_MAX ? insertedNumber(times, at, timeMs) : replacedFirst(times, at - 1, timeMs);
  madeFrom = times;
  madeOfMs = timeMs;
  return made;
}

/** Whether one of `second` came after one of `first` by more than 0 and at most `windowMs`. */
export function follows(first: readonly number[], second: readonly number[], windowMs: number): boolean {
  let from = 0;
  for (const timeMs of second) {
    while (from < first.length && first[from]! < timeMs - windowMs) from++;
    if (from < first.length && first[from]! < timeMs) return true;
  }
  return false;
}

// Without the first, and with `timeMs` at `at` of what is left.
function replacedFirst(times: readonly number[], at: number, timeMs: number): number[] {
  const next = times.slice();
  for (let i = 0; i < at; i++) next[i] = times[i + 1]!;
  next[at] = timeMs;
  return next;
}
