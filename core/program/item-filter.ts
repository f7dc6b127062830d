// Conditions over an item: the filters and boosts of placements, and filters that come with a request.
import { compileCondition, type CompiledCondition } from "./cel/compile.ts";
import type { CelFault } from "./cel/parse.ts";
import type { CompiledProgram, ItemPredicate, ItemTest } from "./compiled.ts";

/** Filters of requests that are kept compiled: pages ask with the same few. */
const FILTERS_MAX = 256;

/** Of a visitor for whom no item passes. */
export const NO_ITEM: ItemTest = () => false;

export function itemPredicate(condition: CompiledCondition): ItemPredicate {
  const { visitor, item: ofItem } = condition.byItem();
  return (visit) => {
    if (!visitor(visit.enter())) return NO_ITEM;
    return (item) => {
      const scope = visit.enter();
      scope.item = item;
      return ofItem(scope);
    };
  };
}

/**
 * Compiles a filter that came with a request, or finds it compiled. It may read the person too, but only windows that
 * the program keeps.
 */
export function compileItemFilter(
  cel: string, program: CompiledProgram,
): { predicate: ItemPredicate } | { faults: readonly CelFault[] } {
  const known = program.filters.get(cel);
  if (known !== undefined) return { predicate: known };
  const compiled = compileCondition(cel, program.names);
  if ("faults" in compiled) return compiled;
  const predicate = itemPredicate(compiled);
  if (program.filters.size >= FILTERS_MAX) program.filters.delete(program.filters.keys().next().value!);
  program.filters.set(cel, predicate);
  return { predicate };
}
