// The state file: an LMDB environment with one flat key space, `prefix:key` → checksummed bytes. It is written only by
// checkpoints (all rows of one checkpoint in one durable transaction) and read by the serving thread at any time.
import { createHash, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { crc32 } from "node:zlib";
import { open, type RootDatabase } from "lmdb";
import { replaceFile } from "../disk/durable-file.ts";
import { isCutOff } from "./file-size.ts";

/**
 * Address space for the file, no memory: 64 GiB. A file that outgrows its map is mapped anew while the old maps stay, each
 * with pages of its own that count as resident: a file of 530 MB was mapped four times, with 1,040 MB in all.
 */
const MAP_BYTES = 64 * 1024 * 1024 * 1024;

/** The same for the reading thread and the writing worker. `safeRestore`: after a power cut only flushed pages count. */
export const STATE_OPTIONS = {
  encoding: "binary",
  compression: false,
  overlappingSync: false,
  safeRestore: true,
  noSubdir: true,
  mapSize: MAP_BYTES,
} as const;

const STATE_FILE = "state.mdb";

/** Where the file is, and what it is closed with; goes to the worker too. */
export interface StatePlace {
  readonly path: string;
  readonly encryptionKey?: string;
}

/** Rows of one slice; `lengths[i]` is -1 where `keys[i]` is deleted, else the bytes follow one another in `bytes`. */
export interface RowSlice {
  keys: string[];
  lengths: Int32Array;
  bytes: Uint8Array;
}

export type CheckpointMessage = { kind: "slice"; slice: RowSlice } | { kind: "commit"; id: number } | { kind: "close" };
export type WriterReply = { kind: "committed"; id: number } | { kind: "failed"; id: number; message: string };

/** A stored value whose checksum is wrong. The file is marked: the next start throws it away and rebuilds it from the log. */
export class StateCorruptError extends Error {
  override readonly name = "StateCorruptError";
  readonly code = "state_corrupt";
}

/** The checkpoint could not be written. The rows are kept and go with the next commit. */
export class CheckpointFailedError extends Error {
  override readonly name = "CheckpointFailedError";
  readonly code = "checkpoint_failed";
}

/** Collects rows for a checkpoint; about `SLICE_BYTES` go to the writer at a time. */
const SLICE_BYTES = 1 << 20;
const CHECKSUM_BYTES = 4;
/** A file beside the state that says: do not trust it. */
const DAMAGED_MARK = "damaged";
/** A file beside a state that is closed; it names the key by a hash. */
const CLOSED_MARK = "closed";

/** LMDB takes a key of 32 characters: 192 bits of ours. Pages are closed by ChaCha8, keys of rows as well as values. */
export function lmdbKey(key: KeyObject): string {
  return key.export().toString("base64url").slice(0, 32);
}

const markOf = (key: KeyObject): string => createHash("sha256").update(key.export()).digest("hex").slice(0, 16);

export class StateFile {
  readonly #folder: string;
  readonly #database: RootDatabase<Uint8Array, string>;
  readonly #writer: Worker;
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #commitId = 0;
  #keys: string[] = [];
  #lengths: number[] = [];
  #buffer = Buffer.allocUnsafeSlow(SLICE_BYTES);
  #used = 0;

  private constructor(folder: string, key: KeyObject | undefined) {
    this.#folder = folder;
    const place: StatePlace = { path: join(folder, STATE_FILE), ...(key !== undefined && { encryptionKey: lmdbKey(key) }) };
    this.#database = open<Uint8Array, string>({ ...STATE_OPTIONS, ...place });
    this.#writer = new Worker(new URL("./checkpoint-worker.ts", import.meta.url), { workerData: place });
    this.#writer.on("message", (reply: WriterReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      this.#database.resetReadTxn();
      if (reply.kind === "committed") waiting?.resolve();
      else waiting?.reject(new CheckpointFailedError(reply.message));
    });
    this.#writer.on("error", (cause) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new CheckpointFailedError("the checkpoint writer stopped", { cause }));
      }
      this.#waiting.clear();
    });
  }

  /**
   * Opens or creates the file in `folder`, closed by `key` where there is one. What was found damaged, was cut, or does not
   * open with this key, or without any, is thrown away first.
   */
  static open(folder: string, key?: KeyObject): StateFile {
    const path = join(folder, STATE_FILE);
    const isForeign = existsSync(path) && !StateFile.opensWith(folder, key);
    if (isForeign || StateFile.isDamaged(folder)) StateFile.remove(folder);
    mkdirSync(folder, { recursive: true });
    // Durable before the first row: without it the rows are taken for open ones.
    if (key !== undefined && !StateFile.opensWith(folder, key)) replaceFile(join(folder, CLOSED_MARK), markOf(key));
    return new StateFile(folder, key);
  }

  /** Whether the state in `folder` was written with this key; undefined: open. */
  static opensWith(folder: string, key: KeyObject | undefined): boolean {
    const mark = join(folder, CLOSED_MARK);
    const written = existsSync(mark) ? readFileSync(mark, "utf8") : undefined;
    return written === (key === undefined ? undefined : markOf(key));
  }

  /** Whether the state in `folder` was found damaged, or was cut. */
  static isDamaged(folder: string): boolean {
    const path = join(folder, STATE_FILE);
    return existsSync(join(folder, DAMAGED_MARK)) || (existsSync(path) && isCutOff(path));
  }

  /** Deletes the state in `folder`; the log rebuilds it. */
  static remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
  }

  /** The row as the last commit left it. Throws StateCorruptError where its checksum is wrong. */
  get(key: string): Uint8Array | undefined {
    const stored = this.#database.get(key);
    return stored === undefined ? undefined : this.#opened(key, stored);
  }

  /** Committed rows whose keys start with `prefix`, in key order, the prefix cut off. */
  *rows(
    prefix: string,
    options: { after?: string; to?: string; limit?: number; reverse?: boolean } = {},
  ): Generator<[key: string, bytes: Uint8Array]> {
    const low = options.after === undefined ? prefix : `${prefix}${options.after}`;
    const high = options.to === undefined ? endOfPrefix(prefix) : `${prefix}${options.to}`;
    const range = options.reverse ? { start: high, end: low, reverse: true } : { start: low, end: high };
    const limit = options.limit === undefined ? {} : { limit: options.limit + 1 };
    let left = options.limit ?? Infinity;
    for (const { key, value } of this.#database.getRange({ ...range, ...limit })) {
      if (!key.startsWith(prefix)) continue;
      const rest = key.slice(prefix.length);
      if (rest === options.after || rest === options.to) continue;
      if (left-- <= 0) return;
      yield [rest, this.#opened(key, value)];
    }
  }

  /** All committed rows. */
  *all(): Generator<[key: string, bytes: Uint8Array]> {
    for (const { key, value } of this.#database.getRange({ start: " ", end: "\x7f" })) yield [key, this.#opened(key, value)];
  }

  /** Adds a row to the next commit; null deletes it. */
  write(key: string, bytes: Uint8Array | null): void {
    const size = bytes === null ? 0 : bytes.length + CHECKSUM_BYTES;
    if (this.#used + size > this.#buffer.length) this.#send(Math.max(SLICE_BYTES, size));
    this.#keys.push(key);
    this.#lengths.push(bytes === null ? -1 : size);
    if (bytes === null) return;
    this.#buffer.writeUInt32LE(crc32(bytes), this.#used);
    this.#buffer.set(bytes, this.#used + CHECKSUM_BYTES);
    this.#used += size;
  }

  /** Resolves when every row written so far is durable. Rejects with CheckpointFailedError; the rows are then kept. */
  commit(): Promise<void> {
    this.#send(SLICE_BYTES);
    const id = ++this.#commitId;
    this.#post({ kind: "commit", id }, []);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async close(): Promise<void> {
    const exited = new Promise((resolve) => this.#writer.once("exit", resolve));
    this.#post({ kind: "close" }, []);
    await exited;
    await this.#database.close();
  }

  #opened(key: string, stored: Uint8Array): Uint8Array {
    const view = new DataView(stored.buffer, stored.byteOffset, stored.length);
    const bytes = stored.subarray(CHECKSUM_BYTES);
    if (stored.length >= CHECKSUM_BYTES && view.getUint32(0, true) === crc32(bytes)) return bytes;
    writeFileSync(join(this.#folder, DAMAGED_MARK), "");
    throw new StateCorruptError(
      `the stored value of ${key.slice(0, 2)}… has a wrong checksum: restart the node to rebuild`,
    );
  }

  #send(nextBytes: number): void {
    if (this.#keys.length > 0) {
      const bytes = new Uint8Array(this.#buffer.buffer, 0, this.#used);
      const slice: RowSlice = { keys: this.#keys, lengths: Int32Array.from(this.#lengths), bytes };
      this.#post({ kind: "slice", slice }, [this.#buffer.buffer as ArrayBuffer]);
    } else if (this.#buffer.length >= nextBytes) {
      return;
    }
    this.#keys = [];
    this.#lengths = [];
    this.#buffer = Buffer.allocUnsafeSlow(nextBytes);
    this.#used = 0;
  }

  #post(message: CheckpointMessage, transfer: ArrayBuffer[]): void {
    this.#writer.postMessage(message, transfer);
  }
}

/** The smallest key above all that start with `prefix`. */
function endOfPrefix(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}
