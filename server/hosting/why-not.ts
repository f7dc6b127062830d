// Why items are not in the list that a request was answered with: of the placement that served it, experiments included.
import type { CompiledPlacement, CompiledProgram } from "../../core/program/compiled.ts";
import { at } from "../../core/program/faults.ts";
import { Visit } from "../../core/program/scope.ts";
import type { RankedList } from "../../core/rank/query.ts";
import type { Recommender } from "../../core/rank/recommender.ts";
import type { ListedWhyNot, WhyNot } from "../ports.ts";
import { rankQueryOf, type ListQuestion } from "./lists.ts";
import { whyNotOf, type RuleNames } from "./preview-words.ts";

/** @param question - what `list` was made for; of two rankings that were drafted into one, the question of the first. */
export function whyNotInList(
  itemIds: readonly string[],
  list: RankedList,
  question: ListQuestion & { recommender: Recommender },
): ListedWhyNot[] {
  const { recommender, program, placement, person, nowMs, request, asked } = question;
  const inspection = recommender.inspect(rankQueryOf(question), itemIds);
  const visit = new Visit(program.scope, person, nowMs, request.context);
  const names = namesOf(placement, asked?.(visit), visit, { program, recommender });
  return itemIds.map((itemId) => {
    const item = recommender.item(itemId);
    const found = whyNotOf(itemId, inspection, names);
    const inList = { ...found, ...drafted(found, list.items.findIndex((one) => one.itemId === itemId) + 1) };
    return { item_id: itemId, ...inList, of: list.items.length, ...(item === undefined ? {} : { item }) };
  });
}

/** What differs where the list is not the one that was inspected, but drafted from it and another. */
function drafted({ rank = 0 }: WhyNot, place: number): WhyNot | undefined {
  if (place === rank) return undefined;
  if (place > 0) return { status: "listed", rank: place, text: `It is in the list, at ${place}.` };
  const text = `One of the two rankings of an experiment has it at ${String(rank)}; in the list of both, others took its place.`;
  return { status: "displaced", rank: undefined, text };
}

/** How rules are named where an account speaks of them: by their place in the program, or in the request. */
export function namesOf(
  placement: CompiledPlacement,
  asked: ReturnType<NonNullable<CompiledPlacement["filter"]>> | undefined,
  visit: Visit,
  { program, recommender }: { program: CompiledProgram; recommender: Recommender },
): RuleNames {
  const path = at("/placements", placement.name);
  const own = program.placements.get(placement.name);
  const boosts = own?.boosts.length ?? 0;
  const named = (isOwn: boolean, key: string): string => at(isOwn ? path : "/rules", key);
  const capBy = (by: string, caps: CompiledPlacement["caps"] = []) => caps.find((cap) => cap.by === by);
  const filter = named(own?.filter !== undefined, "filter");
  const filters = [
    { rule: filter, passes: placement.filter?.(visit) },
    { rule: "/rules/filter", passes: placement.alsoFilter?.(visit) },
    { rule: "/filter", passes: asked },
  ];
  return {
    boost: (rule) => (rule < boosts ? `${path}/boost/${rule}` : `/rules/boost/${rule - boosts}`),
    filterOf(itemId) {
      const item = recommender.item(itemId) ?? { item_id: itemId, categories: [], tags: [] };
      return filters.find(({ passes }) => passes !== undefined && !passes(item))?.rule ?? filter;
    },
    cap: (by) => named(capBy(by, own?.caps) === capBy(by, placement.caps), "cap"),
    exclude: (kind) => named(own?.exclude.includes(kind) === true, "exclude"),
    one: (kind) => named(own?.[kind] === placement[kind], kind),
    frequency: placement.frequency,
  };
}
