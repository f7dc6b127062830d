// A log cut to a point in time: everything from the first group of records behind it goes.
import { closeSync, existsSync, fstatSync, openSync, readdirSync, rmSync, truncateSync } from "node:fs";
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { decodeRecord } from "../embedded/record-codec.ts";
import { closedBatches, type OpenedBatch } from "../log/closed-batches.ts";
import { BATCH_TYPE } from "../log/frame.ts";
import type { LogEntry } from "../log/log.ts";
import {
  baseOfName,
  checkSegmentHeader,
  generationOf,
  readAt,
  SEGMENT_HEADER_BYTES,
  type SegmentFile,
  walkFrames,
} from "../log/segment-file.ts";

/** What is kept: groups of records that end before the position, or whose processing time (Unix ms) is not later. */
export type PointInTime = { readonly position: number } | { readonly atMs: number };

export type FindKey = (base: number, generation: number) => KeyObject | undefined;

/** Cuts the log in `folder`, which no process may have open. Resolves with the position at which it ends. */
export function cutLog(folder: string, point: PointInTime, find: FindKey): number {
  const bases = existsSync(folder) ? readdirSync(folder).map(baseOfName).filter((base) => base !== undefined) : [];
  const paths = bases.sort((a, b) => a - b).map((base) => ({ base, path: join(folder, nameOf(base)) }));
  let end = 0;
  for (const [index, { base, path }] of paths.entries()) {
    const segment = { base, path };
    const cutAt = cutPosition(segment, point, find);
    if (cutAt === undefined) {
      end = endOf(segment);
      continue;
    }
    truncateSync(path, cutAt - base + SEGMENT_HEADER_BYTES);
    for (const later of paths.slice(index + 1)) rmSync(later.path);
    return cutAt;
  }
  return end;
}

const nameOf = (base: number): string => `${String(base).padStart(16, "0")}.seg`;

function endOf({ base, path }: { base: number; path: string }): number {
  const fd = openSync(path, "r");
  try {
    return base + Math.max(0, fstatSync(fd).size - SEGMENT_HEADER_BYTES);
  } finally {
    closeSync(fd);
  }
}

function cutPosition(of: { base: number; path: string }, point: PointInTime, find: FindKey): number | undefined {
  const { base, path } = of;
  const end = endOf(of);
  const fd = openSync(path, "r");
  try {
    const header = readAt(fd, 0, SEGMENT_HEADER_BYTES);
    const generation = checkSegmentHeader(header, base) === "sound" ? generationOf(header) : 0;
    for (const { start, records } of batchesOf(fd, { path, base, end, generation }, find)) {
      if (records.length > 0 && isBehind(records, point)) return start;
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function isBehind(records: readonly LogEntry[], point: PointInTime): boolean {
  if ("position" in point) return records.at(-1)!.next > point.position;
  for (const { type, payload } of records) {
    const record = decodeRecord(type, payload);
    if (record !== undefined) return record.at > point.atMs;
  }
  return false;
}

function batchesOf(fd: number, segment: SegmentFile, find: FindKey): Iterable<OpenedBatch> {
  const { base, end, generation } = segment;
  const range = { base, from: base, to: end };
  if (generation === 0) return openBatches(fd, range);
  const key = find(base, generation);
  if (key === undefined) throw new Error(`${segment.path} is closed, and its key is not in the backup`);
  return closedBatches(fd, { ...segment, key }, range, () => {});
}

function* openBatches(fd: number, range: { base: number; from: number; to: number }): Generator<OpenedBatch> {
  let batch: { start: number; records: LogEntry[] } | undefined;
  for (const frame of walkFrames(fd, range, () => {})) {
    if (frame.type !== BATCH_TYPE) {
      batch?.records.push(frame);
      continue;
    }
    if (batch !== undefined) yield batch;
    batch = { start: frame.position, records: [] };
  }
  if (batch !== undefined) yield batch;
}
