// Runs the engine's golden vectors: programs and records in; bytes, memberships, triggers and decisions out. No host is
// assumed, so that every host can run the same.
import { applyAttributes, applyEvent, decideSlot, lookAgain, mergePersons, type Outputs } from "../../core/engine.ts";
import type { EventContext, LoggedEvent } from "../../core/event/event.ts";
import { emptyPerson, encodePerson, type PersonState } from "../../core/profile/person.ts";
import { compileProgram } from "../../core/program/compile.ts";
import { ProgramTimeline } from "../../core/program/timeline.ts";
import { hexOf } from "../hex.ts";

export type EngineStep =
  | { event: LoggedEvent }
  | { attributes: Record<string, unknown>; at: number }
  | { look: number }
  | { program: unknown; at: number }
  /** Another person, who becomes one with this. */
  | { merge: EngineStep[]; at: number }
  | { decide: string; context?: EventContext };

export interface EngineVector {
  title: string;
  steps: EngineStep[];
  outcomes: unknown[];
  stateHex: string;
  nextCheckMs: number | null;
  memberships: [string, number][];
}

type Outcome = Pick<EngineVector, "outcomes" | "stateHex" | "nextCheckMs" | "memberships">;

/** Says what differs, one line a failure; empty when every case comes out bit for bit. */
export function runEngineVectors(cases: readonly EngineVector[]): string[] {
  const failures: string[] = [];
  for (const vector of cases) {
    const result = runEngineVector(vector);
    for (const part of ["outcomes", "stateHex", "nextCheckMs", "memberships"] as const) {
      const got = JSON.stringify(result[part]);
      const want = JSON.stringify(vector[part]);
      if (got !== want) failures.push(`"${vector.title}" ${part}: ${got} instead of ${want}`);
    }
  }
  return failures;
}

/** What a case comes to here and now. */
export function runEngineVector({ steps }: Pick<EngineVector, "steps">): Outcome {
  const timeline = new ProgramTimeline();
  const outcomes: unknown[] = [];
  const person = run(steps, timeline, outcomes);
  return {
    outcomes,
    stateHex: hexOf(encodePerson(person)),
    nextCheckMs: person.nextCheckMs === Infinity ? null : person.nextCheckMs,
    memberships: [...person.memberships].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

function run(steps: readonly EngineStep[], timeline: ProgramTimeline, outcomes: unknown[]): PersonState {
  let person: PersonState | undefined;
  for (const step of steps) {
    if ("program" in step) outcomes.push(append(timeline, step.program, step.at));
    else {
      person ??= emptyPerson(timeline.current.plan);
      outcomes.push(JSON.parse(JSON.stringify(apply(person, step, timeline))));
    }
  }
  return person ?? emptyPerson(timeline.current.plan);
}

function append(timeline: ProgramTimeline, document: unknown, at: number): unknown {
  const version = timeline.entries.length + 1;
  const outcome = compileProgram(document, version);
  if ("faults" in outcome) return outcome.faults;
  timeline.append(version, at, outcome.program);
  return version;
}

function apply(
  person: PersonState,
  step: Exclude<EngineStep, { program: unknown }>,
  timeline: ProgramTimeline,
): Outputs | unknown {
  if ("event" in step) return applyEvent(person, step.event, timeline);
  if ("attributes" in step) return applyAttributes(person, step.attributes, step.at, timeline);
  if ("look" in step) return lookAgain(person, step.look, timeline);
  if ("decide" in step) {
    const asked = { personKey: "u:u1", state: undefined, program: timeline.current };
    return decideSlot(step.decide, { ...asked, person, context: step.context, nowMs: person.asOf }) ?? "no such slot";
  }
  return mergePersons(person, run(step.merge, timeline, []), step.at, timeline);
}
