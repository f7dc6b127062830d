// Where a log that was not closed really ends.
//
// A batch is only written after the one before it was durable. So a batch header proves everything before it: damage
// there has come later and is reported. Damage behind the last batch header's start is a write that a crash cut short,
// unless the caller knows better (`durableEnd`): it was never acknowledged and is removed, the whole batch with it.
import { BATCH_HEADER_BYTES, BATCH_TYPE } from "./frame.ts";
import { walkFrames } from "./segment-file.ts";

export interface Tail {
  /** Position to truncate at; the file's end where nothing is torn. */
  readonly end: number;
  /** The last whole batch: a crash may have come between its write and its sync. */
  readonly lastBatch: { readonly start: number; readonly end: number } | undefined;
  readonly damaged: readonly { readonly position: number; readonly sizeBytes: number }[];
}

export function examineTail(fd: number, segment: { base: number; end: number }, durableEnd: number): Tail {
  const damaged: { position: number; sizeBytes: number }[] = [];
  /** Damage with no batch header behind it yet. */
  let open: { position: number; sizeBytes: number }[] = [];
  let last: { start: number; end: number } | undefined;
  const range = { base: segment.base, from: segment.base, to: segment.end };
  for (const frame of walkFrames(fd, range, (position, sizeBytes) => open.push({ position, sizeBytes }))) {
    if (frame.type !== BATCH_TYPE) continue;
    damaged.push(...open);
    open = [];
    last = { start: frame.position, end: frame.position + frame.payload.readUInt32LE(8) };
  }
  damaged.push(...open.filter((damage) => damage.position < durableEnd));
  const torn = open.find((damage) => damage.position >= durableEnd);
  const lastIsWhole = last === undefined || last.end <= segment.end;
  const tornInLast = last !== undefined && torn !== undefined && torn.position < last.end;
  const lastIsTorn = last !== undefined && last.start >= durableEnd && (!lastIsWhole || tornInLast);
  if (lastIsTorn) return { end: last!.start, lastBatch: undefined, damaged };
  // Records behind the last batch belong to none: what a failed append left, where it could not be undone.
  const outside = Math.max(last?.end ?? segment.base, durableEnd);
  const end = Math.min(torn?.position ?? segment.end, Math.max(outside, segment.base), segment.end);
  return { end, lastBatch: lastIsWhole ? last : undefined, damaged };
}

/** True for the empty batch that a clean close leaves behind. */
export const isCloseMark = (batch: { start: number; end: number }): boolean =>
  batch.end - batch.start === BATCH_HEADER_BYTES;
