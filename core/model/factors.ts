// Online matrix factorisation of implicit feedback by stochastic gradient descent: what a visitor does next is the product
// of a vector of his latest items and one of the item (FISM, Kabbur et al., KDD 2013: a person is the mean of what he
// touched, so nobody's vector is kept and whoever is new has one at once). Each step pulls the item that came towards
// the visitor and pushes a few others away (logistic loss, Mikolov et al. 2013), with an L2 penalty on what moves.
//
// The product is known for any item, so it is a feature of all candidates. As a list it looks at the popular and at the
// newest item's neighbours.
import { exp2 } from "../math/exp2.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore, createCandidateList, type ScoreSheet } from "./candidates.ts";
import type { Crowd, Neighbours } from "./crowd.ts";
import type { ItemIndex } from "./item-index.ts";
import type { Reveal, ScoringModel } from "./model.ts";
import { NEIGHBOURS_MAX } from "./neighbour-rows.ts";
import type { Popularity } from "./popularity.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import type { Situation } from "./situation.ts";

const D = 16;
const ROW = 2 * D; // What an item says of its visitor, then what it wants of him.
const PAGE_BITS = 11;
const PAGE_ITEMS = 1 << PAGE_BITS;
const CONTEXT_ITEMS = 3;
const CONTEXT_FADE = 0.6;
const POPULAR = 50; // Looked at for a list, beside the neighbours of the newest item.
const OTHERS = 4; // Per step, every second one from the popular.
const RATE = 0.1;
const PENALTY = 0.002;
const WEIGHT_MAX = 3; // Of one event, in steps.
const START = 0.3; // Largest first coordinate.
const LOG2_E = 1.4426950408889634;
const HASH = 0x9e3779b1;

export interface Factors extends ScoringModel {
  /** Sets the visitor for `affinity`. */
  meet(situation: Situation): void;
  /** Log odds of the item for the visitor that was met; 0 where one of them is unknown, or too few had to do with both. */
  affinity(slot: number): number;
}

export interface FactorSources {
  readonly items: ItemIndex;
  readonly popularity: Popularity;
  readonly cosine: Neighbours;
  readonly crowd: Pick<Crowd, "isPublicPair">;
}

export function createFactors({ items, popularity, cosine, crowd }: FactorSources): Factors {
  const pages: (Float32Array | undefined)[] = [];
  const isKnown: (Uint8Array | undefined)[] = [];
  const visitor = new Float64Array(D);
  const pull = new Float64Array(D);
  const near = createCandidateList(NEIGHBOURS_MAX);
  let draws = 0;
  let met: Situation | undefined;

  const dirty = new DirtySlots((slot) => {
    if (!knows(slot)) return null;
    const out = rowWriter();
    out.u8(1);
    const page = pages[slot >> PAGE_BITS]!;
    const from = offsetOf(slot);
    for (let j = from; j < from + ROW; j++) out.f32(page[j]!);
    return out.bytes();
  });
  const dirtyDraws = new DirtySlots(() => {
    const out = rowWriter();
    out.u8(1);
    out.f64(draws);
    return out.bytes();
  });

  const offsetOf = (slot: number): number => (slot & (PAGE_ITEMS - 1)) * ROW;
  const knows = (slot: number): boolean => isKnown[slot >> PAGE_BITS]?.[slot & (PAGE_ITEMS - 1)] === 1;

  const reserve = (slot: number): Float32Array => {
    const at = slot >> PAGE_BITS;
    while (pages.length <= at) {
      pages.push(undefined);
      isKnown.push(undefined);
    }
    isKnown[at] ??= new Uint8Array(PAGE_ITEMS);
    return (pages[at] ??= new Float32Array(PAGE_ITEMS * ROW));
  };

  /** The item's page, its vectors begun where it is new. */
  const begin = (slot: number): Float32Array => {
    const page = reserve(slot);
    dirty.touch(slot);
    if (knows(slot)) return page;
    isKnown[slot >> PAGE_BITS]![slot & (PAGE_ITEMS - 1)] = 1;
    let lot = Math.imul(items.refOf(slot) + 1, HASH);
    for (let j = 0, at = offsetOf(slot); j < D; j++, at++) {
      lot = Math.imul(lot ^ (lot >>> 15), HASH) + j;
      page[at] = ((lot >>> 8) / 16_777_216 - 0.5) * 2 * START;
      page[at + D] = 0;
    }
    return page;
  };

  /** The weighed mean of the latest items; false where there is none. */
  const gather = ({ context, contextLength }: Situation): number => {
    visitor.fill(0);
    let all = 0;
    for (let k = 0, worth = 1; k < contextLength && k < CONTEXT_ITEMS; k++, worth *= CONTEXT_FADE) {
      const slot = context[k]!;
      if (!knows(slot)) continue;
      const page = pages[slot >> PAGE_BITS]!;
      for (let j = 0, at = offsetOf(slot); j < D; j++) visitor[j] = visitor[j]! + worth * page[at++]!;
      all += worth;
    }
    if (all > 0) for (let j = 0; j < D; j++) visitor[j] = visitor[j]! / all;
    return all;
  };

  const product = (slot: number): number => {
    const page = pages[slot >> PAGE_BITS]!;
    let sum = 0;
    for (let j = 0, at = offsetOf(slot) + D; j < D; j++) sum += visitor[j]! * page[at++]!;
    return sum;
  };

  /** The vector of an item that few had to do with is where those few went on to, so each item is held to its pairs. */
  const mayTell = ({ context, contextLength, nowMs }: Situation, slot: number): boolean => {
    for (let k = 0; k < contextLength && k < CONTEXT_ITEMS; k++) if (crowd.isPublicPair(context[k]!, slot, nowMs)) return true;
    return false;
  };

  const lookAt = (slots: ArrayLike<number>, count: number, sheet: ScoreSheet): void => {
    for (let i = 0; i < count; i++) if (sheet.scores[slots[i]!] === 0 && knows(slots[i]!)) addScore(sheet, slots[i]!, 1);
  };

  /** Moves the item's vector towards the visitor or away, and gathers where the visitor's items shall move. */
  const step = (slot: number, isNext: boolean, weight: number): void => {
    const page = begin(slot);
    const chance = 1 / (1 + exp2(-product(slot) * LOG2_E));
    const slope = RATE * weight * ((isNext ? 1 : 0) - chance);
    for (let j = 0, at = offsetOf(slot) + D; j < D; j++, at++) {
      const own = page[at]!;
      pull[j] = pull[j]! + slope * own;
      page[at] = own + slope * visitor[j]! - RATE * PENALTY * own;
    }
  };

  const anyItem = (next: number): number => {
    const lot = Math.imul(++draws, HASH) >>> 0;
    const count = popularity.popularCount;
    const slot = (draws & 1) === 0 && count > 0 ? popularity.popular()[(lot >>> 4) % count]! : (lot >>> 4) % items.slotEnd;
    return slot === next || !items.isUsed(slot) ? -1 : slot;
  };

  return {
    name: "factors",
    learn(reveal: Reveal, situation) {
      const { context, contextLength } = situation;
      if (contextLength === 0) return;
      for (let k = 0; k < contextLength && k < CONTEXT_ITEMS; k++) begin(context[k]!);
      const all = gather(situation);
      pull.fill(0);
      dirtyDraws.touch(0);
      step(reveal.slot, true, Math.min(reveal.weight, WEIGHT_MAX));
      for (let i = 0; i < OTHERS; i++) {
        const other = anyItem(reveal.slot);
        if (other >= 0) step(other, false, 1);
      }
      for (let k = 0, worth = 1 / all; k < contextLength && k < CONTEXT_ITEMS; k++, worth *= CONTEXT_FADE) {
        const page = pages[context[k]! >> PAGE_BITS]!;
        for (let j = 0, at = offsetOf(context[k]!); j < D; j++, at++) {
          const own = page[at]!;
          page[at] = own + pull[j]! * worth - RATE * PENALTY * own;
        }
      }
    },
    turnAway(reveal, situation) {
      if (gather(situation) === 0 || !knows(reveal.slot)) return;
      pull.fill(0);
      step(reveal.slot, false, Math.min(reveal.weight, WEIGHT_MAX));
    },
    meet(situation) {
      met = gather(situation) === 0 ? undefined : situation;
    },
    affinity: (slot) => (met !== undefined && knows(slot) && mayTell(met, slot) ? product(slot) : 0),
    score(situation, sheet) {
      if (gather(situation) === 0) return;
      lookAt(popularity.popular(), Math.min(popularity.popularCount, POPULAR), sheet);
      cosine.neighbours(situation.context[0]!, situation.nowMs, near);
      lookAt(near.slots, near.length, sheet);
      for (let i = 0; i < sheet.count; i++) {
        const slot = sheet.touched[i]!;
        sheet.scores[slot] = product(slot) * LOG2_E;
      }
      for (let i = 0; i < sheet.count; i++) {
        const slot = sheet.touched[i]!;
        sheet.scores[slot] = mayTell(situation, slot) ? exp2(sheet.scores[slot]!) : 0;
      }
    },
    because: () => [],
    forget(slot) {
      if (!knows(slot)) return;
      dirty.touch(slot);
      isKnown[slot >> PAGE_BITS]![slot & (PAGE_ITEMS - 1)] = 0;
    },
    tables: [
      slotTable("factors", dirty, (slot, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        const page = reserve(slot);
        isKnown[slot >> PAGE_BITS]![slot & (PAGE_ITEMS - 1)] = 1;
        const from = offsetOf(slot);
        for (let j = from; j < from + ROW; j++) page[j] = input.f32();
      }),
      slotTable("factor_draws", dirtyDraws, (_row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        draws = input.f64();
      }),
    ],
  };
}
