// The job without the JVM: the very operator, over the real topics, its state in this process's memory. Started again it
// reads the log from the start and writes everything once more, as a job does whose transactions were aborted.
import { setTimeout as pause } from "node:timers/promises";
import { ErasureBook } from "../../erasure/book.ts";
import { createOperator } from "../../operator/operator.ts";
import { OPERATION, type TurnInput } from "../../operator/frame.ts";
import { run } from "../../operator/testing/log-host.ts";
import type { KafkaConnection } from "../../kafka/connection.ts";
import { partitionOf } from "../../kafka/partition.ts";
import { KafkaReader, type ReadBatch } from "../../kafka/reader.ts";
import { KafkaSender, type OutgoingRecord } from "../../kafka/sender.ts";
import { agesOf, decodeDocument } from "../../wire/documents.ts";
import { RECORD_HEAD_BYTES } from "../../wire/record.ts";
import { personKeyOf, recordKey } from "../../wire/record-key.ts";
import type { ProjectTopics } from "../../wire/topics.ts";

const MARKED = 1;
const TICK = 4;
const TIMERS_EVERY_MS = 50;
const RETRY_MS = 100;
const NO_ID = "0".repeat(2 * (RECORD_HEAD_BYTES - 3));
/** A held key goes on without its handover after so much log time. */
const HOLD_MS = 30_000;

interface Entry {
  atMs: number;
  value: Buffer;
}

interface Key {
  state: Uint8Array;
  dueMs: number;
  expiresMs: number;
  /** The newest time at which it was asked whether the key is to be forgotten. */
  askedMs: number;
  ids: Set<string>;
  held: Entry[];
}

export interface DevJob {
  stop(): Promise<void>;
}

export async function startDevJob(
  connection: KafkaConnection,
  topics: ProjectTopics,
  partitions: ReadonlyMap<string, number>,
): Promise<DevJob> {
  const operator = createOperator();
  operator.addProject({ passOnAfterMs: 0 });
  const sender = new KafkaSender(connection);
  const keys = new Map<string, Key>();
  const erasures = new ErasureBook();
  const times = new Map<string, number>();
  let outputs: OutgoingRecord[] = [];
  let sending = Promise.resolve();
  const reader = new KafkaReader({ connection, onBatch: take });

  function keyOf(key: string): Key {
    let known = keys.get(key);
    if (known !== undefined) return known;
    known = { state: new Uint8Array(0), dueMs: Infinity, expiresMs: Infinity, askedMs: 0, ids: new Set(), held: [] };
    keys.set(key, known);
    return known;
  }

  function send(topic: string, key: string, bytes: Uint8Array, timestampMs?: number): void {
    const value = bytes.length === 0 ? null : bytes;
    const own = topic === topics.profiles ? Buffer.from(key) : recordKey(key);
    const place = { topic, partition: partitionOf(key, partitions.get(topic)!), key: own };
    outputs.push({ ...place, value, ...(timestampMs === undefined ? {} : { timestampMs }) });
  }

  function erase(key: string, atMs: number): void {
    turn(key, [{ kind: OPERATION.erase, atMs, value: new Uint8Array(0) }]);
    if (keyOf(key).state.length === 0) keys.delete(key);
  }

  /** Whether it counts as never written. */
  function isErased(key: string, atMs: number): boolean {
    const erasedAtMs = erasures.erasedAt(key);
    if (erasedAtMs !== undefined) operator.addErasure(0, key, erasedAtMs);
    return erasedAtMs !== undefined && atMs <= erasedAtMs;
  }

  function turn(key: string, operations: TurnInput["operations"]): number {
    const known = keyOf(key);
    const result = run(operator, { project: 0, key, state: known.state, operations });
    if (result.state !== undefined) known.state = result.state;
    known.dueMs = result.dueMs;
    known.expiresMs = result.expiresMs;
    for (const { channel, key: to, value } of result.outputs) {
      if (channel === "events") send(topics.events.engage, to, value);
      else if (channel === "handover" || channel === "answer") {
        const ids = channel === "handover" ? [...known.ids] : [];
        send(topics.handover, to, Buffer.from(JSON.stringify({ ids, value: Buffer.from(value).toString("base64") })));
      } else if (channel === "profiles" && value.length === 0) send(topics.profiles, to, value, operations.at(-1)!.atMs);
      else send(topics[channel], to, value);
    }
    return result.done;
  }

  function apply(key: string, entries: readonly Entry[], kind: number): void {
    const known = keyOf(key);
    const ids = new Set<string>();
    const fresh = entries.filter((entry) => {
      const id = idOf(entry);
      const isKnown = known.ids.has(id) || ids.has(id);
      ids.add(id);
      return !isKnown || id === NO_ID;
    });
    if (fresh.length === 0) return;
    const done = turn(key, fresh.map(({ atMs, value }) => ({ kind, atMs, value })));
    for (const entry of fresh.slice(0, done)) known.ids.add(idOf(entry));
    known.held.push(...fresh.slice(done));
  }

  async function take({ topic, partition, records }: ReadBatch): Promise<void> {
    if (topic === topics.control) {
      for (const { value } of records) {
        const control = decodeDocument("control", value!);
        if (control.kind === "retention") {
          operator.setAges(0, agesOf(control));
          for (const [key, { held }] of keys)
            if (held.length === 0) turn(key, [{ kind: OPERATION.time, atMs: 0, value: new Uint8Array(0) }]);
        }
        if (control.kind !== "program") continue;
        operator.addProgram(0, { version: control.version, atMs: control.at, document: control.document });
      }
      return;
    }
    if (topic === topics.erasures) {
      for (const { value } of records) {
        const job = value === null ? undefined : erasures.take(value);
        if (job?.status === "running") for (const key of job.keys) erase(key, job.at);
      }
      return flush();
    }
    for (const { key, value, timestampMs } of records) {
      if (topic !== topics.handover) times.set(`${topic}/${partition}`, timestampMs);
      if (value === null || (value[1] === TICK && topic !== topics.handover)) continue;
      if (topic === topics.handover) handover(personKeyOf(key!), JSON.parse(value.toString()));
      else log(personKeyOf(key!), { atMs: timestampMs, value });
    }
    await flush();
  }

  function log(key: string, entry: Entry): void {
    if ((entry.value[2]! & MARKED) !== 0 || isErased(key, entry.atMs)) return;
    const known = keyOf(key);
    if (known.held.length > 0) known.held.push(entry);
    else apply(key, [entry], OPERATION.record);
  }

  function handover(key: string, { ids, value }: { ids: string[]; value: string }): void {
    isErased(key, Infinity);
    const known = keyOf(key);
    for (const id of ids) known.ids.add(id);
    turn(key, [{ kind: OPERATION.handover, atMs: 0, value: Buffer.from(value, "base64") }]);
    goOn(key, OPERATION.record);
  }

  function goOn(key: string, kind: number): void {
    const held = keyOf(key).held.splice(0);
    if (held.length > 0) apply(key, held, kind);
  }

  function fireTimers(): void {
    const watermarkMs = Math.min(...times.values());
    for (const [key, known] of keys) {
      const { dueMs, expiresMs, askedMs, held } = known;
      if (held.length > 0) {
        if (held[0]!.atMs + HOLD_MS <= watermarkMs) goOn(key, OPERATION.waited);
      } else if (dueMs <= watermarkMs) turn(key, [{ kind: OPERATION.time, atMs: dueMs, value: new Uint8Array(0) }]);
      else if (expiresMs <= watermarkMs && askedMs < expiresMs) {
        known.askedMs = expiresMs;
        turn(key, [{ kind: OPERATION.time, atMs: expiresMs, value: new Uint8Array(0) }]);
      }
    }
    void flush();
  }

  function flush(): Promise<void> {
    const batch = outputs;
    outputs = [];
    sending = sending.then(() => sendAgain(batch));
    return sending;
  }

  async function sendAgain(batch: OutgoingRecord[]): Promise<void> {
    for (let isSent = batch.length === 0; !isSent; ) {
      isSent = await sender.send(batch).then(
        () => true,
        ({ code }: { code?: string }) => pause(RETRY_MS).then(() => code === "shutting_down"),
      );
    }
  }

  reader.read(topics.control, 0, "earliest");
  reader.read(topics.erasures, 0, "earliest");
  await reader.caughtUp();
  for (const topic of [...topics.log, topics.handover]) {
    for (let partition = 0; partition < partitions.get(topic)!; partition++) reader.read(topic, partition, "earliest");
  }
  const timers = setInterval(fireTimers, TIMERS_EVERY_MS);
  return {
    async stop() {
      clearInterval(timers);
      await reader.close();
      await sender.close();
    },
  };
}

function idOf({ value }: Entry): string {
  return value.subarray(3, RECORD_HEAD_BYTES).toString("hex");
}
