// Model rows as versioned bytes: fixed-width, little-endian, so that a checkpoint's slice costs little more than a copy.
import { CorruptBytesError } from "../wire/reader.ts";

export interface RowWriter {
  u8(value: number): void;
  i32(value: number): void;
  f32(value: number): void;
  f64(value: number): void;
  /** UTF-16 units, two bytes each: no TextEncoder, and any string comes back as it was. */
  text(value: string): void;
  i32s(values: Int32Array, from: number, to: number): void;
  /** Each reference, then its weight as a 32-bit float. */
  weighted(refs: Int32Array, weights: Float32Array, from: number, to: number): void;
  /** What was written, in memory that the next row is written to: copy it to keep it. */
  bytes(): Uint8Array;
}

let bytes = new Uint8Array(4096);
let view = new DataView(bytes.buffer);
let at = 0;

const room = (size: number): number => {
  const from = at;
  at += size;
  if (at > bytes.length) {
    const grown = new Uint8Array(Math.max(at, bytes.length * 2));
    grown.set(bytes);
    bytes = grown;
    view = new DataView(bytes.buffer);
  }
  return from;
};

const writer: RowWriter = {
  u8(value) {
    const from = room(1);
    view.setUint8(from, value);
  },
  i32(value) {
    const from = room(4);
    view.setInt32(from, value, true);
  },
  f32(value) {
    const from = room(4);
    view.setFloat32(from, value, true);
  },
  f64(value) {
    const from = room(8);
    view.setFloat64(from, value, true);
  },
  text(value) {
    const from = room(4 + value.length * 2);
    view.setInt32(from, value.length, true);
    for (let i = 0; i < value.length; i++) view.setUint16(from + 4 + 2 * i, value.charCodeAt(i), true);
  },
  i32s(values, from, to) {
    let place = room(4 * (to - from));
    for (let i = from; i < to; i++, place += 4) view.setInt32(place, values[i]!, true);
  },
  weighted(refs, weights, from, to) {
    let place = room(8 * (to - from));
    for (let i = from; i < to; i++, place += 8) {
      view.setInt32(place, refs[i]!, true);
      view.setFloat32(place + 4, weights[i]!, true);
    }
  },
  bytes: () => bytes.subarray(0, at),
};

/** The one writer, empty: a row is written from beginning to end before the next is begun. */
export function rowWriter(): RowWriter {
  at = 0;
  return writer;
}

export interface RowReader {
  /** @throws CorruptBytesError where the row was written by a later release. */
  version(known: number): number;
  u8(): number;
  i32(): number;
  f32(): number;
  f64(): number;
  text(): string;
  left(): number;
}

export function rowReader(bytes: Uint8Array): RowReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const skip = (size: number): number => {
    const from = at;
    at += size;
    return from;
  };
  const reader: RowReader = {
    version(known) {
      const version = reader.u8();
      if (version <= known) return version;
      throw new CorruptBytesError(`model row of version ${version}, this release knows ${known}`, 0);
    },
    u8: () => view.getUint8(skip(1)),
    i32: () => view.getInt32(skip(4), true),
    f32: () => view.getFloat32(skip(4), true),
    f64: () => view.getFloat64(skip(8), true),
    text() {
      const length = reader.i32();
      let text = "";
      for (let i = 0; i < length; i++) text += String.fromCharCode(view.getUint16(skip(2), true));
      return text;
    },
    left: () => bytes.length - at,
  };
  return reader;
}
