// What readers are answered, in every host alike: lists and slots from the program, the models and a person whom the host
// has brought to now. Hosts differ in where they find the person and where the decision goes.
import { uuidv7 } from "uuidv7";
import { isGranted } from "../../core/consent/consent.ts";
import type { DecisionState } from "../../core/decide/decision-state.ts";
import { decideSlot } from "../../core/engine.ts";
import type { EventContext } from "../../core/event/event.ts";
import type { PersonState } from "../../core/profile/person.ts";
import type { CompiledProgram, ItemPredicate } from "../../core/program/compiled.ts";
import { compileItemFilter } from "../../core/program/item-filter.ts";
import { compileRequestRules, withRules, type RequestRules } from "../../core/program/request-rules.ts";
import { Visit } from "../../core/program/scope.ts";
import type { RankedList } from "../../core/rank/query.ts";
import type { Recommender } from "../../core/rank/recommender.ts";
import type { DecisionRecord, PersonRef } from "../../core/record.ts";
import { FilterError, RulesError, type Decision, type RecommendationList, type RecommendRequest } from "../ports.ts";
import { textsFor } from "./reader-text.ts";
import { experimentalList } from "./experimental-list.ts";
import { listOf, placementOf, rankQueryOf } from "./lists.ts";
import { whyNotInList } from "./why-not.ts";

/** What a host answers from at this moment. */
export interface Sources {
  readonly program: CompiledProgram;
  readonly recommender: Recommender;
  readonly nowMs: number;
  /** What slots have learnt and who is in which experiment; without it nobody takes part in one. */
  readonly decisions?: DecisionState;
}

export interface Visitor {
  readonly ref: PersonRef;
  /** The canonical key. */
  readonly key: string;
  /** As he is at `nowMs`; undefined for one whom nobody knows. */
  readonly person: PersonState | undefined;
}

/** An answer, and what the log is to keep of it. */
export interface Answered<T> {
  readonly answer: T;
  readonly decision: DecisionRecord;
}

/** Whom answers follow where the person does not allow that they follow him. */
const NOBODY = { key: "", person: undefined };

export function allowsPersonalization({ person }: Pick<Visitor, "person">, program: CompiledProgram): boolean {
  return isGranted(person?.consent, "personalization", program.consentDefault);
}

/** Undefined: no such placement. Rejected requests throw before a person need be found. @throws FilterError, RulesError */
export function listRules(
  request: RecommendRequest,
  program: CompiledProgram,
): Pick<Parameters<typeof rankQueryOf>[0], "placement" | "asked"> | undefined {
  const named = placementOf(request.placement, program);
  if (named === undefined) return undefined;
  const placement = request.rules === undefined ? named : withRules(named, rulesOf(request.rules, program));
  return { placement, asked: request.filter === undefined ? undefined : filterOf(request.filter, program) };
}

/** A placement's list for a visitor; undefined: no such placement. @throws FilterError, RulesError */
export function answerList(
  request: RecommendRequest,
  visitor: Visitor,
  { program, recommender, nowMs, decisions: all }: Sources,
): Answered<RecommendationList> | undefined {
  const isFollowed = request.impersonal !== true && allowsPersonalization(visitor, program);
  const { key, person } = isFollowed ? visitor : NOBODY;
  const decisions = isFollowed ? all : undefined;
  const rules = listRules(request, program);
  if (rules === undefined) return undefined;
  const rulesAt = (placement: string) =>
    placement === request.placement ? rules : listRules({ ...request, placement }, program)!;
  const decisionId = uuidv7();
  const questionOf = (placement: string, who: "visitor" | "nobody") => {
    const followed = who === "nobody" ? NOBODY : { key, person };
    return { ...rulesAt(placement), ...followed, request, nowMs, program };
  };
  const made = experimentalList(
    { request, personKey: key, person, program, nowMs, state: decisions, context: request.context, decisionId },
    {
      rank: (placement, who) => recommender.recommend(rankQueryOf(questionOf(placement, who))),
      capsOf: (placement) => rulesAt(placement).placement.caps,
      itemOf: (itemId) => recommender.item(itemId),
    },
  );
  const { placement, explain = false, whyNot = [] } = request;
  const texts = explain ? textsFor(person, { ...person?.context, ...request.context }, { recommender, nowMs }) : undefined;
  const answer = listOf(made.list, { recommender, decisionId, placement, texts });
  Object.assign(answer, request.ref);
  answer.profile_version = person?.version ?? 0;
  Object.assign(answer, variantsOf(made.log.experiments));
  if (whyNot.length > 0) {
    const question = { ...questionOf(made.made.placement, made.made.who), recommender };
    answer.why_not = whyNotInList(whyNot, made.list, question);
  }
  const decision: DecisionRecord = {
    ...request.ref,
    decision_id: decisionId,
    placement,
    strategy: made.list.strategy,
    items: answer.items.map(({ item_id }) => item_id),
    propensity: 1,
    ...made.log,
  };
  return { answer, decision };
}

export function answerSimilar(itemId: string, limit: number, sources: Sources): RecommendationList {
  const { recommender, nowMs } = sources;
  return crowdList(recommender.similar(itemId, { limit, nowMs }), "similar", sources);
}

/** @throws FilterError */
export function answerTrending(limit: number, filter: string | undefined, sources: Sources): RecommendationList {
  const { program, recommender, nowMs } = sources;
  const asked = filter === undefined ? undefined : filterOf(filter, program);
  const isWanted = asked === undefined ? {} : { filter: asked(new Visit(program.scope, undefined, nowMs)) };
  return crowdList(recommender.trending({ limit, nowMs, ...isWanted }), "trending", sources);
}

/** Undefined: no such slot. */
export function answerSlot(
  slot: string,
  context: EventContext | undefined,
  visitor: Visitor,
  { program, nowMs, decisions: all }: Sources,
): Answered<Decision> | undefined {
  const isFollowed = allowsPersonalization(visitor, program);
  const { ref, key } = visitor;
  const { person } = isFollowed ? visitor : NOBODY;
  const decisions = isFollowed ? all : undefined;
  const decisionId = uuidv7();
  // Nothing follows him, but the draw is his own: with one for all who are nobody they would all see the same for half an hour.
  const question = { personKey: key, person, context, nowMs, program, state: decisions };
  const decided = decideSlot(slot, question);
  if (decided === undefined) return undefined;
  const { variant, payload, propensity, reason, choice, experiments } = decided;
  return {
    answer: { decision_id: decisionId, slot, variant, payload, propensity, reason, ...variantsOf(experiments) },
    decision: {
      ...ref,
      decision_id: decisionId,
      placement: `slot:${slot}`,
      strategy: reason,
      items: variant === null ? [] : [variant],
      propensity,
      ...(choice === undefined ? {} : { choice }),
      ...(experiments === undefined ? {} : { experiments }),
    },
  };
}

function variantsOf(experiments: DecisionRecord["experiments"]): { experiments?: Record<string, string> } {
  if (experiments === undefined) return {};
  return { experiments: Object.fromEntries(Object.entries(experiments).map(([name, { variant }]) => [name, variant])) };
}

function crowdList(list: RankedList, placement: string, { recommender }: Sources): RecommendationList {
  return listOf(list, { recommender, decisionId: uuidv7(), placement });
}

function rulesOf(document: unknown, program: CompiledProgram): RequestRules {
  const compiled = compileRequestRules(document, program);
  if ("rules" in compiled) return compiled.rules;
  throw new RulesError(compiled.faults);
}

function filterOf(cel: string, program: CompiledProgram): ItemPredicate {
  const compiled = compileItemFilter(cel, program);
  if ("predicate" in compiled) return compiled.predicate;
  throw new FilterError(compiled.faults.map(({ message }) => message).join("; "));
}
