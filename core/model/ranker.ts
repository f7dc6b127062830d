// How the proposals of all models become scores: the calibrated blend, the online softmax, or one model's own order,
// whichever has ranked best lately for sessions of this length. What they learn from a step before its item is seen.
import { exp2 } from "../math/exp2.ts";
import { createBlend, type Blend } from "./blend.ts";
import type { CandidateList } from "./candidates.ts";
import { LIST_MAX } from "./config.ts";
import { effectsIn, type Effects } from "./effects.ts";
import { createHealth, type Health } from "./health.ts";
import { CAL, createJudge, FIRST_MODEL, MIX, type Judge } from "./judge.ts";
import { createMix, toShares, type Mix } from "./mix.ts";
import type { Situation } from "./situation.ts";
import type { Step } from "./step.ts";
import { createUnion, type Union, type UnionSources } from "./union.ts";

const REPEATS_FEW = 0.01;
const LOG2_E = 1.4426950408889634;

export interface Ranker {
  readonly blend: Blend;
  /** Of the lists that were gathered last. */
  readonly union: Union;
  readonly mix: Mix;
  readonly judge: Judge;
  readonly health: Health;
  /** One step to the item of slot `target`, -1 where it is new; the lists hold what was proposed before it. */
  learn(target: number, step: Step): void;
  /** Every candidate of any list with its score by the ranker that serves, in no order. */
  rank(into: CandidateList): void;
  /** Good until the next call of anything else. */
  effects(): Effects;
}

export interface RankerSources extends Omit<UnionSources, "blend" | "echoes" | "knn"> {
  /** By model, in order. */
  readonly names: readonly string[];
  /** Models in which the visitor's own click counts at once. */
  readonly echoes: ReadonlySet<string>;
  readonly lists: readonly CandidateList[];
  readonly situation: Situation;
}

export function createRanker({ names, echoes, lists, situation, ...sources }: RankerSources): Ranker {
  const blend = createBlend(names.length);
  const union = createUnion(names.length, {
    ...sources,
    blend,
    echoes: names.map((name) => echoes.has(name)),
    knn: names.indexOf("knn"),
  });
  const mix = createMix(names.length);
  const judge = createJudge(names.length);
  const health = createHealth(FIRST_MODEL + names.length, FIRST_MODEL + names.indexOf("background"));
  const scores = new Float64Array(names.length * LIST_MAX);
  const ahead = new Int32Array(FIRST_MODEL + names.length);

  /**
   * How many candidates each ranker has put before `target`; all of them where it is none of theirs. Where nobody goes
   * back, lists leave out what the visitor knows, so it does not count as put before.
   */
  const judgeStep = (target: number, { timeMs, eventType }: Step): void => {
    const { lengthBucket } = situation;
    const at = union.find(target);
    const isRepeat = at >= 0 && union.isOwn[at] === 1;
    const skipsOwn = !isRepeat && judge.repeatShare < REPEATS_FEW;
    mix.score(union, lengthBucket, scores);
    ahead.fill(LIST_MAX);
    if (at >= 0) {
      if (union.isDescribed[at] === 1) ahead[MIX] = countAbove(scores, at, skipsOwn);
      ahead[CAL] = countAbove(union.cal, at, skipsOwn);
      for (let m = 0; m < lists.length; m++) {
        const { slots, length } = lists[m]!;
        let before = 0;
        for (let rank = 0; rank < length; rank++) {
          if (slots[rank] === target) {
            ahead[FIRST_MODEL + m] = before;
            break;
          }
          if (!skipsOwn || union.isOwn[union.places[slots[rank]!]!] === 0) before++;
        }
      }
    }
    const served = judge.chosen(lengthBucket);
    const first = firstOf(served === MIX ? scores : union.cal);
    health.judged({
      timeMs,
      ahead,
      served,
      firstChance: first < 0 ? 0 : served === MIX ? shareOf(first) : union.cal[first]!,
      firstHit: first >= 0 && at === first,
      isUnproposed: at < 0,
      isNew: target < 0,
      eventType,
    });
    judge.record({ lengthBucket, ahead, isRepeat });
  };

  /** The candidate with the highest value; -1 where there is none. */
  const firstOf = (values: Float64Array): number => {
    let first = union.count - 1;
    for (let i = first - 1; i >= 0; i--) if (values[i]! >= values[first]!) first = i;
    return first;
  };

  /** What the softmax makes of a candidate's log score, 0–1. */
  const shareOf = (candidate: number): number => {
    let all = 0;
    for (let i = 0; i < union.count; i++) all += exp2((scores[i]! - scores[candidate]!) * LOG2_E);
    return 1 / all;
  };

  const countAbove = (values: Float64Array, at: number, skipsOwn: boolean): number => {
    let above = 0;
    for (let i = 0; i < union.count; i++) if (values[i]! > values[at]! && !(skipsOwn && union.isOwn[i] === 1)) above++;
    return above;
  };

  /** Behind the described candidates, those that are not, by their chance. */
  const rankRest = (): void => {
    const { count, cal, isDescribed } = union;
    let last = Infinity;
    let bar = Infinity;
    for (let i = 0; i < count; i++) {
      if (isDescribed[i] === 0) continue;
      if (scores[i]! < last) last = scores[i]!;
      if (cal[i]! < bar) bar = cal[i]!;
    }
    for (let i = 0; i < count; i++) if (isDescribed[i] === 0) scores[i] = last * (bar > 0 ? cal[i]! / bar : 1);
  };

  /** One model's own order, before all others: its scores are above 1, chances below. */
  const putFirst = ({ slots, length }: CandidateList, into: Float64Array): void => {
    for (let rank = 0; rank < length; rank++) into[union.find(slots[rank]!)] = 1 + length - rank;
  };

  return {
    blend,
    union,
    mix,
    judge,
    health,
    learn(target, step) {
      union.gather(lists, situation);
      union.describe(lists, situation);
      judgeStep(target, step);
      const at = union.find(target);
      if (at >= 0 && union.isDescribed[at] === 1) mix.learn(union, situation.lengthBucket, at, scores);
      blend.learn(lists, situation, target, sources.items.slotEnd);
    },
    rank(into) {
      union.gather(lists, situation);
      const ranker = judge.chosen(situation.lengthBucket);
      if (ranker === MIX) {
        union.describe(lists, situation);
        mix.score(union, situation.lengthBucket, scores);
        toShares(scores, union.count);
        rankRest();
      }
      into.slots.set(union.slots.subarray(0, union.count));
      into.scores.set((ranker === MIX ? scores : union.cal).subarray(0, union.count));
      into.length = union.count;
      if (ranker >= FIRST_MODEL) putFirst(lists[ranker - FIRST_MODEL]!, into.scores);
    },
    effects() {
      const ranker = judge.chosen(situation.lengthBucket);
      if (ranker !== MIX) return { ranker: ranker === CAL ? "calibrated" : names[ranker - FIRST_MODEL]!, of: () => [] };
      const { of } = effectsIn(union, mix.weights(union, situation.lengthBucket), names);
      return { ranker: "mix", of };
    },
  };
}
