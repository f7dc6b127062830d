// What an expression is evaluated over. One mutable scope serves all evaluations of a program, so that evaluating
// allocates nothing; it is set up right before a rule runs and holds nothing between two runs.
import type { EventContext, LoggedEvent } from "../event/event.ts";
import type { Item } from "../item/item.ts";
import type { FoldPlan } from "../profile/plan.ts";
import type { PersonState } from "../profile/person.ts";

export interface RuleScope {
  readonly plan: FoldPlan;
  person: PersonState;
  nowMs: number;
  event: LoggedEvent | null;
  item: Item | null;
  /** The request's own context, which goes before what the person's events said. */
  context: EventContext | null;
  /** Values of the variables that macros bind, innermost last. */
  readonly bound: unknown[];
}
