// A sealed run of ids: a file of sorted 64-bit fingerprints, a Bloom filter and a fence key per block in memory.
//
//   [blocks: 512 ids as (hi u32, lo u32)][Bloom bits][first hi u32 of each block][crc32 u32 of each block][footer 28]
//
// Little-endian, as every platform that Node runs on is. The footer says how many ids there are; it, the tables and
// each block have their own checksums. With a key all before the footer is closed by AES-256-CTR (version 2), with a nonce
// of 12 bytes before the footer; checksums are of what is inside.
import { createCipheriv, type KeyObject, randomBytes } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { bloomAdd, bloomBytes, bloomHas, isBloomBytes } from "./bloom.ts";
import { IdIndexDamagedError } from "./ids.ts";

/** Ids of one block, which one read fetches: 4 KiB. */
export const BLOCK_IDS = 512;
const BLOCK_BYTES = BLOCK_IDS * 8;
const FOOTER_BYTES = 28;
/** Checksummed without a turn of the event loop: about 1 ms. */
const SLICE_BYTES = 4 * 1024 * 1024;
const VERSION_OPEN = 1;
const VERSION_CLOSED = 2;
const NONCE_BYTES = 12;
const AES_BLOCK_BYTES = 16;

/** The stream that closes, and opens, what lies at `offset` of a file. */
function streamAt({ key, nonce }: FileKey, offset: number): (bytes: Uint8Array) => Buffer {
  const iv = Buffer.alloc(AES_BLOCK_BYTES);
  nonce.copy(iv);
  iv.writeUInt32BE(Math.floor(offset / AES_BLOCK_BYTES), NONCE_BYTES);
  const cipher = createCipheriv("aes-256-ctr", key, iv);
  cipher.update(Buffer.alloc(offset % AES_BLOCK_BYTES));
  return (bytes) => cipher.update(bytes);
}

interface FileKey {
  readonly key: KeyObject;
  readonly nonce: Buffer;
}

export interface Run {
  readonly name: string;
  readonly count: number;
  /** All of its ids lie before this position of the log. */
  readonly position: number;
  readonly memoryBytes: number;
  has(hi: number, lo: number): boolean;
  /** The ids of one block, interleaved hi and lo, in order. */
  readBlock(block: number): Uint32Array;
  close(): void;
}

/** Writes one run, ids in ascending order; nothing of it can be seen under its name before `finish`. */
export interface RunWriter {
  add(hi: number, lo: number): void;
  /** Puts what was added on disk; to be called now and then, so that memory stays small. */
  flush(): Promise<void>;
  /** Makes the run durable under its name and opens it. */
  finish(name: string): Promise<Run>;
  /** Gives up, leaving the unfinished file to the next sweep. */
  abort(): Promise<void>;
}

export interface RunShape {
  readonly path: string;
  readonly count: number;
  /** See Run. */
  readonly position: number;
  /** Closes the file. */
  readonly key?: KeyObject | undefined;
}

export async function createRun(shape: RunShape): Promise<RunWriter> {
  const { path, count, position, key } = shape;
  const fileKey = key === undefined ? undefined : { key, nonce: randomBytes(NONCE_BYTES) };
  const closing = fileKey === undefined ? (bytes: Uint8Array) => bytes : streamAt(fileKey, 0);
  const file = await open(`${path}.part`, "w");
  const blocks = Math.ceil(count / BLOCK_IDS);
  const tables = new Uint8Array(bloomBytes(count) + blocks * 8);
  const bloom = tables.subarray(0, bloomBytes(count));
  const fences = new Uint32Array(tables.buffer, bloom.length, blocks);
  const checksums = new Uint32Array(tables.buffer, bloom.length + blocks * 4, blocks);
  let pending: Uint32Array[] = [];
  let block = new Uint32Array(BLOCK_IDS * 2);
  let added = 0;
  let offset = 0;
  const endBlock = (words: number): void => {
    const whole = block.subarray(0, words);
    checksums[Math.ceil(added / BLOCK_IDS) - 1] = crc32(new Uint8Array(whole.buffer, 0, whole.byteLength));
    pending.push(whole);
    block = new Uint32Array(BLOCK_IDS * 2);
  };
  const write = async (bytes: Uint8Array): Promise<void> => {
    await writeAll(file, bytes, offset);
    offset += bytes.length;
  };
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(pending.map((words) => new Uint8Array(words.buffer, 0, words.byteLength)));
    pending = [];
    if (bytes.length > 0) await write(closing(bytes));
  };
  return {
    add(hi, lo) {
      const at = (added % BLOCK_IDS) * 2;
      if (at === 0) fences[added / BLOCK_IDS] = hi;
      block[at] = hi;
      block[at + 1] = lo;
      bloomAdd(bloom, hi, lo);
      added++;
      if (at + 2 === BLOCK_IDS * 2) endBlock(at + 2);
    },
    flush,
    async finish(name) {
      if (added !== count) throw new Error(`a run of ${count} ids was given ${added}`);
      if (added % BLOCK_IDS !== 0) endBlock((added % BLOCK_IDS) * 2);
      await flush();
      let tablesChecksum = 0;
      for (let start = 0; start < tables.length; start += SLICE_BYTES) {
        const slice = tables.subarray(start, start + SLICE_BYTES);
        tablesChecksum = crc32(slice, tablesChecksum);
        await write(closing(slice));
      }
      if (fileKey !== undefined) await write(fileKey.nonce);
      await write(footer({ version: fileKey === undefined ? VERSION_OPEN : VERSION_CLOSED, count, position, tablesChecksum }));
      await file.datasync();
      await file.close();
      await rename(`${path}.part`, path);
      return new FileRun({ fd: openSync(path, "r"), path, name, count, position, tables, fileKey });
    },
    abort: () => file.close(),
  };
}

/** [version u32][count f64][position f64][crc32 of the tables u32][crc32 of the footer u32] */
function footer(of: { version: number; count: number; position: number; tablesChecksum: number }): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  bytes.writeUInt32LE(of.version, 0);
  bytes.writeDoubleLE(of.count, 4);
  bytes.writeDoubleLE(of.position, 12);
  bytes.writeUInt32LE(of.tablesChecksum, 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  return bytes;
}

/** Opens a run and checks all of it, about 1 ms a million ids. Throws IdIndexDamagedError. */
export function openRun(path: string, name: string, key?: KeyObject): Run {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (cause) {
    throw damaged(path, "it cannot be read", cause);
  }
  try {
    const sizeBytes = fstatSync(fd).size;
    const foot = readExactly(fd, Math.max(0, sizeBytes - FOOTER_BYTES), FOOTER_BYTES);
    const isSound = foot !== undefined && foot.readUInt32LE(24) === crc32(foot.subarray(0, 24));
    if (!isSound) throw damaged(path, "no sound footer");
    const version = foot.readUInt32LE(0);
    const isClosed = version === VERSION_CLOSED;
    if (version !== VERSION_OPEN && !isClosed) throw damaged(path, `version ${version}`);
    if (isClosed && key === undefined) throw damaged(path, "it is closed, and there is no key");
    const nonceBytes = isClosed ? NONCE_BYTES : 0;
    const count = foot.readDoubleLE(4);
    const blocks = Math.ceil(count / BLOCK_IDS);
    const tablesBytes = sizeBytes - count * 8 - nonceBytes - FOOTER_BYTES;
    if (!isBloomBytes(tablesBytes - blocks * 8)) throw damaged(path, "wrong size");
    const nonce = readExactly(fd, sizeBytes - FOOTER_BYTES - nonceBytes, nonceBytes);
    const fileKey = isClosed ? { key: key!, nonce: nonce! } : undefined;
    const tables = readInside(fd, { offset: count * 8, sizeBytes: tablesBytes }, fileKey);
    if (tables === undefined || crc32(tables) !== foot.readUInt32LE(20)) throw damaged(path, "damaged tables");
    const run = new FileRun({ fd, name, count, position: foot.readDoubleLE(12), tables, path, fileKey });
    for (let block = 0; block < blocks; block++) run.readBlock(block);
    return run;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function damaged(path: string, what: string, cause?: unknown): IdIndexDamagedError {
  return new IdIndexDamagedError(`${path}: ${what}; the index of event ids is built anew from the log`, { cause });
}

interface RunParts extends RunShape {
  readonly fd: number;
  readonly name: string;
  readonly tables: Uint8Array;
  readonly fileKey: FileKey | undefined;
}

class FileRun implements Run {
  readonly name: string;
  readonly count: number;
  readonly position: number;
  readonly #fd: number;
  readonly #bloom: Uint8Array;
  readonly #fences: Uint32Array;
  readonly #checksums: Uint32Array;
  readonly #path: string;
  readonly #fileKey: FileKey | undefined;

  constructor(of: RunParts) {
    this.#fd = of.fd;
    this.#fileKey = of.fileKey;
    this.name = of.name;
    this.count = of.count;
    this.position = of.position;
    this.#path = of.path;
    const blocks = Math.ceil(of.count / BLOCK_IDS);
    const { buffer } = of.tables;
    this.#bloom = of.tables.subarray(0, of.tables.length - blocks * 8);
    this.#fences = new Uint32Array(buffer, this.#bloom.length, blocks);
    this.#checksums = new Uint32Array(buffer, this.#bloom.length + blocks * 4, blocks);
  }

  get memoryBytes(): number {
    return this.#bloom.length + this.#fences.byteLength * 2;
  }

  has(hi: number, lo: number): boolean {
    if (!bloomHas(this.#bloom, hi, lo)) return false;
    // Equal `hi`s may begin in the block before the first fence that is not smaller.
    let block = Math.max(0, firstNotBelow(this.#fences, hi) - 1);
    for (; block < this.#fences.length && this.#fences[block]! <= hi; block++) {
      const ids = this.readBlock(block);
      for (let at = firstPairNotBelow(ids, hi); at < ids.length && ids[at] === hi; at += 2) {
        if (ids[at + 1] === lo) return true;
      }
    }
    return false;
  }

  readBlock(block: number): Uint32Array {
    const sizeBytes = Math.min(BLOCK_BYTES, this.count * 8 - block * BLOCK_BYTES);
    const bytes = readInside(this.#fd, { offset: block * BLOCK_BYTES, sizeBytes }, this.#fileKey);
    if (bytes === undefined || crc32(bytes) !== this.#checksums[block]) {
      throw damaged(this.#path, `block ${block} is damaged`);
    }
    return new Uint32Array(bytes.buffer, 0, sizeBytes / 4);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Index of the first fence ≥ `hi`. */
function firstNotBelow(fences: Uint32Array, hi: number): number {
  let low = 0;
  let high = fences.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (fences[middle]! < hi) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index (even) of the first id of a block whose `hi` is not smaller. */
function firstPairNotBelow(ids: Uint32Array, hi: number): number {
  let low = 0;
  let high = ids.length >>> 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle * 2]! < hi) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

/** Bytes from before the footer, opened; in memory of their own. */
function readInside(fd: number, place: { offset: number; sizeBytes: number }, fileKey: FileKey | undefined): Buffer | undefined {
  const bytes = readExactly(fd, place.offset, place.sizeBytes);
  if (bytes === undefined || fileKey === undefined) return bytes;
  bytes.set(streamAt(fileKey, place.offset)(bytes));
  return bytes;
}

function readExactly(fd: number, offset: number, sizeBytes: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const count = readSync(fd, bytes, filled, sizeBytes - filled, offset + filled);
    if (count === 0) return undefined;
    filled += count;
  }
  return bytes;
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, offset + written);
    written += bytesWritten;
  }
}
