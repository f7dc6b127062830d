// Folds a project's log anew: what the job's JVM half does around the operator (duplicates, waiting for handovers),
// restated in a few lines and one process. What arrives when does not matter to the result, so this takes the records
// of all partitions in the order of their log time.
import type { ProgramTimeline } from "../../core/program/timeline.ts";
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";
import { RecentMap } from "../../server/hosting/recent-map.ts";
import type { ErasureBook } from "../erasure/book.ts";
import type { LogRecord } from "../kafka/merged-log.ts";
import { CHANNEL, OPERATION } from "../operator/frame.ts";
import { decodeKeyState, type KeyState } from "../operator/key-state.ts";
import { createOperator, type Operator } from "../operator/operator.ts";
import { addProgram, createProject } from "../operator/project.ts";
import { RECORD_HEAD_BYTES } from "../wire/record.ts";
import { rowKey, type Scratch } from "./scratch.ts";

const ID_START = 3;
const FLAGS_AT = 2;
const MARKED = 1;
/** As long as the job knows an event id within its key. */
const IDS_KEPT_MS = 8 * 86_400_000;
const HELD_RECORDS_MAX = 1_000;
/** Keys that are known as forgotten: of what the job may be behind. */
const FORGOTTEN_MAX = 100_000;
const NO_ID = Buffer.alloc(RECORD_HEAD_BYTES - ID_START);

interface Result {
  readonly done: number;
  readonly state: Buffer | undefined;
  readonly outputs: readonly { channel: number; key: string; value: Buffer }[];
}

export class LogFold {
  /** The project's programs. */
  readonly programs: ProgramTimeline;
  readonly #scratch: Scratch;
  readonly #states: ReturnType<Scratch["rows"]>;
  readonly #ids: ReturnType<Scratch["rows"]>;
  readonly #operator: Operator;
  readonly #project: ReturnType<typeof createProject>;
  /** Records that wait for a handover, by key. */
  readonly #held = new Map<string, LogRecord[]>();
  readonly #forgotten = new RecentMap<true>(FORGOTTEN_MAX);
  readonly #writer = new ByteWriter();
  readonly #erasures: ErasureBook;
  recordsTotal = 0;
  duplicatesTotal = 0;
  /** Records whose code threw: the job sets them aside and leaves the state as it was. */
  thrownTotal = 0;

  /** @param erasures - whose records count as never written; it grows. */
  constructor(scratch: Scratch, erasures: ErasureBook) {
    this.#scratch = scratch;
    this.#erasures = erasures;
    this.#states = scratch.rows("states");
    this.#ids = scratch.rows("ids");
    this.#operator = createOperator();
    // The copies that signposts passed on are in the log already.
    this.#operator.addProject({ passOnAfterMs: Infinity });
    this.#project = createProject(Infinity);
    this.programs = this.#project.programs;
  }

  addProgram(program: { version: number; atMs: number; document: unknown }): void {
    this.#operator.addProgram(0, program);
    addProgram(this.#project, program);
  }

  /** Somebody was erased, so the log may lack what was folded once. */
  get hasErased(): boolean {
    return this.#erasures.newestAtMs !== -Infinity;
  }

  /** Takes records in the order of their log time. */
  apply(records: readonly LogRecord[]): void {
    this.#scratch.batch(() => {
      for (const record of records) this.#take(record);
    });
  }

  /** Lets go what still waits, as the job does after its patience: call it at the log's end. */
  release(): void {
    this.#scratch.batch(() => {
      for (const key of [...this.#held.keys()]) this.#release(key);
    });
  }

  /** Forgets whom the ledger names since the records were taken that made his state. */
  forgetErased(): void {
    if (!this.hasErased) return;
    this.#scratch.batch(() => {
      for (const key of [...this.keys()]) {
        const atMs = this.#erasures.erasedAt(key);
        if (atMs === undefined) continue;
        this.#run(key, { kind: OPERATION.erase, atMs, value: NO_ID });
        this.#forgotten.delete(key);
      }
    });
  }

  state(key: string): KeyState | undefined {
    const bytes = this.#states.get(rowKey(key));
    return bytes === undefined ? undefined : decodeKeyState(bytes, this.programs);
  }

  /** Retention has forgotten it not long ago: whoever is behind may have it still. */
  hasForgotten(key: string): boolean {
    return this.#forgotten.get(key) === true;
  }

  /** Every key of the log that has a state. */
  *keys(): Generator<string> {
    for (const key of this.#states.getKeys()) yield key.toString("utf8", 2);
  }

  #take(record: LogRecord): void {
    this.recordsTotal++;
    // Marked traffic changes nobody.
    if ((record.value[FLAGS_AT]! & MARKED) !== 0 || this.#isErased(record)) return;
    const held = this.#held.get(record.key);
    if (held === undefined) return void this.#apply(record, OPERATION.record);
    held.push(record);
    if (held.length > HELD_RECORDS_MAX) this.#release(record.key);
  }

  /** Whether it counts as never written; the operator looks at those that came late. */
  #isErased({ key, atMs }: LogRecord): boolean {
    const erasedAtMs = this.#erasures.erasedAt(key);
    if (erasedAtMs === undefined) return false;
    this.#operator.addErasure(0, key, erasedAtMs);
    return atMs <= erasedAtMs;
  }

  /** False where the record must wait. */
  #apply(record: LogRecord, kind: number): boolean {
    const { key, atMs, value } = record;
    const id = value.subarray(ID_START, RECORD_HEAD_BYTES);
    const idKey = id.equals(NO_ID) ? undefined : rowKey(key, id);
    if (idKey !== undefined && this.#knows(idKey, atMs)) {
      this.duplicatesTotal++;
      return true;
    }
    const result = this.#run(key, { kind, atMs, value });
    if (result === undefined) return true;
    if (result.done === 0) {
      this.#held.set(key, [record]);
      return false;
    }
    if (idKey !== undefined) this.#ids.putSync(idKey, timeBytes(atMs));
    return true;
  }

  #knows(idKey: Buffer, atMs: number): boolean {
    const seen = this.#ids.get(idKey);
    return seen !== undefined && atMs - seen.readDoubleLE() <= IDS_KEPT_MS;
  }

  #release(key: string): void {
    const held = this.#held.get(key) ?? [];
    this.#held.delete(key);
    for (const [i, record] of held.entries()) {
      // Its patience is over; the next may wait again, and those behind it with it.
      if (this.#apply(record, i === 0 ? OPERATION.waited : OPERATION.record)) continue;
      this.#held.get(key)!.push(...held.slice(i + 1));
      return this.#release(key);
    }
  }

  #handOver(from: string, to: string, value: Buffer, hasIds: boolean): void {
    if (hasIds) {
      const prefix = rowKey(from);
      const end = Buffer.concat([prefix, Buffer.from([255])]);
      const known = [...this.#ids.getRange({ start: prefix, end })];
      for (const { key, value: seen } of known)
        this.#ids.putSync(Buffer.concat([rowKey(to), key.subarray(prefix.length)]), seen);
    }
    const erasedAtMs = this.#erasures.erasedAt(to);
    if (erasedAtMs !== undefined) this.#operator.addErasure(0, to, erasedAtMs);
    this.#run(to, { kind: OPERATION.handover, atMs: 0, value });
    const held = this.#held.get(to);
    if (held === undefined) return;
    this.#held.delete(to);
    for (const [i, record] of held.entries()) {
      if (this.#apply(record, OPERATION.record)) continue;
      return void this.#held.get(to)!.push(...held.slice(i + 1));
    }
  }

  /** One operation on one key; undefined where its code threw: then nothing has happened. */
  #run(key: string, operation: { kind: number; atMs: number; value: Uint8Array }): Result | undefined {
    const row = rowKey(key);
    const writer = this.#writer;
    writer.clear();
    writer.varint(1);
    writer.varint(0);
    writer.string(key);
    writer.bytes(this.#states.get(row) ?? new Uint8Array(0));
    writer.varint(1);
    writer.byte(operation.kind);
    writer.varint(operation.atMs);
    writer.bytes(operation.value);
    let answer: Uint8Array;
    try {
      answer = this.#operator.process(writer.take());
    } catch {
      this.thrownTotal++;
      return undefined;
    }
    const result = resultOf(answer);
    if (result.state !== undefined) this.#keep(key, row, result.state);
    for (const { channel, key: to, value } of result.outputs) {
      if (channel === CHANNEL.handover || channel === CHANNEL.answer)
        this.#handOver(key, to, value, channel === CHANNEL.handover);
    }
    return result;
  }

  #keep(key: string, row: Buffer, state: Buffer): void {
    if (state.length > 0) {
      this.#states.putSync(row, state);
      return void this.#forgotten.delete(key);
    }
    this.#states.removeSync(row);
    this.#forgotten.set(key, true);
  }
}

function resultOf(answer: Uint8Array): Result {
  const reader = new ByteReader(answer);
  reader.varint();
  const done = reader.varint();
  const isNew = reader.byte() === 1;
  const state = Buffer.from(reader.bytes());
  reader.float64();
  reader.float64();
  const outputs: { channel: number; key: string; value: Buffer }[] = [];
  for (let rest = reader.varint(); rest > 0; rest--) {
    const channel = reader.byte();
    reader.varint();
    outputs.push({ channel, key: reader.string(), value: Buffer.from(reader.bytes()) });
  }
  reader.end();
  return { done, state: isNew ? state : undefined, outputs };
}

function timeBytes(atMs: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(atMs);
  return bytes;
}
