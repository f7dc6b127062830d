// Session kNN in the manner of VSTAN (Ludewig, Mauro, Latifi, Jannach 2021): sessions that share items with this one,
// weighed by where the shared items stand and by age, propose the rest of their items.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { createRowArena } from "./arena.ts";
import { log2 } from "../math/exp2.ts";
import { addScore } from "./candidates.ts";
import { decayOf } from "./decay.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import { BECAUSE_MAX, type Model } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import type { SessionStore } from "./sessions.ts";
import type { Situation } from "./situation.ts";
import { TRAIL_MAX } from "./config.ts";

const POSTING_SIZES = [8, 32, 128, 200, 1000];
const QUERY_ITEMS = 10;
const FOUND_MAX = 8192; // Hash of sessions found: QUERY_ITEMS × 200 postings leave it half empty.
const POSITION_FADE = 0.7788007830714049; // exp(−1/4), as a literal: Math.exp may differ in the last bit.

const FADES = (() => {
  const fades = new Float64Array(TRAIL_MAX + 1);
  fades[0] = 1;
  for (let i = 1; i <= TRAIL_MAX; i++) fades[i] = fades[i - 1]! * POSITION_FADE;
  return fades;
})();

// Chosen on held-out training sessions of yoochoose_64 and another stretch of globo_news (docs/decisions/models.md).
const RARITY_BASE = 4; // An item's sessions count 1 / log2(base + their number): a rare item says more.
const WITHOUT_NEWEST = 0.5; // What is left of a session that does not hold the newest item.
const BEFORE = 0.4; // Of an item that stands before what both sessions share, not after it.

/** Read at every use: a program may change them. */
export interface KnnOptions {
  readonly neighbours: number;
  readonly sessionsPerItem: number;
  readonly sessionTtlMs: number;
  /** How much a session is trusted, 0–1. */
  readonly trustOf?: (number: number) => number;
}

export function createKnn(items: ItemIndex, sessions: SessionStore, clock: DecayClock, options: KnnOptions): Model {
  // A posting row is a ring: `heads` is the place of the oldest once it is full.
  const postings = createRowArena({ classes: POSTING_SIZES, weighted: false });
  let heads = new Uint16Array(1024);

  const foundNumber = new Int32Array(FOUND_MAX).fill(-1);
  const foundScore = new Float64Array(FOUND_MAX);
  const foundMatch = new Uint8Array(FOUND_MAX); // Place in the trail of the newest shared item.
  const foundPlaces = new Int32Array(FOUND_MAX);
  const bestPlaces = new Int32Array(512);

  const dirty = new DirtySlots((slot) => {
    const length = postings.lengthOf(slot);
    if (length === 0) return null;
    const from = postings.offsetOf(slot);
    const ids = postings.idsOf(slot);
    const out = rowWriter();
    out.u8(1);
    out.i32(heads[slot]!);
    out.i32s(ids, from, from + length);
    return out.bytes();
  });

  const reserve = (slot: number): void => {
    if (slot < heads.length) return;
    const grown = new Uint16Array(Math.max(slot + 1, heads.length * 2));
    grown.set(heads);
    heads = grown;
  };

  const isPosted = (slot: number, number: number): boolean => {
    const from = postings.offsetOf(slot);
    const ids = postings.idsOf(slot);
    for (let i = from, end = from + postings.lengthOf(slot); i < end; i++) if (ids[i] === number) return true;
    return false;
  };

  /** Once: an item that left the session and came back would push other sessions out, and count twice. */
  const post = (slot: number, number: number): void => {
    reserve(slot);
    if (isPosted(slot, number)) return;
    dirty.touch(slot);
    const length = postings.lengthOf(slot);
    if (length < options.sessionsPerItem && postings.makeRoom(slot)) {
      if (length === 0) heads[slot] = 0;
      postings.idsOf(slot)[postings.offsetOf(slot) + length] = number;
      postings.setLength(slot, length + 1);
    } else {
      postings.idsOf(slot)[postings.offsetOf(slot) + heads[slot]!] = number;
      heads[slot] = heads[slot]! + 1 === length ? 0 : heads[slot]! + 1;
    }
  };

  const find = (situation: Situation, from: number, to: number): number => {
    const { context, sessionNumber, nowMs } = situation;
    let found = 0;
    for (let k = from; k < to; k++) {
      const slot = context[k]!;
      const length = postings.lengthOf(slot);
      if (length === 0) continue;
      const ids = postings.idsOf(slot);
      const worth = FADES[k]! / log2(RARITY_BASE + length);
      for (let i = postings.offsetOf(slot), end = i + length; i < end; i++) {
        const number = ids[i]!;
        if (number === sessionNumber || !sessions.holds(number)) continue;
        let at = Math.imul(number, 0x9e3779b1) >>> 19;
        while (foundNumber[at] !== -1 && foundNumber[at] !== number) at = (at + 1) & (FOUND_MAX - 1);
        if (foundNumber[at] === -1) {
          if (found >= FOUND_MAX - 1024) continue;
          foundNumber[at] = number;
          foundScore[at] = worth;
          foundMatch[at] = k;
          foundPlaces[found++] = at;
        } else {
          foundScore[at] = foundScore[at]! + worth;
        }
      }
    }
    for (let i = 0; i < found; i++) {
      const at = foundPlaces[i]!;
      const number = foundNumber[at]!;
      const ageMs = nowMs - sessions.lastMsOf(number);
      const recency = ageMs > options.sessionTtlMs ? 0 : decayOf(ageMs, clock.halfLifeMs);
      const newest = foundMatch[at] === 0 ? 1 : WITHOUT_NEWEST;
      foundScore[at] = foundScore[at]! * recency * newest * (options.trustOf === undefined ? 1 : options.trustOf(number));
    }
    return found;
  };

  const wipe = (found: number): void => {
    for (let i = 0; i < found; i++) foundNumber[foundPlaces[i]!] = -1;
  };

  /** Places of the best `neighbours`, unordered; equal scores prefer the newer session. */
  const select = (found: number): number => {
    const isWorse = (a: number, b: number): boolean =>
      foundScore[a]! < foundScore[b]! || (foundScore[a] === foundScore[b] && foundNumber[a]! < foundNumber[b]!);
    const kept = Math.min(found, options.neighbours);
    const sift = (from: number): void => {
      const place = bestPlaces[from]!;
      let at = from;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= kept) break;
        if (child + 1 < kept && isWorse(bestPlaces[child + 1]!, bestPlaces[child]!)) child++;
        if (!isWorse(bestPlaces[child]!, place)) break;
        bestPlaces[at] = bestPlaces[child]!;
        at = child;
      }
      bestPlaces[at] = place;
    };
    for (let i = 0; i < kept; i++) bestPlaces[i] = foundPlaces[i]!;
    if (found > kept) {
      for (let at = (kept >> 1) - 1; at >= 0; at--) sift(at);
      for (let i = kept; i < found; i++) {
        const place = foundPlaces[i]!;
        if (isWorse(place, bestPlaces[0]!)) continue;
        bestPlaces[0] = place;
        sift(0);
      }
    }
    return kept;
  };

  return {
    name: "knn",
    learn(reveal, { trail, trailLength }) {
      if (reveal.isRepeat || reveal.sessionNumber < 0) return;
      // A session of one item proposes nothing: its first item is posted when the second comes.
      if (trailLength === 0) return;
      if (trailLength === 1) post(trail[0]!, reveal.sessionNumber);
      post(reveal.slot, reveal.sessionNumber);
    },
    score(situation, sheet) {
      const { context, contextLength } = situation;
      const found = find(situation, 0, Math.min(contextLength, QUERY_ITEMS));
      const kept = select(found);
      for (let i = 0; i < kept; i++) {
        const at = bestPlaces[i]!;
        const similarity = foundScore[at]!;
        if (!(similarity > 0)) continue;
        const number = foundNumber[at]!;
        const rows = sessions.itemsOf(number);
        const from = sessions.offsetOf(number);
        const length = sessions.lengthOf(number);
        const match = items.refOf(context[foundMatch[at]!]!);
        let matchAt = length - 1;
        while (matchAt >= 0 && rows[from + matchAt] !== match) matchAt--;
        for (let j = 0; j < length; j++) {
          const slot = items.resolve(rows[from + j]!);
          if (slot < 0) continue;
          const distance = matchAt < 0 ? length : j > matchAt ? j - matchAt - 1 : matchAt - j;
          addScore(sheet, slot, similarity * FADES[distance]! * (j > matchAt ? 1 : BEFORE));
        }
      }
      wipe(found);
    },
    because(situation, slot) {
      const { context, contextLength } = situation;
      const asked = context.subarray(0, Math.min(contextLength, QUERY_ITEMS));
      const ref = items.refOf(slot);
      const found = find(situation, 0, asked.length);
      const speaking = new Set<number>();
      for (const at of bestPlaces.subarray(0, select(found))) {
        const number = foundNumber[at]!;
        const from = sessions.offsetOf(number);
        const itsItems = sessions.itemsOf(number).subarray(from, from + sessions.lengthOf(number));
        if (foundScore[at]! > 0 && itsItems.includes(ref)) speaking.add(number);
      }
      wipe(found);
      const led = (own: number): boolean => {
        const from = postings.offsetOf(own);
        return postings.idsOf(own).subarray(from, from + postings.lengthOf(own)).some((number) => speaking.has(number));
      };
      return Array.from(asked).filter((own) => postings.lengthOf(own) > 0 && led(own)).slice(0, BECAUSE_MAX);
    },
    forget(slot) {
      dirty.touch(slot);
      postings.clear(slot);
    },
    tables: [
      slotTable("postings", dirty, (slot, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        reserve(slot);
        heads[slot] = input.i32();
        while (input.left() >= 4) {
          const number = input.i32();
          if (!postings.makeRoom(slot)) break;
          const length = postings.lengthOf(slot);
          postings.idsOf(slot)[postings.offsetOf(slot) + length] = number;
          postings.setLength(slot, length + 1);
        }
      }),
    ],
  };
}
