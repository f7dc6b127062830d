// Avro's binary encoding to JSON values, along the writer's schema. Our own because libraries trust what they read: six
// bytes (an array that claims 2^31 entries) keep avsc busy for ten seconds and 2.5 GB. Here each value costs budget.
import { isUtf8 } from "node:buffer";
import { JSON_DEPTH_MAX } from "../http/body.ts";
import { Problem } from "../http/problem.ts";
import type { Schema } from "./schema.ts";

/** Values of one body, those that take no bytes included. */
export const AVRO_VALUES_MAX = 1_000_000;
/** A long has at most ten bytes of seven bits. */
const LONG_BYTES_MAX = 10;

export class AvroReader {
  readonly #bytes: Buffer;
  #position = 0;
  readonly #budget: { values: number };

  /** @param budget - shared by the readers of one body. */
  constructor(bytes: Buffer, budget: { values: number }) {
    this.#bytes = bytes;
    this.#budget = budget;
  }

  get atEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  /** The next datum. @throws Problem (bad_request, too_deep, body_too_large). */
  read(schema: Schema, depth = 0): unknown {
    if (depth > JSON_DEPTH_MAX)
      throw new Problem("too_deep", `The Avro data is nested more than ${JSON_DEPTH_MAX} deep.`);
    if (--this.#budget.values < 0) {
      throw new Problem("body_too_large", `The Avro data has more than ${AVRO_VALUES_MAX} values.`);
    }
    switch (schema.kind) {
      case "null":
        return null;
      case "boolean":
        return this.take(1)[0] === 1;
      case "int":
      case "long":
        return this.long();
      case "micros":
        return Math.floor(this.long() / 1_000);
      case "float":
        return this.take(4).readFloatLE();
      case "double":
        return this.take(8).readDoubleLE();
      case "bytes":
        return this.take(this.long()).toString("base64");
      case "fixed":
        return this.take(schema.sizeBytes).toString("base64");
      case "string":
        return this.text();
      case "enum":
        return this.#pick(schema.symbols);
      case "union":
        return this.read(this.#pick(schema.branches), depth + 1);
      case "record":
        // Defines own properties, `__proto__` among them: validation sees and refuses it.
        return Object.fromEntries(schema.fields.map((field) => [field.name, this.read(field.schema, depth + 1)]));
      case "array":
        return this.#entries(() => this.read(schema.items, depth + 1));
      case "map":
        return Object.fromEntries(this.#entries(() => [this.text(), this.read(schema.values, depth + 1)] as const));
    }
  }

  /** Exact up to 2^53, and beyond it the nearest number. */
  long(): number {
    const first = this.take(1)[0]!;
    // The sign is the lowest bit: read with the rest it would be rounded away from 2^52 on.
    let value = (first & 0x7f) >> 1;
    let scale = 64;
    for (let byte = first, read = 1; byte >= 0x80; read++) {
      if (read === LONG_BYTES_MAX) throw malformed("a number has more than ten bytes");
      byte = this.take(1)[0]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    return (first & 1) === 0 ? value : -1 - value;
  }

  text(): string {
    const bytes = this.take(this.long());
    if (!isUtf8(bytes)) throw malformed("a string is not UTF-8");
    return bytes.toString("utf8");
  }

  take(sizeBytes: number): Buffer {
    const end = this.#position + sizeBytes;
    if (!(sizeBytes >= 0) || end > this.#bytes.length) throw malformed("it ends early");
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  #pick<T>(choices: readonly T[]): T {
    const index = this.long();
    const choice = choices[index];
    if (choice === undefined) throw malformed("it picks a branch or a symbol that is not there");
    return choice;
  }

  /** Blocks of entries, up to an empty one; a negative count is followed by the block's size. */
  #entries<T>(readEntry: () => T): T[] {
    const entries: T[] = [];
    for (;;) {
      let count = this.long();
      if (count === 0) return entries;
      if (count < 0) {
        count = -count;
        this.long();
      }
      for (; count > 0; count--) entries.push(readEntry());
    }
  }
}

export function malformed(why: string): Problem {
  return new Problem("bad_request", `The body is not valid Avro: ${why}.`);
}
