// Everything that is held on one person: what he is shown when he asks, line by line, read from the log while others are
// served.
import type { LogRecord, PersonRef } from "../../core/record.ts";
import { personKeyOf } from "../../core/identity/identity.ts";
import { decodeRecord } from "./record-codec.ts";
import type { SegmentLog } from "../log/log.ts";
import type { ExportLine } from "../ports.ts";
import { Belonging } from "../privacy/belonging.ts";
import { knownLines, lineOf } from "../privacy/export-lines.ts";
import { givingWay } from "../giving-way.ts";
import type { Fold } from "./fold.ts";

/**
 * The dictionary, what is known and concluded now, then his records in log order. Reads the log three times, up to where
 * it ends when asked; memory is bounded by one batch of the log.
 */
export async function* personExport(
  ref: PersonRef,
  host: { fold: () => Fold; log: SegmentLog; nowMs: () => number },
): AsyncGenerator<ExportLine> {
  const { log } = host;
  const fold = host.fold();
  const root = fold.keyNow(ref);
  const person = fold.persons.get(root);
  const { plan } = fold.programs.current;
  yield* knownLines({ key: root, person, plan, nowMs: host.nowMs(), units: fold.decisions.experiments.unitsOf(root) });
  const names = new Set([root, personKeyOf(ref)]);
  const belonging = new Belonging((key) => names.has(key));
  const to = log.end;
  for await (const [record] of recordsOf(log, to)) belonging.meet(record);
  for await (const [record, position] of recordsOf(log, to)) belonging.follow(record, position);
  for await (const [record, position] of recordsOf(log, to)) {
    if (belonging.ownersOf(record, position).next().done) continue;
    yield lineOf(record);
  }
}

/** Records in log order with their positions; what is damaged is stepped over. */
async function* recordsOf(
  log: SegmentLog,
  to: number,
): AsyncGenerator<[record: LogRecord, position: number]> {
  const giveWay = givingWay();
  for (const { type, payload, position } of log.read(log.start, { to, onCorrupt: () => {} })) {
    const record = decodeRecord(type, payload);
    if (record !== undefined) yield [record, position];
    const turn = giveWay();
    if (turn !== undefined) await turn;
  }
}
