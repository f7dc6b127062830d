// Protobuf and Avro bodies of `POST /v1/events`, as the raw events that JSON would have been: one validation for all.
import { readFileSync } from "node:fs";
import { Reader } from "protobufjs";
import { isContainer, readContainer } from "../avro/container.ts";
import { AVRO_VALUES_MAX, AvroReader, malformed } from "../avro/reader.ts";
import { parseSchema, type Schema } from "../avro/schema.ts";
import { JSON_DEPTH_MAX } from "../http/body.ts";
import { Problem } from "../http/problem.ts";
import { TooDeepError } from "../protobuf/json-types.ts";
import { AVRO_FILE, codecOf, PROTO_FOLDER } from "../protobuf/messages.ts";
import { BATCH_EVENTS_MAX, readBatch, type Batch } from "./batch.ts";

export const PROTOBUF_TYPE = "application/x-protobuf";
const PROTOBUF = /^application\/(x-)?protobuf\s*(;|$)/i;
const AVRO = /^(application\/avro|avro\/binary)\s*(;|$)/i;
/** Without a container: the schema is the published one, and the body an array of its events. */
const AVRO_BARE = /;\s*format="?binary"?\s*(;|$)/i;

const eventCodec = codecOf("Event");
const batchCodec = codecOf("EventBatch");
const AVRO_EVENTS: Schema = {
  kind: "array",
  items: parseSchema(readFileSync(PROTO_FOLDER + AVRO_FILE)),
};
/** `events` and `sent_at` of an EventBatch; an Event has no such fields, so the first one tells them apart. */
const BATCH_FIELDS: ReadonlySet<number> = new Set([1, 15]);

/** How to read a body of this type; undefined where it is neither protobuf nor Avro. */
export function binaryReader(mediaType: string): ((bytes: Buffer | null) => Promise<Batch>) | undefined {
  if (PROTOBUF.test(mediaType)) return async (bytes) => readProtobuf(wholeOf(bytes));
  if (!AVRO.test(mediaType)) return undefined;
  const isBare = AVRO_BARE.test(mediaType);
  return async (bytes) => readBatch(await readAvro(wholeOf(bytes), isBare));
}

/** One Event, or an EventBatch. @throws Problem (bad_request, too_deep, too_many_events). */
export function readProtobuf(bytes: Buffer): Batch {
  try {
    return isBatch(bytes) ? readBatch(batchCodec.decode(bytes)) : { raws: [eventCodec.decode(bytes)] };
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (error instanceof TooDeepError) {
      throw new Problem("too_deep", `The body is nested more than ${JSON_DEPTH_MAX} deep.`);
    }
    throw new Problem("bad_request", "The body is not a valid attune.v1.Event or EventBatch.");
  }
}

/** Counts the events before any is decoded: two bytes are enough for one. */
function isBatch(bytes: Buffer): boolean {
  const reader = Reader.create(bytes);
  let events = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!BATCH_FIELDS.has(tag >>> 3) && events === 0) return false;
    if (tag >>> 3 === 1 && ++events > BATCH_EVENTS_MAX) {
      throw new Problem("too_many_events", `A batch may have at most ${BATCH_EVENTS_MAX} events.`);
    }
    reader.skipType(tag & 7);
  }
  return true;
}

async function readAvro(bytes: Buffer, isBare: boolean): Promise<unknown> {
  if (!isBare) {
    if (!isContainer(bytes)) throw malformed("it is no object container file, and its type does not say format=binary");
    return readContainer(bytes, BATCH_EVENTS_MAX);
  }
  const reader = new AvroReader(bytes, { values: AVRO_VALUES_MAX });
  const events = reader.read(AVRO_EVENTS);
  if (!reader.atEnd) throw malformed("it goes on after its events");
  return events;
}

function wholeOf(bytes: Buffer | null): Buffer {
  if (bytes === null || bytes.length === 0) throw new Problem("bad_request", "The body is empty.");
  return bytes;
}
