// What the embedded host's fold makes of a log of the cluster: the other side of every comparison.
import { lookAgain } from "../../../core/engine.ts";
import { refOfKey } from "../../../core/identity/identity.ts";
import { encodePerson } from "../../../core/profile/person.ts";
import type { ProgramDocument } from "../../../core/program/program.ts";
import type { DecisionRecord, LogRecord } from "../../../core/record.ts";
import { eventKeysOf } from "../../../server/embedded/event-keys.ts";
import type { Fold } from "../../../server/embedded/fold.ts";
import type { ProfileValue } from "../../wire/profile.ts";
import { seenMs } from "../../../server/privacy/retention.ts";
import { type ClusterRecord, decodeClusterRecord } from "../../wire/record.ts";
import { personOf } from "../key-state.ts";
import { addProgram, createProject } from "../project.ts";

/** A record as it lies in the log, with its append time. */
export interface LogEntry {
  key: string;
  atMs: number;
  value: Uint8Array;
}

type Expiry = Extract<ClusterRecord, { kind: "expiry" }>;

export interface ProgramInForce {
  version: number;
  at: number;
  document: ProgramDocument;
}

/**
 * Applies the log to a fold that stands under the first program: in the order of append times, each record where it was
 * folded. Decisions lie between the records, each at its time.
 */
export function applyLog(
  fold: Fold,
  entries: readonly LogEntry[],
  programs: readonly ProgramInForce[],
  decisions: readonly { timeMs: number; decision: DecisionRecord }[] = [],
): void {
  const log = [...entries].sort((a, b) => a.atMs - b.atMs || (a.key < b.key ? -1 : 1));
  const passedOn = passedOnIds(log);
  /**
   * Keys whose marker is behind us, with its time: records of one key keep their order, also those of one append time.
   */
  const signposted = new Map<string, number>();
  const attributes = new Set<string>();
  const refused = new Set<string>();
  /** User and device that a record at the user's key has named together: the job knows that link. */
  const named = new Set<string>();
  let next = 1;
  let decided = 0;
  let position = fold.persons.position;
  const apply = (record: LogRecord): void => void fold.apply(record, ++position);
  const putInForce = (untilMs: number): void => {
    for (; next < programs.length && programs[next]!.at <= untilMs; next++) {
      apply({ kind: "program", ...programs[next]! });
    }
  };
  const decide = (untilMs: number): void => {
    for (; decided < decisions.length && decisions[decided]!.timeMs <= untilMs; decided++) {
      const { timeMs, decision } = decisions[decided]!;
      putInForce(timeMs);
      apply({ kind: "decision", at: timeMs, decision });
    }
  };
  for (const { key, atMs: at, value } of log) {
    decide(at);
    putInForce(at);
    const record = decodeClusterRecord(value);
    if (record.kind === "link") signposted.set(key, at);
    if (record.kind === "expiry") {
      if (!isExpiryOf(fold, key, record, signposted.get(key))) continue;
      apply({ kind: "expiry", at, names: [key] });
      signposted.delete(key);
      for (const pair of named) if (pair.startsWith(`${key.slice(2)}\n`)) named.delete(pair);
    }
    if (record.kind === "event") {
      const event = { ...record.event, received_at: at };
      if (fold.knows(eventKeysOf(event), event.event_id) || refused.has(event.event_id)) continue;
      if (signposted.has(key) && record.passedOn !== true && passedOn.has(event.event_id)) continue;
      // A link is made by the first record at the user's key that names the anonymous one; most often that is the event
      // with both ids, but one that was passed on, or came in one request with it, may be ahead of it.
      const whole = key.startsWith("u:") ? { ...event, ...refOfKey(key) } : event;
      const { user_id: user, anonymous_id: anonymous } = whole;
      if (event.traffic === undefined && fold.verdictOf(whole, eventKeysOf(whole)) !== "kept") {
        // Its id is known to the job from now on, also where he allows it later.
        refused.add(event.event_id);
        // The cluster's server had said whose the device is before it could know that he refuses.
        if (user === undefined || anonymous === undefined) continue;
        if (named.has(`${user}\n${anonymous}`)) fold.links.set(`a:${anonymous}`, Buffer.from(`u:${user}`));
        else apply({ kind: "attributes", at, ref: { user_id: user, anonymous_id: anonymous }, attributes: {} });
      } else apply({ kind: "event", at, event: whole });
      if (event.traffic === undefined) named.add(`${user}\n${anonymous}`);
    } else if (record.kind === "attributes") {
      if (attributes.has(record.id) || (record.passedOn !== true && passedOn.has(record.id))) continue;
      attributes.add(record.id);
      const { ref, attributes: said, consent } = record;
      named.add(`${ref.user_id}\n${ref.anonymous_id}`);
      apply({ kind: "attributes", at, ref, attributes: said, ...(consent === undefined ? {} : { consent }) });
    }
  }
  decide(Infinity);
  // A program may come into force after the last record; time alone brings persons to it.
  putInForce(Infinity);
}

/** Whether nobody of this key was seen, and no device linked, since the record was called for. */
function isExpiryOf(fold: Fold, key: string, { untilMs, userKey }: Expiry, linkedAtMs: number | undefined): boolean {
  if (userKey !== undefined) return fold.keyNow(refOfKey(key)) === userKey && (linkedAtMs ?? Infinity) <= untilMs;
  // What is handed over has gone from this key when the marker came.
  if (linkedAtMs !== undefined) return false;
  const person = fold.persons.get(key);
  return person !== undefined && seenMs(person) <= untilMs;
}

/** Keys of the persons whose bytes differ, each with a word on how; `profiles` holds the newest value of each key. */
export function differences(
  profiles: ReadonlyMap<string, ProfileValue>,
  fold: Fold,
  { programs, untilMs }: { programs: readonly ProgramInForce[]; untilMs: number },
): string[] {
  const project = createProject(0);
  for (const { version, at, document } of programs) addProgram(project, { version, atMs: at, document });
  const persons = new Set([...profiles].filter(([, { signpost }]) => signpost === undefined).map(([key]) => key));
  const found: string[] = [];
  for (const key of fold.persons.all()) {
    if (!persons.delete(key)) found.push(`${key} is missing`);
    else {
      const { person, programVersion, memberships } = profiles.get(key)!;
      const ours = personOf(person, programVersion, project.programs);
      if (memberships.join() !== [...ours.memberships.keys()].sort().join()) found.push(`${key} lists other segments`);
      lookAgain(ours, untilMs, project.programs);
      const theirs = fold.persons.change(key);
      lookAgain(theirs, untilMs, fold.programs);
      if (!Buffer.from(encodePerson(ours)).equals(Buffer.from(encodePerson(theirs)))) {
        found.push(`${key} differs: version ${ours.version}, expected ${theirs.version}`);
      }
    }
  }
  return [...found, ...[...persons].map((key) => `${key} should not be there`)];
}

function passedOnIds(log: readonly LogEntry[]): Set<string> {
  const ids = new Set<string>();
  for (const { value } of log) {
    const record = decodeClusterRecord(value);
    if (record.kind === "event" && record.passedOn === true) ids.add(record.event.event_id);
    if (record.kind === "attributes" && record.passedOn === true) ids.add(record.id);
  }
  return ids;
}
