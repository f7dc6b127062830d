// Times in a person's bytes: distances from his newest event, which makes most of them one to four bytes.
import type { ByteReader } from "../wire/reader.ts";
import type { ByteWriter } from "../wire/writer.ts";
import { NO_NUMBERS } from "./lists.ts";
import type { StringReader, StringWriter } from "./strings.ts";
import { TIMES_MAX } from "./times.ts";

/** Where a state is written to. */
export interface Out {
  readonly writer: ByteWriter;
  readonly strings: StringWriter;
  /** Times are written as their distance from the newest event. */
  readonly baseMs: number;
}

/** Where a state is read from. */
export interface In {
  readonly reader: ByteReader;
  readonly strings: StringReader;
  readonly baseMs: number;
  /** The list of times that was read last. */
  times: readonly number[];
}

/** Any time; 0 stands for none (-1). */
export function writeTime(out: Out, timeMs: number): void {
  if (timeMs < 0) out.writer.varint(0);
  else out.writer.varint(1 + (timeMs > out.baseMs ? 2 * (timeMs - out.baseMs) - 1 : 2 * (out.baseMs - timeMs)));
}

/** What `writeTime` wrote. */
export function readTime(from: In): number {
  const written = from.reader.varint() - 1;
  if (written < 0) return -1;
  return written % 2 === 0 ? from.baseMs - written / 2 : from.baseMs + (written + 1) / 2;
}

/** Ascending times: how many, then the distances from the newest back. */
export function writeTimes(out: Out, times: readonly number[]): void {
  out.writer.varint(times.length);
  writeDistances(out, times);
}

/** What `writeTimes` wrote. */
export function readTimes(from: In): readonly number[] {
  return readDistances(from, from.reader.count(TIMES_MAX));
}

/** `writeTimes` without the number of times. */
export function writeDistances(out: Out, times: readonly number[]): void {
  let laterMs = out.baseMs;
  for (let i = times.length - 1; i >= 0; i--) {
    out.writer.varint(laterMs - times[i]!);
    laterMs = times[i]!;
  }
}

/** What `writeDistances` wrote. Lists that follow each other and are the same are one, as where they were made. */
export function readDistances(from: In, count: number): readonly number[] {
  if (count === 0) return NO_NUMBERS;
  const times = new Array<number>(count);
  let isSame = from.times.length === count;
  let timeMs = from.baseMs;
  for (let i = count - 1; i >= 0; i--) {
    times[i] = timeMs -= from.reader.varint();
    if (isSame && from.times[i] !== timeMs) isSame = false;
  }
  if (!isSame) from.times = times;
  return from.times;
}
