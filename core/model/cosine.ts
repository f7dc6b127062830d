// Item-to-item cosine: how often two items share a session's window, over how often each is seen at all. Decayed.
import { powerOfTwo } from "../math/exp2.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore, createCandidateList, type CandidateList } from "./candidates.ts";
import type { DecayInstant } from "./decay.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import type { ScoringModel } from "./model.ts";
import { createNeighbourRows, NEIGHBOURS_MAX } from "./neighbour-rows.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

const WINDOW = 6; // 3 are cheaper, 10 better on long trails (docs/decisions/models.md).
const QUERY_ITEMS = 5;
const QUERY_FADE = 0.6;

export interface Cosine extends ScoringModel {
  /** One item's neighbours and their cosines, 0–1, in no order; `into` has room for NEIGHBOURS_MAX. */
  neighbours(slot: number, nowMs: number, into: CandidateList): void;
}

export function createCosine(items: ItemIndex, clock: DecayClock, options: { readonly rowMax: number }): Cosine {
  const rows = createNeighbourRows(items, options);
  /** Of each item how often it was seen, as of an epoch, and that epoch: side by side, as they are always read together. */
  let counts = new Float64Array(1024 * 2);
  const near = createCandidateList(NEIGHBOURS_MAX);

  const reserve = (slot: number): void => {
    if (2 * slot < counts.length) return;
    const grown = new Float64Array(Math.max(2 * (slot + 1), counts.length * 2));
    grown.set(counts);
    counts = grown;
  };

  const count = (slot: number, weight: number, { epoch, fraction }: DecayInstant): void => {
    reserve(slot);
    const at = 2 * slot;
    if (epoch > counts[at + 1]!) {
      counts[at] = counts[at]! * powerOfTwo(counts[at + 1]! - epoch);
      counts[at + 1] = epoch;
    }
    counts[at] = counts[at]! + weight * fraction * powerOfTwo(epoch - counts[at + 1]!);
  };

  const encode = (slot: number): Uint8Array | null => {
    if (2 * slot >= counts.length || counts[2 * slot] === 0) return null;
    const out = rowWriter();
    out.u8(1);
    out.f64(counts[2 * slot]!);
    out.i32(counts[2 * slot + 1]!);
    if (rows.arena.lengthOf(slot) > 0) rows.write(slot, out);
    return out.bytes();
  };
  const dirty = new DirtySlots(encode);

  /** 1 / √count at the instant's epoch, short of the fraction. */
  const normOf = (slot: number, epoch: number): number => {
    const now = counts[2 * slot]! * powerOfTwo(counts[2 * slot + 1]! - epoch);
    return now > 0 ? 1 / Math.sqrt(now) : 0;
  };

  const neighbours = (row: number, nowMs: number, into: CandidateList): void => {
    into.length = 0;
    if (rows.arena.lengthOf(row) === 0) return;
    const instant = clock.at(nowMs);
    rows.read(row, rows.scaleOf(row, instant) * normOf(row, instant.epoch), into);
    const { slots, scores, length } = into;
    for (let i = 0; i < length; i++) scores[i] = scores[i]! * normOf(slots[i]!, instant.epoch);
  };

  return {
    name: "cosine",
    neighbours,
    learn(reveal, { trail, trailLength }) {
      if (reveal.isRepeat) return;
      const instant = clock.at(reveal.timeMs);
      dirty.touch(reveal.slot);
      // The root keeps the cosine of two items that are always bought together near 1.
      const worth = Math.sqrt(reveal.weight);
      count(reveal.slot, worth, instant);
      for (let k = 0; k < trailLength && k < WINDOW; k++) {
        const other = trail[k]!;
        dirty.touch(other);
        rows.add(other, reveal.ref, worth, instant);
        rows.add(reveal.slot, items.refOf(other), worth, instant);
      }
    },
    turnAway(reveal, { trail, trailLength }) {
      const instant = clock.at(reveal.timeMs);
      const worth = Math.sqrt(reveal.weight);
      for (let k = 0; k < trailLength && k < WINDOW; k++) {
        const other = trail[k]!;
        if (other === reveal.slot) continue;
        dirty.touch(other);
        dirty.touch(reveal.slot);
        rows.lower(other, reveal.ref, worth, instant);
        rows.lower(reveal.slot, items.refOf(other), worth, instant);
      }
    },
    score({ context, contextLength, nowMs }, sheet) {
      let fade = 1;
      for (let k = 0; k < contextLength && k < QUERY_ITEMS; k++, fade *= QUERY_FADE) {
        neighbours(context[k]!, nowMs, near);
        for (let i = 0; i < near.length; i++) {
          if (near.scores[i]! > 0) addScore(sheet, near.slots[i]!, near.scores[i]! * fade);
        }
      }
    },
    because: ({ context, contextLength }, slot) =>
      rows.because(context.subarray(0, Math.min(contextLength, QUERY_ITEMS)), items.refOf(slot)),
    forget(slot) {
      dirty.touch(slot);
      rows.clear(slot);
      if (2 * slot < counts.length) counts[2 * slot] = 0;
    },
    tables: [
      slotTable("cosine", dirty, (slot, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        reserve(slot);
        counts[2 * slot] = input.f64();
        counts[2 * slot + 1] = input.i32();
        if (input.left() > 0) rows.load(slot, bytes.subarray(13));
      }),
    ],
  };
}
