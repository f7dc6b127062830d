// How many different persons, and different senders, had to do with an item lately: 64 bits of each a window, one set by
// the hash of whoever comes (linear counting, Whang et al. 1990). As many bits as are set so many there were at least,
// so the count never says too much; it says too little by a third at the bound of `LEAST_MAX`.
import type { Hash64 } from "../math/hash.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

/** Most persons that can be asked for: beyond it bits fill too slowly. */
export const LEAST_MAX = 24;
const WORDS = 8; // Persons, then senders, of this window; the same of the window before.
const HALF = WORDS / 2;

export interface Sketches {
  add(slot: number, person: Hash64, sender: Hash64, timeMs: number): void;
  /** At least `least` persons and senders in this window and the one before. */
  holds(slot: number, least: number, nowMs: number): boolean;
  forget(slot: number): void;
  readonly table: WholeTable;
}

export function createSketches(name: string, windowMs: number): Sketches {
  let words = new Uint32Array(1024 * WORDS);
  let windows = new Int32Array(1024);
  const windowOf = (timeMs: number): number => Math.floor(timeMs / windowMs);
  const reserve = (slot: number): void => {
    if (slot < windows.length) return;
    const size = Math.max(slot + 1, windows.length * 2);
    const grown = new Uint32Array(size * WORDS);
    grown.set(words);
    const grownWindows = new Int32Array(size);
    grownWindows.set(windows);
    words = grown;
    windows = grownWindows;
  };
  const dirty = new DirtySlots((slot) => {
    const from = slot * WORDS;
    if (slot >= windows.length || words.subarray(from, from + WORDS).every((word) => word === 0)) return null;
    const out = rowWriter();
    out.u8(1);
    out.i32(windows[slot]!);
    for (let i = from; i < from + WORDS; i++) out.i32(words[i]! | 0);
    return out.bytes();
  });
  const set = (at: number, hash: number): void => {
    const i = at + ((hash >>> 5) & 1);
    words[i] = words[i]! | (1 << (hash & 31));
  };
  return {
    add(slot, person, sender, timeMs) {
      reserve(slot);
      dirty.touch(slot);
      const from = slot * WORDS;
      const window = windowOf(timeMs);
      const ahead = window - windows[slot]!;
      if (ahead > 0) {
        if (ahead === 1) words.copyWithin(from + HALF, from, from + HALF);
        else words.fill(0, from + HALF, from + WORDS);
        words.fill(0, from, from + HALF);
        windows[slot] = window;
      }
      set(from, person.lo);
      set(from + 2, sender.lo);
    },
    holds(slot, least, nowMs) {
      if (slot >= windows.length) return false;
      const ahead = windowOf(nowMs) - windows[slot]!;
      if (ahead > 1) return false;
      const from = slot * WORDS;
      const before = ahead === 1 ? 0 : -1; // Mask: the window before has passed.
      const count = (at: number): number =>
        bits(words[at]! | (words[at + HALF]! & before)) + bits(words[at + 1]! | (words[at + 1 + HALF]! & before));
      return count(from) >= least && count(from + 2) >= least;
    },
    forget(slot) {
      if (slot >= windows.length) return;
      dirty.touch(slot);
      words.fill(0, slot * WORDS, (slot + 1) * WORDS);
    },
    table: slotTable(name, dirty, (slot, bytes) => {
      const input = rowReader(bytes);
      input.version(1);
      reserve(slot);
      windows[slot] = input.i32();
      for (let i = slot * WORDS; i < (slot + 1) * WORDS; i++) words[i] = input.i32();
    }),
  };
}

/** Bits that are set in 32. */
export function bits(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
