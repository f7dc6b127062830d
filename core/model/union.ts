// The union of all models' candidates as the ranker sees it: one row of features a candidate.
import { roughLog2 } from "../math/rough-log2.ts";
import type { Blend } from "./blend.ts";
import type { CandidateList } from "./candidates.ts";
import { LIST_MAX } from "./config.ts";
import type { Content } from "./content.ts";
import type { ItemIndex } from "./item-index.ts";
import type { Popularity } from "./popularity.ts";
import type { Situation } from "./situation.ts";

/** Of each model: log chance by the calibrated blend, share of its best score, 1 / rank, log share. 0 where not listed. */
export const PER_MODEL = 4;
/** Of the candidate itself, in the order in which `describe` writes them. */
export const GENERAL = 16;

export interface Union {
  /** Features of one candidate. */
  readonly width: number;
  count: number;
  /** Candidate → slot. */
  readonly slots: Int32Array;
  /** The calibrated blend's chance of each candidate. */
  readonly cal: Float64Array;
  /** `count` rows of `width`. */
  readonly features: Float64Array;
  /** 1 for what the session or the past of the visitor holds. */
  readonly isOwn: Uint8Array;
  /** Slot → candidate; good for slots of the union only. */
  places: Int32Array;
  fill(lists: readonly CandidateList[], situation: Situation): void;
  /** Place of a slot, -1 where no model proposed it. */
  find(slot: number): number;
}

export interface UnionSources {
  readonly blend: Blend;
  readonly items: ItemIndex;
  readonly popularity: Popularity;
  readonly trend: Popularity;
  readonly trendSpeed: number;
  readonly content: Content;
}

const CHANCE_SCALE = 4096; // Chances below 1 / 4096 are as good as none.
const CHANCE_MIN = 1 / 65_536;
const LOG_SHARE_MIN = -10;
const SHARE_MIN = 1 / 1_048_576;
const LN_2 = 0.6931471805599453;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export function createUnion(modelCount: number, sources: UnionSources): Union {
  const { blend, items, popularity, trend, trendSpeed, content } = sources;
  const max = modelCount * LIST_MAX;
  const width = modelCount * PER_MODEL + GENERAL;
  const general = modelCount * PER_MODEL;
  const slots = new Int32Array(max);
  const cal = new Float64Array(max);
  const features = new Float64Array(max * width);
  const listedBy = new Uint8Array(max);
  const isOwn = new Uint8Array(max);

  const add = (lists: readonly CandidateList[], situation: Situation): number => {
    const { places } = union;
    let count = 0;
    for (let m = 0; m < modelCount; m++) {
      const list = lists[m]!;
      const { scores, length } = list;
      if (length === 0) continue;
      const best = 1 / scores[0]!;
      for (let rank = 0; rank < length; rank++) {
        const slot = list.slots[rank]!;
        let at = places[slot]!;
        if (at >= count || slots[at] !== slot) {
          at = count++;
          places[slot] = at;
          slots[at] = slot;
          cal[at] = 1;
          listedBy[at] = 0;
          features.fill(0, at * width, (at + 1) * width);
        }
        const chance = blend.listedChance(m, list, rank, situation.lengthBucket);
        cal[at] = cal[at]! * (1 - chance);
        listedBy[at] = listedBy[at]! + 1;
        const share = scores[rank]! * best;
        const x = at * width + m * PER_MODEL;
        features[x] = chance * CHANCE_SCALE > 1 ? roughLog2(chance * CHANCE_SCALE) * 0.1 : 0;
        features[x + 1] = share;
        features[x + 2] = 1 / (1 + rank);
        features[x + 3] = 1 + 0.1 * Math.max(LOG_SHARE_MIN, roughLog2(Math.max(share, SHARE_MIN)));
      }
    }
    return count;
  };

  const describe = (slot: number, i: number, situation: Situation): void => {
    const { trail, trailLength, visits, past, pastLength, nowMs } = situation;
    const x = i * width + general;
    isOwn[i] = 0;
    const steady = popularity.countAt(slot, nowMs);
    const fast = trend.countAt(slot, nowMs);
    const age = nowMs - (items.listedAt(slot) || items.firstSeenAt(slot));
    const idle = nowMs - items.lastSeenAt(slot);
    features[x] = roughLog2(Math.max(CHANCE_MIN, cal[i]!) * CHANCE_SCALE) * LN_2;
    features[x + 1] = roughLog2(1 + steady) * 0.1;
    features[x + 2] = roughLog2(1 + fast) * 0.1;
    features[x + 3] = roughLog2((fast * trendSpeed + 1) / (steady + 1)) * 0.2;
    features[x + 4] = age > 0 ? roughLog2(1 + age / HOUR_MS) * 0.1 : 0;
    features[x + 5] = idle > 0 ? roughLog2(1 + idle / MINUTE_MS) * 0.1 : 0;
    features[x + 6] = listedBy[i]! / modelCount;
    features[x + 7] = content.interest(slot);
    features[x + 8] = content.sameAsLast(slot);
    for (let k = 0; k < trailLength; k++) {
      if (trail[k] !== slot) continue;
      features[x + 9 + Math.min(k, 2)] = 1;
      isOwn[i] = 1;
      features[x + 12] = 1 / (1 + k);
      features[x + 13] = visits[k]! > 1 ? 1 : 0;
      return;
    }
    for (let k = 0; k < pastLength; k++) {
      if (past[k] !== slot) continue;
      isOwn[i] = 1;
      features[x + 14] = 1;
      features[x + 15] = 1 / (1 + k);
      return;
    }
  };

  const union: Union = {
    width,
    count: 0,
    slots,
    cal,
    features,
    isOwn,
    places: new Int32Array(1024),
    fill(lists, situation) {
      if (union.places.length < items.slotEnd) union.places = new Int32Array(items.slotEnd * 2);
      blend.open(situation, items.slotEnd);
      const count = add(lists, situation);
      blend.close(situation);
      content.compare(situation);
      for (let i = 0; i < count; i++) {
        cal[i] = 1 - cal[i]!;
        describe(slots[i]!, i, situation);
      }
      union.count = count;
    },
    find(slot) {
      const at = slot < 0 ? 0 : union.places[slot]!;
      return at < union.count && slots[at] === slot ? at : -1;
    },
  };
  return union;
}
