// Rows on disk while a log is folded: persons by the million do not fit into memory.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open, type Database, type RootDatabase } from "lmdb";

const MAP_BYTES_MAX = 64 * 2 ** 30;
const KEY_BYTES_MAX = 1_900;

export interface Scratch {
  /** Key → bytes. Keys are at most KEY_BYTES_MAX long. */
  readonly rows: (name: string) => Database<Buffer, Buffer>;
  /** Runs writes and reads in one transaction: many times cheaper than one each. */
  batch<T>(work: () => T): T;
  close(): Promise<void>;
}

/** A folder of its own under the system's temporary one, gone after `close`. Nothing in it survives a crash. */
export function openScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "attune-verify-"));
  const root: RootDatabase<Buffer, Buffer> = open({
    path: join(folder, "rows.mdb"),
    encoding: "binary",
    keyEncoding: "binary",
    noSync: true,
    mapSize: MAP_BYTES_MAX,
    maxDbs: 8,
  });
  return {
    rows: (name) => root.openDB<Buffer, Buffer>({ name, encoding: "binary", keyEncoding: "binary" }),
    batch: (work) => root.transactionSync(work),
    async close() {
      await root.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A row's key: texts and bytes, each after its length, so that no two lists give the same. */
export function rowKey(...parts: readonly (string | Uint8Array)[]): Buffer {
  const bytes = parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part)));
  const key = Buffer.concat(bytes.flatMap((part) => [Buffer.from([part.length >> 8, part.length & 255]), part]));
  if (key.length > KEY_BYTES_MAX) throw new Error(`a key of ${key.length} bytes`);
  return key;
}
