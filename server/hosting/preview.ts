// A list as it is and as it would be: other rules, another context, another history. Nothing is logged, nothing changes.
import type { EventContext } from "../../core/event/event.ts";
import { SESSION_GAP_MS } from "../../core/event/session-gap.ts";
import { applyAttributes, applyEvent } from "../../core/engine.ts";
import {
  decodePerson, emptyPerson, encodePerson, leaveOut, type PersonState,
} from "../../core/profile/person.ts";
import { compileProgram } from "../../core/program/compile.ts";
import type { CompiledPlacement, CompiledProgram } from "../../core/program/compiled.ts";
import type { ProgramTimeline } from "../../core/program/timeline.ts";
import { Visit } from "../../core/program/scope.ts";
import type { Inspection, RankQuery } from "../../core/rank/query.ts";
import type { Recommender } from "../../core/rank/recommender.ts";
import { NEGATIVE_TYPES } from "../../core/model/step.ts";
import { RulesError, type PreviewAnswer, type PreviewList, type PreviewRequest } from "../ports.ts";
import { allowsPersonalization, listRules, type Visitor } from "./answers.ts";
import { addItemFacts } from "./item-facts.ts";
import { rankQueryOf } from "./lists.ts";
import { movesOf } from "./preview-moves.ts";
import { accountOf, whyNotOf, type RuleNames } from "./preview-words.ts";
import { textsFor } from "./reader-text.ts";
import { namesOf } from "./why-not.ts";

export interface PreviewSources {
  readonly programs: ProgramTimeline;
  /** The one in force. */
  readonly program: CompiledProgram;
  readonly recommender: Recommender;
  readonly nowMs: number;
}

/** One side of the preview: everything that one list comes from. */
interface Side {
  readonly person: PersonState | undefined;
  readonly program: CompiledProgram;
  readonly placement: CompiledPlacement;
  readonly query: RankQuery;
  readonly names: RuleNames;
  readonly context: EventContext;
}

interface Looked extends Side {
  readonly inspection: Inspection;
}

/** @throws FilterError, RulesError. Undefined: no such placement. */
export function answerPreview(
  request: PreviewRequest,
  visitor: Visitor | undefined,
  sources: PreviewSources,
): PreviewAnswer | undefined {
  const { program, recommender } = sources;
  if (listRules({ ...listed(request), placement: request.placement }, program) === undefined) return undefined;
  const personalized = visitor === undefined || allowsPersonalization(visitor, program);
  const key = personalized ? (visitor?.key ?? "") : "";
  const person = personalized ? visitor?.person : undefined;
  const before = sideOf(request, { key, person, program, change: {} }, sources);
  const drafted = request.change.placement === undefined ? program : withDraft(request, program);
  const supposed = personalized ? suppose(person, request, sources) : { person };
  const after = sideOf(request, { key, ...supposed, program: drafted, change: request.change }, sources);
  const look = (side: Side, others: Iterable<string>): Looked => {
    const asked = new Set([...request.whyNot, ...others]);
    return { ...side, inspection: recommender.inspect(side.query, [...asked]) };
  };
  // Each side is asked about what the other one shows: that is why something came or went.
  const shown = (side: Side): string[] => recommender.recommend(side.query).items.map(({ itemId }) => itemId);
  const shownAfter = shown(after);
  const seenBefore = look(before, shownAfter);
  const seenAfter = look(after, seenBefore.inspection.list.items.map(({ itemId }) => itemId));
  return {
    ...request.ref,
    placement: request.placement,
    personalized,
    before: listOfSide(seenBefore, sources),
    after: listOfSide(seenAfter, sources),
    moves: movesOf(seenBefore, seenAfter),
    why_not: request.whyNot.map((itemId) => {
      const item = recommender.item(itemId);
      return {
        item_id: itemId,
        ...(item === undefined ? {} : { item }),
        before: whyNotOf(itemId, seenBefore.inspection, seenBefore.names),
        after: whyNotOf(itemId, seenAfter.inspection, seenAfter.names),
      };
    }),
  };
}

function listed({ limit, itemId, exclude, filter }: PreviewRequest) {
  return {
    ref: {},
    limit: limit ?? 0,
    ...(itemId === undefined ? {} : { itemId }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(filter === undefined ? {} : { filter }),
  };
}

interface SideParts extends Supposed {
  readonly key: string;
  readonly program: CompiledProgram;
  readonly change: PreviewRequest["change"];
}

function sideOf(request: PreviewRequest, parts: SideParts, { nowMs, recommender }: PreviewSources): Side {
  const { key, person, program, change, trail } = parts;
  const context = { ...person?.context, ...request.context, ...change.context };
  const asked = { ...listed(request), placement: request.placement, context };
  const rules = listRules(change.rules === undefined ? asked : { ...asked, rules: change.rules }, program)!;
  const { placement } = rules;
  const limit = request.limit ?? placement.limit;
  const own = person === undefined ? undefined : under(person, program);
  const query = rankQueryOf({
    ...rules, key, person: own, nowMs, program, request: { ...asked, limit }, ...(trail === undefined ? {} : { trail }),
  });
  const visit = new Visit(program.scope, own, nowMs, context);
  const names = namesOf(placement, rules.asked?.(visit), visit, { program, recommender });
  return { person: own, program, placement, query, names, context };
}

/** A copy, of the program's plan: nothing here may touch the state that is served from. */
function under(person: PersonState, program: CompiledProgram): PersonState {
  return decodePerson(encodePerson(person), program.plan);
}

/** The program with the draft in the place of the placement; faults are those that saving it would meet. */
function withDraft({ placement, change }: PreviewRequest, program: CompiledProgram): CompiledProgram {
  const { document } = program;
  const placements = { ...document.placements, [placement]: change.placement };
  const compiled = compileProgram({ ...document, placements }, program.version);
  if ("program" in compiled) return compiled.program;
  throw new RulesError(compiled.faults);
}

interface Supposed {
  readonly person: PersonState | undefined;
  readonly trail?: readonly string[];
}

/** The person as he would be, and the items of his session then. */
function suppose(person: PersonState | undefined, { change }: PreviewRequest, sources: PreviewSources): Supposed {
  const { events = [], without = [], attributes } = change;
  if (events.length === 0 && without.length === 0 && attributes === undefined) return { person };
  const { programs, program, recommender, nowMs } = sources;
  const other = person === undefined ? emptyPerson(program.plan) : under(person, program);
  const factsOf = (itemId: string) => {
    const item = recommender.item(itemId);
    return item === undefined ? undefined : { categories: item.categories, tags: item.tags };
  };
  if (without.length > 0) leaveOut(other, new Set(without), factsOf);
  if (attributes !== undefined) applyAttributes(other, attributes, nowMs, programs);
  events.forEach((supposed, i) => {
    const atMs = nowMs - events.length + 1 + i;
    const event_id = `preview-${nowMs}-${i}`;
    const event = { ...supposed, event_id, user_id: "preview", timestamp: atMs, received_at: nowMs };
    addItemFacts(event, (itemId) => recommender.item(itemId));
    applyEvent(other, event, programs);
  });
  return events.length + without.length === 0 ? { person: other } : { person: other, trail: trailOf(other, nowMs) };
}

/** Distinct items of the session that goes on, newest first. */
function trailOf({ recent }: PersonState, nowMs: number): string[] {
  const items = new Set<string>();
  let laterMs = nowMs;
  for (const { item_id, event_type, timestamp } of recent) {
    if (laterMs - timestamp > SESSION_GAP_MS) break;
    laterMs = timestamp;
    if (!NEGATIVE_TYPES.has(event_type)) items.add(item_id);
  }
  return [...items];
}

function listOfSide({ inspection, person, context, names }: Looked, sources: PreviewSources): PreviewList {
  const { list, accounts, ranker } = inspection;
  const { recommender } = sources;
  const textOf = textsFor(person, context, sources);
  return {
    strategy: list.strategy,
    ranker,
    items: list.items.map(({ itemId, score, reasons = [] }, i) => {
      const item = recommender.item(itemId);
      return {
        item_id: itemId,
        score,
        rank: i + 1,
        reasons,
        reason_text: textOf(itemId, reasons),
        ...(item === undefined ? {} : { item }),
        account: accountOf(accounts[i]!, names),
      };
    }),
  };
}
