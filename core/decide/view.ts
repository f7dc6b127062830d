// What slots have learnt, in the public form of `GET /v1/slots`.
import { formatTimestamp } from "../event/time.ts";
import type { CompiledSlot } from "../program/compiled.ts";
import { emptyOffPolicySums, offPolicyAnswer } from "../stats/off-policy.ts";
import { type OffPolicyView, offPolicyView } from "../stats/off-policy-view.ts";
import { type Learner, meanReward } from "./learner.ts";
import { probabilitiesOf } from "./policies.ts";

export interface ArmView {
  variant: string;
  /** How often shown, and what came of it, since the slot began to learn. */
  shown: number;
  reward: number;
  /** Mean reward; null before it was shown. */
  mean: number | null;
  /**
   * Probability with which it is shown now, in the shadow with which it would be; of a contextual policy, to a visitor of
   * whom nothing is known.
   */
  share: number;
  /** What always showing it would bring. */
  off_policy: OffPolicyView;
}

/** What is known of a slot beside what it has learnt. */
export interface SlotFacts {
  readonly description?: string | undefined;
  readonly leftOut: number;
}

export interface SlotView {
  name: string;
  description?: string;
  policy: string;
  rules: number;
  default: string | null;
  /** Decides and logs, but shows the default. */
  shadow: boolean;
  /** null where rules alone decide. */
  learning: {
    reward_max: number;
    window_s: number;
    exploration: number;
    shown: number;
    reward: number;
    /** How often one was shown whose sender's address held more than its share of what was learnt. */
    left_out: number;
    updated_at: string | null;
  } | null;
  /** Those that the policy chooses between, in the program's order; empty where rules alone decide. */
  arms: ArmView[];
  variants: string[];
}

export function slotView(slot: CompiledSlot, learner: Learner | undefined, { description, leftOut }: SlotFacts): SlotView {
  const { name, bandit, rules, fallback } = slot;
  const variants = [...slot.variants.keys()];
  const shared = {
    name,
    ...(description === undefined ? {} : { description }),
    policy: bandit?.policy ?? "rules",
    rules: rules.length,
    default: fallback,
    shadow: bandit?.shadow ?? false,
    variants,
  };
  if (bandit === null || learner === undefined) return { ...shared, learning: null, arms: [] };
  const shares = probabilitiesOf({ slot: name, variants: bandit.among, features: [0] }, learner, bandit);
  const arms = bandit.among.map((variant, i): ArmView => {
    const arm = learner.arms.get(variant);
    return {
      variant,
      shown: arm?.shownTotal ?? 0,
      reward: arm?.rewardTotal ?? 0,
      mean: arm === undefined || arm.shownTotal === 0 ? null : meanReward(arm),
      share: shares[i]!,
      off_policy: offPolicyView(offPolicyAnswer(arm?.always ?? emptyOffPolicySums())),
    };
  });
  const sum = (of: (arm: ArmView) => number): number => arms.reduce((total, arm) => total + of(arm), 0);
  const learning = {
    reward_max: bandit.reward.max,
    window_s: bandit.reward.windowMs / 1000,
    exploration: bandit.exploration,
    shown: sum(({ shown }) => shown),
    reward: sum(({ reward }) => reward),
    left_out: leftOut,
    updated_at: learner.changedMs < 0 ? null : formatTimestamp(learner.changedMs),
  };
  return { ...shared, learning, arms };
}
