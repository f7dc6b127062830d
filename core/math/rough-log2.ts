// A binary logarithm for features that need three digits: a table look-up, the same bits in every engine.
import { log2 } from "./exp2.ts";

const BITS = 8;
const TABLE = Float64Array.from({ length: 1 << BITS }, (_, i) => log2(1 + (i + 0.5) / (1 << BITS)));
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer); // Elements of one size: the order of bytes does not matter.

/** log2 of a positive number between 2^-126 and 2^127, at most 0.003 off. */
export function roughLog2(x: number): number {
  float[0] = x;
  const value = bits[0]!;
  return (value >> 23) - 127 + TABLE[(value >> (23 - BITS)) & ((1 << BITS) - 1)]!;
}
