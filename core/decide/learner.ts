// What one slot has learnt: for each variant how often it was shown and what came of it. Old outcomes fade.
import { decayFactor } from "../math/exp2.ts";
import type { CompiledBandit } from "../program/compiled.ts";
import { CONTEXTUAL } from "../program/slots.ts";
import { addChoice, ALONE, changeReward, emptyOffPolicySums, sumOf, totalsOf, type ChoiceTotals, type OffPolicySums } from "../stats/off-policy.ts";
import { ByteReader } from "../wire/reader.ts";
import { ByteWriter } from "../wire/writer.ts";
import type { Features } from "./context-features.ts";
import { earn, emptyRidge, fadeRidge, observe, readRidge, type Ridge, writeRidge } from "./ridge.ts";

export interface Arm {
  /** Faded: how often shown, the sum of rewards and of their squares; rewards as shares of the largest (0–1). */
  shown: number;
  rewards: number;
  squares: number;
  /** Not faded, in the reward's own unit. */
  shownTotal: number;
  rewardTotal: number;
  /** What a policy that always shows this variant would have brought. */
  always: OffPolicySums;
  /** Only of a contextual policy. */
  ridge: Ridge | null;
}

export interface Learner {
  /** What rewards meant when this was learnt (`CompiledReward.key`). */
  rewardKey: string;
  /** By variant. */
  readonly arms: Map<string, Arm>;
  /** Time of the last change, Unix ms; -1 before the first. */
  changedMs: number;
  /** Counts changes. */
  revision: number;
}

export function emptyLearner(rewardKey: string): Learner {
  return { rewardKey, arms: new Map(), changedMs: -1, revision: 0 };
}

/** The variant's arm, made where it has none yet. */
export function armOf(learner: Learner, variant: string): Arm {
  let arm = learner.arms.get(variant);
  if (arm === undefined) {
    arm = {
      shown: 0,
      rewards: 0,
      squares: 0,
      shownTotal: 0,
      rewardTotal: 0,
      always: emptyOffPolicySums(),
      ridge: null,
    };
    learner.arms.set(variant, arm);
  }
  return arm;
}

/** Mean reward in its own unit; 0 where nothing is known. */
export function meanReward({ shownTotal, rewardTotal }: Arm): number {
  return shownTotal === 0 ? 0 : rewardTotal / shownTotal;
}

/** One shown choice: what must be known of it again when its reward comes. */
export interface ShownChoice {
  readonly variant: string;
  /** Probability with which it was chosen. */
  readonly propensity: number;
  readonly features: Features;
  /** The default, shown beside a policy in the shadow: nothing else had a chance. */
  readonly isShadow: boolean;
  /** What the variant had brought on average when it was shown. */
  expected: number;
  /** When its showing was learnt; -1 before. */
  learntMs: number;
}

/** Another choice of the slot for the same person in the same visit, and what it has brought so far in its own unit. */
export interface VisitChoice {
  readonly choice: ShownChoice;
  readonly reward: number;
}

/**
 * What a visit's other choices are to the value of always showing `variant`: one lot decided all of them, so ten pages of
 * one visitor say little more than one.
 */
function othersOf(visit: readonly VisitChoice[], variant: string, mean: number): Readonly<ChoiceTotals> {
  return visit.reduce((totals, { choice: { propensity, expected, isShadow, ...choice }, reward }) => {
    const isOwn = choice.variant === variant;
    if (isShadow && !isOwn) return totals;
    return sumOf(totals, totalsOf({ weight: isOwn ? 1 / propensity : 0, reward, expected, expectedOfPolicy: isOwn ? expected : mean }));
  }, ALONE);
}

/**
 * The variant was shown: a trial without a reward so far. Sets `choice.expected` and `choice.learntMs`. `visit`: the others
 * that were learnt before.
 */
export function showArm(
  learner: Learner,
  choice: ShownChoice,
  bandit: CompiledBandit,
  { atMs, visit }: { atMs: number; visit: readonly VisitChoice[] },
): void {
  fade(learner, bandit.halfLifeMs, atMs);
  const chosen = armOf(learner, choice.variant);
  choice.expected = meanReward(chosen);
  choice.learntMs = atMs;
  for (const [variant, arm] of learner.arms) {
    const isChosen = arm === chosen;
    // Of the others it says nothing: their weight would be 0 while it lasts, and their values too low by its share for ever.
    if (choice.isShadow && !isChosen) continue;
    const expectedOfPolicy = meanReward(arm);
    const weight = isChosen ? 1 / choice.propensity : 0;
    const own = { weight, reward: 0, expected: choice.expected, expectedOfPolicy };
    addChoice(arm.always, own, othersOf(visit, variant, expectedOfPolicy));
  }
  chosen.shown++;
  chosen.shownTotal++;
  if (CONTEXTUAL.has(bandit.policy)) observe((chosen.ridge ??= emptyRidge()), choice.features);
  learner.revision++;
}

/** What the reward of a shown choice was and is, in its own unit. `visit`: the others of its visit, as they are. */
export interface RewardChange {
  readonly before: number;
  readonly after: number;
  readonly visit: readonly VisitChoice[];
}

export function rewardArm(
  learner: Learner,
  choice: ShownChoice,
  { before, after, visit }: RewardChange,
  bandit: CompiledBandit,
): void {
  const arm = armOf(learner, choice.variant);
  const { max } = bandit.reward;
  // It counts as much as its showing still does: else what is rewarded late would seem to bring more than what is rewarded at once.
  const left = decayFactor(Math.max(0, learner.changedMs - choice.learntMs), bandit.halfLifeMs);
  arm.rewards += (left * (after - before)) / max;
  arm.squares += (left * (after * after - before * before)) / (max * max);
  arm.rewardTotal += after - before;
  const { expected, propensity } = choice;
  const own = { weight: 1 / propensity, reward: before, expected, expectedOfPolicy: expected };
  changeReward(arm.always, own, after, othersOf(visit, choice.variant, expected));
  if (arm.ridge !== null) earn(arm.ridge, choice.features, (left * (after - before)) / max);
  learner.revision++;
}

function fade(learner: Learner, halfLifeMs: number, atMs: number): void {
  const ageMs = learner.changedMs < 0 ? 0 : atMs - learner.changedMs;
  learner.changedMs = Math.max(learner.changedMs, atMs);
  if (ageMs <= 0) return;
  const factor = decayFactor(ageMs, halfLifeMs);
  for (const arm of learner.arms.values()) {
    arm.shown *= factor;
    arm.rewards *= factor;
    arm.squares *= factor;
    if (arm.ridge !== null) fadeRidge(arm.ridge, ageMs, halfLifeMs);
  }
}

const VERSION = 2;
/** Each choice stood alone. */
const VERSION_BEFORE = 1;
const SUMS_BEFORE = [
  "count",
  "weights",
  "squares",
  "largest",
  "rewards",
  "weightedRewards",
  "squaredRewards",
  "robust",
  "robustSquares",
] as const satisfies readonly (keyof OffPolicySums)[];
const SUMS = [...SUMS_BEFORE, "countSquares", "countedRewards", "countedRobust"] as const satisfies readonly (keyof OffPolicySums)[];
const ARMS_MAX = 10_000;

export function encodeLearner(learner: Learner): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(VERSION);
  writer.string(learner.rewardKey);
  writer.number(learner.changedMs);
  writer.varint(learner.revision);
  writer.varint(learner.arms.size);
  for (const [variant, arm] of learner.arms) {
    writer.string(variant);
    for (const value of [arm.shown, arm.rewards, arm.squares, arm.shownTotal, arm.rewardTotal]) writer.number(value);
    for (const name of SUMS) writer.number(arm.always[name]);
    writer.byte(arm.ridge === null ? 0 : 1);
    if (arm.ridge !== null) writeRidge(writer, arm.ridge);
  }
  return writer.take();
}

/** @throws CorruptBytesError */
export function decodeLearner(bytes: Uint8Array): Learner {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version !== VERSION && version !== VERSION_BEFORE) throw reader.corrupt("a learner of another version");
  const learner = emptyLearner(reader.string());
  learner.changedMs = reader.number();
  learner.revision = reader.varint();
  const count = reader.count(ARMS_MAX);
  for (let i = 0; i < count; i++) {
    const arm = armOf(learner, reader.string());
    arm.shown = reader.number();
    arm.rewards = reader.number();
    arm.squares = reader.number();
    arm.shownTotal = reader.number();
    arm.rewardTotal = reader.number();
    const { always } = arm;
    for (const name of version === VERSION ? SUMS : SUMS_BEFORE) always[name] = reader.number();
    if (version === VERSION_BEFORE) {
      Object.assign(always, { countSquares: always.count, countedRewards: always.rewards, countedRobust: always.robust });
    }
    if (reader.byte() === 1) arm.ridge = readRidge(reader);
  }
  reader.end();
  return learner;
}
