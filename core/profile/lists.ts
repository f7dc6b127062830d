// Short lists in room that fits: a person has dozens, most of one to five entries, and the sixteen places that `push` leaves
// free in each were most of his memory. One for numbers, one for the rest: an engine keeps numbers bare where a place in
// the code makes nothing else.

/** Stands for every list of numbers that holds nothing yet. */
export const NO_NUMBERS: readonly number[] = [];

/** `list` with `value` at `at`. */
export function insertedNumber(list: readonly number[], at: number, value: number): number[] {
  const next = new Array<number>(list.length + 1);
  for (let i = 0; i < at; i++) next[i] = list[i]!;
  next[at] = value;
  for (let i = at; i < list.length; i++) next[i + 1] = list[i]!;
  return next;
}

/** The same of anything but numbers; beyond `max` the last one goes. */
export function inserted<T>(list: readonly T[], at: number, value: T, max = Infinity): T[] {
  const length = Math.min(list.length + 1, max);
  const next = new Array<T>(length);
  for (let i = 0; i < at; i++) next[i] = list[i]!;
  next[at] = value;
  for (let i = at + 1; i < length; i++) next[i] = list[i - 1]!;
  return next;
}

/** `list` without its first `count`. */
export function withoutFirst(list: readonly number[], count: number): readonly number[] {
  return count === list.length ? NO_NUMBERS : list.slice(count);
}
