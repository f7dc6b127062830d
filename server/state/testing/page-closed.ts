// A state file in the first closed form, which attune itself writes no more: LMDB closed its pages, rows had a checksum.
import { createHash, type KeyObject } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { open } from "lmdb";

export async function writePageClosed(folder: string, key: KeyObject, rows: Iterable<[key: string, bytes: Uint8Array]>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const encryptionKey = key.export().toString("base64url").slice(0, 32);
  const place = { path: join(folder, "state.mdb"), noSubdir: true, safeRestore: true, encryptionKey };
  const database = open<Uint8Array, string>({ ...place, encoding: "binary" });
  for (const [name, bytes] of rows) {
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(crc32(bytes));
    await database.put(name, Buffer.concat([checksum, bytes]));
  }
  await database.close();
  writeFileSync(join(folder, "closed"), createHash("sha256").update(key.export()).digest("hex").slice(0, 16));
}
