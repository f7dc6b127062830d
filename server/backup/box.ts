// A file closed with a key of its own: chunks of AES-256-GCM, so that files of any size pass through little memory and
// nothing of a box that was changed, cut short or put together from others opens.
//
//   [magic 8][version u32] then chunks [bytes u32, the highest bit: last][nonce 12][ciphertext][tag 16]
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const MAGIC = "attunebx";
const VERSION = 1;
const HEAD_BYTES = 12;
const CHUNK_BYTES = 1 << 20;
const LAST = 0x8000_0000;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

/** The box is not what was written, or the key is another. */
export class BoxError extends Error {
  override readonly name = "BoxError";
}

/** The given bytes, as they come where they come one after the other, or the first `sizeBytes` bytes of a file. */
export type BoxSource = Buffer | AsyncIterable<Buffer> | { path: string; sizeBytes: number };

/** Closes it into a new file; durable when it resolves. */
export async function sealBox(source: BoxSource, to: string, key: KeyObject): Promise<void> {
  const file = await open(to, "w", 0o600);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    head.write(MAGIC, 0, "latin1");
    head.writeUInt32LE(VERSION, 8);
    await file.appendFile(head);
    let index = 0;
    let held: Buffer | undefined;
    for await (const chunk of chunksOf(source)) {
      if (held !== undefined) await file.appendFile(sealed(held, { index: index++, isLast: false }, key));
      held = chunk;
    }
    await file.appendFile(sealed(held ?? Buffer.alloc(0), { index, isLast: true }, key));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function* chunksOf(source: BoxSource): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(source)) {
    yield* slicesOf(source);
  } else if (Symbol.asyncIterator in source) {
    for await (const bytes of source) yield* slicesOf(bytes);
  } else if (source.sizeBytes > 0) {
    const options = { highWaterMark: CHUNK_BYTES, end: source.sizeBytes - 1 };
    for await (const chunk of createReadStream(source.path, options)) yield chunk as Buffer;
  }
}

function* slicesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

interface Place {
  readonly index: number;
  readonly isLast: boolean;
}

function aadOf({ index, isLast }: Place): Buffer {
  return Buffer.from(`${index}|${isLast ? "last" : "more"}`);
}

function sealed(chunk: Buffer, place: Place, key: KeyObject): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE((chunk.length | (place.isLast ? LAST : 0)) >>> 0);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(aadOf(place));
  return Buffer.concat([length, nonce, cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
}

/** The chunks of a box, in order. @throws BoxError before anything that is not authentic is given. */
export async function* openBox(path: string, key: KeyObject): AsyncGenerator<Buffer> {
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    throw new BoxError(`${path} is missing: the backup is not whole, take another`, { cause });
  });
  try {
    const head = await read(file, HEAD_BYTES, path);
    if (head.toString("latin1", 0, 8) !== MAGIC || head.readUInt32LE(8) !== VERSION) throw broken(path);
    for (let index = 0; ; index++) {
      const word = (await read(file, 4, path)).readUInt32LE(0);
      const isLast = word >= LAST;
      const sizeBytes = isLast ? word - LAST : word;
      if (sizeBytes > CHUNK_BYTES) throw broken(path);
      const bytes = await read(file, NONCE_BYTES + sizeBytes + TAG_BYTES, path);
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(aadOf({ index, isLast }))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const chunk = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      try {
        decipher.final();
      } catch (cause) {
        throw broken(path, cause);
      }
      yield chunk;
      if (isLast) return;
    }
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle, sizeBytes: number, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  const { bytesRead } = await file.read(bytes, 0, sizeBytes);
  if (bytesRead !== sizeBytes) throw broken(path);
  return bytes;
}

function broken(path: string, cause?: unknown): BoxError {
  return new BoxError(`${path} is damaged or closed with another key: take another backup`, { cause });
}
