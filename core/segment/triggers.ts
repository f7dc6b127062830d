// Triggers: conditions over one event and the person it has just changed.
import type { LoggedEvent } from "../event/event.ts";
import type { FiredTrigger } from "../engine.ts";
import type { PersonState } from "../profile/state.ts";
import type { CompiledProgram, CompiledTrigger } from "../program/compiled.ts";
import type { RuleScope } from "../program/scope.ts";
import { touchIndexOf } from "./touch.ts";

/** Fires what the event sets off. The program's scope is set up for the person, after the event was folded. */
export function fireTriggers(person: PersonState, program: CompiledProgram, event: LoggedEvent, fired: FiredTrigger[]): void {
  const triggers = touchIndexOf(program).triggersOf(event.event_type);
  if (triggers.length === 0) return;
  const { scope } = program;
  scope.event = event;
  for (const trigger of triggers) {
    if (!mayFire(person, trigger, scope) || !trigger.rule.holds(scope)) continue;
    // Times of firing, for sessions too: a session's id may be missing, and its start may move.
    if (trigger.oncePer !== null) person.triggerMarks.set(trigger.name, scope.nowMs);
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
  return oncePer === "session" ? mark < scope.session.started_at : scope.nowMs - mark >= oncePer;
}
