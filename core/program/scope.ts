// What an expression is evaluated over. One mutable scope serves all evaluations of a program, so that evaluating
// allocates nothing; it is set up right before a rule runs and holds nothing between two runs.
import type { EventContext, LoggedEvent } from "../event/event.ts";
import type { Item } from "../item/item.ts";
import type { PersonState } from "../profile/state.ts";
import { positiveTotal, weightOf } from "../profile/interests.ts";
import { builtinValue, currentSession } from "../profile/reading.ts";
import type { Session } from "../profile/sessions.ts";

export class RuleScope {
  person: PersonState;
  nowMs = 0;
  /** When all is looked at again anyway: changes from then on need not be foreseen. */
  horizonMs = Infinity;
  event: LoggedEvent | null = null;
  item: Item | null = null;
  /** The value of the condition whose next change was asked for last (`CelNode.nextMs`): asking needs it anyway. */
  verdict: unknown = false;
  /** The request's own context, which goes before what the person's events said. */
  context: EventContext | null = null;
  /** Values of the variables that macros bind, outermost first. */
  readonly bound: unknown[] = [];
  readonly #nobody: PersonState;
  /** Counts how often the scope was set up: whoever comes back to it sees whether it is still his. */
  turn = 0;
  // What several rules read, worked out by the first that does: undefined or NaN until then.
  #session: Session | null | undefined;
  #categoriesTotal = NaN;
  #tagsTotal = NaN;
  #engagement = NaN;

  /** @param nobody - a person without any event: what rules read where nobody is known. */
  constructor(nobody: PersonState) {
    this.person = nobody;
    this.#nobody = nobody;
  }

  /** Sets up for one person at one time, for who is ahead of it at his own; event, item and context are none. */
  begin(person: PersonState | undefined, nowMs: number): void {
    this.turn++;
    this.person = person ?? this.#nobody;
    this.nowMs = Math.max(nowMs, this.person.asOf);
    this.horizonMs = Infinity;
    this.event = null;
    this.item = null;
    this.context = null;
    this.#session = undefined;
    this.#categoriesTotal = NaN;
    this.#tagsTotal = NaN;
    this.#engagement = NaN;
  }

  moveTo(nowMs: number): void {
    this.nowMs = nowMs;
    this.#engagement = NaN;
  }

  /** The person's newest session, over or not; null where there was none. */
  get session(): Session | null {
    if (this.#session === undefined) this.#session = currentSession(this.person) ?? null;
    return this.#session;
  }

  get engagement(): number {
    if (this.#engagement !== this.#engagement) this.#engagement = builtinValue(this.person, "engagement", this.nowMs);
    return this.#engagement;
  }

  /** As `interestShare` (core/profile/reading.ts), with the totals added up once for all rules. */
  interest(name: string): number {
    const { categories, tags } = this.person;
    const category = weightOf(categories, name);
    if (category > 0) {
      if (this.#categoriesTotal !== this.#categoriesTotal) this.#categoriesTotal = positiveTotal(categories);
      const share = category / this.#categoriesTotal;
      if (share > 0) return share;
    }
    const tag = weightOf(tags, name);
    if (tag <= 0) return 0;
    if (this.#tagsTotal !== this.#tagsTotal) this.#tagsTotal = positiveTotal(tags);
    return tag / this.#tagsTotal;
  }
}

/**
 * One visitor at one time, of whom many conditions are asked: the scope is set up for him once, not for each. To be used
 * up before the person changes. `person` undefined reads like somebody who has done nothing yet; `context` is the request's.
 */
export class Visit {
  readonly #scope: RuleScope;
  readonly #person: PersonState | undefined;
  readonly #nowMs: number;
  readonly #context: EventContext | null;
  /** Of no set-up yet: a new scope has had none either. */
  #turn = -1;

  constructor(scope: RuleScope, person: PersonState | undefined, nowMs: number, context?: EventContext) {
    this.#scope = scope;
    this.#person = person;
    this.#nowMs = nowMs;
    this.#context = context ?? null;
  }

  /** The scope, set up for this visit; `item` is whatever was looked at last. */
  enter(): RuleScope {
    if (this.#scope.turn !== this.#turn) {
      this.#scope.begin(this.#person, this.#nowMs);
      this.#scope.context = this.#context;
      this.#turn = this.#scope.turn;
    }
    return this.#scope;
  }
}
