// Decayed weights of the items of one context, in sets: an item has 16 places that its reference picks, as in a
// processor's cache, so a hit and a miss both look at 16 places, not at the whole row. With one row in order of weight,
// context popularity took two thirds of all that an event costs (measured: docs/decisions/models.md).
import { powerOfTwo } from "../math/exp2.ts";
import type { DecayInstant } from "./decay.ts";
import { rowReader, type RowWriter } from "./row-bytes.ts";

const SETS = 16;
const SET_SIZE = 16;
export const CONTEXT_ITEMS_MAX = SETS * SET_SIZE;
const EPOCHS_AHEAD_MAX = 40; // Float32 holds 2^±126; a row moves its epoch long before.
const NONE = -1; // References are 22 bits of slot and 10 of generation; the last slot is beyond ITEMS_MAX.

export interface ContextItems {
  readonly refs: Int32Array;
  readonly weights: Float64Array;
  length: number;
}

export interface ContextRows {
  /** Adds `weight`, given at `instant`; a full set gives up its lightest item. */
  add(row: number, ref: number, weight: number, instant: DecayInstant): void;
  /** Takes up to `weight` off an item, never below 0. */
  lower(row: number, ref: number, weight: number, instant: DecayInstant): void;
  /** Each item and its weight, on a scale of the row's own; `into` has room for CONTEXT_ITEMS_MAX. */
  read(row: number, into: ContextItems): void;
  /** Factor from the row's scale to weights at `instant`, short of the instant's fraction. */
  scaleOf(row: number, instant: DecayInstant): number;
  clear(row: number): void;
  write(row: number, out: RowWriter): void;
  load(row: number, bytes: Uint8Array): void;
}

export function createContextRows(): ContextRows {
  let refs = new Int32Array(0);
  let weights = new Float32Array(0);
  const epochs: number[] = [];

  const reserve = (row: number): void => {
    const end = (row + 1) * CONTEXT_ITEMS_MAX;
    if (end <= refs.length) return;
    const grownRefs = new Int32Array(2 * end).fill(NONE);
    const grownWeights = new Float32Array(2 * end);
    grownRefs.set(refs);
    grownWeights.set(weights);
    refs = grownRefs;
    weights = grownWeights;
  };

  const rescale = (row: number, epoch: number): void => {
    const factor = powerOfTwo(epochs[row]! - epoch);
    const from = row * CONTEXT_ITEMS_MAX;
    for (let i = from; i < from + CONTEXT_ITEMS_MAX; i++) weights[i] = weights[i]! * factor;
    epochs[row] = epoch;
  };

  /** Places of a set fill from its front, and none is emptied: their order survives `write` and `load`. */
  const put = (row: number, ref: number, weight: number): void => {
    const from = row * CONTEXT_ITEMS_MAX + (Math.imul(ref, 0x9e3779b1) >>> 28) * SET_SIZE;
    let lightest = from;
    for (let i = from; i < from + SET_SIZE; i++) {
      const held = refs[i]!;
      if (held === ref || held === NONE) {
        refs[i] = ref;
        weights[i] = weights[i]! + weight;
        return;
      }
      if (weights[i]! < weights[lightest]!) lightest = i;
    }
    refs[lightest] = ref;
    weights[lightest] = weight;
  };

  return {
    add(row, ref, weight, instant) {
      reserve(row);
      epochs[row] ??= instant.epoch;
      if (instant.epoch - epochs[row]! > EPOCHS_AHEAD_MAX) rescale(row, instant.epoch);
      put(row, ref, weight * instant.fraction * powerOfTwo(instant.epoch - epochs[row]!));
    },
    lower(row, ref, weight, instant) {
      if (epochs[row] === undefined) return;
      const from = row * CONTEXT_ITEMS_MAX + (Math.imul(ref, 0x9e3779b1) >>> 28) * SET_SIZE;
      for (let i = from; i < from + SET_SIZE; i++) {
        if (refs[i] !== ref) continue;
        weights[i] = Math.max(0, weights[i]! - weight * instant.fraction * powerOfTwo(instant.epoch - epochs[row]!));
      }
    },
    read(row, into) {
      into.length = 0;
      const from = row * CONTEXT_ITEMS_MAX;
      for (let i = from; i < from + CONTEXT_ITEMS_MAX; i++) {
        if (refs[i] === NONE) continue;
        into.refs[into.length] = refs[i]!;
        into.weights[into.length++] = weights[i]!;
      }
    },
    scaleOf: (row, instant) => powerOfTwo(epochs[row]! - instant.epoch),
    clear(row) {
      refs.fill(NONE, row * CONTEXT_ITEMS_MAX, (row + 1) * CONTEXT_ITEMS_MAX);
      weights.fill(0, row * CONTEXT_ITEMS_MAX, (row + 1) * CONTEXT_ITEMS_MAX);
      delete epochs[row];
    },
    write(row, out) {
      out.u8(1);
      out.i32(epochs[row]!);
      const from = row * CONTEXT_ITEMS_MAX;
      for (let i = from; i < from + CONTEXT_ITEMS_MAX; i++) {
        if (refs[i] !== NONE) out.weighted(refs, weights, i, i + 1);
      }
    },
    load(row, bytes) {
      reserve(row);
      const input = rowReader(bytes);
      input.version(1);
      epochs[row] = input.i32();
      while (input.left() >= 8) {
        const ref = input.i32();
        put(row, ref, input.f32());
      }
    },
  };
}
