// A segment written anew without some of its records. Each leaves a gap of its own length, so that every position holds;
// a closed segment gets a new key, and who destroys the old one has destroyed what was in it, on every disk.
import { closeSync, openSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { KeyObject } from "node:crypto";
import { closedBatches } from "./closed-batches.ts";
import { BATCH_TYPE, ERASED_TYPE, FRAME_BYTES, sealFrame } from "./frame.ts";
import type { LogEntry } from "./log.ts";
import { RecordBatch } from "./record-batch.ts";
import { SEGMENT_HEADER_BYTES, type SegmentFile, segmentHeader, walkFrames } from "./segment-file.ts";
import { syncFolder } from "./sync-folder.ts";

export interface Rewrite {
  readonly segment: SegmentFile;
  /** Of the segment as it is; undefined where it is open. */
  readonly key: KeyObject | undefined;
  /** What the new file is closed with. */
  readonly next: { readonly generation: number; readonly key: KeyObject | undefined };
  readonly isErased: (entry: LogEntry) => boolean;
}

const GATHERED_BYTES_MAX = 1 << 20;

/**
 * Replaces the segment's file, durably, in one step. Stretches that cannot be read are left empty: nobody could say what is
 * in them. Readers that have the old file open read on in it.
 */
export async function rewriteSegment({ segment, key, next, isErased }: Rewrite): Promise<void> {
  const { path, base, end } = segment;
  const temporary = `${path}.next`;
  const fd = openSync(path, "r");
  try {
    const file = await open(temporary, "w");
    try {
      await writeAt(file, segmentHeader(base, next.generation), 0);
      const parts = key === undefined ? openParts(fd, segment, isErased) : closedParts(fd, { segment, key, next, isErased });
      for (const { start, bytes } of parts) await writeAt(file, bytes, start - base + SEGMENT_HEADER_BYTES);
      await file.truncate(end - base + SEGMENT_HEADER_BYTES);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

interface Part {
  readonly start: number;
  readonly bytes: Buffer;
}

/** Frame by frame, those that follow one another gathered. */
function* openParts(fd: number, segment: SegmentFile, isErased: Rewrite["isErased"]): Generator<Part> {
  let part: { start: number; frames: Buffer[]; end: number } | undefined;
  const { base, end } = segment;
  for (const frame of walkFrames(fd, { base, from: base, to: end }, () => {})) {
    const isFull = part !== undefined && frame.position - part.start > GATHERED_BYTES_MAX;
    if (part !== undefined && (isFull || part.end !== frame.position)) {
      yield { start: part.start, bytes: Buffer.concat(part.frames) };
      part = undefined;
    }
    part ??= { start: frame.position, frames: [], end: frame.position };
    part.frames.push(frameOf(frame, frame.type !== BATCH_TYPE && isErased(frame)));
    part.end = frame.next;
  }
  if (part !== undefined) yield { start: part.start, bytes: Buffer.concat(part.frames) };
}

function frameOf({ type, payload }: LogEntry, erased: boolean): Buffer {
  const bytes = Buffer.alloc(FRAME_BYTES + payload.length);
  if (!erased) payload.copy(bytes, FRAME_BYTES);
  sealFrame(bytes, 0, erased ? ERASED_TYPE : type, payload.length);
  return bytes;
}

function* closedParts(fd: number, rewrite: Rewrite & { readonly key: KeyObject }): Generator<Part> {
  const { segment, key, next, isErased } = rewrite;
  const { base, end } = segment;
  const batch = new RecordBatch();
  for (const { start, records } of closedBatches(fd, { ...segment, key }, { base, from: base, to: end }, () => {})) {
    batch.clear();
    for (const entry of records) {
      if (entry.type === ERASED_TYPE || isErased(entry)) batch.addGap(entry.payload.length);
      else batch.add(entry.type, entry.payload);
    }
    yield { start, bytes: batch.sealed({ base, generation: next.generation, position: start }, next.key) };
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, offset + written)).bytesWritten;
  }
}
