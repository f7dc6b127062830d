// Rules that come with a request, for its own list: a placement's form, added to what the placement says.
import { compileCondition } from "./cel/compile.ts";
import type { CompiledPlacement, CompiledProgram } from "./compiled.ts";
import { at, Faults } from "./faults.ts";
import { EXPRESSION_CHARS_MAX } from "./limits.ts";
import { readRules, RULE_KEYS, type ListRules } from "./placements.ts";
import type { ProgramFault } from "./program.ts";

/** Rules of requests that are kept compiled: pages ask with the same few. */
const RULES_MAX = 256;

/** `diversity` only where the request says it. */
export type RequestRules = Omit<ListRules, "diversity"> & { readonly diversity?: number };

/** Compiles them, or finds them compiled. They may read the person too, but only windows that the program keeps. */
export function compileRequestRules(
  document: unknown,
  program: CompiledProgram,
): { rules: RequestRules } | { faults: ProgramFault[] } {
  const text = JSON.stringify(document);
  const known = program.requestRules.get(text);
  if (known !== undefined) return { rules: known };
  const faults = new Faults();
  const path = "/rules";
  const read = faults.object(document, path, RULE_KEYS);
  if (read === undefined) return { faults: faults.list };
  const { diversity, ...rules } = readRules(read, path, {
    faults,
    cel(value, place) {
      if (faults.string(value, place, EXPRESSION_CHARS_MAX) === undefined) {
        faults.required(value, place, "the condition");
        return undefined;
      }
      const compiled = compileCondition(value as string, program.names);
      if (!("faults" in compiled)) return compiled;
      for (const { code, message, position } of compiled.faults) faults.add(place, code, message, position);
      return undefined;
    },
  });
  if (rules.frequency !== undefined && !program.plan.keeps.shown) {
    const message = "nobody counts what is shown: give a placement of the program a `frequency` first";
    faults.add(at(path, "frequency"), "not_kept", message);
  }
  if (faults.list.length > 0) return { faults: faults.list };
  const compiled: RequestRules = read["diversity"] === undefined ? rules : { ...rules, diversity };
  if (program.requestRules.size >= RULES_MAX) program.requestRules.delete(program.requestRules.keys().next().value!);
  program.requestRules.set(text, compiled);
  return { rules: compiled };
}

/** The placement with a request's rules: lists of both, and of what there is only one of the request's. */
export function withRules(placement: CompiledPlacement, rules: RequestRules): CompiledPlacement {
  const { filter, ...rest } = rules;
  const isPinned = ({ at: position }: { at: number }): boolean => rules.pins.some((pin) => pin.at === position);
  const isCapped = ({ by }: { by: string }): boolean => rules.caps.some((cap) => cap.by === by);
  const both = placement.filter ?? filter;
  return {
    ...placement,
    ...rest,
    exclude: [...new Set([...placement.exclude, ...rules.exclude])],
    boosts: [...placement.boosts, ...rules.boosts],
    pins: [...placement.pins.filter((pin) => !isPinned(pin)), ...rules.pins].sort((a, b) => a.at - b.at),
    caps: [...placement.caps.filter((cap) => !isCapped(cap)), ...rules.caps],
    ...(both === undefined ? {} : { filter: both }),
    ...(placement.filter === undefined || filter === undefined ? {} : { alsoFilter: filter }),
  };
}
