// A placement's list under the program's experiments: by another placement's rules, as two rankings in one, or for
// nobody in particular where the visitor is held out.
import { assignmentTo, isMeant, partsOf, type PartsQuestion } from "../../core/decide/parts.ts";
import { takesPart } from "../../core/experiment/assignment.ts";
import { draftTeams } from "../../core/experiment/team-draft.ts";
import type { CompiledExperiment } from "../../core/program/compiled.ts";
import type { RankedList } from "../../core/rank/recommender.ts";
import type { Assignment, DecisionRecord } from "../../core/record.ts";
import type { RecommendRequest } from "../ports.ts";

export interface ListExperimentsQuestion extends Omit<PartsQuestion, "changes"> {
  readonly request: RecommendRequest;
  readonly decisionId: string;
}

/** Ranks by a placement's rules: for the visitor, or as if nothing were known of him. */
export type RankBy = (placement: string, who: "visitor" | "nobody") => RankedList;

export interface ExperimentalList {
  readonly list: RankedList;
  /** What the log keeps of it. */
  readonly log: Pick<DecisionRecord, "experiments" | "teams">;
}

export function experimentalList(question: ListExperimentsQuestion, rank: RankBy): ExperimentalList {
  const { placement } = question.request;
  if (question.program.experiments.length === 0 || question.state === undefined) {
    return { list: rank(placement, "visitor"), log: {} };
  }
  const { parts, inHoldout } = partsOf({ ...question, changes: ({ placements }) => placements.has(placement) });
  const experiments: Record<string, Assignment> = {};
  for (const { experiment, counts, assignment } of parts) if (counts) experiments[experiment.name] = assignment;
  const log = Object.keys(experiments).length === 0 ? {} : { experiments };
  if (inHoldout) return { list: rank(placement, "nobody"), log };
  const mixing = question.program.experiments.find(({ interleave }) => interleave === placement);
  if (mixing !== undefined && takesPart(mixing, question.personKey) && isMeant(mixing, question)) {
    return interleaved(mixing, { ...question, experiments }, rank);
  }
  const changed = parts.map(({ variant }) => variant.placements.get(placement)).find((other) => other !== undefined);
  return { list: rank(changed ?? placement, "visitor"), log };
}

function interleaved(
  experiment: CompiledExperiment,
  question: ListExperimentsQuestion & { experiments: Record<string, Assignment> },
  rank: RankBy,
): ExperimentalList {
  const { request, decisionId, experiments } = question;
  const { placement } = request;
  const [a, b] = experiment.variants.map(({ placements }) => rank(placements.get(placement) ?? placement, "visitor"));
  const limit = request.limit ?? Math.max(a!.items.length, b!.items.length);
  const { items, teams } = draftTeams(
    { a: a!.items, b: b!.items },
    { idOf: ({ itemId }) => itemId, limit, seed: `${experiment.seed}\n${decisionId}` },
  );
  const assignment = assignmentTo(experiment, "", question);
  return {
    list: { ...a!, items },
    log: { experiments: { ...experiments, [experiment.name]: assignment }, teams },
  };
}
