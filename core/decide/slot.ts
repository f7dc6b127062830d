// Which variant of a slot a visitor gets: what an experiment says, else the first rule that holds, else what the policy
// draws, else the default.
import type { EventContext } from "../event/event.ts";
import { rngFrom } from "../math/rng.ts";
import { hash32 } from "../math/hash.ts";
import type { PersonState } from "../profile/state.ts";
import type { CompiledBandit, CompiledProgram, CompiledSlot } from "../program/compiled.ts";
import type { Assignment, SlotChoice } from "../record.ts";
import { pickBy, uniform } from "../stats/sample.ts";
import { CONTEXTUAL } from "../program/slots.ts";
import { contextFeatures } from "./context-features.ts";
import type { DecisionState } from "./decision-state.ts";
import { emptyLearner } from "./learner.ts";
import { partsOf, type Part } from "./parts.ts";
import { probabilitiesOf } from "./policies.ts";

/** Before the policy's name in the reason of what is shown while it only watches. */
export const IN_SHADOW = "shadow:";

/** A person's draw of a slot holds this long, so that a page that asks again does not flicker. */
const VISIT_MS = 30 * 60_000;

/** The number of the visit: who asks again within it has the same lot. */
export const visitAt = (timeMs: number): number => Math.floor(timeMs / VISIT_MS);

export interface SlotDecision {
  /** null where no rule holds, no policy decides and the slot has no default. */
  variant: string | null;
  payload: unknown;
  /** Probability of this very choice; rules choose with certainty. */
  propensity: number;
  /** `rule:INDEX` (from 0), `default`, `experiment:NAME`, `holdout`, or the policy's name. */
  reason: string;
  /** For the log; missing where no policy chose. */
  choice?: SlotChoice;
  experiments?: Record<string, Assignment>;
}

export interface SlotQuestion {
  /** The canonical key. */
  personKey: string;
  /** Undefined for a visitor nobody knows. He must have been brought to the program (`lookAgain`). */
  person: PersonState | undefined;
  slot: CompiledSlot;
  /** What the request says of its surroundings; goes before what the person's events said. */
  context: EventContext | undefined;
  nowMs: number;
  program: CompiledProgram;
  /** Undefined where a host keeps none: policies then know nothing, and nobody takes part in an experiment. */
  state: DecisionState | undefined;
}

/** Decides. Pure: the same question to the same state has the same answer. */
export function decide(question: SlotQuestion): SlotDecision {
  const { slot, program } = question;
  const { parts, inHoldout } = partsOf({ ...question, changes: ({ slots }) => slots.has(slot.name) });
  const experiments = Object.fromEntries(
    parts.filter(({ counts }) => counts).map(({ experiment, assignment }) => [experiment.name, assignment]),
  );
  const carrying = (decision: SlotDecision): SlotDecision =>
    Object.keys(experiments).length === 0 ? decision : { ...decision, experiments };
  if (inHoldout) return carrying(certain(slot, slot.fallback ?? firstOf(slot), "holdout"));
  const changing = parts.find(({ variant }) => variant.slots.has(slot.name));
  if (changing === undefined) return carrying(own(slot, question));
  const change = changing.variant.slots.get(slot.name)!;
  if ("variant" in change) return carrying(certain(slot, change.variant, reasonOf(changing)));
  return carrying(own(program.slots.get(change.like)!, question));
}

const reasonOf = ({ experiment }: Part): string => `experiment:${experiment.name}`;
const firstOf = ({ variants }: CompiledSlot): string | null => variants.keys().next().value ?? null;

function certain(slot: CompiledSlot, variant: string | null, reason: string): SlotDecision {
  return { variant, payload: variant === null ? null : slot.variants.get(variant), propensity: 1, reason };
}

/** What the slot's rules say, else its policy, else its default. */
function own(slot: CompiledSlot, question: SlotQuestion): SlotDecision {
  const { person, context, nowMs, program } = question;
  const { scope } = program;
  scope.begin(person, nowMs);
  scope.context = context ?? null;
  const index = slot.rules.findIndex(({ rule }) => rule.holds(scope));
  if (index >= 0) return certain(slot, slot.rules[index]!.variant, `rule:${index}`);
  return slot.bandit === null ? certain(slot, slot.fallback, "default") : drawn(slot, slot.bandit, question);
}

function drawn(slot: CompiledSlot, bandit: CompiledBandit, question: SlotQuestion): SlotDecision {
  const { person, context, nowMs, personKey, state } = question;
  const variants = bandit.among;
  const features = CONTEXTUAL.has(bandit.policy)
    ? contextFeatures(bandit.features, { person, context, nowMs })
    : undefined;
  const learner = state?.slots.learnerOf(slot.name) ?? emptyLearner(bandit.reward.key);
  const probabilities = probabilitiesOf({ slot: slot.name, variants, features: features ?? [] }, learner, bandit);
  const lot = uniform(rngFrom(hash32(`${slot.name}\n${personKey}\n${visitAt(nowMs)}`)));
  const pick = pickBy(probabilities, lot);
  const picked = variants[pick]!;
  const choice: SlotChoice = {
    slot: slot.name,
    policy: bandit.policy,
    picked,
    probabilities,
    ...(features === undefined ? {} : { features }),
  };
  if (bandit.shadow) return { ...certain(slot, slot.fallback, `${IN_SHADOW}${bandit.policy}`), choice };
  return {
    variant: picked,
    payload: slot.variants.get(picked),
    propensity: probabilities[pick]!,
    reason: bandit.policy,
    choice,
  };
}
