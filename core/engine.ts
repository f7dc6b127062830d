// The core's door for hosts: one person's state, one record, and what came of it.
//
// The law: a person is a function of his records and of the time he was brought to. Whatever changes by itself (a
// segment that times out, a new program) happens at its own due time, whether a host looks early, late or never.
import { isGranted } from "./consent/consent.ts";
import { decide, type SlotDecision, type SlotQuestion } from "./decide/slot.ts";
import type { LoggedEvent } from "./event/event.ts";
import { dropEntry } from "./profile/state.ts";
import { adaptPerson, foldEvent, mergePerson, type PersonState, rememberNames, setAttributes } from "./profile/person.ts";
import type { CompiledProgram } from "./program/compiled.ts";
import type { ProgramEntry, ProgramTimeline } from "./program/timeline.ts";
import { evaluateSegments, type MembershipChanges, runChecks } from "./segment/memberships.ts";
import { type SegmentIndices, segmentsTouched, touchIndexOf } from "./segment/touch.ts";
import { fireTriggers, type FiredTrigger } from "./segment/triggers.ts";

/** What came of bringing a person on: segment changes in the order they happened, and triggers. */
export interface Outputs {
  /** False for a duplicate and for marked traffic. */
  folded: boolean;
  entered: string[];
  left: string[];
  triggers: FiredTrigger[];
}

/** A person starts without a version and takes the one in force at his first record. */
const NO_VERSION = 0;

/**
 * Brings the person to the event's time, folds it, and evaluates what it touched. An event marked as traffic only moves
 * time. `event.received_at` says which program was in force.
 */
export function applyEvent(person: PersonState, event: LoggedEvent, programs: ProgramTimeline): Outputs {
  const outputs = noOutputs();
  const { received_at: atMs } = event;
  if (event.traffic !== undefined) {
    bringTo(person, { untilMs: atMs, programsAtMs: atMs }, programs, outputs);
    return outputs;
  }
  const isNew = start(person, atMs, programs);
  const untilMs = Math.max(atMs, event.timestamp);
  bringTo(person, { untilMs, programsAtMs: atMs }, programs, outputs);
  const program = programOf(person, programs);
  if (!isGranted(person.consent, "profiling", program.consentDefault)) {
    // Which ids are his shapes nothing, and whatever is done for all of them must reach each.
    rememberNames(person, event);
    return outputs;
  }
  outputs.folded = foldEvent(person, event, program.plan) === "folded";
  if (!outputs.folded) return outputs;
  person.asOf = Math.max(person.asOf, untilMs);
  program.scope.begin(person, person.asOf);
  const index = touchIndexOf(program);
  const touch = index.ofType(event.event_type);
  evaluate(person, program, isNew ? index.all : segmentsTouched(touch, event), outputs);
  fireTriggers(person, { event, triggers: touch.triggers, scope: program.scope }, outputs.triggers);
  return outputs;
}

/** Brings the person to `at`, sets attributes, and evaluates the segments that read them. */
export function applyAttributes(
  person: PersonState, attributes: Readonly<Record<string, unknown>>, at: number, programs: ProgramTimeline,
): Outputs {
  const outputs = noOutputs();
  const isNew = start(person, at, programs);
  bringTo(person, { untilMs: at, programsAtMs: at }, programs, outputs);
  const program = programOf(person, programs);
  setAttributes(person, attributes, at);
  person.asOf = Math.max(person.asOf, at);
  program.scope.begin(person, person.asOf);
  const touch = touchIndexOf(program);
  evaluate(person, program, isNew ? touch.all : touch.attributes, outputs);
  outputs.folded = true;
  return outputs;
}

/**
 * Applies everything that falls due up to `nowMs`, each at its due time, so that
 * lookAgain(lookAgain(s, t1), t2) = lookAgain(s, t2) to the byte. A time before `asOf` changes nothing but the program; a
 * person without a record stays nobody.
 */
export function lookAgain(person: PersonState, nowMs: number, programs: ProgramTimeline): Outputs {
  const outputs = noOutputs();
  bringTo(person, { untilMs: nowMs, programsAtMs: nowMs }, programs, outputs);
  return outputs;
}

/**
 * Makes `into` the state of both; `from` must not be used afterwards. Outputs are the segments that `into` entered and
 * left by it. A segment that one of them was in already goes on since then.
 */
export function mergePersons(into: PersonState, from: PersonState, at: number, programs: ProgramTimeline): Outputs {
  const outputs = noOutputs();
  const untilMs = Math.max(at, into.asOf, from.asOf);
  for (const [person, changes] of [[into, outputs], [from, noOutputs()]] as const) {
    start(person, at, programs);
    bringTo(person, { untilMs, programsAtMs: at }, programs, changes);
  }
  const program = programOf(into, programs);
  const before = new Set(into.memberships.keys());
  mergePerson(into, from, program.plan);
  into.nextCheckMs = Infinity;
  program.scope.begin(into, into.asOf);
  evaluate(into, program, touchIndexOf(program).all, { entered: [], left: [] });
  for (const name of into.memberships.keys()) if (!before.has(name)) outputs.entered.push(name);
  for (const name of before) if (!into.memberships.has(name)) outputs.left.push(name);
  outputs.folded = true;
  return outputs;
}

/** What came of two things one after the other, as of one: of a merge, and of the record that brought it about. */
export function joinOutputs(first: Outputs | undefined, then: Outputs): Outputs {
  if (first === undefined) return then;
  return {
    folded: first.folded || then.folded,
    entered: [...first.entered, ...then.entered],
    left: [...first.left, ...then.left],
    triggers: [...first.triggers, ...then.triggers],
  };
}

/** What is left of moves in and out of the same segment: time may pass through several programs at once. */
export function netMoves({ entered, left }: Outputs): { entered: string[]; left: string[] } {
  if (entered.length === 0 || left.length === 0) return { entered, left };
  const moves = new Map<string, number>();
  for (const segment of entered) moves.set(segment, (moves.get(segment) ?? 0) + 1);
  for (const segment of left) moves.set(segment, (moves.get(segment) ?? 0) - 1);
  const moved = (by: number): string[] => [...moves].filter(([, net]) => net === by).map(([segment]) => segment);
  return { entered: moved(1), left: moved(-1) };
}

/** Which variant of `slot` a visitor gets; undefined where the program has no such slot. */
export function decideSlot(slot: string, question: Omit<SlotQuestion, "slot">): SlotDecision | undefined {
  const compiled = question.program.slots.get(slot);
  return compiled === undefined ? undefined : decide({ ...question, slot: compiled });
}

function noOutputs(): Outputs {
  return { folded: false, entered: [], left: [], triggers: [] };
}

/** Gives a new person the program in force; true where he is new and was never evaluated. */
function start(person: PersonState, atMs: number, programs: ProgramTimeline): boolean {
  if (person.programVersion !== NO_VERSION) return false;
  const { version, program } = programs.inForce(atMs);
  adaptPerson(person, program.plan);
  person.programVersion = version;
  return true;
}

interface Destination {
  untilMs: number;
  /** Programs that came into force up to then are taken over: processing time, which no sender can set. */
  programsAtMs: number;
}

function bringTo(person: PersonState, to: Destination, programs: ProgramTimeline, outputs: Outputs): void {
  if (person.programVersion === NO_VERSION) return;
  let next = programs.after(person.programVersion);
  while (next !== undefined && next.at <= to.programsAtMs) {
    runChecks(person, programOf(person, programs), next.at, outputs);
    changeProgram(person, next, outputs);
    next = programs.after(next.version);
  }
  if (person.nextCheckMs <= to.untilMs) runChecks(person, programOf(person, programs), to.untilMs, outputs);
  if (to.untilMs > person.asOf) person.asOf = to.untilMs;
}

/** Takes the next program over at the time it came into force: what it no longer names is forgotten. */
function changeProgram(person: PersonState, { version, at, program }: ProgramEntry, outputs: Outputs): void {
  const before = outputs.entered.length + outputs.left.length;
  adaptPerson(person, program.plan);
  person.programVersion = version;
  const segments = new Set(program.segments.map(({ name }) => name));
  for (const name of person.memberships.keys()) {
    if (segments.has(name)) continue;
    dropEntry(person, "memberships", name);
    outputs.left.push(name);
  }
  const marked = new Set(program.triggers.map(({ name }) => name));
  for (const name of person.triggerMarks.keys()) if (!marked.has(name)) dropEntry(person, "triggerMarks", name);
  person.nextCheckMs = Infinity;
  person.asOf = Math.max(person.asOf, at);
  program.scope.begin(person, person.asOf);
  evaluate(person, program, touchIndexOf(program).all, outputs);
  if (outputs.entered.length + outputs.left.length > before) person.version++;
}

function evaluate(person: PersonState, program: CompiledProgram, indices: SegmentIndices, changes: MembershipChanges): void {
  person.nextCheckMs = evaluateSegments(person, program, indices, person.nextCheckMs, changes);
}

/** The program that the person is kept for. A version that the timeline has lost gives way to the oldest one it knows. */
function programOf(person: PersonState, programs: ProgramTimeline): CompiledProgram {
  const { current } = programs;
  if (current.version === person.programVersion) return current;
  const known = programs.at(person.programVersion);
  if (known !== undefined) return known;
  const { version, program } = programs.after(person.programVersion) ?? programs.entries.at(-1)!;
  adaptPerson(person, program.plan);
  person.programVersion = version;
  return program;
}
