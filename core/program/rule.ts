// A compiled CEL condition: its value, and when that value could change without an event.
import type { RuleScope } from "./scope.ts";

/** What an expression reads; an event that touches none of it cannot change the expression's value. */
export interface ReadSet {
  /** Types of events that change something it reads. */
  readonly eventTypes: ReadonlySet<string>;
  /** True where every folded event may change it (session, engagement, …). */
  readonly anyEvent: boolean;
  readonly interests: boolean;
  readonly attributes: boolean;
  readonly context: boolean;
  readonly segments: ReadonlySet<string>;
  /** True where time alone can change it. */
  readonly time: boolean;
}

export interface Rule {
  /** Never throws; an evaluation error is false. */
  holds(scope: RuleScope): boolean;
  /**
   * A time after `scope.nowMs` before which the value cannot change without an event; Infinity where it never can.
   * It is the very millisecond of the change wherever the rule compares with constants, a lower bound otherwise; for
   * changes at `scope.horizonMs` or later it may say any time from there on. Leaves in `scope.verdict` what the
   * condition is now: true where it holds.
   */
  nextChangeMs(scope: RuleScope): number;
  readonly reads: ReadSet;
}
