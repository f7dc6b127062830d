// The union of all models' candidates as the rankers see it. A candidate is listed by a few models of many, so of its
// features only those of these models are kept: one entry for each place in a list, chained by candidate.
import { roughLog2 } from "../math/rough-log2.ts";
import type { Blend } from "./blend.ts";
import { createCandidateList, type CandidateList } from "./candidates.ts";
import { LIST_MAX } from "./config.ts";
import type { Content } from "./content.ts";
import type { Neighbours } from "./crowd.ts";
import type { Factors } from "./factors.ts";
import type { ItemIndex } from "./item-index.ts";
import { NEIGHBOURS_MAX } from "./neighbour-rows.ts";
import { nthBest } from "./nth-best.ts";
import type { Popularity } from "./popularity.ts";
import type { Repeats } from "./repeats.ts";
import type { Situation } from "./situation.ts";
import { createWays } from "./ways.ts";

/** Of each model: log chance by the calibrated blend, share of its best score, 1 / rank, log share. 0 where not listed. */
export const PER_MODEL = 4;
/** Of the candidate itself, in the order in which `describe` writes them, as accounts of a list name them. */
export const GENERAL_NAMES = [
  "blend", "popularity", "trend", "rise", "age", "idle", "models_agreeing", "interest", "like_the_last", "last_item",
  "item_before", "earlier_item", "how_lately_in_session", "opened_again", "known_from_before", "how_lately_before",
  "affinity", "last_item_of_returner", "item_before_of_returner", "earlier_item_of_returner", "often_gone_back_to",
  "profile_interest", "went_there_from_here", "came_here_from_there", "neighbours", "neighbours_of_own", "others_went_there_lately",
] as const;
export const GENERAL = GENERAL_NAMES.length;
/** How popular what the visitor looks at is: his latest items on average, and the newest one. */
export const TASTES = 2;

/**
 * Candidates that are worth a closer look, by the calibrated blend: the features of others are not worked out. A rest of
 * some hundred holds the item that comes next about never (docs/decisions/models.md).
 */
export const DESCRIBED_MAX = 96;

export interface Union {
  count: number;
  /** Candidate → slot. */
  readonly slots: Int32Array;
  /** The calibrated blend's chance of each candidate. */
  readonly cal: Float64Array;
  /** 1 for what the session or the past of the visitor holds. */
  readonly isOwn: Uint8Array;
  /** 1 for the DESCRIBED_MAX with the best chances: they have features. */
  readonly isDescribed: Uint8Array;
  /** Slot → candidate; good for slots of the union only. */
  places: Int32Array;
  /** The visitor's tastes, of what was described last: −1 (what nobody else looks at) to 1 (the most popular item), 0 where nothing is known. */
  readonly tastes: Float64Array;
  /** Takes the lists in: who is a candidate, and with what chance. */
  gather(lists: readonly CandidateList[], situation: Situation): void;
  /** Works the features of the described candidates out, from the lists that were gathered last. */
  describe(lists: readonly CandidateList[], situation: Situation): void;
  /** Features of a described candidate times weights, summed: models in order, then the general ones. */
  weigh(candidate: number, weights: Float64Array): number;
  /** Adds a described candidate's features times `factor` to `sums`. */
  addTo(sums: Float64Array, candidate: number, factor: number): void;
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
  readonly factors: Factors;
  readonly repeats: Repeats;
  /** What others went on to lately. */
  readonly lately: Neighbours;
  /** By model: whether a visitor's own click moves what it says at once. */
  readonly echoes: readonly boolean[];
  /** The model of neighbour sessions: its scores mean the same in every list. */
  readonly knn: number;
}

const CHANCE_SCALE = 4096; // Chances below 1 / 4096 are as good as none.
const CHANCE_MIN = 1 / 65_536;
const LOG_SHARE_MIN = -10;
const SHARE_MIN = 1 / 1_048_576;
const LN_2 = 0.6931471805599453;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const TASTE_ITEMS = 10;
const OF_PAST = 128; // Marks from here on are places in the past, below are places in the trail.

export function createUnion(modelCount: number, sources: UnionSources): Union {
  const { blend, items, popularity, trend, trendSpeed, content, factors, echoes, repeats, lately, knn } = sources;
  const max = modelCount * LIST_MAX;
  const general = modelCount * PER_MODEL; // Place of the first general feature among the weights.
  const slots = new Int32Array(max);
  const cal = new Float64Array(max);
  const listedBy = new Uint8Array(max);
  const isOwn = new Uint8Array(max);
  const isDescribed = new Uint8Array(max);
  const chosen = new Int16Array(DESCRIBED_MAX);
  const chosenSlots = new Int32Array(DESCRIBED_MAX);
  let described = 0;
  /** Entry (model · LIST_MAX + rank) → its candidate's next entry, by a model further down; -1 for none. */
  const nextEntry = new Int16Array(max);
  const firstEntry = new Int16Array(max);
  const lastEntry = new Int16Array(max);
  const chances = new Float64Array(max);
  const ofEntry = new Float64Array(max * PER_MODEL);
  const ofCandidate = new Float64Array(max * GENERAL);
  const steadies = new Float64Array(DESCRIBED_MAX);
  const fasts = new Float64Array(DESCRIBED_MAX);
  /** Candidate → 1 + its place in the trail, or OF_PAST + its place in the past; 0 for others. */
  const ownPlaces = new Uint8Array(max);
  /** `ownPlaces` by slot. Wiped after use. */
  let marks = new Uint8Array(1024);

  const ways = createWays(max);
  const tastes = new Float64Array(TASTES);
  const near = createCandidateList(NEIGHBOURS_MAX);
  let revisits = 0; // Share of the session's steps that went back.

  const describeEntries = ({ scores, length }: CandidateList, firstOfModel: number): void => {
    if (length === 0) return;
    const best = 1 / scores[0]!;
    for (let rank = 0; rank < length; rank++) {
      const chance = chances[firstOfModel + rank]!;
      const share = scores[rank]! * best;
      const x = (firstOfModel + rank) * PER_MODEL;
      ofEntry[x] = chance * CHANCE_SCALE > 1 ? roughLog2(chance * CHANCE_SCALE) * 0.1 : 0;
      ofEntry[x + 1] = share;
      ofEntry[x + 2] = 1 / (1 + rank);
      ofEntry[x + 3] = 1 + 0.1 * Math.max(LOG_SHARE_MIN, roughLog2(Math.max(share, SHARE_MIN)));
    }
  };

  const mark = ({ trail, trailLength, past, pastLength }: Situation): void => {
    if (marks.length < items.slotEnd) marks = new Uint8Array(items.slotEnd * 2);
    for (let k = pastLength - 1; k >= 0; k--) marks[past[k]!] = OF_PAST + k;
    for (let k = trailLength - 1; k >= 0; k--) marks[trail[k]!] = 1 + k;
  };

  const wipe = ({ trail, trailLength, past, pastLength }: Situation): void => {
    for (let k = 0; k < trailLength; k++) marks[trail[k]!] = 0;
    for (let k = 0; k < pastLength; k++) marks[past[k]!] = 0;
  };

  const describeCounts = (nowMs: number): void => {
    popularity.countsAt(chosenSlots, described, nowMs, steadies);
    trend.countsAt(chosenSlots, described, nowMs, fasts);
    for (let d = 0; d < described; d++) {
      const i = chosen[d]!;
      const x = i * GENERAL;
      const steady = steadies[d]!;
      const fast = fasts[d]!;
      ofCandidate[x] = roughLog2(Math.max(CHANCE_MIN, cal[i]!) * CHANCE_SCALE) * LN_2;
      ofCandidate[x + 1] = roughLog2(1 + steady) * 0.1;
      ofCandidate[x + 2] = roughLog2(1 + fast) * 0.1;
      ofCandidate[x + 3] = roughLog2((fast * trendSpeed + 1) / (steady + 1)) * 0.2;
    }
  };

  const describeAges = (nowMs: number): void => {
    for (let d = 0; d < described; d++) {
      const slot = chosenSlots[d]!;
      const x = chosen[d]! * GENERAL;
      const age = nowMs - items.firstSeenAt(slot);
      const idle = nowMs - items.lastSeenAt(slot);
      ofCandidate[x + 4] = age > 0 ? roughLog2(1 + age / HOUR_MS) * 0.1 : 0;
      ofCandidate[x + 5] = idle > 0 ? roughLog2(1 + idle / MINUTE_MS) * 0.1 : 0;
    }
  };

  const describeVisitor = (i: number, { visits }: Situation): void => {
    const slot = slots[i]!;
    const x = i * GENERAL;
    ofCandidate[x + 6] = listedBy[i]! / modelCount;
    const wish = content.compareSlot(slot, ofCandidate, x + 7);
    for (let j = 9; j < GENERAL; j++) ofCandidate[x + j] = 0;
    ofCandidate[x + 21] = wish;
    ofCandidate[x + 16] = factors.affinity(slot) * 0.2;
    ofCandidate[x + 22] = roughLog2(1 + ways.onTo[i]!) * 0.5;
    ofCandidate[x + 23] = roughLog2(1 + ways.from[i]!) * 0.5;
    const own = ownPlaces[i]!;
    if (own === 0) return;
    if (own < OF_PAST) {
      const k = own - 1;
      for (let j = 1; j <= 5; j++) ofCandidate[x + j] = 0;
      ofCandidate[x + 9 + Math.min(k, 2)] = 1;
      ofCandidate[x + 12] = 1 / (1 + k);
      ofCandidate[x + 13] = visits[k]! > 1 ? 1 : 0;
      ofCandidate[x + 17 + Math.min(k, 2)] = revisits;
      ofCandidate[x + 20] = roughLog2(repeats.pull(slot)) * 0.3;
    } else {
      ofCandidate[x + 14] = 1;
      ofCandidate[x + 15] = 1 / (1 + own - OF_PAST);
    }
  };

  /** How alike the neighbours are that speak for an item, beside its share in their list: few words or many. */
  const describeNeighbours = ({ slots: listed, scores, length }: CandidateList): void => {
    for (let rank = 0; rank < length; rank++) {
      const i = union.places[listed[rank]!]!;
      if (isDescribed[i] === 0) continue;
      const ofTrail = ownPlaces[i]! > 0 && ownPlaces[i]! < OF_PAST;
      const strength = Math.max(LOG_SHARE_MIN, roughLog2(Math.max(scores[rank]!, SHARE_MIN)));
      ofCandidate[i * GENERAL + (ofTrail ? 25 : 24)] = 1 + 0.1 * strength;
    }
  };

  const describeLately = ({ context, contextLength, nowMs }: Situation): void => {
    if (contextLength === 0) return;
    lately.neighbours(context[0]!, nowMs, near);
    for (let k = 0; k < near.length; k++) {
      const i = union.find(near.slots[k]!);
      if (i < 0 || isDescribed[i] === 0) continue;
      const ofTrail = ownPlaces[i]! > 0 && ownPlaces[i]! < OF_PAST; // He has just gone there himself.
      if (!ofTrail) ofCandidate[i * GENERAL + 26] = roughLog2(1 + near.scores[k]!) * 0.15;
    }
  };

  const describeTastes = ({ trail, trailLength, past, pastLength, nowMs }: Situation): void => {
    tastes.fill(0);
    const known = Math.min(trailLength + pastLength, TASTE_ITEMS);
    const most = popularity.popularCount === 0 ? 0 : roughLog2(1 + popularity.countAt(popularity.popular()[0]!, nowMs));
    if (known === 0 || !(most > 0)) return;
    let sum = 0;
    for (let k = known - 1; k >= 0; k--) {
      const slot = k < trailLength ? trail[k]! : past[k - trailLength]!;
      const taste = 2 * Math.min(1, roughLog2(1 + popularity.countAt(slot, nowMs)) / most) - 1;
      sum += taste;
      tastes[1] = taste;
    }
    tastes[0] = sum / known;
  };

  /** Candidates with the best chances, in the order in which they were listed; of equal ones those that were first. */
  const choose = (): void => {
    const { count } = union;
    const bar = count > DESCRIBED_MAX ? nthBest(cal, count, DESCRIBED_MAX) : 0;
    let ties = DESCRIBED_MAX;
    for (let i = 0; i < count; i++) if (cal[i]! > bar) ties--;
    described = 0;
    for (let i = 0; i < count; i++) {
      const isChosen = cal[i]! > bar || (cal[i] === bar && ties-- > 0);
      isDescribed[i] = isChosen ? 1 : 0;
      if (!isChosen) continue;
      chosen[described] = i;
      chosenSlots[described++] = slots[i]!;
    }
  };

  const union: Union = {
    count: 0,
    slots,
    cal,
    isOwn,
    isDescribed,
    tastes,
    places: new Int32Array(1024),
    gather(lists, situation) {
      if (union.places.length < items.slotEnd) union.places = new Int32Array(items.slotEnd * 2);
      const { places } = union;
      let count = 0;
      blend.open(situation, items.slotEnd);
      mark(situation);
      for (let m = 0, entry = 0; m < modelCount; m++, entry = m * LIST_MAX) {
        const list = lists[m]!;
        for (let rank = 0; rank < list.length; rank++, entry++) {
          const slot = list.slots[rank]!;
          const mark = marks[slot]!;
          let at = places[slot]!;
          if (at >= count || slots[at] !== slot) {
            at = count++;
            places[slot] = at;
            slots[at] = slot;
            cal[at] = 1;
            listedBy[at] = 0;
            firstEntry[at] = -1;
            lastEntry[at] = -1;
            ownPlaces[at] = mark;
            isOwn[at] = mark === 0 ? 0 : 1;
          }
          const chance = blend.listedChance(m, list, rank, situation.lengthBucket);
          if (echoes[m]! && mark > 0 && mark < OF_PAST) continue;
          if (firstEntry[at]! < 0) firstEntry[at] = entry;
          else nextEntry[lastEntry[at]!] = entry;
          lastEntry[at] = entry;
          nextEntry[entry] = -1;
          chances[entry] = chance;
          cal[at] = cal[at]! * (1 - chance);
          listedBy[at] = listedBy[at]! + 1;
        }
      }
      blend.close(situation);
      wipe(situation);
      for (let i = 0; i < count; i++) cal[i] = 1 - cal[i]!;
      union.count = count;
      choose();
    },
    describe(lists, situation) {
      for (let m = 0; m < modelCount; m++) describeEntries(lists[m]!, m * LIST_MAX);
      content.compare(situation);
      factors.meet(situation);
      let steps = 0;
      for (let k = 0; k < situation.trailLength; k++) steps += situation.visits[k]!;
      revisits = steps === 0 ? 0 : 1 - situation.trailLength / steps;
      describeCounts(situation.nowMs);
      describeAges(situation.nowMs);
      ways.read(situation, union.find);
      for (let d = 0; d < described; d++) describeVisitor(chosen[d]!, situation);
      describeNeighbours(lists[knn]!);
      describeLately(situation);
      describeTastes(situation);
    },
    weigh(candidate, weights) {
      let sum = 0;
      for (let entry = firstEntry[candidate]!; entry >= 0; entry = nextEntry[entry]!) {
        const x = entry * PER_MODEL;
        const w = ((entry / LIST_MAX) | 0) * PER_MODEL;
        for (let j = 0; j < PER_MODEL; j++) sum += ofEntry[x + j]! * weights[w + j]!;
      }
      const x = candidate * GENERAL;
      for (let j = 0; j < GENERAL; j++) sum += ofCandidate[x + j]! * weights[general + j]!;
      return sum;
    },
    addTo(sums, candidate, factor) {
      for (let entry = firstEntry[candidate]!; entry >= 0; entry = nextEntry[entry]!) {
        const x = entry * PER_MODEL;
        const w = ((entry / LIST_MAX) | 0) * PER_MODEL;
        for (let j = 0; j < PER_MODEL; j++) sums[w + j] = sums[w + j]! + factor * ofEntry[x + j]!;
      }
      const x = candidate * GENERAL;
      for (let j = 0; j < GENERAL; j++) sums[general + j] = sums[general + j]! + factor * ofCandidate[x + j]!;
    },
    find(slot) {
      const at = slot < 0 ? 0 : union.places[slot]!;
      return at < union.count && slots[at] === slot ? at : -1;
    },
  };
  return union;
}
