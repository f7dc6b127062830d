// The calibrated blend ("cal", docs/decisions/models.md): how often is the item at this place of this model's list the one
// that comes next? Counted by model, rank bucket, length of the session and whether the item was in it already;
// the models' chances are put together as if independent: 1 − Π(1 − p), the same order as Σ −log(1 − p).
//
// Beyond cal, a second table also looks at the share that the item's score has in its list: a rule that always held
// and one that held once both come first, and mean different things. Where it has seen little, the first one speaks.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { LIST_MAX } from "./config.ts";
import type { CandidateList } from "./candidates.ts";
import { rowReader, rowWriter, type RowReader, type RowWriter } from "./row-bytes.ts";
import { LENGTH_BUCKETS, type Situation } from "./situation.ts";

/** First rank (0-based) of each bucket. */
const BUCKET_STARTS = [0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50];
const RANK_BUCKETS = BUCKET_STARTS.length;
const BUCKET_OF_RANK = (() => {
  const buckets = new Uint8Array(LIST_MAX);
  for (let rank = 0; rank < LIST_MAX; rank++) buckets[rank] = BUCKET_STARTS.findLastIndex((start) => start <= rank);
  return buckets;
})();
/** Least share of each bucket but the last, falling. */
const SHARE_STARTS = [0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.06, 0.04, 0.025, 0.015, 0.007];
const SHARE_BUCKETS = SHARE_STARTS.length + 1;
const TRIALS_MAX = 1 << 20; // Then both counters are halved, so the blend follows a site that changes.
const PRIOR_TRIALS = 50;
const SHARE_PRIOR_TRIALS = 100; // Guess; flat between 50 and 200 (docs/decisions/models.md).
const CHANCE_MAX = 0.98;

export interface Blend {
  /** Counts one step: what the models listed before it, and the item that it revealed. */
  learn(lists: readonly CandidateList[], situation: Situation, target: number, slotEnd: number): void;
  /** Chance that a model's list alone gives to the item at a rank. */
  chance(model: number, list: CandidateList, rank: number, place: { lengthBucket: number; isOwn: boolean }): number;
  /** Between `open` and `close`, lists of one situation are read by `listedChance`, ranks in order. */
  open(situation: Situation, slotEnd: number): void;
  listedChance(model: number, list: CandidateList, rank: number, lengthBucket: number): number;
  close(situation: Situation): void;
  /** Steps learnt from. */
  readonly samples: number;
  readonly tables: readonly WholeTable[];
}

/** Pairs of counters, persisted in one row a model. */
interface Counters {
  readonly hits: Float64Array;
  readonly trials: Float64Array;
}

export function createBlend(modelCount: number): Blend {
  const cellsPerModel = RANK_BUCKETS * LENGTH_BUCKETS * 2;
  const plain = createCounters(modelCount * cellsPerModel);
  const shared = createCounters(modelCount * cellsPerModel * SHARE_BUCKETS);
  /** What `chanceOf` said of a cell and share; NaN until it is asked again. A list asks for hundreds. */
  const said = new Float64Array(modelCount * cellsPerModel * SHARE_BUCKETS).fill(NaN);
  let own = new Uint8Array(1024);
  let samples = 0;

  const dirty = new DirtySlots((model) => {
    const out = rowWriter();
    out.u8(1);
    out.f64(samples);
    writeCounters(out, plain, model * cellsPerModel, cellsPerModel);
    writeCounters(out, shared, model * cellsPerModel * SHARE_BUCKETS, cellsPerModel * SHARE_BUCKETS);
    return out.bytes();
  });

  const cellOf = (model: number, bucket: number, length: number, isOwn: number): number =>
    ((model * LENGTH_BUCKETS + length) * RANK_BUCKETS + bucket) * 2 + isOwn;

  const chanceOf = (cell: number, bucket: number, share: number): number => {
    const at = cell * SHARE_BUCKETS + share;
    const known = said[at]!;
    return known >= 0 ? known : (said[at] = workOut(cell, bucket, at));
  };

  const workOut = (cell: number, bucket: number, at: number): number => {
    // Before anything is learnt: falling with the rank, the same for all models.
    const prior = 0.05 / (1 + BUCKET_STARTS[bucket]!);
    const first = (plain.hits[cell]! + prior * PRIOR_TRIALS) / (plain.trials[cell]! + PRIOR_TRIALS);
    const chance = (shared.hits[at]! + first * SHARE_PRIOR_TRIALS) / (shared.trials[at]! + SHARE_PRIOR_TRIALS);
    return chance > CHANCE_MAX ? CHANCE_MAX : chance;
  };

  const mark = ({ trail, trailLength }: Situation, value: 0 | 1): void => {
    for (let i = 0; i < trailLength; i++) own[trail[i]!] = value;
  };

  const reserve = (slotEnd: number): void => {
    if (own.length < slotEnd) own = new Uint8Array(slotEnd * 2);
  };

  let listSum = 0;
  let lastShare = 0;

  return {
    open(situation, slotEnd) {
      reserve(slotEnd);
      mark(situation, 1);
    },
    listedChance(model, list, rank, lengthBucket) {
      if (rank === 0) {
        listSum = sumOf(list);
        lastShare = 0;
      }
      lastShare = shareBucket(list.scores[rank]! / listSum, lastShare);
      const bucket = BUCKET_OF_RANK[rank]!;
      return chanceOf(cellOf(model, bucket, lengthBucket, own[list.slots[rank]!]!), bucket, lastShare);
    },
    close: (situation) => mark(situation, 0),
    get samples() {
      return samples;
    },
    learn(lists, situation, target, slotEnd) {
      for (let model = 0; model < lists.length; model++) dirty.touch(model);
      samples++;
      reserve(slotEnd);
      mark(situation, 1);
      for (let model = 0; model < lists.length; model++) {
        const list = lists[model]!;
        const { slots, length } = list;
        const all = sumOf(list);
        let share = 0;
        for (let rank = 0; rank < length; rank++) {
          const slot = slots[rank]!;
          share = shareBucket(list.scores[rank]! / all, share);
          const cell = cellOf(model, BUCKET_OF_RANK[rank]!, situation.lengthBucket, own[slot]!);
          said.fill(NaN, cell * SHARE_BUCKETS, (cell + 1) * SHARE_BUCKETS);
          count(plain, cell, slot === target);
          count(shared, cell * SHARE_BUCKETS + share, slot === target);
        }
      }
      mark(situation, 0);
    },
    chance(model, list, rank, { lengthBucket, isOwn }) {
      const bucket = BUCKET_OF_RANK[rank]!;
      const share = shareBucket(list.scores[rank]! / sumOf(list), 0);
      return chanceOf(cellOf(model, bucket, lengthBucket, isOwn ? 1 : 0), bucket, share);
    },
    tables: [
      slotTable("blend", dirty, (model, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        samples = Math.max(samples, input.f64());
        said.fill(NaN, model * cellsPerModel * SHARE_BUCKETS, (model + 1) * cellsPerModel * SHARE_BUCKETS);
        readCounters(input, plain, model * cellsPerModel, cellsPerModel);
        readCounters(input, shared, model * cellsPerModel * SHARE_BUCKETS, cellsPerModel * SHARE_BUCKETS);
      }),
    ],
  };
}

function createCounters(cells: number): Counters {
  return { hits: new Float64Array(cells), trials: new Float64Array(cells) };
}

function count({ hits, trials }: Counters, cell: number, isHit: boolean): void {
  if (trials[cell]! >= TRIALS_MAX) {
    trials[cell] = trials[cell]! / 2;
    hits[cell] = hits[cell]! / 2;
  }
  trials[cell] = trials[cell]! + 1;
  if (isHit) hits[cell] = hits[cell]! + 1;
}

function sumOf({ scores, length }: CandidateList): number {
  let sum = 0;
  for (let rank = 0; rank < length; rank++) sum += scores[rank]!;
  return sum;
}

/** Shares fall along a list, so the search goes on from the bucket of the rank before. */
function shareBucket(share: number, from: number): number {
  let bucket = from;
  while (bucket < SHARE_STARTS.length && share < SHARE_STARTS[bucket]!) bucket++;
  return bucket;
}

/** Counters that are zero, most of them, take one byte each. */
function writeCounters(out: RowWriter, { hits, trials }: Counters, from: number, count: number): void {
  for (let cell = from; cell < from + count; cell++) {
    const isUsed = trials[cell]! > 0;
    out.u8(isUsed ? 1 : 0);
    if (!isUsed) continue;
    out.f64(hits[cell]!);
    out.f64(trials[cell]!);
  }
}

function readCounters(input: RowReader, { hits, trials }: Counters, from: number, count: number): void {
  for (let cell = from; cell < from + count && input.left() > 0; cell++) {
    if (input.u8() === 0) continue;
    hits[cell] = input.f64();
    trials[cell] = input.f64();
  }
}
