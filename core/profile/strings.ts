// Strings that repeat within one state (types, categories, items) are written once and then by number.
import type { ByteReader } from "../wire/reader.ts";
import type { ByteWriter } from "../wire/writer.ts";

export type StringWriter = (text: string) => void;
export type StringReader = () => string;

/** Writes 0 and the text the first time, then 1 + its index. */
export function writeStrings(writer: ByteWriter): StringWriter {
  const known = new Map<string, number>();
  return (text) => {
    const index = known.get(text);
    if (index !== undefined) {
      writer.varint(index);
      return;
    }
    known.set(text, known.size + 1);
    writer.varint(0);
    writer.string(text);
  };
}

export function readStrings(reader: ByteReader): StringReader {
  const known: string[] = [];
  return () => {
    const index = reader.varint();
    if (index > known.length) throw reader.corrupt("a string by a number that none has");
    if (index > 0) return known[index - 1]!;
    const text = reader.string();
    known.push(text);
    return text;
  };
}
