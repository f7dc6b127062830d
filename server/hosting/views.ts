// What decisions have led to, in its public form, in every host alike.
import { type DecisionState, ofSlot } from "../../core/decide/decision-state.ts";
import { emptyLearner } from "../../core/decide/learner.ts";
import { slotView, type SlotView } from "../../core/decide/view.ts";
import { emptyRun } from "../../core/experiment/run.ts";
import { experimentView, type ExperimentView } from "../../core/experiment/view.ts";
import type { CompiledProgram } from "../../core/program/compiled.ts";

/** Slots of the program in its order; one that has just begun to learn has learnt nothing. */
export function slotViews({ document, slots }: CompiledProgram, decisions: DecisionState): SlotView[] {
  return [...slots.values()].map((slot) => {
    const { name, bandit } = slot;
    const learner = decisions.slots.learnerOf(name) ?? (bandit === null ? undefined : emptyLearner(bandit.reward.key));
    const leftOut = bandit === null ? 0 : decisions.shares.leftOut(ofSlot(name, bandit));
    return slotView(slot, learner, { description: document.slots?.[name]?.description, leftOut });
  });
}

/** Experiments of the program, the holdout first; `nowMs` is when one that is only beginning began. */
export function experimentViews(
  { experiments }: CompiledProgram,
  decisions: DecisionState,
  nowMs: number,
): ExperimentView[] {
  return experiments.map((experiment) =>
    experimentView(
      experiment,
      decisions.experiments.runOf(experiment) ?? emptyRun(experiment, nowMs),
      decisions.shares.leftOut(experiment.run),
    ),
  );
}
