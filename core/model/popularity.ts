// Decayed popularity, with the best items always in order: forward-decayed counts only ever grow against each other,
// so an update moves one item up and nothing else.
import { powerOfTwo } from "../math/exp2.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { OrderedModel } from "./model.ts";
import { nthBest } from "./nth-best.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

export const POPULAR_MAX = 300;
const LANDMARK_STEP = 256; // Exact power of two by which all counts move when the newest is this far ahead.
const COUNT_MIN = powerOfTwo(-900); // Below it a count is none: it keeps rounding out of the order of moves.

export interface Popularity extends OrderedModel {
  /** The most popular slots, best first, at most POPULAR_MAX. Valid until the next call. */
  popular(): ArrayLike<number>;
  readonly popularCount: number;
  /** The decayed count now, in events. */
  countAt(slot: number, nowMs: number): number;
  /** The same of the first `count` slots, into `into`. */
  countsAt(slots: ArrayLike<number>, count: number, nowMs: number, into: Float64Array): void;
}

export function createPopularity(clock: DecayClock, options: { name: string }): Popularity {
  let counts = new Float64Array(1024);
  let places = new Int16Array(1024).fill(-1);
  let landmark = -Infinity;
  const top = new Int32Array(POPULAR_MAX);
  let topLength = 0;
  let stale = false;

  const dirty = new DirtySlots((slot) => {
    if (slot >= counts.length || counts[slot] === 0) return null;
    const out = rowWriter();
    out.u8(1);
    out.f64(counts[slot]!);
    out.i32(landmark);
    return out.bytes();
  });

  const reserve = (slot: number): void => {
    if (slot < counts.length) return;
    const size = Math.max(slot + 1, counts.length * 2);
    const grownCounts = new Float64Array(size);
    grownCounts.set(counts);
    const grownPlaces = new Int16Array(size).fill(-1);
    grownPlaces.set(places);
    counts = grownCounts;
    places = grownPlaces;
  };

  const isBefore = (a: number, b: number): boolean => counts[a]! > counts[b]! || (counts[a] === counts[b] && a < b);

  const moveLandmark = (to: number): void => {
    const factor = powerOfTwo(landmark - to);
    for (let slot = 0; slot < counts.length; slot++) {
      const moved = counts[slot]! * factor;
      counts[slot] = moved < COUNT_MIN ? 0 : moved;
    }
    landmark = to;
    stale = true;
  };

  const rebuild = (): void => {
    places.fill(-1);
    // Only what is in it is put in order: of a large catalogue all that was ever clicked would take a tenth of a second.
    const bar = nthBest(counts, counts.length, POPULAR_MAX);
    const best: number[] = [];
    for (let slot = 0; slot < counts.length; slot++) if (counts[slot]! > 0 && counts[slot]! >= bar) best.push(slot);
    best.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    topLength = Math.min(best.length, POPULAR_MAX);
    for (let i = 0; i < topLength; i++) {
      top[i] = best[i]!;
      places[best[i]!] = i;
    }
    stale = false;
  };

  const raise = (slot: number): void => {
    let place = places[slot]!;
    if (place < 0) {
      if (topLength < POPULAR_MAX) {
        place = topLength++;
      } else {
        const last = top[POPULAR_MAX - 1]!;
        if (!isBefore(slot, last)) return;
        places[last] = -1;
        place = POPULAR_MAX - 1;
      }
    }
    while (place > 0 && isBefore(slot, top[place - 1]!)) {
      const other = top[place - 1]!;
      top[place] = other;
      places[other] = place;
      place--;
    }
    top[place] = slot;
    places[slot] = place;
  };

  const lower = (slot: number): void => {
    let place = places[slot]!;
    for (; place + 1 < topLength && isBefore(top[place + 1]!, slot); place++) {
      const other = top[place + 1]!;
      top[place] = other;
      places[other] = place;
    }
    top[place] = slot;
    places[slot] = place;
    // At the end, one that is not in order might go before it.
    if (counts[slot] === 0 || (place === topLength - 1 && topLength === POPULAR_MAX)) stale = true;
  };

  return {
    name: options.name,
    learn(reveal) {
      const { slot } = reveal;
      const { epoch, fraction } = clock.at(reveal.timeMs);
      if (landmark === -Infinity) landmark = epoch;
      // In one move however far: after a year of silence it would be some hundred thousand passes over all items.
      const ahead = epoch - landmark;
      if (ahead > LANDMARK_STEP) moveLandmark(landmark + LANDMARK_STEP * (Math.ceil(ahead / LANDMARK_STEP) - 1));
      reserve(slot);
      dirty.touch(slot);
      const weight = reveal.weight * fraction * powerOfTwo(epoch - landmark);
      const sum = counts[slot]! + weight;
      counts[slot] = sum < COUNT_MIN ? 0 : sum;
      if (!stale && counts[slot] > 0) raise(slot);
    },
    turnAway(reveal) {
      const { slot } = reveal;
      if (slot >= counts.length || counts[slot] === 0) return;
      const { epoch, fraction } = clock.at(reveal.timeMs);
      dirty.touch(slot);
      const left = counts[slot]! - reveal.weight * fraction * powerOfTwo(epoch - landmark);
      counts[slot] = left < COUNT_MIN ? 0 : left;
      if (!stale && places[slot]! >= 0) lower(slot);
    },
    list(list) {
      if (stale) rebuild();
      list.length = Math.min(topLength, list.slots.length);
      for (let i = 0; i < list.length; i++) {
        list.slots[i] = top[i]!;
        list.scores[i] = counts[top[i]!]!;
      }
    },
    popular() {
      if (stale) rebuild();
      return top;
    },
    get popularCount() {
      if (stale) rebuild();
      return topLength;
    },
    countAt(slot, nowMs) {
      if (slot >= counts.length || counts[slot] === 0) return 0;
      const { epoch, fraction } = clock.at(nowMs);
      return (counts[slot]! * powerOfTwo(landmark - epoch)) / fraction;
    },
    countsAt(slots, count, nowMs, into) {
      const { epoch, fraction } = clock.at(nowMs);
      const scale = powerOfTwo(landmark - epoch);
      for (let i = 0; i < count; i++) into[i] = slots[i]! < counts.length ? (counts[slots[i]!]! * scale) / fraction : 0;
    },
    because: () => [],
    forget(slot) {
      if (slot >= counts.length || counts[slot] === 0) return;
      dirty.touch(slot);
      counts[slot] = 0;
      if (places[slot]! >= 0) stale = true;
    },
    tables: [
      slotTable(options.name, dirty, (slot, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        const count = input.f64();
        const rowLandmark = input.i32();
        if (rowLandmark > landmark) {
          if (landmark === -Infinity) landmark = rowLandmark;
          else moveLandmark(rowLandmark);
        }
        reserve(slot);
        const moved = count * powerOfTwo(rowLandmark - landmark);
        counts[slot] = moved < COUNT_MIN ? 0 : moved;
        stale = true;
      }),
    ],
  };
}
