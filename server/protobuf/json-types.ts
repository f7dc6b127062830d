// google.protobuf.Struct, Value, ListValue and Timestamp as what they stand for: JSON values and instants. By hand,
// because the library would make messages of messages of them, and to bound their depth and their number.
import type { Reader, Writer } from "protobufjs";
import { formatTimestamp, parseTimestamp } from "../../core/event/time.ts";
import { JSON_DEPTH_MAX, JSON_VALUES_MAX } from "../http/body.ts";
import { Problem } from "../http/problem.ts";

/** Field numbers of `google/protobuf/struct.proto`; a wire type in the low three bits makes a tag. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const NULL = (1 << 3) | VARINT;
const NUMBER = (2 << 3) | FIXED64;
const STRING = (3 << 3) | BYTES;
const BOOL = (4 << 3) | VARINT;
const STRUCT = (5 << 3) | BYTES;
const LIST = (6 << 3) | BYTES;
/** `fields` of a Struct and `values` of a ListValue; `key` of a map's entry. */
const FIRST = (1 << 3) | BYTES;
const ENTRY_VALUE = (2 << 3) | BYTES;
const SECONDS = (1 << 3) | VARINT;
const NANOS = (2 << 3) | VARINT;

/** A body that nests deeper than any valid one. */
export class TooDeepError extends Error {
  override readonly name = "TooDeepError";
}

/** Values that a body's reader has come by; counted list by list, as an empty one takes two bytes. */
const valuesOf = new WeakMap<Reader, number>();

function countValues(reader: Reader, added: number): void {
  const values = (valuesOf.get(reader) ?? 0) + added;
  if (values > JSON_VALUES_MAX) throw new Problem("body_too_large", `The body has more than ${JSON_VALUES_MAX} values.`);
  valuesOf.set(reader, values);
}

/** @throws TooDeepError; Problem (body_too_large); whatever the reader throws on bytes that are none. */
export function readStruct(reader: Reader, sizeBytes: number, depth = 1): Record<string, unknown> {
  if (depth > JSON_DEPTH_MAX) throw new TooDeepError();
  const entries: [string, unknown][] = [];
  const end = endOf(reader, sizeBytes);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === FIRST) entries.push(readEntry(reader, reader.uint32(), depth));
    else reader.skipType(tag & 7);
    if (entries.length > JSON_VALUES_MAX) break;
  }
  countValues(reader, entries.length);
  // Defines own properties, `__proto__` among them: validation sees and refuses it.
  return Object.fromEntries(entries);
}

function readEntry(reader: Reader, sizeBytes: number, depth: number): [string, unknown] {
  let key = "";
  let value: unknown = null;
  const end = endOf(reader, sizeBytes);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === FIRST) key = reader.string();
    else if (tag === ENTRY_VALUE) value = readValue(reader, reader.uint32(), depth);
    else reader.skipType(tag & 7);
  }
  return [key, value];
}

export function readValue(reader: Reader, sizeBytes: number, depth = 0): unknown {
  let value: unknown = null;
  const end = endOf(reader, sizeBytes);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === NULL) {
      reader.uint32();
      value = null;
    } else if (tag === NUMBER) value = reader.double();
    else if (tag === STRING) value = reader.string();
    else if (tag === BOOL) value = reader.bool();
    else if (tag === STRUCT) value = readStruct(reader, reader.uint32(), depth + 1);
    else if (tag === LIST) value = readList(reader, reader.uint32(), depth + 1);
    else reader.skipType(tag & 7);
  }
  return value;
}

function readList(reader: Reader, sizeBytes: number, depth: number): unknown[] {
  if (depth > JSON_DEPTH_MAX) throw new TooDeepError();
  const values: unknown[] = [];
  const end = endOf(reader, sizeBytes);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === FIRST) values.push(readValue(reader, reader.uint32(), depth));
    else reader.skipType(tag & 7);
    if (values.length > JSON_VALUES_MAX) break;
  }
  countValues(reader, values.length);
  return values;
}

function endOf(reader: Reader, sizeBytes: number): number {
  const end = reader.pos + sizeBytes;
  if (end > reader.len) throw new RangeError("a length goes beyond the end");
  return end;
}

/** Numbers that JSON does not know become null, as JSON.stringify has it; what is undefined is left out. */
export function writeStruct(fields: Readonly<Record<string, unknown>>, writer: Writer): Writer {
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    writer.uint32(FIRST).fork().uint32(FIRST).string(key);
    writeValue(value, writer.uint32(ENTRY_VALUE).fork()).ldelim().ldelim();
  }
  return writer;
}

export function writeValue(value: unknown, writer: Writer): Writer {
  if (typeof value === "string") return writer.uint32(STRING).string(value);
  if (typeof value === "boolean") return writer.uint32(BOOL).bool(value);
  if (typeof value === "number" && Number.isFinite(value)) return writer.uint32(NUMBER).double(value);
  if (typeof value !== "object" || value === null) return writer.uint32(NULL).uint32(0);
  if (!Array.isArray(value)) {
    return writeStruct(value as Record<string, unknown>, writer.uint32(STRUCT).fork()).ldelim();
  }
  writer.uint32(LIST).fork();
  for (const entry of value as unknown[]) writeValue(entry, writer.uint32(FIRST).fork()).ldelim();
  return writer.ldelim();
}

/** Unix ms. */
export function readTimestamp(reader: Reader, sizeBytes: number): number {
  let seconds = 0;
  let nanos = 0;
  const end = endOf(reader, sizeBytes);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === SECONDS) seconds = Number(reader.int64());
    else if (tag === NANOS) nanos = reader.int32();
    else reader.skipType(tag & 7);
  }
  return seconds * 1_000 + Math.floor(nanos / 1e6);
}

/** @param time - ISO 8601 or Unix ms; one that is neither is a bug of ours. */
export function writeTimestamp(time: string | number, writer: Writer): Writer {
  const ms = parseTimestamp(time);
  if (Number.isNaN(ms)) throw new Error(`${formatTimestamp(0)} is what a time looks like, not ${time}`);
  const seconds = Math.floor(ms / 1_000);
  writer.uint32(SECONDS).int64(seconds);
  if (ms !== seconds * 1_000) writer.uint32(NANOS).int32((ms - seconds * 1_000) * 1e6);
  return writer;
}
