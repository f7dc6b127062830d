// Numbers at the ends of what doubles and longs hold.
import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { AvroReader } from "./reader.ts";

const reader = (bytes: number[]): AvroReader => new AvroReader(Buffer.from(bytes), { values: 1 });

/** A long as the specification has it: zigzag, seven bits a byte, the lowest first. */
function bytesOf(long: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

test("a long is exact up to 2^53, and beyond it the nearest number, with its sign", () => {
  const ends = [0n, 63n, 64n, 2n ** 31n, 2n ** 52n, 2n ** 52n + 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 60n + 1n, 2n ** 63n - 1n];
  const longs = ends.flatMap((long) => [long, -long, -long - 1n]);
  deepEqual(longs.map((long) => reader(bytesOf(long)).long()), longs.map(Number));
});

test("a long of ten bytes is one, one of more is malformed, and so is one that ends early", () => {
  deepEqual(bytesOf(-(2n ** 63n)).length, 10);
  throws(() => reader([...Array<number>(10).fill(0x80), 0]).long(), { code: "bad_request" });
  throws(() => reader([0x80]).long(), { code: "bad_request" });
});
