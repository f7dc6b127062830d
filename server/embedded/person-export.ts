// Everything that is held on one person: what he is shown when he asks, line by line, read from the log while others are
// served.
import type { LogRecord, PersonRef } from "../../core/record.ts";
import { profileView } from "../../core/profile/view.ts";
import { personKeyOf } from "../../core/identity/identity.ts";
import { decodeRecord } from "./record-codec.ts";
import type { SegmentLog } from "../log/log.ts";
import type { ExportLine } from "../ports.ts";
import { Belonging } from "../privacy/belonging.ts";
import { DATA_DICTIONARY } from "../privacy/dictionary.ts";
import { exportedFields } from "../privacy/inventory/inventory.ts";
import type { PersonState } from "../../core/profile/person.ts";
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
  yield { record: "dictionary", kinds: DATA_DICTIONARY, fields: exportedFields() };
  const profile = person === undefined ? null : profileView(person, fold.programs.current.plan, host.nowMs());
  yield { record: "person", key: root, profile };
  yield { record: "consent", consent: person?.consent ?? null };
  if (person !== undefined) yield { record: "state", state: storedFields(person) };
  for (const [run, unit] of fold.decisions.experiments.unitsOf(root)) yield { record: "experiment", run, unit };
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

/** What the state holds of him, field by field as the inventory names them. */
function storedFields({ layout: _layout, recentCategories: _counted, ...stored }: PersonState): Record<string, unknown> {
  const plain = (_key: string, value: unknown): unknown => {
    if (value instanceof Map) return Object.fromEntries(value);
    if (value === undefined) return null;
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  };
  return JSON.parse(JSON.stringify(stored, plain)) as Record<string, unknown>;
}

/** Records in log order with their positions; what is damaged is stepped over. */
export async function* recordsOf(
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

function lineOf(record: LogRecord): ExportLine {
  switch (record.kind) {
    case "event":
      return { record: "event", event: record.event };
    case "attributes": {
      const { at, attributes, consent } = record;
      return { record: "attributes", at, attributes, ...(consent === undefined ? {} : { consent }) };
    }
    case "decision":
      return { record: "decision", at: record.at, decision: record.decision };
    default:
      return { record: record.kind, at: record.at, ...("letter" in record ? { letter: record.letter } : {}) };
  }
}
