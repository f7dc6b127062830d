// Text as bare UTF-8, for engines that have no TextEncoder. Text that came out of JSON.stringify has no lone surrogates.
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";

const writer = new ByteWriter();

/** The bytes of `text`; a lone surrogate is written as its three bytes. */
export function encodeUtf8(text: string): Uint8Array {
  writer.clear();
  writer.text(text);
  return writer.take();
}

/** Throws CorruptBytesError on what is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new ByteReader(bytes).text(bytes.length);
}
