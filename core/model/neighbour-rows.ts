// item → item weights that decay: a bounded row per item, as rules and cosine need it.
//
// An entry that grew heavier than the one before it moves up, so rows stay nearly sorted: what is asked for often is
// found early, and the lightest is near the end. A full row gives up the lightest of its last entries.
import { powerOfTwo } from "../math/exp2.ts";
import { createRowArena, type RowArena } from "./arena.ts";
import type { CandidateList } from "./candidates.ts";
import type { DecayInstant } from "./decay.ts";
import type { ItemIndex } from "./item-index.ts";
import { BECAUSE_MAX } from "./model.ts";
import { rowReader, type RowWriter } from "./row-bytes.ts";

export const NEIGHBOURS_MAX = 256;
const ROW_SIZES = [8, 16, 32, 64, 128, NEIGHBOURS_MAX];
const GIVE_UP_AMONG = 16; // Of 64: a tenth of an event cheaper (docs/decisions/models.md).
const EPOCHS_AHEAD_MAX = 40; // Float32 holds 2^±126; a row moves its epoch long before.

export interface NeighbourRows {
  readonly arena: RowArena;
  /** Adds `weight`, given at `instant`, to row → ref. The row must have been touched. */
  add(row: number, ref: number, weight: number, instant: DecayInstant): void;
  /** Takes `weight` off row → ref; what nothing is left of leaves the row, which must have been touched. */
  lower(row: number, ref: number, weight: number, instant: DecayInstant): void;
  /** Factor from the row's stored weights to weights at `instant`, short of the instant's fraction. */
  scaleOf(row: number, instant: DecayInstant): number;
  /** The items of a row that are still there, with their stored weights times `scale`, in no order. */
  read(row: number, scale: number, into: CandidateList): void;
  /** Which of the asked rows hold `ref`, in their order, BECAUSE_MAX at most. */
  because(asked: Int32Array, ref: number): number[];
  clear(row: number): void;
  write(row: number, out: RowWriter): void;
  load(row: number, bytes: Uint8Array): void;
}

/** @param options - `rowMax` ≤ 256, read at every use: a program may change it. */
export function createNeighbourRows(items: ItemIndex, options: { readonly rowMax: number }): NeighbourRows {
  const arena = createRowArena({ classes: ROW_SIZES, weighted: true });
  // A row's tag is the epoch that its weights are relative to.
  const rescale = (row: number, epoch: number): void => {
    const factor = powerOfTwo(arena.tagOf(row) - epoch);
    const weights = arena.weightsOf(row);
    const from = arena.offsetOf(row);
    const to = from + arena.lengthOf(row);
    for (let i = from; i < to; i++) weights[i] = weights[i]! * factor;
    arena.setTag(row, epoch);
  };

  const lightest = (row: number, length: number): number => {
    const ids = arena.idsOf(row);
    const weights = arena.weightsOf(row);
    const to = arena.offsetOf(row) + length;
    const from = to - Math.min(length, GIVE_UP_AMONG);
    let best = from;
    for (let i = to - 1; i >= from; i--) {
      if (items.resolve(ids[i]!) < 0) return i; // The item has left.
      if (weights[i]! < weights[best]!) best = i;
    }
    return best;
  };

  return {
    arena,
    add(row, ref, weight, instant) {
      let length = arena.lengthOf(row);
      if (length === 0) arena.setTag(row, instant.epoch);
      let ahead = instant.epoch - arena.tagOf(row);
      if (ahead > EPOCHS_AHEAD_MAX) {
        rescale(row, instant.epoch);
        ahead = 0;
      }
      const scaled = weight * instant.fraction * powerOfTwo(ahead);
      let from = arena.offsetOf(row);
      let ids = arena.idsOf(row);
      let weights = arena.weightsOf(row);
      for (let i = from, to = from + length; i < to; i++) {
        if (ids[i] !== ref) continue;
        const sum = weights[i]! + scaled;
        weights[i] = sum;
        if (i > from && sum > weights[i - 1]!) {
          ids[i] = ids[i - 1]!;
          weights[i] = weights[i - 1]!;
          ids[i - 1] = ref;
          weights[i - 1] = sum;
        }
        return;
      }
      let at: number;
      if (length < options.rowMax && arena.makeRoom(row)) {
        ids = arena.idsOf(row);
        weights = arena.weightsOf(row);
        from = arena.offsetOf(row);
        at = from + length;
        arena.setLength(row, ++length);
      } else {
        at = lightest(row, length);
      }
      ids[at] = ref;
      weights[at] = scaled;
    },
    lower(row, ref, weight, instant) {
      const length = arena.lengthOf(row);
      if (length === 0) return;
      const ids = arena.idsOf(row);
      const weights = arena.weightsOf(row);
      for (let i = arena.offsetOf(row), to = i + length; i < to; i++) {
        if (ids[i] !== ref) continue;
        weights[i] = weights[i]! - weight * instant.fraction * powerOfTwo(instant.epoch - arena.tagOf(row));
        if (weights[i]! > 0) return;
        ids.copyWithin(i, i + 1, to);
        weights.copyWithin(i, i + 1, to);
        arena.setLength(row, length - 1);
        return;
      }
    },
    scaleOf: (row, instant) => powerOfTwo(arena.tagOf(row) - instant.epoch),
    read(row, scale, into) {
      const ids = arena.idsOf(row);
      const weights = arena.weightsOf(row);
      let length = 0;
      for (let i = arena.offsetOf(row), to = i + arena.lengthOf(row); i < to; i++) {
        const slot = items.resolve(ids[i]!);
        if (slot < 0) continue;
        into.slots[length] = slot;
        into.scores[length++] = weights[i]! * scale;
      }
      into.length = length;
    },
    because(asked, ref) {
      const found: number[] = [];
      for (let k = 0; k < asked.length && found.length < BECAUSE_MAX; k++) {
        const row = asked[k]!;
        const from = arena.offsetOf(row);
        if (arena.idsOf(row).subarray(from, from + arena.lengthOf(row)).includes(ref)) found.push(row);
      }
      return found;
    },
    clear: (row) => arena.clear(row),
    write(row, out) {
      const from = arena.offsetOf(row);
      out.u8(1);
      out.i32(arena.tagOf(row));
      out.weighted(arena.idsOf(row), arena.weightsOf(row), from, from + arena.lengthOf(row));
    },
    load(row, bytes) {
      const input = rowReader(bytes);
      input.version(1);
      arena.setTag(row, input.i32());
      while (input.left() >= 8) {
        const ref = input.i32();
        const weight = input.f32();
        if (!arena.makeRoom(row)) break;
        const length = arena.lengthOf(row);
        arena.idsOf(row)[arena.offsetOf(row) + length] = ref;
        arena.weightsOf(row)[arena.offsetOf(row) + length] = weight;
        arena.setLength(row, length + 1);
      }
    },
  };
}
