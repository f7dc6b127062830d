// Records on their way into the log: encoded once, straight into one growing buffer that is used again and again.
import type { KeyObject } from "node:crypto";
import { assert } from "../../core/assert.ts";
import {
  BATCH_HEADER_BYTES,
  BATCH_TYPE,
  claimedFrameBytes,
  ERASED_TYPE,
  FRAME_BYTES,
  markFrame,
  PAYLOAD_BYTES_MAX,
  sealFrame,
  sumFrame,
} from "./frame.ts";
import { SEAL_BYTES, SEAL_TYPE, sealPayloads, type SealPlace } from "./seal.ts";

/** Longest batch: one write, one fdatasync. */
const BATCH_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Records that one append makes durable together: after a crash all of them are in the log or none.
 * It must not be touched while its append runs; `clear` makes it ready for the next.
 */
export class RecordBatch {
  #buffer: Buffer;
  #end = BATCH_HEADER_BYTES;
  #count = 0;
  #isClosed = false;

  constructor(sizeBytes = 64 * 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(sizeBytes, BATCH_HEADER_BYTES));
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes that the batch takes in the log. */
  get sizeBytes(): number {
    return this.#end;
  }

  /**
   * Adds a record and returns its offset: its position is the log's `end` before the append plus that.
   * `type` is 1–253 and the caller's; a string is written as UTF-8. About 0.2 µs for 300 bytes.
   */
  add(type: number, payload: string | Uint8Array): number {
    assert(type > BATCH_TYPE && type < ERASED_TYPE, "a record type is 1 to 253");
    const at = this.#end;
    const start = at + FRAME_BYTES;
    let payloadBytes: number;
    if (typeof payload === "string") {
      this.#reserve(start + payload.length * 3);
      payloadBytes = this.#buffer.write(payload, start, "utf8");
    } else {
      this.#reserve(start + payload.length);
      this.#buffer.set(payload, start);
      payloadBytes = payload.length;
    }
    assert(payloadBytes <= PAYLOAD_BYTES_MAX, `a record has at most ${PAYLOAD_BYTES_MAX} bytes`);
    markFrame(this.#buffer, at, type, payloadBytes);
    this.#end = start + payloadBytes;
    this.#count++;
    return at;
  }

  /** A record of `payloadBytes` that is no more. */
  addGap(payloadBytes: number): void {
    const start = this.#end + FRAME_BYTES;
    this.#reserve(start + payloadBytes);
    this.#buffer.fill(0, start, start + payloadBytes);
    markFrame(this.#buffer, this.#end, ERASED_TYPE, payloadBytes);
    this.#end = start + payloadBytes;
    this.#count++;
  }

  clear(): void {
    this.#end = BATCH_HEADER_BYTES;
    this.#count = 0;
    this.#isClosed = false;
  }

  /**
   * The bytes as they go to `place.position` of the log, closed with `key` where there is one; valid until the batch is
   * touched again. With a key only once a batch: its payloads are closed where they lie.
   */
  sealed(place: SealPlace, key?: KeyObject): Buffer {
    assert(!this.#isClosed, "a batch is closed once");
    const recordsEnd = this.#end;
    if (key !== undefined && this.#count > 0) {
      this.#isClosed = true;
      const sealAt = recordsEnd + FRAME_BYTES;
      this.#reserve(sealAt + SEAL_BYTES);
      markFrame(this.#buffer, recordsEnd, SEAL_TYPE, SEAL_BYTES);
      sealPayloads(this.#buffer, { end: recordsEnd, sealAt }, key, place);
      this.#end = sealAt + SEAL_BYTES;
    }
    for (let at = BATCH_HEADER_BYTES; at < this.#end;) {
      const frameBytes = claimedFrameBytes(this.#buffer, at);
      sumFrame(this.#buffer, at, frameBytes);
      at += frameBytes;
    }
    this.#buffer.writeDoubleLE(place.position, FRAME_BYTES);
    this.#buffer.writeUInt32LE(this.#end, FRAME_BYTES + 8);
    this.#buffer.writeUInt32LE(this.#count, FRAME_BYTES + 12);
    sealFrame(this.#buffer, 0, BATCH_TYPE, BATCH_HEADER_BYTES - FRAME_BYTES);
    return this.#buffer.subarray(0, this.#end);
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#buffer.length) return;
    assert(sizeBytes <= BATCH_BYTES_MAX, `a batch has at most ${BATCH_BYTES_MAX} bytes`);
    const grown = Buffer.allocUnsafeSlow(Math.min(BATCH_BYTES_MAX, Math.max(sizeBytes, this.#buffer.length * 2)));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#buffer = grown;
  }
}
