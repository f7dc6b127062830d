// Which variant of a slot a visitor gets: the first rule that holds, else the default.
import type { EventContext } from "../event/event.ts";
import type { PersonState } from "../profile/state.ts";
import type { CompiledProgram, CompiledSlot } from "../program/compiled.ts";

export interface SlotDecision {
  /** null where no rule holds and the slot has no default. */
  variant: string | null;
  payload: unknown;
  /** Probability of this very choice; rules choose with certainty. */
  propensity: number;
  /** `rule:INDEX` (from 0) or `default`. */
  reason: string;
}

export interface SlotQuestion {
  /** Undefined for a visitor nobody knows. He must have been brought to the program (`lookAgain`). */
  person: PersonState | undefined;
  slot: CompiledSlot;
  /** What the request says of its surroundings; goes before what the person's events said. */
  context: EventContext | undefined;
  nowMs: number;
  program: CompiledProgram;
}

/** Decides by rules. Pure: the same question has the same answer. */
export function decideByRules({ person, slot, context, nowMs, program }: SlotQuestion): SlotDecision {
  const { scope } = program;
  scope.begin(person, nowMs);
  scope.context = context ?? null;
  const index = slot.rules.findIndex(({ rule }) => rule.holds(scope));
  const variant = index < 0 ? slot.fallback : slot.rules[index]!.variant;
  return {
    variant,
    payload: variant === null ? null : slot.variants.get(variant),
    propensity: 1,
    reason: index < 0 ? "default" : `rule:${index}`,
  };
}
