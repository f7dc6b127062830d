// JSON values as bytes: a tag, then the content.
import type { ByteReader } from "./reader.ts";
import type { ByteWriter } from "./writer.ts";

/** Containers in each other; deeper values are refused at intake. */
const VALUE_DEPTH_MAX = 8;

/** Writes null, booleans, numbers, strings, arrays and plain objects; anything else, and what is too deep, as null. */
export function writeValue(writer: ByteWriter, value: unknown, depth = 0): void {
  if (typeof value === "string") {
    writer.byte(4);
    writer.string(value);
  } else if (typeof value === "number") {
    writer.byte(3);
    writer.number(value);
  } else if (typeof value === "boolean") writer.byte(value ? 2 : 1);
  else if (typeof value !== "object" || value === null || depth >= VALUE_DEPTH_MAX) writer.byte(0);
  else if (Array.isArray(value)) {
    writer.byte(5);
    writer.varint(value.length);
    for (const entry of value) writeValue(writer, entry, depth + 1);
  } else {
    const keys = Object.keys(value);
    writer.byte(6);
    writer.varint(keys.length);
    for (const key of keys) {
      writer.string(key);
      writeValue(writer, (value as Record<string, unknown>)[key], depth + 1);
    }
  }
}

/** Throws CorruptBytesError on bytes that `writeValue` did not write. */
export function readValue(reader: ByteReader, depth = 0): unknown {
  const tag = reader.byte();
  if (tag <= 2) return tag === 0 ? null : tag === 2;
  if (tag === 3) return reader.number();
  if (tag === 4) return reader.string();
  if (depth >= VALUE_DEPTH_MAX || tag > 6) throw reader.corrupt("not a value");
  const count = reader.count(Infinity);
  if (tag === 5) return Array.from({ length: count }, () => readValue(reader, depth + 1));
  const entries: [string, unknown][] = [];
  for (let i = 0; i < count; i++) entries.push([reader.string(), readValue(reader, depth + 1)]);
  return Object.fromEntries(entries);
}
