// Conditions over an item: the filters and boosts of placements, and filters that come with a request.
import { compileCondition } from "./cel/compile.ts";
import type { CelFault } from "./cel/parse.ts";
import type { CompiledProgram, ItemPredicate } from "./compiled.ts";
import type { Rule } from "./rule.ts";
import type { RuleScope } from "./scope.ts";

/** Filters of requests that are kept compiled: pages ask with the same few. */
const FILTERS_MAX = 256;

/** A predicate over a scope that exists by the time it is called. */
export function itemPredicate(rule: Rule, scope: () => RuleScope): ItemPredicate {
  return (item, person, nowMs) => {
    const own = scope();
    own.begin(person, nowMs);
    own.item = item;
    return rule.holds(own);
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
  const predicate = itemPredicate(compiled.rule, () => program.scope);
  if (program.filters.size >= FILTERS_MAX) program.filters.delete(program.filters.keys().next().value!);
  program.filters.set(cel, predicate);
  return { predicate };
}
