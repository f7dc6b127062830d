// Triggers: conditions over one event and the person it has just changed.
import type { LoggedEvent } from "../event/event.ts";
import { putEntry, type PersonState } from "../profile/state.ts";
import type { CompiledTrigger } from "../program/compiled.ts";
import type { RuleScope } from "../program/scope.ts";

/** A trigger that an event set off. */
export interface FiredTrigger {
  name: string;
  atMs: number;
  itemId?: string;
  /** Goes to the person's open pages. */
  push: boolean;
  /** Goes to this URL. */
  webhook?: string;
}

/** An event that was folded, and the triggers that one of its type can set off. The scope is set up for the person. */
export interface TriggerCall {
  readonly event: LoggedEvent;
  readonly triggers: readonly CompiledTrigger[];
  readonly scope: RuleScope;
}

/** Fires what the event sets off. */
export function fireTriggers(
  person: PersonState,
  { event, triggers, scope }: TriggerCall,
  fired: FiredTrigger[],
): void {
  if (triggers.length === 0) return;
  scope.event = event;
  for (const trigger of triggers) {
    if (!mayFire(person, trigger, scope) || !trigger.rule.holds(scope)) continue;
    // Times of firing, for sessions too: a session's id may be missing, and its start may move.
    if (trigger.oncePer !== null) putEntry(person, "triggerMarks", trigger.name, scope.nowMs);
    const one: FiredTrigger = { name: trigger.name, atMs: scope.nowMs, push: trigger.push };
    if (event.item_id !== undefined) one.itemId = event.item_id;
    if (trigger.webhook !== undefined) one.webhook = trigger.webhook;
    fired.push(one);
  }
  scope.event = null;
}

function mayFire(person: PersonState, { name, oncePer }: CompiledTrigger, scope: RuleScope): boolean {
  if (oncePer === null) return true;
  const mark = person.triggerMarks.get(name);
  if (typeof mark !== "number") return true;
  return oncePer === "session" ? mark < (scope.session?.startMs ?? 0) : scope.nowMs - mark >= oncePer;
}
