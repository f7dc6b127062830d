// What an expression is evaluated over. One mutable scope serves all evaluations of a program, so that evaluating
// allocates nothing; it is set up right before a rule runs and holds nothing between two runs.
import type { EventContext, LoggedEvent } from "../event/event.ts";
import type { Item } from "../item/item.ts";
import type { PersonState } from "../profile/state.ts";
import { type SessionView, sessionView } from "../profile/reading.ts";

export class RuleScope {
  person: PersonState;
  nowMs = 0;
  /** When all is looked at again anyway: changes from then on need not be foreseen. */
  horizonMs = Infinity;
  event: LoggedEvent | null = null;
  item: Item | null = null;
  /** The request's own context, which goes before what the person's events said. */
  context: EventContext | null = null;
  /** Values of the variables that macros bind, outermost first. */
  readonly bound: unknown[] = [];
  readonly #nobody: PersonState;
  #session: SessionView | null = null;

  /** @param nobody - a person without any event: what rules read where nobody is known. */
  constructor(nobody: PersonState) {
    this.person = nobody;
    this.#nobody = nobody;
  }

  /** Sets up for one person at one time; event, item and context are none. */
  begin(person: PersonState | undefined, nowMs: number): void {
    this.person = person ?? this.#nobody;
    this.nowMs = nowMs;
    this.horizonMs = Infinity;
    this.event = null;
    this.item = null;
    this.context = null;
    this.#session = null;
  }

  moveTo(nowMs: number): void {
    this.nowMs = nowMs;
    this.#session = null;
  }

  get session(): SessionView {
    return (this.#session ??= sessionView(this.person, this.nowMs));
  }
}
