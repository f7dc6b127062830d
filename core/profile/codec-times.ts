// Times in a person's bytes: distances from his newest event, which makes most of them one to four bytes.
import type { ByteReader } from "../wire/reader.ts";
import type { ByteWriter } from "../wire/writer.ts";
import type { StringReader, StringWriter } from "./strings.ts";

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

/** What `writeTimes` wrote, at most `max`, into `times`. */
export function readTimes(from: In, times: number[], max: number): void {
  readDistances(from, times, from.reader.count(max));
}

/** `writeTimes` without the number of times. */
export function writeDistances(out: Out, times: readonly number[]): void {
  let laterMs = out.baseMs;
  for (let i = times.length - 1; i >= 0; i--) {
    out.writer.varint(laterMs - times[i]!);
    laterMs = times[i]!;
  }
}

/** What `writeDistances` wrote, into `times`, which is empty. */
export function readDistances(from: In, times: number[], count: number): number[] {
  let timeMs = from.baseMs;
  for (let i = 0; i < count; i++) times.push((timeMs -= from.reader.varint()));
  return times.reverse();
}
