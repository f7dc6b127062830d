// Which ranker serves: each is judged on steps that it had not learnt when it ranked them, by session length, lately.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { LENGTH_BUCKETS } from "./situation.ts";

export const MIX = 0;
export const CAL = 1;
/** Rankers from here on are the models alone, in their order. */
export const FIRST_MODEL = 2;

const LATELY = 2_000; // Steps of one session length over which a judgement fades to 1/e.
const JUDGED_MIN = 200; // Until then the calibrated blend serves, which counts only.
const LEAD_MIN = 1.005; // A single model must lead by a little: the same steps judge all, so chance moves them together.
const TOP = 20;
const REPEATS = LENGTH_BUCKETS; // The row beyond the lengths.

/** NDCG@20 of one target by how many candidates come before it. */
const GAINS = (() => {
  const gains = [1, 0.6309297535714574, 0.5, 0.43067655807339306, 0.38685280723454163, 0.3562071871080222, 0.3333333333333333];
  gains.push(0.31546487678572877, 0.30102999566398114, 0.289064826317888, 0.2789429456511298, 0.27023815442731974);
  gains.push(0.26264953503719357, 0.2559580248098155, 0.25, 0.24465054211822604, 0.23981246656813146, 0.2354089133666382);
  gains.push(0.23137821315975915, 0.22767024869695302);
  return gains;
})();

export interface Judge {
  /** One step: for each ranker how many candidates it put before the item that came; TOP or more is a miss. */
  record(step: { lengthBucket: number; ahead: ArrayLike<number>; isRepeat: boolean }): void;
  /** Share of the steps lately that went back to an item of the session or of the past, 0–1. */
  readonly repeatShare: number;
  /** The ranker that serves sessions of this length. */
  chosen(lengthBucket: number): number;
  /** Mean gain of each ranker lately, 0–1. */
  gains(lengthBucket: number): number[];
  readonly tables: readonly WholeTable[];
}

export function createJudge(modelCount: number): Judge {
  const width = FIRST_MODEL + modelCount;
  const means = new Float64Array(LENGTH_BUCKETS * width);
  const judged = new Float64Array(LENGTH_BUCKETS);

  let repeatShare = 0.5;

  const dirty = new DirtySlots((row) => {
    const out = rowWriter();
    out.u8(1);
    if (row === REPEATS) {
      out.f64(repeatShare);
      return out.bytes();
    }
    out.f64(judged[row]!);
    for (let r = 0; r < width; r++) out.f64(means[row * width + r]!);
    return out.bytes();
  });

  return {
    get repeatShare() {
      return repeatShare;
    },
    record({ lengthBucket, ahead, isRepeat }) {
      dirty.touch(lengthBucket);
      dirty.touch(REPEATS);
      repeatShare += ((isRepeat ? 1 : 0) - repeatShare) / LATELY;
      const steps = (judged[lengthBucket] = judged[lengthBucket]! + 1);
      const share = 1 / Math.min(steps, LATELY);
      for (let r = 0, at = lengthBucket * width; r < width; r++, at++) {
        const gain = ahead[r]! < TOP ? GAINS[ahead[r]!]! : 0;
        means[at] = means[at]! + (gain - means[at]!) * share;
      }
    },
    chosen(lengthBucket) {
      if (judged[lengthBucket]! < JUDGED_MIN) return CAL;
      const from = lengthBucket * width;
      let best = means[from + MIX]! >= means[from + CAL]! ? MIX : CAL;
      let most = means[from + best]! * LEAD_MIN;
      for (let r = FIRST_MODEL; r < width; r++) {
        if (means[from + r]! <= most) continue;
        best = r;
        most = means[from + r]!;
      }
      return best;
    },
    gains: (lengthBucket) => [...means.subarray(lengthBucket * width, (lengthBucket + 1) * width)],
    tables: [
      slotTable("judge", dirty, (row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        if (row === REPEATS) {
          repeatShare = input.f64();
          return;
        }
        judged[row] = input.f64();
        for (let r = 0; r < width && input.left() >= 8; r++) means[row * width + r] = input.f64();
      }),
    ],
  };
}
