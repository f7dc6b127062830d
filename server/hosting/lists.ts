// Lists for a person: the placement of the program, the request and the profile become one question to the recommender.
import { facetsOf } from "../../core/model/facets.ts";
import type { CompiledPlacement, CompiledProgram, ItemPredicate } from "../../core/program/compiled.ts";
import { NO_ITEM } from "../../core/program/item-filter.ts";
import { Visit } from "../../core/program/scope.ts";
import { boughtSince, shownTooOften } from "../../core/profile/shows.ts";
import { openSessionFromMs, strongestInterests } from "../../core/profile/reading.ts";
import type { PersonState } from "../../core/profile/person.ts";
import type { RankedList, RankQuery } from "../../core/rank/query.ts";
import type { Recommender } from "../../core/rank/recommender.ts";
import type { RecommendationList, RecommendedItem, RecommendRequest } from "../ports.ts";
import type { ReaderTexts } from "./reader-text.ts";

/** `home` where the program has none: a plain list. */
const PLAIN_HOME: CompiledPlacement = {
  name: "home", limit: 20, diversity: 0, exclude: [], boosts: [], pins: [], caps: [],
};

/** The placement that the request names; undefined where the program has none of that name. */
export function placementOf(name: string, program: CompiledProgram): CompiledPlacement | undefined {
  return program.placements.get(name) ?? (name === PLAIN_HOME.name ? PLAIN_HOME : undefined);
}

export interface ListQuestion {
  readonly key: string;
  readonly person: PersonState | undefined;
  readonly placement: CompiledPlacement;
  readonly request: RecommendRequest;
  /** The request's own filter. */
  readonly asked: ItemPredicate | undefined;
  readonly nowMs: number;
  readonly program: CompiledProgram;
  /** Items of the session, newest first, where they are not those that the models know. */
  readonly trail?: readonly string[];
}

/** The question to the recommender; to be asked before the person changes. */
export function rankQueryOf({ key, person, placement, request, asked, nowMs, program, trail }: ListQuestion): RankQuery {
  const context = { ...person?.context, ...request.context };
  const visit = new Visit(program.scope, person, nowMs, request.context);
  const filters = [placement.filter, placement.alsoFilter, asked].flatMap((filter) =>
    filter === undefined ? [] : [filter(visit)],
  );
  return {
    personKey: key,
    nowMs,
    limit: request.limit ?? placement.limit,
    history: person?.recent ?? [],
    interests: person === undefined ? [] : strongestInterests(person),
    trail,
    pageItemId: request.itemId,
    exclude: request.exclude === undefined ? undefined : new Set(request.exclude),
    excludeKinds: placement.exclude,
    filter: filters.length < 2 ? filters[0] : (item) => filters.every((filter) => filter(item)),
    boosts: placement.boosts
      .map(({ when, by }, rule) => ({ when: when(visit), by, rule }))
      .filter(({ when }) => when !== NO_ITEM),
    diversity: placement.diversity,
    ...merchandisingOf(placement, person, visit, nowMs),
    country: context.country,
    device: context.device,
    weather: context.weather,
    timezone: context.timezone,
    facets: facetsOf({
      context,
      attributes: person?.attributes,
      demographics: program.models?.context?.attributes,
    }),
    explain: request.explain,
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Merchandising = Mutable<Pick<RankQuery, "pins" | "caps" | "freshness" | "tired" | "bought" | "purchasesFromMs" | "sessionFromMs">>;

/** Pins, caps and what reads the person's past; nothing where the placement has none of it. */
function merchandisingOf(
  { pins, caps, frequency, freshness, exclude, purchasedForMs }: CompiledPlacement,
  person: PersonState | undefined,
  visit: Visit,
  nowMs: number,
): Merchandising {
  const rules: Merchandising = {};
  if (pins.length > 0) {
    rules.pins = pins.map((pin) => (pin.when === undefined ? pin : { at: pin.at, when: pin.when(visit) }));
  }
  if (caps.length > 0) rules.caps = caps;
  if (freshness !== undefined) rules.freshness = freshness;
  if (person === undefined) return rules;
  if (exclude.includes("session")) rules.sessionFromMs = openSessionFromMs(person, nowMs);
  if (frequency !== undefined && person.shown.length > 0) {
    const tired = shownTooOften(person, { ...frequency, nowMs });
    if (tired.size > 0) rules.tired = { items: new Set(tired.keys()), by: frequency.by };
  }
  if (purchasedForMs !== undefined) {
    rules.purchasesFromMs = nowMs - purchasedForMs;
    rules.bought = boughtSince(person, nowMs - purchasedForMs);
  }
  return rules;
}

/** A ranked list as the port answers it, with the catalogue's items; with `texts` each with its reasons. */
export function listOf(
  list: RankedList,
  options: { recommender: Recommender; decisionId: string; placement: string; texts?: ReaderTexts | undefined },
): RecommendationList {
  const { recommender, decisionId, placement, texts } = options;
  const items = list.items.map(({ itemId, score, reasons }, i): RecommendedItem => {
    const item = recommender.item(itemId);
    const ranked: RecommendedItem = { item_id: itemId, score, rank: i + 1 };
    if (texts !== undefined) {
      ranked.reasons = reasons ?? [];
      ranked.reason_text = texts(itemId, ranked.reasons);
    }
    if (item !== undefined) ranked.item = item;
    return ranked;
  });
  return { decision_id: decisionId, profile_version: 0, placement, strategy: list.strategy, items };
}
