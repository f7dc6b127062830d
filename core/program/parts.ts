// What the parts of a document are read with.
import type { CompiledCondition } from "./cel/compile.ts";
import type { Place } from "./cel/names.ts";
import type { Faults } from "./faults.ts";
import type { RuleScope } from "./scope.ts";

/** Compiles one expression of the document; a fault is reported at `path`. */
export type CompileCel = (value: unknown, path: string, place: Place) => CompiledCondition | undefined;

export interface Parts {
  readonly faults: Faults;
  readonly cel: CompileCel;
  readonly segments: ReadonlySet<string>;
  readonly eventTypes: ReadonlySet<string>;
  /** The scope that the program's expressions are evaluated over; made last, because it needs the whole plan. */
  readonly scope: () => RuleScope;
}
