// What a record, a handover and time do to one key. The law is the embedded host's (server/embedded/fold.ts): identity,
// then models, then the person; only that links cross keys, so that a record may have to wait for a handover.
import { isGranted } from "../../core/consent/consent.ts";
import { applyAttributes, applyEvent, joinOutputs, lookAgain, mergePersons, netMoves, type Outputs } from "../../core/engine.ts";
import { mayConcern } from "../../core/decide/decision-state.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import { anonymousKeyOf } from "../../core/identity/identity.ts";
import { stepOf } from "../../core/model/step.ts";
import { encodePerson, newPerson, type PersonState } from "../../core/profile/person.ts";
import { addAnonymousId } from "../../core/profile/fold.ts";
import { strongestInterests } from "../../core/profile/reading.ts";
import type { ProgramEntry } from "../../core/program/timeline.ts";
import { encodeHandover, type Handover } from "../wire/handover.ts";
import { outcomeText, type OutcomeValue } from "../wire/outcome.ts";
import type { ProfileChange } from "../wire/profile.ts";
import { type ClusterRecord, encodeClusterRecord, markPassedOn } from "../wire/record.ts";
import { pastOf, stepText, type StepValue } from "../wire/step.ts";
import { announceExpiry, applyExpiry } from "./expiry.ts";
import { addLink, EARLY_MAX, isLinked, type KeyState, LINKS_MAX, personOf } from "./key-state.ts";
import { addErasure, mayBeSampled } from "./project.ts";
import type { Turn } from "./turn.ts";

export interface RecordInput {
  record: ClusterRecord;
  /** The same as it lies in the log. */
  bytes: Uint8Array;
  /** Log time, Unix ms. */
  atMs: number;
  /** The wait for a handover is over: go on without it. */
  waited: boolean;
}

/** Applies one record; "hold": nothing was done, and it has to wait for a handover, as all later ones of this key. */
export function applyRecord(turn: Turn, input: RecordInput): "applied" | "hold" {
  const { state } = turn;
  const { record } = input;
  if (isErased(turn, input)) return "applied";
  if (record.kind === "tick" || (record.kind === "event" && record.event.traffic !== undefined)) return "applied";
  if (record.kind === "event") checkTime(record.event.timestamp);
  if (record.kind === "link") {
    // A marker that no server would write must not cost a user his profile.
    if (turn.key.startsWith("a:")) handOver(turn, record.userKey, timeOf(state, input.atMs));
    return "applied";
  }
  if (record.kind === "expiry") {
    applyExpiry(turn, record, input.atMs);
    return "applied";
  }
  if (state.signpost !== undefined) {
    if (input.atMs > turn.project.passOnAfterMs)
      turn.outputs.bytes("events", state.signpost, markPassedOn(input.bytes));
    return "applied";
  }
  const ref = record.kind === "event" ? record.event : record.ref;
  const atMs = timeOf(state, input.atMs);
  const anonKey = ref.anonymous_id === undefined ? undefined : anonymousKeyOf(ref.anonymous_id);
  let merged: Merged | undefined;
  const isNewLink = anonKey !== undefined && anonKey !== turn.key && !isLinked(state, anonKey);
  if (isNewLink) {
    const found = state.early.findIndex((early) => early.anonKey === anonKey);
    if (found >= 0) merged = merge(turn, state.early.splice(found, 1)[0]!, atMs);
    else if (!input.waited && state.links.length < LINKS_MAX) return "hold";
    else if (input.waited && input.atMs > turn.project.passOnAfterMs)
      askForHandover(turn, anonKey, record.kind === "event" ? record.event.event_id : record.id);
  }
  // As the server would have decided that keyed the event, had it known: with what was said on the device.
  const isRefused = record.kind === "event" && !mayBeKept(turn, atMs);
  // What he does not allow to be kept still says whose the device is, where another server has said so already.
  if (isRefused && !isNewLink) return "applied";
  turn.isChanged = true;
  turn.isVisible = true;
  state.sequence++;
  state.lastAtMs = atMs;
  const person = (state.person ??= newPerson(turn.key, turn.project.programs.current.plan));
  if (isRefused) {
    addAnonymousId(person, ref.anonymous_id!);
    const outputs = applyAttributes(person, {}, atMs, turn.project.programs);
    note(turn, person, { atMs, outputs, merged, linkedAnonymousId: ref.anonymous_id });
    return "applied";
  }
  if (record.kind === "attributes") {
    if (ref.user_id !== undefined && ref.anonymous_id !== undefined) addAnonymousId(person, ref.anonymous_id);
    if (record.consent !== undefined) person.consent = record.consent;
    const outputs = applyAttributes(person, record.attributes, atMs, turn.project.programs);
    note(turn, person, { atMs, outputs, merged, linkedAnonymousId: isNewLink ? ref.anonymous_id : undefined });
    return "applied";
  }
  const event = { ...record.event, received_at: atMs };
  const { program, version } = turn.project.programs.inForce(atMs);
  const weight = program.plan.weights.get(event.event_type) ?? 0;
  teach(turn, person, { event, program, version, weight });
  const outputs = applyEvent(person, event, turn.project.programs);
  const hasDecided = turn.project.decidesFromMs <= atMs;
  if (outputs.folded && mayConcern(event, { program, hasDecided })) tell(turn, { kind: "acted", event, weight });
  note(turn, person, { atMs, outputs, event, merged });
  return "applied";
}

/** Year 9999. */
const TIME_MS_MAX = 253_402_300_799_999;

/** Servers let through no other; with one that somebody else wrote, the person's bytes could never be read again. */
function checkTime(timestamp: number): void {
  if (!Number.isInteger(timestamp) || timestamp < 0 || timestamp > TIME_MS_MAX) throw new RangeError(`${timestamp} is no timestamp`);
}

/** Of somebody who was erased, and written before, or after it by whoever did not know yet. */
function isErased({ project, key }: Turn, { record, atMs }: RecordInput): boolean {
  const erasedAtMs = project.erasedAt.get(key);
  if (erasedAtMs === undefined) return false;
  return atMs <= erasedAtMs || (record.kind === "event" && record.event.timestamp <= erasedAtMs);
}

/**
 * Forgets all that the key holds, where it is from before `atMs`: false where he has begun anew. Whoever reads `profiles` is
 * told so by a value without bytes, which the host writes as a tombstone.
 */
export function applyErasure({ key, state, outputs, project }: Turn, atMs: number): boolean {
  addErasure(project, key, atMs);
  if (state.lastAtMs > atMs) return false;
  outputs.bytes("profiles", key, new Uint8Array(0));
  return true;
}

/** Takes a handover in: it waits for the event that names its key. A second one of the same key is dropped. */
export function applyHandover(turn: Turn, handover: Handover): void {
  const { state } = turn;
  if (handover.linkedAtMs <= (turn.project.erasedAt.get(turn.key) ?? 0)) return;
  if (isLinked(state, handover.anonKey) || state.early.some(({ anonKey }) => anonKey === handover.anonKey)) return;
  turn.isChanged = true;
  state.early.push({ ...handover, person: handover.person.slice() });
  if (state.early.length <= EARLY_MAX) return;
  const oldest = state.early.shift()!;
  const merged = merge(turn, oldest, Math.max(state.lastAtMs, oldest.linkedAtMs));
  if (merged === undefined) return;
  state.sequence++;
  turn.isVisible = true;
}

/** Brings the person to `atMs`, where something falls due by then, be it that he is to be forgotten. */
export function applyTime(turn: Turn, atMs: number): void {
  lookAt(turn, atMs);
  announceExpiry(turn, atMs);
}

function lookAt(turn: Turn, atMs: number): void {
  const { person } = turn.state;
  if (person === undefined || person.nextCheckMs > atMs) return;
  turn.isChanged = true;
  const outputs = lookAgain(person, atMs, turn.project.programs);
  if (outputs.entered.length === 0 && outputs.left.length === 0 && outputs.triggers.length === 0) return;
  turn.isVisible = true;
  note(turn, person, { atMs, outputs });
}

/** The log's time within this key never goes back, even where a broker's clock did. */
function timeOf(state: KeyState, atMs: number): number {
  return Math.max(atMs, state.lastAtMs);
}

/** Whether the person allows that his events are kept. */
function mayBeKept({ state, project }: Turn, atMs: number): boolean {
  const { consentDefault } = project.programs.inForce(atMs).program;
  return isGranted(state.person?.consent, "analytics", consentDefault);
}

/** Answers a link marker. A key that belongs to another user already (a shared device) has nothing left to give. */
function handOver(turn: Turn, userKey: string, atMs: number): void {
  const { state } = turn;
  const { person } = state;
  const value = encodeHandover({
    anonKey: turn.key,
    userKey,
    linkedAtMs: atMs,
    programVersion: person?.programVersion ?? 0,
    isShared: state.signpost !== undefined,
    person: person === undefined ? new Uint8Array(0) : encodePerson(person),
  });
  // Ids that a signpost knows are those of records that it passed on: their copies must count.
  turn.outputs.bytes(state.signpost === undefined ? "handover" : "answer", userKey, value);
  state.person = undefined;
  state.signpost = userKey;
  state.sequence++;
  state.lastAtMs = atMs;
  turn.isChanged = true;
  turn.isVisible = true;
}

/**
 * The device's marker was forgotten with the person before, or its answer came to him: without another one each record that
 * names the device would wait.
 */
function askForHandover({ key, outputs }: Turn, anonKey: string, recordId: string): void {
  const marker: ClusterRecord = { kind: "link", id: `${key} ${recordId}`, anonKey, userKey: key };
  outputs.bytes("events", anonKey, encodeClusterRecord(marker));
}

/** The key that is no more, and what came of it for the person that it is part of now. */
interface Merged {
  readonly anonKey: string;
  readonly outputs: Outputs;
}

/** Makes the handed-over person part of this one; undefined where there was none. */
function merge(turn: Turn, handover: Handover, atMs: number): Merged | undefined {
  const { anonKey, person: bytes, programVersion, isShared } = handover;
  const { state, project } = turn;
  addLink(state, anonKey);
  turn.isChanged = true;
  // Who did nothing yet may have been decided for all the same.
  if (!isShared && project.decidesFromMs <= atMs) tell(turn, { kind: "relink", from: anonKey, to: turn.key, at: atMs });
  if (bytes.length === 0) return undefined;
  push(turn, { kind: "relink", from: anonKey, to: turn.key, at: atMs });
  const into = (state.person ??= newPerson(turn.key, turn.project.programs.current.plan));
  const outputs = mergePersons(into, personOf(bytes, programVersion, project.programs), atMs, project.programs);
  return { anonKey, outputs };
}

interface Taught extends Pick<ProgramEntry, "version" | "program"> {
  event: LoggedEvent;
  weight: number;
}

function teach(turn: Turn, person: PersonState, { event, weight, version, program }: Taught): void {
  if (!isGranted(person.consent, "profiling", program.consentDefault)) return;
  const sampled = mayBeSampled(turn.project, version, event);
  const { recent: history, firstInteractionMs: firstMs, attributes } = person;
  const interests = sampled ? strongestInterests(person) : undefined;
  const demographics = program.models?.context?.attributes;
  const step = stepOf(event, {
    personKey: turn.key, weight, sampled, history, interests, firstMs, attributes, demographics,
  });
  if (step === undefined) return;
  const { sampled: _, history: known, paceMs: __, ...rest } = step; // Readers know the pace by `at`.
  const common = { kind: "step", eventId: event.event_id, at: event.received_at } as const;
  if (step.weight < 0) {
    const before = known.filter(({ item_id, event_type }) => item_id === step.itemId && event_type === step.eventType);
    push(turn, { ...common, step: { ...rest, history: before } });
  } else push(turn, sampled ? { ...common, past: pastOf(known), step: rest } : { ...common, step: rest });
}

function push(turn: Turn, step: StepValue): void {
  turn.outputs.text("steps", turn.key, stepText(step));
}

function tell(turn: Turn, outcome: OutcomeValue): void {
  turn.outputs.text("outcomes", turn.key, outcomeText(outcome));
}

interface Noted {
  atMs: number;
  outputs: Outputs;
  event?: LoggedEvent;
  /** Of the same record, before it. */
  merged?: Merged | undefined;
  linkedAnonymousId?: string | undefined;
}

function note(turn: Turn, person: PersonState, noted: Noted): void {
  const { atMs, outputs, event, merged, linkedAnonymousId } = noted;
  const { entered, left } = netMoves(joinOutputs(merged?.outputs, outputs));
  const change: ProfileChange = { version: person.version, atMs, entered, left, triggers: outputs.triggers };
  if (event !== undefined) {
    const { event_id, event_type, timestamp, received_at, item_id, user_id, anonymous_id } = event;
    // JSON leaves out what is undefined.
    change.event = {
      event_id,
      event_type,
      timestamp,
      received_at,
      item_id,
      user_id,
      anonymous_id,
    } as typeof change.event & object;
  }
  if (merged !== undefined) change.mergedFrom = merged.anonKey;
  if (linkedAnonymousId !== undefined) change.linkedAnonymousId = linkedAnonymousId;
  turn.changes.push(change);
}
