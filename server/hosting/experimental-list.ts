// A placement's list under the program's experiments: by another placement's rules, as two rankings in one, or for
// nobody in particular where the visitor is held out.
import { assignmentTo, isMeant, partsOf, type PartsQuestion } from "../../core/decide/parts.ts";
import { takesPart } from "../../core/experiment/assignment.ts";
import { draftTeams } from "../../core/experiment/team-draft.ts";
import type { Item } from "../../core/item/item.ts";
import type { CapRule, CompiledExperiment } from "../../core/program/compiled.ts";
import { capCounter } from "../../core/rank/caps.ts";
import type { RankedList } from "../../core/rank/query.ts";
import type { Assignment, DecisionRecord } from "../../core/record.ts";
import type { RecommendRequest } from "../ports.ts";

export interface ListExperimentsQuestion extends Omit<PartsQuestion, "changes"> {
  readonly request: RecommendRequest;
  readonly decisionId: string;
}

export interface Ranker {
  /** Ranks by a placement's rules: for the visitor, or as if nothing were known of him. */
  rank(placement: string, who: "visitor" | "nobody"): RankedList;
  /** The caps that hold for a placement's list. */
  capsOf(placement: string): readonly CapRule[];
  itemOf(itemId: string): Item | undefined;
}

export interface ExperimentalList {
  readonly list: RankedList;
  /** By which placement's rules it was made, and for whom; of a list that was drafted, the first ranking's. */
  readonly made: { readonly placement: string; readonly who: "visitor" | "nobody" };
  /** What the log keeps of it. */
  readonly log: Pick<DecisionRecord, "experiments" | "teams">;
}

export function experimentalList(question: ListExperimentsQuestion, ranker: Ranker): ExperimentalList {
  const { placement } = question.request;
  const ranked = (by: string, who: "visitor" | "nobody"): Pick<ExperimentalList, "list" | "made"> => ({
    list: ranker.rank(by, who),
    made: { placement: by, who },
  });
  if (question.program.experiments.length === 0 || question.state === undefined) {
    return { ...ranked(placement, "visitor"), log: {} };
  }
  const { parts, inHoldout } = partsOf({ ...question, changes: ({ placements }) => placements.has(placement) });
  const experiments: Record<string, Assignment> = {};
  for (const { experiment, counts, assignment } of parts) if (counts) experiments[experiment.name] = assignment;
  const log = Object.keys(experiments).length === 0 ? {} : { experiments };
  if (inHoldout) return { ...ranked(placement, "nobody"), log };
  const mixing = question.program.experiments.find(({ interleave }) => interleave === placement);
  if (mixing !== undefined && takesPart(mixing, question.personKey) && isMeant(mixing, question)) {
    return interleaved(mixing, { ...question, experiments }, ranker);
  }
  const changed = parts.map(({ variant }) => variant.placements.get(placement)).find((other) => other !== undefined);
  return { ...ranked(changed ?? placement, "visitor"), log };
}

function interleaved(
  experiment: CompiledExperiment,
  question: ListExperimentsQuestion & { experiments: Record<string, Assignment> },
  { rank, capsOf, itemOf }: Ranker,
): ExperimentalList {
  const { request, decisionId, experiments } = question;
  const { placement } = request;
  const [nameA, nameB] = experiment.variants.map(({ placements }) => placements.get(placement) ?? placement);
  const [a, b] = [rank(nameA!, "visitor"), rank(nameB!, "visitor")];
  // What a ranking adds must have room under its own caps beside what the other has added.
  const caps = { a: capCounter(capsOf(nameA!)), b: capCounter(capsOf(nameB!)) };
  const limit = request.limit ?? Math.max(a.items.length, b.items.length);
  const { items, teams } = draftTeams(
    { a: a.items, b: b.items },
    {
      idOf: ({ itemId }) => itemId,
      limit,
      seed: `${experiment.seed}\n${decisionId}`,
      isPinned: (item) => item.isPinned === true,
      fits: ({ itemId }, team) => caps[team].fullFor(itemOf(itemId)) === undefined,
      take({ itemId }) {
        caps.a.add(itemOf(itemId));
        caps.b.add(itemOf(itemId));
      },
    },
  );
  const assignment = assignmentTo(experiment, "", question);
  return {
    list: { ...a, items },
    made: { placement: nameA!, who: "visitor" },
    log: { experiments: { ...experiments, [experiment.name]: assignment }, teams },
  };
}
