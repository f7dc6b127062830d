// What the JVM and the operator pass each other over two shared buffers: turns in, results out.
//
//   in   varint turns; each: varint project, string key, bytes state (empty: none), varint operations;
//          each: byte kind (1 record, 2 handover, 3 time, 4 record that has waited, 5 erase), varint time, bytes value
//   out  varint turns; each: varint operations done (fewer than given: the next one must be held), byte (1: a new state
//          follows), bytes state (empty: the key is forgotten), float64 due, float64 expires (Infinity: never), varint
//          outputs; each: byte channel, varint operation that it came of (counted from 0), string key, bytes value
import type { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";

export const OPERATION = { record: 1, handover: 2, time: 3, waited: 4, erase: 5 } as const;
/** `handover` and `answer` go to the same topic; a handover takes along the event ids that the key knows. */
export const CHANNEL = { profiles: 1, steps: 2, handover: 3, answer: 4, events: 5, outcomes: 6 } as const;
/** Turns in one frame, and operations in one turn. */
export const TURNS_MAX = 1024;
const OPERATIONS_MAX = 4096;

const NOTHING = new Uint8Array(0);

export interface TurnInput {
  project: number;
  key: string;
  /** Empty: the key is new. */
  state: Uint8Array;
  operations: { kind: number; atMs: number; value: Uint8Array }[];
}

export interface TurnResult {
  done: number;
  /** Undefined: as it was; empty: as if there had never been one. */
  state: Uint8Array | undefined;
  dueMs: number;
  /** When the key is to be looked at again because it may have to be forgotten by then (expiry.ts). */
  expiresMs: number;
  outputs: Outputs;
}

/** What a turn sends, in order; written as it comes, because copies cost more than what is in them. */
export class Outputs {
  readonly #writer = new ByteWriter();
  #count = 0;
  /** Which operation of the turn is being applied. */
  operation = 0;

  bytes(channel: keyof typeof CHANNEL, key: string, value: Uint8Array): void {
    this.#head(channel, key);
    this.#writer.bytes(value);
  }

  /** A value that is text in UTF-8. */
  text(channel: keyof typeof CHANNEL, key: string, value: string): void {
    this.#head(channel, key);
    this.#writer.string(value);
  }

  writeTo(writer: ByteWriter): void {
    writer.varint(this.#count);
    writer.raw(this.#writer.view());
  }

  clear(): void {
    this.#count = 0;
    this.operation = 0;
    this.#writer.clear();
  }

  #head(channel: keyof typeof CHANNEL, key: string): void {
    this.#count++;
    this.#writer.byte(CHANNEL[channel]);
    this.#writer.varint(this.operation);
    this.#writer.string(key);
  }
}

/** The values are views into what is read. */
export function readTurn(reader: ByteReader): TurnInput {
  const project = reader.varint();
  const key = reader.string();
  const state = reader.bytes();
  const count = reader.count(OPERATIONS_MAX);
  const operations: TurnInput["operations"] = [];
  for (let i = 0; i < count; i++)
    operations.push({ kind: reader.byte(), atMs: reader.varint(), value: reader.bytes() });
  return { project, key, state, operations };
}

export function writeResult(writer: ByteWriter, { done, state, dueMs, expiresMs, outputs }: TurnResult): void {
  writer.varint(done);
  writer.byte(state === undefined ? 0 : 1);
  writer.bytes(state ?? NOTHING);
  writer.float64(dueMs);
  writer.float64(expiresMs);
  outputs.writeTo(writer);
}
