// Sequential rules (Ludewig & Jannach 2018, "SR"): what came k steps later counts 1/k.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore } from "./candidates.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import { BECAUSE_MAX, type Model } from "./model.ts";
import { createNeighbourRows } from "./neighbour-rows.ts";
import { rowWriter } from "./row-bytes.ts";

const STEPS_BACK_MAX = 6; // 10 are dearer, and better on long trails alone (docs/decisions/models.md).
const QUERY_ITEMS = 3;
const QUERY_FADE = 0.5;

export function createRules(items: ItemIndex, clock: DecayClock, options: { readonly rowMax: number }): Model {
  const rows = createNeighbourRows(items, options);
  const dirty = new DirtySlots((slot) => {
    if (rows.arena.lengthOf(slot) === 0) return null;
    const out = rowWriter();
    rows.write(slot, out);
    return out.bytes();
  });
  return {
    name: "rules",
    learn(reveal, { trail, trailLength }) {
      const instant = clock.at(reveal.timeMs);
      for (let k = 0; k < trailLength && k < STEPS_BACK_MAX; k++) {
        const from = trail[k]!;
        if (from === reveal.slot) continue;
        dirty.touch(from);
        rows.add(from, reveal.ref, 1 / (k + 1), instant);
      }
    },
    score({ context, contextLength, nowMs }, sheet) {
      const instant = clock.at(nowMs);
      let fade = 1;
      for (let k = 0; k < contextLength && k < QUERY_ITEMS; k++, fade *= QUERY_FADE) {
        const row = context[k]!;
        const length = rows.arena.lengthOf(row);
        if (length === 0) continue;
        const ids = rows.arena.idsOf(row);
        const weights = rows.arena.weightsOf(row);
        const scale = fade * rows.scaleOf(row, instant);
        for (let i = rows.arena.offsetOf(row), to = i + length; i < to; i++) {
          const slot = items.resolve(ids[i]!);
          if (slot >= 0) addScore(sheet, slot, weights[i]! * scale);
        }
      }
    },
    because({ context, contextLength }, slot) {
      const found: number[] = [];
      const ref = items.refOf(slot);
      for (let k = 0; k < contextLength && k < QUERY_ITEMS && found.length < BECAUSE_MAX; k++) {
        const from = rows.arena.offsetOf(context[k]!);
        const length = rows.arena.lengthOf(context[k]!);
        if (rows.arena.idsOf(context[k]!).subarray(from, from + length).includes(ref)) found.push(context[k]!);
      }
      return found;
    },
    forget(slot) {
      dirty.touch(slot);
      rows.clear(slot);
    },
    tables: [slotTable("rules", dirty, (slot, bytes) => rows.load(slot, bytes))],
  };
}
