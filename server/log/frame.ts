// How one record lies in a segment file, and how damage is told from data.
//
//   [crc32 u32][0xfe << 24 | payload bytes u32][type u8][payload]        little-endian; the crc covers all after itself
//
// 0xfe never occurs in UTF-8, so inside a text payload nothing looks like a frame: after damage the next frame is
// found by a byte search, and no sender can forge one.
import { crc32 } from "node:zlib";

export const FRAME_BYTES = 9;
/** Longest payload of one record; the length has 24 bits. */
export const PAYLOAD_BYTES_MAX = 0xff_ffff;
export const FRAME_MARK = 0xfe;
/** Where the mark lies within a frame. */
export const FRAME_MARK_OFFSET = 7;

/** The frame that opens each batch: [position f64][bytes of the batch u32][records u32]. Never given to readers. */
export const BATCH_TYPE = 0;
export const BATCH_HEADER_BYTES = FRAME_BYTES + 16;
/** A record that was erased: zeros of its length. Never given to readers. */
export const ERASED_TYPE = 254;

/** Writes the frame around a payload of `payloadBytes` that already lies at `at + FRAME_BYTES`. */
export function sealFrame(buffer: Buffer, at: number, type: number, payloadBytes: number): void {
  markFrame(buffer, at, type, payloadBytes);
  sumFrame(buffer, at, FRAME_BYTES + payloadBytes);
}

/** Length and type of a frame whose payload may still change; `sumFrame` makes it whole. */
export function markFrame(buffer: Buffer, at: number, type: number, payloadBytes: number): void {
  buffer.writeUInt32LE(((FRAME_MARK << 24) | payloadBytes) >>> 0, at + 4);
  buffer[at + 8] = type;
}

export function sumFrame(buffer: Buffer, at: number, frameBytes: number): void {
  buffer.writeUInt32LE(crc32(buffer.subarray(at + 4, at + frameBytes)), at);
}

/** Bytes of the frame at `at` by its own word, unverified; 0 where no frame can start. Needs FRAME_BYTES bytes. */
export function claimedFrameBytes(buffer: Buffer, at: number): number {
  if (buffer[at + FRAME_MARK_OFFSET] !== FRAME_MARK) return 0;
  return FRAME_BYTES + (buffer[at + 4]! | (buffer[at + 5]! << 8) | (buffer[at + 6]! << 16));
}

/** True when the `frameBytes` bytes at `at` are what was written. */
export function frameIsSound(buffer: Buffer, at: number, frameBytes: number): boolean {
  return buffer.readUInt32LE(at) === crc32(buffer.subarray(at + 4, at + frameBytes));
}
