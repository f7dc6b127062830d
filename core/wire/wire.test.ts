import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { ByteReader } from "./reader.ts";
import { readValue, writeValue } from "./value.ts";
import { ByteWriter, utf8Length } from "./writer.ts";

const CORRUPT = { code: "corrupt" };
const TEXTS = [
  "",
  "a",
  "ab",
  "abc",
  "abcdefg",
  "aé",
  "abé",
  "aéb",
  "grün",
  "日本",
  "🙂",
  "a🙂b",
  "\u0000",
  "\ud800",
  "x\udc00y",
  "é".repeat(500),
  "z".repeat(5000),
];
const NUMBERS = [
  0,
  1,
  -1,
  127,
  128,
  -64,
  2 ** 31,
  2 ** 32 + 5,
  2 ** 49,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  0.1,
  -2.5,
  1e300,
  5e-324,
  Infinity,
  -Infinity,
];

test("every kind of value comes back as it was written", () => {
  const writer = new ByteWriter();
  for (const text of TEXTS) writer.string(text);
  for (const value of NUMBERS) writer.number(value);
  writer.number(NaN);
  writer.number(-0);
  for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 28, 2 ** 35, 2 ** 53 - 1]) writer.varint(value);
  for (const value of [0, -1, 1, -(2 ** 40), 2 ** 51]) writer.zigzag(value);
  writer.uint32(4_294_967_295);
  writer.byte(255);
  const reader = new ByteReader(writer.take());
  for (const text of TEXTS) equal(reader.string(), text);
  for (const value of NUMBERS) equal(reader.number(), value);
  ok(Number.isNaN(reader.number()));
  ok(Object.is(reader.number(), -0));
  for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 28, 2 ** 35, 2 ** 53 - 1]) equal(reader.varint(), value);
  for (const value of [0, -1, 1, -(2 ** 40), 2 ** 51]) equal(reader.zigzag(), value);
  equal(reader.uint32(), 4_294_967_295);
  equal(reader.byte(), 255);
  reader.end();
});

test("strings are UTF-8, and lengths are right", () => {
  const writer = new ByteWriter();
  for (const text of ["grün", "日本", "a🙂b"]) {
    writer.string(text);
    deepEqual([...writer.take().subarray(1)], [...new TextEncoder().encode(text)]);
    equal(utf8Length(text), new TextEncoder().encode(text).length);
  }
});

test("JSON values come back; a key named __proto__ stays a key", () => {
  const writer = new ByteWriter();
  for (const json of ["null", "true", '[1,2.5,"x",[],{}]', '{"a":{"b":[false]},"":"","__proto__":{"x":1}}']) {
    writeValue(writer, JSON.parse(json));
    const reader = new ByteReader(writer.take());
    equal(JSON.stringify(readValue(reader)), json);
    reader.end();
  }
});

test("bytes that no writer made throw a typed error and nothing else", () => {
  throws(() => new ByteReader(new Uint8Array()).byte(), CORRUPT);
  throws(() => new ByteReader(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255)).varint(), CORRUPT);
  throws(() => new ByteReader(Uint8Array.of(5, 65)).string(), CORRUPT);
  throws(() => new ByteReader(Uint8Array.of(1, 0xc0)).string(), CORRUPT);
  throws(() => new ByteReader(Uint8Array.of(2, 0xc0, 0x80)).string(), CORRUPT);
  throws(() => new ByteReader(Uint8Array.of(200, 1, 1)).count(10), CORRUPT);
  throws(() => new ByteReader(Uint8Array.of(1)).end(), CORRUPT);
  forEachSeed(2000, (rng) => {
    const bytes = Uint8Array.from({ length: rng.between(0, 40) }, () => rng.between(0, 255));
    for (const read of [
      (r: ByteReader) => r.string(),
      (r: ByteReader) => r.number(),
      (r: ByteReader) => readValue(r),
    ]) {
      try {
        read(new ByteReader(bytes));
      } catch (error) {
        equal((error as { code?: string }).code, "corrupt");
      }
    }
  });
});
