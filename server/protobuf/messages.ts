// The messages of proto/attune/v1, read from the published files at start: bytes to the same plain objects that JSON
// bodies give, and back. So one validation and one set of handlers serves both.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import protobuf, { type Reader, type Service, type Type, type Writer } from "protobufjs";
import { readStruct, readTimestamp, readValue, writeStruct, writeTimestamp, writeValue } from "./json-types.ts";

export const PROTO_FOLDER = fileURLToPath(new URL("../../proto/", import.meta.url));
export const PROTO_FILES = ["events", "profiles", "recommendations", "decisions"].map(
  (name) => `attune/v1/${name}.proto`,
);
export const AVRO_FILE = "attune/v1/event.avsc";
const PACKAGE = "attune.v1";

export interface MessageCodec {
  /** @throws TooDeepError, or an error of the library where the bytes are no such message. */
  decode(bytes: Uint8Array): Record<string, unknown>;
  /** Fields that the message does not have are left out; null is a field that is not there. */
  encode(value: Readonly<Record<string, unknown>>): Buffer;
}

type Read = (reader: Reader, sizeBytes: number) => unknown;
type Write = (value: never, writer: Writer) => Writer;
/** Types that are one JSON value, and no message, on our side. */
const JSON_TYPES: Readonly<Record<string, { read: Read; write: Write }>> = {
  "google.protobuf.Struct": { read: readStruct, write: writeStruct },
  "google.protobuf.Value": { read: readValue, write: writeValue },
  "google.protobuf.Timestamp": { read: readTimestamp, write: writeTimestamp },
};

export const protoRoot: protobuf.Root = loadRoot();

function loadRoot(): protobuf.Root {
  const root = new protobuf.Root();
  for (const file of PROTO_FILES) {
    protobuf.parse(readFileSync(PROTO_FOLDER + file, "utf8"), root, { keepCase: true });
  }
  for (const name of ["struct", "timestamp"])
    root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)!.nested!);
  root.resolveAll();
  for (const [name, { read, write }] of Object.entries(JSON_TYPES)) {
    const type = root.lookupType(name);
    Object.assign(type, {
      decode: (reader: Reader, sizeBytes: number) => read(reader, sizeBytes),
      encode: (value: never, writer: Writer) => write(value, writer),
    });
  }
  return root;
}

/** @param name - a message of the package `attune.v1`. */
export function codecOf(name: string): MessageCodec {
  const type = protoRoot.lookupType(`${PACKAGE}.${name}`);
  return {
    decode: (bytes) => plain(type.decode(bytes), type),
    encode: (value) => Buffer.from(type.encode(fitting(value, type)).finish()),
  };
}

export function serviceOf(name: string): Service {
  return protoRoot.lookupService(`${PACKAGE}.${name}`);
}

/** What was on the wire, as own properties; an empty string stands for a field that is not there. */
function plain(message: object, type: Type): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(message) as [string, unknown][]) {
    if (field === "" || field === undefined || field === null) continue;
    const inner = innerOf(type, name);
    if (inner === undefined) value[name] = field;
    else if (Array.isArray(field)) value[name] = field.map((entry: object) => plain(entry, inner));
    else value[name] = plain(field, inner);
  }
  return value;
}

/** What the library writes: known fields alone, and nothing that is null. */
function fitting(value: Readonly<Record<string, unknown>>, type: Type): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const name of Object.keys(type.fields)) {
    const field = value[name];
    if (field === undefined || field === null) continue;
    const inner = innerOf(type, name);
    if (inner === undefined) message[name] = field;
    else if (Array.isArray(field)) message[name] = field.map((entry: Record<string, unknown>) => fitting(entry, inner));
    else message[name] = fitting(field as Record<string, unknown>, inner);
  }
  return message;
}

/** The message type of a field; undefined where it is a scalar, a map of them, or a JSON value. */
function innerOf(type: Type, name: string): Type | undefined {
  const resolved = type.fields[name]?.resolvedType;
  if (!(resolved instanceof protobuf.Type) || resolved.fullName.slice(1) in JSON_TYPES) return undefined;
  return resolved;
}
