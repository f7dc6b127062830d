// A record of the log (`events`): what somebody did, keyed by the person that it is folded into.
//
//   byte 0      version, 1
//   byte 1      kind: 1 event, 2 attributes, 3 link marker, 4 tick, 5 expiry
//   byte 2      flags: 1 marked traffic, 2 passed on by another key
//   bytes 3–10  id: two little-endian 32-bit words, high word first; all zero: never a duplicate
//   rest        JSON in UTF-8; empty for a tick
//
// The JVM reads the first eleven bytes and nothing else. JSON, because the log is read by people and by later versions
// for years, and unknown fields survive.
import type { AttuneEvent, ItemFacts, TrafficMark } from "../../core/event/event.ts";
import { hash64 } from "../../core/math/hash.ts";
import type { Consent, PersonRef } from "../../core/record.ts";
import { CorruptBytesError } from "../../core/wire/reader.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

export const RECORD_HEAD_BYTES = 11;
const VERSION = 1;
const KIND = { event: 1, attributes: 2, link: 3, tick: 4, expiry: 5 } as const;
const MARKED = 1;
const PASSED_ON = 2;

/** A logged event before the broker has said when: `received_at` is the record's append time. */
export type UnstampedEvent = AttuneEvent & { item?: ItemFacts; traffic?: TrafficMark };

/** What servers, and keys that belong to somebody else, write to the log. */
export type ClusterRecord =
  | { kind: "event"; event: UnstampedEvent; passedOn?: boolean }
  /** `id` is the server's, made once: what makes a repeated write count once. */
  | {
      kind: "attributes";
      id: string;
      ref: PersonRef;
      attributes: Readonly<Record<string, unknown>>;
      consent?: Consent;
      passedOn?: boolean;
    }
  /** To the anonymous key, acknowledged before the event that links is written: hand over to `userKey`. */
  | { kind: "link"; id: string; anonKey: string; userKey: string }
  /**
   * The job's, to a key: its person is forgotten if he was not seen after `untilMs` (Unix ms); with `userKey` the key's link
   * to that user, who was forgotten then. It may come twice.
   */
  | { kind: "expiry"; key: string; untilMs: number; userKey?: string }
  | { kind: "tick" };

/** Fingerprint of an id within its key; never zero. */
export function fingerprintOf(id: string): { hi: number; lo: number } {
  const hash = hash64(id);
  return hash.hi === 0 && hash.lo === 0 ? { hi: 0, lo: 1 } : hash;
}

export function encodeClusterRecord(record: ClusterRecord): Uint8Array {
  const json = record.kind === "tick" ? new Uint8Array(0) : encodeUtf8(JSON.stringify(bodyOf(record)));
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + json.length);
  bytes[0] = VERSION;
  bytes[1] = KIND[record.kind];
  if (record.kind === "event" && record.event.traffic !== undefined) bytes[2]! |= MARKED;
  if ("passedOn" in record && record.passedOn === true) bytes[2]! |= PASSED_ON;
  if (record.kind !== "tick" && record.kind !== "expiry") {
    const { hi, lo } = fingerprintOf(record.kind === "event" ? record.event.event_id : record.id);
    const view = new DataView(bytes.buffer);
    view.setUint32(3, hi, true);
    view.setUint32(7, lo, true);
  }
  bytes.set(json, RECORD_HEAD_BYTES);
  return bytes;
}

/** Throws CorruptBytesError or SyntaxError on what `encodeClusterRecord` did not write. */
export function decodeClusterRecord(bytes: Uint8Array): ClusterRecord {
  if (bytes.length < RECORD_HEAD_BYTES) throw new CorruptBytesError("a record without its head", bytes.length);
  if (bytes[0] !== VERSION) throw new CorruptBytesError(`record version ${bytes[0]}, this release reads ${VERSION}`, 0);
  if (bytes[1] === KIND.tick) return { kind: "tick" };
  const body = JSON.parse(decodeUtf8(bytes.subarray(RECORD_HEAD_BYTES)));
  const passedOn = (bytes[2]! & PASSED_ON) !== 0 ? { passedOn: true } : {};
  switch (bytes[1]) {
    case KIND.event:
      return { kind: "event", event: body, ...passedOn };
    case KIND.attributes:
      return { kind: "attributes", ...body, ...passedOn };
    case KIND.link:
      return { kind: "link", ...body };
    case KIND.expiry:
      return { kind: "expiry", ...body };
    default:
      throw new CorruptBytesError(`record kind ${bytes[1]}`, 1);
  }
}

/** The same record, passed on by a key that belongs to somebody else now. */
export function markPassedOn(bytes: Uint8Array): Uint8Array {
  const marked = bytes.slice();
  marked[2]! |= PASSED_ON;
  return marked;
}

function bodyOf(record: Exclude<ClusterRecord, { kind: "tick" }>): unknown {
  if (record.kind === "event") return record.event;
  if (record.kind === "link") return { id: record.id, anonKey: record.anonKey, userKey: record.userKey };
  if (record.kind === "expiry") return { key: record.key, untilMs: record.untilMs, userKey: record.userKey };
  const { id, ref, attributes, consent } = record;
  return { id, ref, attributes, ...(consent === undefined ? {} : { consent }) };
}
