// A program after compilation: what the engine, the models and the serving layer run. Nothing here is serialised;
// it is rebuilt from the document wherever it is needed.
import type { Item } from "../item/item.ts";
import type { FoldPlan } from "../profile/plan.ts";
import type { PersonState } from "../profile/state.ts";
import type { NamesOfProgram } from "./cel/names.ts";
import type { ReadSet, Rule } from "./rule.ts";
import type { RuleScope } from "./scope.ts";
import type { LearningDocument, ModelsDocument, ProgramDocument } from "./program.ts";

/**
 * True where the item passes. Never throws: an expression that fails (an item without `price`, say) is false.
 * `person` undefined reads like somebody who has done nothing yet.
 */
export type ItemPredicate = (item: Item, person: PersonState | undefined, nowMs: number) => boolean;

export interface CompiledSegment {
  readonly name: string;
  readonly when: string;
  readonly description: string | undefined;
  readonly rule: Rule;
  /** What the rule reads, with all that the segments it reads by `in_segment` read. */
  readonly reads: ReadSet;
}

export interface CompiledTrigger {
  readonly name: string;
  readonly rule: Rule;
  /** Event types that the rule asks for (`event.event_type == "dwell" && …`); null where it may fire on any. */
  readonly eventTypes: ReadonlySet<string> | null;
  readonly oncePer: "session" | number | null;
  readonly push: boolean;
  readonly webhook: string | undefined;
}

export interface CompiledPlacement {
  readonly name: string;
  readonly limit: number;
  readonly diversity: number;
  readonly exclude: readonly ("purchased" | "seen" | "dismissed")[];
  readonly filter?: ItemPredicate;
  readonly boosts: readonly { readonly when: ItemPredicate; readonly by: number }[];
}

export interface CompiledSlot {
  readonly name: string;
  readonly variants: ReadonlyMap<string, unknown>;
  readonly rules: readonly { readonly rule: Rule; readonly variant: string }[];
  /** The variant where no rule holds; null where the program names none. */
  readonly fallback: string | null;
}

export interface CompiledProgram {
  readonly version: number;
  readonly document: ProgramDocument;
  readonly plan: FoldPlan;
  /** Built-in types and those that the program declares. */
  readonly eventTypes: ReadonlySet<string>;
  /** In an order in which a segment comes after those it reads. */
  readonly segments: readonly CompiledSegment[];
  readonly triggers: readonly CompiledTrigger[];
  readonly placements: ReadonlyMap<string, CompiledPlacement>;
  readonly slots: ReadonlyMap<string, CompiledSlot>;
  readonly models: ModelsDocument | undefined;
  readonly learning: LearningDocument | undefined;
  /** What the program's expressions are evaluated over; not to be used from within an evaluation. */
  readonly scope: RuleScope;
  /** What a filter that comes with a request may name. */
  readonly names: NamesOfProgram;
  /** Filters of requests, compiled; the oldest goes when it is full. */
  readonly filters: Map<string, ItemPredicate>;
}
