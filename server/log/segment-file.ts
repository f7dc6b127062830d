// One file of the log: its name, its header, and the walk over its frames that steps over damage.
import { readSync } from "node:fs";
import { crc32 } from "node:zlib";
import {
  BATCH_HEADER_BYTES,
  BATCH_TYPE,
  claimedFrameBytes,
  FRAME_BYTES,
  FRAME_MARK,
  FRAME_MARK_OFFSET,
  frameIsSound,
} from "./frame.ts";
import type { LogEntry } from "./log.ts";

export const SEGMENT_HEADER_BYTES = 32;
const MAGIC = "attunelg";
/** Of segments that are open, and of those whose batches are closed with a key. */
const VERSION_OPEN = 1;
const VERSION_CLOSED = 2;
const CHUNK_BYTES = 1024 * 1024;
const NO_BYTES = Buffer.alloc(0);

/** `base` is the position of its first record, `end` the one behind its last byte. */
export interface SegmentFile {
  readonly path: string;
  readonly base: number;
  end: number;
  /** Which key its batches are closed with; 0: none. */
  generation: number;
}

export const segmentName = (base: number): string => `${String(base).padStart(16, "0")}.seg`;

/** The base position that a file name says, undefined for files that are no segments. */
export function baseOfName(name: string): number | undefined {
  return /^\d{16}\.seg$/.test(name) ? Number(name.slice(0, 16)) : undefined;
}

/** [magic 8][version u32][generation u32][base f64][crc32 u32][0 u32] */
export function segmentHeader(base: number, generation: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.write(MAGIC, 0, "latin1");
  header.writeUInt32LE(generation === 0 ? VERSION_OPEN : VERSION_CLOSED, 8);
  header.writeUInt32LE(generation, 12);
  header.writeDoubleLE(base, 16);
  header.writeUInt32LE(crc32(header.subarray(0, 24)), 24);
  return header;
}

/** `newer`: whole, but of a version that this program does not read. */
export function checkSegmentHeader(header: Buffer, base: number): "sound" | "damaged" | "newer" {
  if (header.length < SEGMENT_HEADER_BYTES) return "damaged";
  if (header.equals(segmentHeader(base, header.readUInt32LE(12)))) return "sound";
  if (header.readUInt32LE(24) !== crc32(header.subarray(0, 24))) return "damaged";
  return header.readUInt32LE(8) > VERSION_CLOSED ? "newer" : "damaged";
}

/** The generation that a sound header says. */
export function generationOf(header: Buffer): number {
  return header.readUInt32LE(12);
}

export interface WalkRange {
  /** Position of the first byte of the file behind its header. */
  readonly base: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Every sound frame of [from, to) in order, the batch headers among them. Ranges that hold none are told to `onDamage`
 * before the frame behind them is given.
 */
export function* walkFrames(
  fd: number,
  range: WalkRange,
  onDamage: (position: number, sizeBytes: number) => void,
): Generator<LogEntry, void, void> {
  const { base, to } = range;
  let position = range.from;
  let chunk: Buffer = NO_BYTES;
  let chunkStart = position;
  const fill = (sizeBytes: number): void => {
    chunk = readAt(fd, position - base + SEGMENT_HEADER_BYTES, Math.min(sizeBytes, to - position));
    chunkStart = position;
  };
  while (position < to) {
    if (position - chunkStart + FRAME_BYTES > chunk.length) fill(CHUNK_BYTES);
    let at = position - chunkStart;
    const frameBytes = at + FRAME_BYTES <= chunk.length ? claimedFrameBytes(chunk, at) : 0;
    if (at + frameBytes > chunk.length && position + frameBytes <= to) {
      fill(Math.max(frameBytes, CHUNK_BYTES));
      at = 0;
    }
    if (frameBytes > 0 && at + frameBytes <= chunk.length && isSound(chunk, at, frameBytes, position)) {
      const next = position + frameBytes;
      yield { position, type: chunk[at + 8]!, payload: chunk.subarray(at + FRAME_BYTES, at + frameBytes), next };
      position = next;
    } else {
      const skip = at + BATCH_HEADER_BYTES <= chunk.length ? strayBatchBytes(chunk, at, frameBytes) : 0;
      const next = nextSoundFrame(fd, { base, from: position, to }, skip || frameBytes);
      onDamage(position, next - position);
      position = next;
    }
  }
}

/** A batch header must also lie where it says, so that a block of another place is not taken for this one. */
function isSound(bytes: Buffer, at: number, frameBytes: number, position: number): boolean {
  if (!frameIsSound(bytes, at, frameBytes)) return false;
  if (bytes[at + 8] !== BATCH_TYPE) return true;
  return frameBytes === BATCH_HEADER_BYTES && bytes.readDoubleLE(at + FRAME_BYTES) === position;
}

/** Whether a sound batch header lies at `position`. */
export function startsBatch(fd: number, base: number, position: number): boolean {
  const bytes = readAt(fd, position - base + SEGMENT_HEADER_BYTES, BATCH_HEADER_BYTES);
  const isHeader = bytes.length === BATCH_HEADER_BYTES && claimedFrameBytes(bytes, 0) === BATCH_HEADER_BYTES;
  return isHeader && bytes[8] === BATCH_TYPE && isSound(bytes, 0, BATCH_HEADER_BYTES, position);
}

/** Bytes of the batch at `at` where it is a whole header of another place: its records do not belong here either. */
function strayBatchBytes(bytes: Buffer, at: number, frameBytes: number): number {
  const isHeader = frameBytes === BATCH_HEADER_BYTES && bytes[at + 8] === BATCH_TYPE;
  return isHeader && frameIsSound(bytes, at, frameBytes) ? bytes.readUInt32LE(at + FRAME_BYTES + 8) : 0;
}

/** Where the first sound frame behind the bad one at `from` starts; `to` where there is none. */
function nextSoundFrame(fd: number, range: WalkRange, claimedBytes: number): number {
  const { base, from, to } = range;
  const soundAt = (position: number): boolean => {
    const offset = position - base + SEGMENT_HEADER_BYTES;
    const head = readAt(fd, offset, Math.min(FRAME_BYTES, to - position));
    const frameBytes = head.length === FRAME_BYTES ? claimedFrameBytes(head, 0) : 0;
    if (frameBytes === 0 || position + frameBytes > to) return false;
    const bytes = readAt(fd, offset, frameBytes);
    return bytes.length === frameBytes && isSound(bytes, 0, frameBytes, position);
  };
  // Most often the payload is bad and the length is right; behind a stray batch only its end will do.
  if (claimedBytes > 0 && from + claimedBytes < to && soundAt(from + claimedBytes)) return from + claimedBytes;
  for (let start = from + 1 + FRAME_MARK_OFFSET; start < to; start += CHUNK_BYTES) {
    const chunk = readAt(fd, start - base + SEGMENT_HEADER_BYTES, Math.min(CHUNK_BYTES, to - start));
    for (let at = chunk.indexOf(FRAME_MARK); at >= 0; at = chunk.indexOf(FRAME_MARK, at + 1)) {
      const candidate = start + at - FRAME_MARK_OFFSET;
      if (soundAt(candidate)) return candidate;
    }
  }
  return to;
}

/** Up to `sizeBytes` bytes from `offset`; fewer at the end of the file. */
export function readAt(fd: number, offset: number, sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const count = readSync(fd, bytes, filled, sizeBytes - filled, offset + filled);
    if (count === 0) return bytes.subarray(0, filled);
    filled += count;
  }
  return bytes;
}
