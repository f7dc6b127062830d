// Log records as bytes: a type number and JSON. JSON because a log is read by people and by later versions for years;
// unknown fields survive. The numbers are stored for ever: never reuse one.
import type { LogRecord } from "../../core/record.ts";

const TYPE_OF_KIND: Record<LogRecord["kind"], number> = {
  event: 1,
  attributes: 2,
  item_put: 3,
  item_delete: 4,
  program: 5,
  decision: 6,
  dead_letter: 7,
  experiment_stop: 8,
  background: 9,
  expiry: 10,
};
const KIND_OF_TYPE = new Map(Object.entries(TYPE_OF_KIND).map(([kind, type]) => [type, kind as LogRecord["kind"]]));

export interface EncodedRecord {
  type: number;
  payload: string;
}

export function encodeRecord(record: LogRecord): EncodedRecord {
  const type = TYPE_OF_KIND[record.kind];
  switch (record.kind) {
    case "event":
      // `at` is the event's own `received_at`: not written twice on the path that counts.
      return { type, payload: JSON.stringify(record.event) };
    default: {
      const { kind: _, ...body } = record;
      return { type, payload: JSON.stringify(body) };
    }
  }
}

/** Undefined: a record type that this version does not know (a log of a later one). */
export function decodeRecord(type: number, payload: Buffer): LogRecord | undefined {
  const kind = KIND_OF_TYPE.get(type);
  if (kind === undefined) return undefined;
  const body = JSON.parse(payload.toString("utf8"));
  if (kind === "event") return { kind, at: body.received_at, event: body };
  return { kind, ...body };
}
