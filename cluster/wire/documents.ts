// Values that people read too: JSON in UTF-8, one object each.
import type { Item } from "../../core/item/item.ts";
import type { DeadLetter, DecisionRecord, ExperimentStop } from "../../core/record.ts";
import type { PersonAges } from "../../server/privacy/retention.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/** `decision`: a list or a slot that was answered. */
export type DecisionValue = DecisionRecord & { at: number };

/** `item`, by item id; the deleted one is a tombstone (a null value), so that compaction forgets it. */
export interface ItemValue {
  item: Item;
  /** When a server took it, Unix ms. */
  at: number;
}

/** `control`: what concerns everybody who runs the project's program. */
export type ControlValue =
  /** In force from log time `at` on; `at` lies a second behind the moment at which it was written. */
  | { kind: "program"; version: number; at: number; document: unknown }
  /** A guard has stopped a variant; the same one may be stopped twice. */
  | { kind: "experiment_stop"; at: number; stop: ExperimentStop }
  /** For how long persons are kept after they were last seen, in ms; null: for ever. The newest counts. */
  | { kind: "retention"; at: number; profiles: number | null; visitors: number | null }
  /** The record of a quarantined one is to be tried again; its id is `TOPIC/PARTITION/OFFSET`. */
  | { kind: "retry"; id: string; at: number };

export type RetentionValue = Extract<ControlValue, { kind: "retention" }>;

export function retentionOf({ profiles, visitors }: PersonAges, at: number): RetentionValue {
  const age = (ms: number): number | null => (ms === Infinity ? null : ms);
  return { kind: "retention", at, profiles: age(profiles), visitors: age(visitors) };
}

export function agesOf({ profiles, visitors }: RetentionValue): PersonAges {
  return { profiles: profiles ?? Infinity, visitors: visitors ?? Infinity };
}

/** `dead-letters`: refused events, and `resolved` ones by the same id. */
export type DeadLetterValue = DeadLetter;

/** `quarantine`: a record whose code threw or did not end, three times. Written by the JVM. */
export interface QuarantineValue {
  /** `TOPIC/PARTITION/OFFSET` of the record in the log. */
  id: string;
  key: string;
  /** Log time of the record, Unix ms. */
  at: number;
  reason: "threw" | "endless" | "too_large";
  message: string;
  /** The record as it lies in the log, in base64; empty for one of more than 700,000 bytes. */
  record: string;
}

export interface DocumentOf {
  decision: DecisionValue;
  item: ItemValue;
  control: ControlValue;
  deadLetters: DeadLetterValue;
  quarantine: QuarantineValue;
}

/** How long after it was written a program takes effect: by then everybody has read it. */
export const PROGRAM_DELAY_MS = 1_000;

export function encodeDocument<K extends keyof DocumentOf>(_topic: K, value: DocumentOf[K]): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}

/** Throws on what is not JSON in UTF-8. The shape is the writer's word: only servers and the job write these topics. */
export function decodeDocument<K extends keyof DocumentOf>(_topic: K, bytes: Uint8Array): DocumentOf[K] {
  return JSON.parse(decodeUtf8(bytes));
}

/** Undefined for what `decode` throws on: somebody else wrote it to the topic, and who reads all of it leaves it out. */
export function readable<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}
