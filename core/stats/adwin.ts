// ADWIN (Bifet, Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007): keeps as long a window of
// numbers in [0, 1] as has one mean, and says so when the older part no longer has the newer one's. The window is an
// exponential histogram, so memory and time are logarithmic in its length. With confidence δ, a stream that does not change
// raises an alarm at each look with probability δ at most.
import { exp2, log2 } from "../math/exp2.ts";

/** δ, as MOA and River take it. */
const DELTA = 0.002;
const BUCKETS_A_SIZE = 5;
const LOOK_EVERY = 32; // Numbers between two looks.
const PART_MIN = 32; // Numbers that each part must have.
const LEVELS_MAX = 32;
const LN_2 = 0.6931471805599453;

export interface Change {
  /** Means of the part that is given up and of the one that stays. */
  readonly before: number;
  readonly after: number;
}

interface Cut {
  readonly change: Change;
  readonly newerLength: number;
}

export interface Adwin {
  /** Takes a number in [0, 1]; a change where the window has just become shorter. */
  add(value: number): Change | undefined;
  readonly length: number;
  readonly mean: number;
  /** Everything there is to know, as numbers. */
  save(): number[];
  load(saved: readonly number[]): void;
}

export function createAdwin(): Adwin {
  /** Buckets by size, 2^level numbers each, oldest first within a level; the largest are the oldest. */
  const sums: number[][] = [];
  const squares: number[][] = [];
  let length = 0;
  let sum = 0;
  let square = 0;
  let sinceLook = 0;

  const compress = (): void => {
    for (let level = 0; level < sums.length && sums[level]!.length > BUCKETS_A_SIZE; level++) {
      if (level + 1 === sums.length && level + 1 < LEVELS_MAX) {
        sums.push([]);
        squares.push([]);
      }
      if (level + 1 === sums.length) return dropOldest();
      sums[level + 1]!.push(sums[level]!.shift()! + sums[level]!.shift()!);
      squares[level + 1]!.push(squares[level]!.shift()! + squares[level]!.shift()!);
    }
  };

  const dropOldest = (): void => {
    const level = sums.length - 1;
    length -= exp2(level);
    sum -= sums[level]!.shift()!;
    square -= squares[level]!.shift()!;
    while (sums.length > 0 && sums.at(-1)!.length === 0) {
      sums.pop();
      squares.pop();
    }
  };

  /** The two parts that differ the most beyond what chance allows. */
  const look = (): Cut | undefined => {
    let cut: Cut | undefined;
    let clearest = 1;
    const mean = sum / length;
    const variance = Math.max(0, square / length - mean * mean);
    const confidence = log2((2 * log2(length) * LN_2) / DELTA) * LN_2;
    let olderLength = 0;
    let older = 0;
    for (let level = sums.length - 1; level >= 0; level--) {
      for (const bucket of sums[level]!) {
        olderLength += exp2(level);
        older += bucket;
        const newerLength = length - olderLength;
        if (olderLength < PART_MIN) continue;
        if (newerLength < PART_MIN) return cut;
        const harmonic = 1 / (1 / olderLength + 1 / newerLength);
        const bound = Math.sqrt((2 / harmonic) * variance * confidence) + (2 / (3 * harmonic)) * confidence;
        const [before, after] = [older / olderLength, (sum - older) / newerLength];
        const clearness = Math.abs(before - after) / bound;
        if (!(clearness > clearest)) continue;
        clearest = clearness;
        cut = { change: { before, after }, newerLength };
      }
    }
    return cut;
  };

  /** What is left of the older part would be told from the newer one again, and each time be a change. */
  const shorten = ({ newerLength }: Cut): void => {
    while (length > newerLength) dropOldest();
  };

  return {
    add(value) {
      if (sums.length === 0) {
        sums.push([]);
        squares.push([]);
      }
      sums[0]!.push(value);
      squares[0]!.push(value * value);
      length++;
      sum += value;
      square += value * value;
      compress();
      if (++sinceLook < LOOK_EVERY || length < 2 * PART_MIN) return undefined;
      sinceLook = 0;
      const first = look();
      for (let cut = first; cut !== undefined; cut = length < 2 * PART_MIN ? undefined : look()) shorten(cut);
      return first?.change;
    },
    get length() {
      return length;
    },
    get mean() {
      return length === 0 ? 0 : sum / length;
    },
    save: () => [
      length, sum, square, sinceLook,
      ...sums.flatMap((level, l) => [level.length, ...level.flatMap((bucket, b) => [bucket, squares[l]![b]!])]),
    ],
    load(saved) {
      [length, sum, square, sinceLook] = saved as [number, number, number, number];
      sums.length = 0;
      squares.length = 0;
      for (let at = 4; at < saved.length; ) {
        const count = saved[at++]!;
        const buckets = Array.from({ length: count }, (_, b) => [saved[at + 2 * b]!, saved[at + 2 * b + 1]!] as const);
        at += 2 * count;
        sums.push(buckets.map(([bucket]) => bucket));
        squares.push(buckets.map(([, bucket]) => bucket));
      }
    },
  };
}
