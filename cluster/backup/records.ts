// Records of topics in boxes, compressed, in the order of their partitions.
//
//   zstd( blocks: [bytes u32][partition][number of records], then of each [log time][key][value] )
//   numbers are varints; a key or a value is a byte 1, its length and its bytes, or a byte 0 where there is none
import type { KeyObject } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";
import { BoxError, openBox, sealBox } from "../../server/backup/box.ts";
import type { ReadRecord } from "../kafka/batches.ts";

export type StoredRecord = Omit<ReadRecord, "offset">;

/** Some records of one partition that follow each other. */
export interface RecordBlock {
  readonly partition: number;
  readonly records: readonly StoredRecord[];
}

/** A block is closed when it holds as much: what passes through memory at once. */
const BLOCK_BYTES = 1 << 20;
const LENGTH_BYTES = 4;

/** Durable when it resolves. */
export async function sealRecords(blocks: AsyncIterable<RecordBlock>, path: string, key: KeyObject): Promise<void> {
  await pipeline(encoded(blocks), createZstdCompress(), (packed: AsyncIterable<Buffer>) => sealBox(packed, path, key));
}

/** @throws BoxError before any record that is not what was written. */
export async function* openRecords(path: string, key: KeyObject): AsyncGenerator<RecordBlock> {
  const unpacked = createZstdDecompress();
  // What goes wrong in it ends `unpacked`, whose reader throws it.
  const opening = pipeline(openBox(path, key), unpacked).catch(() => undefined);
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of unpacked as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= LENGTH_BYTES && held.length >= LENGTH_BYTES + held.readUInt32LE(0)) {
      const end = LENGTH_BYTES + held.readUInt32LE(0);
      yield decodeBlock(held.subarray(LENGTH_BYTES, end));
      held = held.subarray(end);
    }
  }
  await opening;
  if (held.length > 0) throw new BoxError(`${path} ends within a record: take another backup`);
}

async function* encoded(blocks: AsyncIterable<RecordBlock>): AsyncGenerator<Buffer> {
  for await (const { partition, records } of blocks) {
    let start = 0;
    let sizeBytes = 0;
    for (const [i, { key, value }] of records.entries()) {
      sizeBytes += (key?.length ?? 0) + (value?.length ?? 0);
      if (sizeBytes < BLOCK_BYTES && i < records.length - 1) continue;
      yield encodeBlock({ partition, records: records.slice(start, i + 1) });
      [start, sizeBytes] = [i + 1, 0];
    }
  }
}

function encodeBlock({ partition, records }: RecordBlock): Buffer {
  const writer = new ByteWriter();
  writer.varint(partition);
  writer.varint(records.length);
  for (const { timestampMs, key, value } of records) {
    writer.varint(timestampMs);
    for (const part of [key, value]) {
      writer.byte(part === null ? 0 : 1);
      if (part !== null) writer.bytes(part);
    }
  }
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(writer.length);
  return Buffer.concat([length, writer.take()]);
}

function decodeBlock(bytes: Buffer): RecordBlock {
  const reader = new ByteReader(bytes);
  const part = (): Buffer | null => (reader.byte() === 0 ? null : Buffer.from(reader.bytes()));
  const partition = reader.varint();
  const count = reader.varint();
  const records = Array.from({ length: count }, () => ({ timestampMs: reader.varint(), key: part(), value: part() }));
  reader.end();
  return { partition, records };
}
