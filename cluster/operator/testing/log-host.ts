// What Kafka and the JVM half of the job do, in memory and one step at a time, so that a test can choose every
// interleaving: partitions of a log with append times, handovers that lag, duplicates, holds, timers by watermark.
import type { Rng } from "../../../core/math/rng.ts";
import { ByteReader } from "../../../core/wire/reader.ts";
import { ByteWriter } from "../../../core/wire/writer.ts";
import { hash32 } from "../../../core/math/hash.ts";
import { decodeHandover } from "../../wire/handover.ts";
import { decodeOutcome, type OutcomeValue } from "../../wire/outcome.ts";
import { decodeProfile, type ProfileValue } from "../../wire/profile.ts";
import { type ClusterRecord, decodeClusterRecord, encodeClusterRecord, RECORD_HEAD_BYTES } from "../../wire/record.ts";
import { decodeStep, type StepValue } from "../../wire/step.ts";
import { CHANNEL, OPERATION, type TurnInput, type TurnResult } from "../frame.ts";
import type { Operator } from "../operator.ts";
import type { LogEntry } from "./log-reference.ts";

interface Key {
  state: Uint8Array;
  dueMs: number;
  expiresMs: number;
  /** The newest time at which it was asked whether the key is to be forgotten. */
  askedMs: number;
  ids: Set<string>;
  held: LogEntry[];
}

interface HandoverEntry {
  key: string;
  value: Uint8Array;
  ids: readonly string[];
}

const NO_ID = "0".repeat(2 * (RECORD_HEAD_BYTES - 3));

export class LogHost {
  readonly partitions: LogEntry[][];
  readonly #read: number[];
  readonly #handovers: HandoverEntry[][];
  readonly #handoversRead: number[];
  readonly keys = new Map<string, Key>();
  /** The newest value of each key, as a compacted topic keeps it. */
  readonly profiles = new Map<string, ProfileValue>();
  readonly published: { key: string; value: ProfileValue }[] = [];
  readonly steps: StepValue[] = [];
  readonly outcomes: { key: string; value: OutcomeValue }[] = [];
  readonly duplicates: string[] = [];
  /** Keys that were forgotten, in order. */
  readonly forgotten: string[] = [];
  readonly #operator: Operator;
  /** Log time; each append takes the next millisecond at least. */
  nowMs: number;

  constructor(options: { operator: Operator; partitions: number; nowMs: number }) {
    this.#operator = options.operator;
    this.nowMs = options.nowMs;
    const each = Array.from({ length: options.partitions }, (_, i) => i);
    this.partitions = each.map(() => []);
    this.#read = each.map(() => 0);
    this.#handovers = each.map(() => []);
    this.#handoversRead = each.map(() => 0);
  }

  append(key: string, record: ClusterRecord | Uint8Array): void {
    const value = record instanceof Uint8Array ? record : encodeClusterRecord(record);
    this.partitions[this.#partitionOf(key)]!.push({ key, atMs: ++this.nowMs, value });
  }

  /** Takes one step of the job that is possible now; false where nothing is left to do. */
  step(rng: Rng): boolean {
    const count = this.partitions.length;
    const start = rng.between(0, 3 * count - 1);
    for (let i = 0; i < 3 * count; i++) {
      const choice = (start + i) % (3 * count);
      const partition = choice % count;
      const done =
        choice < count
          ? this.#readLog(partition, rng.between(1, 8))
          : choice < 2 * count
            ? this.#readHandover(partition)
            : partition === 0 && this.#fireTimers();
      if (done) return true;
    }
    return this.#releaseHeld();
  }

  /** Nothing is on its way any more: whoever still waits for a handover waits in vain. */
  #releaseHeld(): boolean {
    const [key, known] = [...this.keys].find(([, { held }]) => held.length > 0) ?? [];
    if (key === undefined || known === undefined) return false;
    const [first, ...rest] = known.held.splice(0);
    this.#apply(key, [first!], OPERATION.waited);
    if (rest.length > 0) this.#apply(key, rest);
    return true;
  }

  /** Somebody's expiry has been written and not been read. */
  get isForgetting(): boolean {
    return this.partitions.some((log, i) => log.slice(this.#read[i]).some(({ value }) => isExpiry(value)));
  }

  /** Log time that every partition has been read up to: a partition without a backlog is as far as its newest tick. */
  get watermarkMs(): number {
    const times = this.partitions.map((log, i) =>
      this.#read[i]! < log.length ? log[this.#read[i]!]!.atMs - 1 : this.nowMs,
    );
    return Math.min(...times);
  }

  #partitionOf(key: string): number {
    return hash32(key) % this.partitions.length;
  }

  #readLog(partition: number, count: number): boolean {
    const from = this.#read[partition]!;
    const entries = this.partitions[partition]!.slice(from, from + count);
    this.#read[partition] = from + entries.length;
    // Marked traffic goes no further.
    const byKey = Map.groupBy(
      entries.filter(({ value }) => (value[2]! & 1) === 0),
      ({ key }) => key,
    );
    for (const [key, ofKey] of byKey) {
      const known = this.#key(key);
      if (known.held.length > 0) known.held.push(...ofKey);
      else this.#apply(key, ofKey);
    }
    return entries.length > 0;
  }

  #readHandover(partition: number): boolean {
    const entry = this.#handovers[partition]![this.#handoversRead[partition]!];
    if (entry === undefined) return false;
    this.#handoversRead[partition]!++;
    const known = this.#key(entry.key);
    for (const id of entry.ids) known.ids.add(id);
    this.#take(entry.key, [{ kind: OPERATION.handover, atMs: 0, value: entry.value }]);
    const held = known.held.splice(0);
    if (held.length > 0) this.#apply(entry.key, held);
    return true;
  }

  #fireTimers(): boolean {
    const due = [...this.keys].filter(([, { dueMs, held }]) => dueMs <= this.watermarkMs && held.length === 0);
    for (const [key, { dueMs }] of due)
      this.#take(key, [{ kind: OPERATION.time, atMs: dueMs, value: new Uint8Array(0) }]);
    return due.length > 0 || this.#askForExpired();
  }

  /** A record of the log that was called for once is not called for again until he has come back. */
  #askForExpired(): boolean {
    const { watermarkMs } = this;
    const old = [...this.keys].filter(
      ([, { expiresMs, askedMs, held }]) => askedMs < expiresMs && expiresMs <= watermarkMs && held.length === 0,
    );
    for (const [key, known] of old) {
      known.askedMs = known.expiresMs;
      this.#take(key, [{ kind: OPERATION.time, atMs: known.expiresMs, value: new Uint8Array(0) }]);
    }
    return old.length > 0;
  }

  /** The records of one key that were read together, without the duplicates; what must wait is held. */
  #apply(key: string, entries: readonly LogEntry[], kind: number = OPERATION.record): void {
    const known = this.#key(key);
    const ids = new Set<string>();
    const fresh = entries.filter(({ value }) => {
      const id = Buffer.from(value.subarray(3, RECORD_HEAD_BYTES)).toString("hex");
      if (id === NO_ID) return true;
      if (known.ids.has(id) || ids.has(id)) {
        this.duplicates.push(key);
        return false;
      }
      ids.add(id);
      return true;
    });
    if (fresh.length === 0) return;
    const operations = fresh.map(({ atMs, value }) => ({ kind, atMs, value }));
    const done = this.#take(key, operations);
    const idOf = ({ value }: LogEntry): string => Buffer.from(value.subarray(3, RECORD_HEAD_BYTES)).toString("hex");
    for (const entry of fresh.slice(0, done)) known.ids.add(idOf(entry));
    if (done < fresh.length) known.held.push(...entries.slice(entries.indexOf(fresh[done]!)));
  }

  #take(key: string, operations: TurnInput["operations"]): number {
    const known = this.#key(key);
    const result = run(this.#operator, { project: 0, key, state: known.state, operations });
    if (result.state !== undefined) known.state = result.state;
    known.dueMs = result.dueMs;
    known.expiresMs = result.expiresMs;
    for (const { channel, key: to, value } of result.outputs) {
      if (channel === "events") this.append(to, value);
      else if (channel === "steps") this.steps.push(decodeStep(value));
      else if (channel === "outcomes") this.outcomes.push({ key: to, value: decodeOutcome(value) });
      else if (channel === "handover" || channel === "answer") {
        const entry = { key: to, value, ids: channel === "handover" ? [...known.ids] : [] };
        this.#handovers[this.#partitionOf(to)]!.push(entry);
        // At least once: some come twice.
        if (decodeHandover(value).linkedAtMs % 3 === 0) this.#handovers[this.#partitionOf(to)]!.push(entry);
      } else if (value.length === 0) {
        this.profiles.delete(to);
        this.forgotten.push(to);
      } else {
        const profile = decodeProfile(value);
        this.profiles.set(to, profile);
        this.published.push({ key: to, value: profile });
      }
    }
    return result.done;
  }

  #key(key: string): Key {
    let known = this.keys.get(key);
    if (known !== undefined) return known;
    known = { state: new Uint8Array(0), dueMs: Infinity, expiresMs: Infinity, askedMs: 0, ids: new Set(), held: [] };
    this.keys.set(key, known);
    return known;
  }
}

const isExpiry = (value: Uint8Array): boolean => decodeClusterRecord(value).kind === "expiry";

const writer = new ByteWriter();
const CHANNEL_NAMES = Object.fromEntries(Object.entries(CHANNEL).map(([name, number]) => [number, name]));

/** A result as the JVM reads it. */
export interface ReadResult extends Omit<TurnResult, "outputs"> {
  outputs: { channel: keyof typeof CHANNEL; key: string; value: Uint8Array }[];
}

/** One turn through the operator's frames, as the JVM makes and reads them. */
export function run(operator: Operator, { project, key, state, operations }: TurnInput): ReadResult {
  writer.clear();
  writer.varint(1);
  writer.varint(project);
  writer.string(key);
  writer.bytes(state);
  writer.varint(operations.length);
  for (const { kind, atMs, value } of operations) {
    writer.byte(kind);
    writer.varint(atMs);
    writer.bytes(value);
  }
  const reader = new ByteReader(operator.process(writer.take()));
  reader.varint();
  const done = reader.varint();
  const isNew = reader.byte() === 1;
  const bytes = reader.bytes().slice();
  const dueMs = reader.float64();
  const expiresMs = reader.float64();
  const outputs: ReadResult["outputs"] = [];
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    const channel = CHANNEL_NAMES[reader.byte()] as keyof typeof CHANNEL;
    reader.varint();
    outputs.push({ channel, key: reader.string(), value: reader.bytes().slice() });
  }
  reader.end();
  return { done, state: isNew ? bytes : undefined, dueMs, expiresMs, outputs };
}
