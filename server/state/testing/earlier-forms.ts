// State files in closed forms of before, which attune itself writes no more.
import { createHash, type KeyObject } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { open } from "lmdb";
import { closedRows } from "../closed-rows.ts";

type Rows = Iterable<[key: string, bytes: Uint8Array]>;

/** Writes `rows` into an empty folder, closed by `key`. */
export type WriteEarlier = (folder: string, key: KeyObject, rows: Rows) => Promise<void>;

const PLACE = { noSubdir: true, safeRestore: true, encoding: "binary" } as const;
const hashOf = (key: KeyObject): string => createHash("sha256").update(key.export()).digest("hex").slice(0, 16);

/** The first: LMDB closed its pages, rows had a checksum. */
export const writePageClosed: WriteEarlier = async (folder, key, rows) => {
  mkdirSync(folder, { recursive: true });
  const encryptionKey = key.export().toString("base64url").slice(0, 32);
  const database = open<Uint8Array, string>({ ...PLACE, path: join(folder, "state.mdb"), encryptionKey });
  for (const [name, bytes] of rows) {
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(crc32(bytes));
    await database.put(name, Buffer.concat([checksum, bytes]));
  }
  await database.close();
  writeFileSync(join(folder, "closed"), hashOf(key));
};

/** The second: each row was closed alone; the directory held names as JSON. */
export const writeEachAlone: WriteEarlier = async (folder, key, rows) => {
  mkdirSync(folder, { recursive: true });
  const form = closedRows(key);
  const database = open<Uint8Array, string>({ ...PLACE, path: join(folder, "state.mdb") });
  for (const [name, bytes] of rows) await database.put(form.nameOf(name), Buffer.from(form.stored(name, bytes)));
  await database.put("n:aa", Buffer.from(form.stored("n:aa", Buffer.from('["u:somebody"]'))));
  await database.close();
  writeFileSync(join(folder, "closed"), `rows 1 ${hashOf(key)}`);
};
