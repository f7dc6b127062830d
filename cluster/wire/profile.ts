// A value of `profiles`: one person as he is after some records or a look, and what changed with them.
//
// Which of two values is the newer one: the larger (sequence, asOfMs), but for whoever was forgotten in between. Both come from the log alone, so a replay gives
// equal numbers to equal bytes, and a value that was read before its transaction committed is never wrong, only early.
import type { FiredTrigger } from "../../core/segment/triggers.ts";
import type { Consent } from "../../core/record.ts";
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";

const FORMAT = 1;
const MEMBERSHIPS_MAX = 4096; // More than a program has segments.
const SIGNPOST = 1;
const CHANGES = 2;
const KEEPS = 4;
const REFUSES = 8;

/** The record behind a change: what live pages and webhooks are told. */
export interface ChangeEvent {
  event_id: string;
  event_type: string;
  /** Event time and append time, Unix ms. */
  timestamp: number;
  received_at: number;
  item_id?: string;
  user_id?: string;
  anonymous_id?: string;
}

/** What one record, or time, changed: a `PersonChange` of server/ports.ts without the person. */
export interface ProfileChange {
  /** Version of the person after it. */
  version: number;
  /** Log time, Unix ms. */
  atMs: number;
  /** Undefined where time or attributes changed him. */
  event?: ChangeEvent;
  entered: readonly string[];
  left: readonly string[];
  triggers: readonly FiredTrigger[];
  /** The key that is no more, where two persons became one. */
  mergedFrom?: string;
  /** The anonymous id that attributes linked to this user. */
  linkedAnonymousId?: string;
}

export interface ProfileValue {
  /** Records that were applied to this key so far. */
  sequence: number;
  /** The time that the person was brought to, Unix ms; of the same sequence the later one is the newer one. */
  asOfMs: number;
  /** Version of the person: counts his changes. */
  version: number;
  /** Program version that the memberships were evaluated with. */
  programVersion: number;
  /** When time alone may change him next, Unix ms; Infinity: never. */
  nextCheckMs: number;
  /** Names of his segments, ascending. */
  memberships: readonly string[];
  /** What he has said on whether his events may be kept; undefined: nothing. */
  analytics?: Consent["analytics"];
  /** The user's key where this anonymous key belongs to a user now: there is no person then. */
  signpost?: string;
  /** As `encodePerson` writes it; empty behind a signpost. */
  person: Uint8Array;
  /** In the order in which they happened; one value may stand for several records. */
  changes: readonly ProfileChange[];
}

/** Which value of a key it is. */
export type ValueVersion = Pick<ProfileValue, "sequence" | "asOfMs">;

/** Whoever was forgotten begins anew with sequence 1, and nobody is forgotten before a day: so far apart time decides. */
export const LIVES_APART_MS = 12 * 3_600_000;

export function isNewer(one: ValueVersion, other: ValueVersion): boolean {
  const laterMs = one.asOfMs - other.asOfMs;
  if (Math.abs(laterMs) > LIVES_APART_MS) return laterMs > 0;
  return one.sequence > other.sequence || (one.sequence === other.sequence && laterMs > 0);
}

const writer = new ByteWriter();

export function encodeProfile(value: ProfileValue): Uint8Array {
  return viewOfProfile(value).slice();
}

/** The same without a copy: the next call overwrites it. */
export function viewOfProfile(value: ProfileValue): Uint8Array {
  writer.clear();
  writer.byte(FORMAT);
  writer.varint(value.sequence);
  writer.varint(value.asOfMs);
  const { signpost, changes, analytics } = value;
  const said = analytics === undefined ? 0 : analytics === "granted" ? KEEPS : REFUSES;
  writer.byte((signpost === undefined ? 0 : SIGNPOST) | (changes.length === 0 ? 0 : CHANGES) | said);
  if (value.signpost !== undefined) writer.string(value.signpost);
  writer.varint(value.version);
  writer.varint(value.programVersion);
  writer.number(value.nextCheckMs);
  writer.varint(value.memberships.length);
  for (const name of value.memberships) writer.string(name);
  writer.bytes(value.person);
  if (value.changes.length > 0) writer.string(JSON.stringify(value.changes));
  return writer.view();
}

/** `person` is a view into `bytes`. Throws CorruptBytesError on what `encodeProfile` did not write. */
export function decodeProfile(bytes: Uint8Array): ProfileValue {
  const reader = new ByteReader(bytes);
  const format = reader.byte();
  if (format !== FORMAT) throw reader.corrupt(`profile format ${format}, this release reads ${FORMAT}`);
  const sequence = reader.varint();
  const asOfMs = reader.varint();
  const flags = reader.byte();
  const signpost = (flags & SIGNPOST) !== 0 ? { signpost: reader.string() } : {};
  const said = (flags & (KEEPS | REFUSES)) !== 0 ? { analytics: analyticsOf(flags) } : {};
  const version = reader.varint();
  const programVersion = reader.varint();
  const nextCheckMs = reader.number();
  const memberships: string[] = [];
  const count = reader.count(MEMBERSHIPS_MAX);
  for (let i = 0; i < count; i++) memberships.push(reader.string());
  const person = reader.bytes();
  const changes: ProfileChange[] = (flags & CHANGES) !== 0 ? JSON.parse(reader.string()) : [];
  reader.end();
  return { sequence, asOfMs, version, programVersion, nextCheckMs, memberships, person, changes, ...signpost, ...said };
}

function analyticsOf(flags: number): Consent["analytics"] {
  return (flags & REFUSES) === 0 ? "granted" : "denied";
}
