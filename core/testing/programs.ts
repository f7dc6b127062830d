// Small worlds for the tests of rules: a compiled program, a person, and events with as little as a test must say.
import { applyEvent, type Outputs } from "../engine.ts";
import type { LoggedEvent } from "../event/event.ts";
import { decodePerson, emptyPerson, encodePerson, type PersonState } from "../profile/person.ts";
import type { CompiledProgram } from "../program/compiled.ts";
import { compileProgram } from "../program/compile.ts";
import type { ProgramDocument } from "../program/program.ts";
import { ProgramTimeline } from "../program/timeline.ts";

/** 2026-01-05T00:00:00Z, a Monday. */
export const MONDAY_MS = 1_767_571_200_000;

export function compiled(document: ProgramDocument, version = 1): CompiledProgram {
  const outcome = compileProgram(document, version);
  if ("faults" in outcome) throw new Error(JSON.stringify(outcome.faults));
  return outcome.program;
}

export function timelineOf(...documents: readonly ProgramDocument[]): ProgramTimeline {
  const timeline = new ProgramTimeline();
  documents.forEach((document, i) => timeline.append(i + 1, i === 0 ? 0 : MONDAY_MS + i, compiled(document, i + 1)));
  return timeline;
}

let events = 0;

/** An event at `atMs`, received then, with an id of its own. */
export function eventAt(atMs: number, eventType: string, more: Partial<LoggedEvent> = {}): LoggedEvent {
  return {
    event_id: `event-${++events}`,
    user_id: "u1",
    event_type: eventType,
    timestamp: atMs,
    received_at: atMs,
    ...more,
  };
}

/** A visitor of one program. */
export function visitor(document: ProgramDocument): {
  person: PersonState;
  timeline: ProgramTimeline;
  act: (atMs: number, eventType: string, more?: Partial<LoggedEvent>) => Outputs;
} {
  const timeline = timelineOf(document);
  const person = emptyPerson(timeline.current.plan);
  return {
    person,
    timeline,
    act: (atMs, eventType, more) => applyEvent(person, eventAt(atMs, eventType, more), timeline),
  };
}

export function copyOf(person: PersonState): PersonState {
  return decodePerson(encodePerson(person), person.layout.plan);
}
