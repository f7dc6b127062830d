// The background model as one more list: item → item weights that a worker has trained (`ease.ts`), asked with all that
// is known of the visitor, newest first.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { createRowArena } from "./arena.ts";
import { addScore } from "./candidates.ts";
import type { ItemIndex } from "./item-index.ts";
import { BECAUSE_MAX, type ScoringModel } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import type { Situation } from "./situation.ts";

const ROW_SIZES = [16, 64];
const QUERY_FADE = 0.85;
const QUERY_ITEMS = 30;

/** What one item speaks for, heaviest first. */
export type BackgroundRow = readonly [itemId: string, to: readonly string[], weights: readonly number[]];

/** A trained model comes in parts, so that no record of the log is large; the first one ends the model before. */
export interface BackgroundPart {
  part: number;
  rows: readonly BackgroundRow[];
}

export interface Background extends ScoringModel {
  /** Items that the index does not know are left out. */
  take(part: BackgroundPart): void;
}

export function createBackground(items: ItemIndex): Background {
  const rows = createRowArena({ classes: ROW_SIZES, weighted: true });
  let end = 0;
  const dirty = new DirtySlots((slot) => {
    const length = rows.lengthOf(slot);
    if (length === 0) return null;
    const out = rowWriter();
    out.u8(1);
    const from = rows.offsetOf(slot);
    out.weighted(rows.idsOf(slot), rows.weightsOf(slot), from, from + length);
    return out.bytes();
  });

  const put = (slot: number, ref: number, weight: number): void => {
    if (!rows.makeRoom(slot)) return;
    const length = rows.lengthOf(slot);
    rows.idsOf(slot)[rows.offsetOf(slot) + length] = ref;
    rows.weightsOf(slot)[rows.offsetOf(slot) + length] = weight;
    rows.setLength(slot, length + 1);
    if (slot >= end) end = slot + 1;
  };

  const empty = (): void => {
    for (let slot = 0; slot < end; slot++) {
      if (rows.lengthOf(slot) === 0) continue;
      dirty.touch(slot);
      rows.clear(slot);
    }
  };

  const forEachKnown = ({ trail, trailLength, past, pastLength }: Situation, visit: (slot: number) => void): void => {
    const length = Math.min(QUERY_ITEMS, trailLength + pastLength);
    for (let k = 0; k < length; k++) visit(k < trailLength ? trail[k]! : past[k - trailLength]!);
  };

  return {
    name: "background",
    take({ part, rows: given }) {
      if (part === 0) empty();
      for (const [itemId, to, weights] of given) {
        const slot = items.slotOf(itemId);
        if (slot < 0) continue;
        dirty.touch(slot);
        rows.clear(slot);
        for (let i = 0; i < to.length; i++) {
          const other = items.slotOf(to[i]!);
          if (other >= 0) put(slot, items.refOf(other), weights[i]!);
        }
      }
    },
    learn() {},
    score(situation, sheet) {
      let fade = 1;
      forEachKnown(situation, (known) => {
        const length = rows.lengthOf(known);
        const from = length === 0 ? 0 : rows.offsetOf(known);
        const ids = rows.idsOf(known);
        for (let i = from; i < from + length; i++) {
          const slot = items.resolve(ids[i]!);
          if (slot >= 0) addScore(sheet, slot, rows.weightsOf(known)[i]! * fade);
        }
        fade *= QUERY_FADE;
      });
    },
    because(situation, slot) {
      const found: number[] = [];
      const ref = items.refOf(slot);
      forEachKnown(situation, (known) => {
        if (found.length === BECAUSE_MAX || rows.lengthOf(known) === 0) return;
        const from = rows.offsetOf(known);
        if (rows.idsOf(known).subarray(from, from + rows.lengthOf(known)).includes(ref)) found.push(known);
      });
      return found;
    },
    forget(slot) {
      dirty.touch(slot);
      rows.clear(slot);
    },
    tables: [
      slotTable("background", dirty, (slot, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        while (input.left() >= 8) {
          const ref = input.i32();
          put(slot, ref, input.f32());
        }
      }),
    ],
  };
}
