// The batches of a segment that is closed with a key: each opened as a whole, or none of it and word of its damage.
import type { KeyObject } from "node:crypto";
import { BATCH_TYPE } from "./frame.ts";
import type { LogEntry } from "./log.ts";
import { openBatch, SEAL_TYPE } from "./seal.ts";
import { type SegmentFile, startsBatch, type WalkRange, walkFrames } from "./segment-file.ts";

export type OnDamage = (position: number, sizeBytes: number) => void;

export interface OpenedBatch {
  readonly start: number;
  readonly records: readonly LogEntry[];
}

/** Batches in order, the empty ones too, the first of them perhaps from before `range.from`. */
export function* closedBatches(
  fd: number,
  segment: SegmentFile & { readonly key: KeyObject },
  range: WalkRange,
  onDamage: OnDamage,
): Generator<OpenedBatch, void, void> {
  const { base, generation, key } = segment;
  let unit: { start: number; isBroken: boolean; records: LogEntry[] } | undefined;
  const broken = (start: number): void => {
    unit ??= { start, isBroken: true, records: [] };
    unit.isBroken = true;
  };
  function* end(position: number): Generator<OpenedBatch, void, void> {
    if (unit === undefined) return;
    if (!unit.isBroken && unit.records.length === 0) yield unit;
    else if (position > range.from) onDamage(unit.start, position - unit.start);
  }
  // A batch opens as a whole, so where `from` lies within one, the segment is walked from its start.
  const from = startsBatch(fd, base, range.from) ? range.from : base;
  for (const frame of walkFrames(fd, { base, from, to: range.to }, broken)) {
    if (frame.type === BATCH_TYPE) {
      yield* end(frame.position);
      unit = { start: frame.position, isBroken: false, records: [] };
    } else if (frame.type !== SEAL_TYPE) {
      if (unit === undefined) broken(frame.position);
      unit!.records.push(frame);
    } else {
      const isWhole = unit !== undefined && !unit.isBroken;
      const start = unit?.start ?? frame.position;
      const place = { base, generation, position: start };
      const records = isWhole ? openBatch(unit!.records, frame.payload, key, place) : undefined;
      if (records === undefined) {
        broken(frame.position);
        yield* end(frame.next);
      }
      unit = undefined;
      if (records !== undefined) yield { start, records };
    }
  }
  yield* end(range.to);
}
