// The background model before the one that serves, as the log holds it: what a roll back brings back.
import type { BackgroundPart } from "../../core/model/background.ts";
import { decodeRecord } from "../embedded/record-codec.ts";
import type { SegmentLog } from "../log/log.ts";

/** Undefined where the log holds one model at most. */
export function* earlierModel(log: SegmentLog): Generator<undefined, BackgroundPart[] | undefined> {
  let before: BackgroundPart[] | undefined;
  let newest: BackgroundPart[] = [];
  for (const entry of log.read(log.start, { onCorrupt: () => {} })) {
    const record = decodeRecord(entry.type, entry.payload);
    if (record?.kind === "background") {
      const { part, rows } = record;
      if (part === 0) {
        if (newest.length > 0) before = newest;
        newest = [];
      }
      newest.push({ part, rows });
    }
    yield;
  }
  return before;
}
