// Batches closed by AES-256-GCM: one key a segment, one nonce a batch. What is closed are the payloads; frames stay as they
// are, so the log finds its end and its damage without any key, and positions do not change.
import { createCipheriv, createDecipheriv, randomFillSync, type KeyObject } from "node:crypto";
import { BATCH_HEADER_BYTES, claimedFrameBytes, FRAME_BYTES } from "./frame.ts";
import type { LogEntry } from "./log.ts";

/** Type of the frame at the end of a closed batch: [nonce 12][tag 16]. Never given to readers. */
export const SEAL_TYPE = 255;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

const CIPHER = "aes-256-gcm";

/** The keys of a log's segments. A segment has a generation: 0 is open; a segment that is written anew gets the next. */
export interface SegmentKeys {
  /** Undefined for a key that was destroyed. */
  find(base: number, generation: number): KeyObject | undefined;
  /** A new key, durable before it is returned. */
  make(base: number, generation: number): KeyObject;
  /** The segment's latest generation, for one whose header has rotted; 0 where there is none. */
  newest(base: number): number;
  /** Destroys every other key of these segments: what was closed with them nobody opens any more. */
  retire(current: readonly { readonly base: number; readonly generation: number }[]): void;
  /** Destroys the keys of all segments from before `base`: they are no more. */
  dropBefore(base: number): void;
}

/** Where a batch lies: it opens only there. */
export interface SealPlace {
  readonly base: number;
  readonly generation: number;
  readonly position: number;
}

/** Closes the payloads that lie in `batch` between its header and `end`, and writes nonce and tag at `sealAt`. */
export function sealPayloads(
  batch: Buffer,
  range: { end: number; sealAt: number },
  key: KeyObject,
  place: SealPlace,
): void {
  const { end, sealAt } = range;
  const nonce = batch.subarray(sealAt, sealAt + NONCE_BYTES);
  nextNonce().copy(nonce);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(aadOf(place));
  const closed = cipher.update(gather(batch, end));
  cipher.final();
  let from = 0;
  for (let at = BATCH_HEADER_BYTES; at < end;) {
    const frameBytes = claimedFrameBytes(batch, at);
    const payloadBytes = frameBytes - FRAME_BYTES;
    closed.copy(batch, at + FRAME_BYTES, from, from + payloadBytes);
    from += payloadBytes;
    at += frameBytes;
  }
  cipher.getAuthTag().copy(batch, sealAt + NONCE_BYTES);
}

/** The records of one whole closed batch, opened; undefined where they are not what was written there. */
export function openBatch(
  records: readonly LogEntry[],
  seal: Buffer,
  key: KeyObject,
  place: SealPlace,
): LogEntry[] | undefined {
  const decipher = createDecipheriv(CIPHER, key, seal.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(aadOf(place))
    .setAuthTag(seal.subarray(NONCE_BYTES, SEAL_BYTES));
  const opened = decipher.update(Buffer.concat(records.map(({ payload }) => payload)));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  let from = 0;
  return records.map((record) => {
    const payload = opened.subarray(from, (from += record.payload.length));
    return { ...record, payload };
  });
}

let scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The payloads one behind the other: one pass of the cipher costs a tenth of one for each. */
function gather(batch: Buffer, end: number): Buffer {
  if (scratch.length < end) scratch = Buffer.allocUnsafeSlow(end);
  let length = 0;
  for (let at = BATCH_HEADER_BYTES; at < end;) {
    const frameBytes = claimedFrameBytes(batch, at);
    length += batch.copy(scratch, length, at + FRAME_BYTES, at + frameBytes);
    at += frameBytes;
  }
  return scratch.subarray(0, length);
}

/** Drawn many at a time: a call of the generator takes as long as closing the batch of a single event. */
const nonces = Buffer.allocUnsafeSlow(256 * NONCE_BYTES);
let nonceAt = nonces.length;

function nextNonce(): Buffer {
  if (nonceAt === nonces.length) {
    randomFillSync(nonces);
    nonceAt = 0;
  }
  return nonces.subarray(nonceAt, (nonceAt += NONCE_BYTES));
}

function aadOf({ base, generation, position }: SealPlace): Buffer {
  const aad = Buffer.alloc(24);
  aad.writeDoubleLE(base, 0);
  aad.writeDoubleLE(generation, 8);
  aad.writeDoubleLE(position, 16);
  return aad;
}
