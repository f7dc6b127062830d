// Which experiments a decision carries out for a person.
import type { EventContext } from "../event/event.ts";
import type { PersonState } from "../profile/state.ts";
import type { CompiledExperiment, CompiledProgram, CompiledVariant } from "../program/compiled.ts";
import { HOLDOUT_VARIANT } from "../program/experiments.ts";
import type { Assignment } from "../record.ts";
import type { DecisionState } from "./decision-state.ts";

export interface Part {
  readonly experiment: CompiledExperiment;
  readonly variant: CompiledVariant;
  /** False where he sees the variant without being counted. */
  readonly counts: boolean;
  readonly assignment: Assignment;
}

export interface PartsQuestion {
  readonly personKey: string;
  readonly person: PersonState | undefined;
  readonly context: EventContext | undefined;
  readonly nowMs: number;
  readonly program: CompiledProgram;
  readonly state: DecisionState | undefined;
  /** Whether a variant changes what is asked for. */
  readonly changes: (variant: CompiledVariant) => boolean;
}

/** In the program's order, the holdout first; whoever is held out takes part in nothing else. */
export function partsOf(question: PartsQuestion): { parts: Part[]; inHoldout: boolean } {
  const { program, state, changes } = question;
  const parts: Part[] = [];
  if (state === undefined) return { parts, inHoldout: false };
  for (const experiment of program.experiments) {
    const { isHoldout, interleave, variants } = experiment;
    // Interleaving has no variants to be in: everybody sees both.
    if (interleave !== null || !(isHoldout || variants.some(changes))) continue;
    const part = partIn(experiment, question, state);
    if (part === undefined) continue;
    parts.push(part);
    if (isHoldout && part.variant.name === HOLDOUT_VARIANT) return { parts, inHoldout: true };
  }
  return { parts, inHoldout: false };
}

/** Whether the person is one whom the experiment means. */
export function isMeant({ when }: CompiledExperiment, question: Omit<PartsQuestion, "changes">): boolean {
  if (when === null) return true;
  const { program, person, context, nowMs } = question;
  const { scope } = program;
  scope.begin(person, nowMs);
  scope.context = context ?? null;
  return when.holds(scope);
}

/** The covariate as the log keeps it. */
export function assignmentTo(
  { run, covariate }: CompiledExperiment,
  variant: string,
  { person, nowMs }: Pick<PartsQuestion, "person" | "nowMs">,
): Assignment {
  return { variant, run, x: person === undefined ? 0 : covariate(person, Math.max(nowMs, person.asOf)) };
}

function partIn(experiment: CompiledExperiment, question: PartsQuestion, state: DecisionState): Part | undefined {
  const given = state.experiments.variantOf(experiment, question.personKey, () => isMeant(experiment, question));
  if (given === undefined) return undefined;
  const variant = experiment.variants[given.variant]!;
  return { experiment, variant, counts: given.counts, assignment: assignmentTo(experiment, variant.name, question) };
}
