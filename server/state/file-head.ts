// The two pages at the head of the state file, on each of which LMDB puts its mark: from them it finds all others. Where one
// lost it (a power cut, a bad block), LMDB's opening kills the process, at each start again, so they are looked at before.
import { closeSync, openSync, readSync } from "node:fs";

/** On each of the two, in LMDB's form of 64 bits (`MDB_meta` behind `MDB_page_header` in its mdb.c). */
const MARK = 0xbeefc0de;
const MARK_AT = 24;
const PAGE_BYTES_AT = 48;
const READ_BYTES = PAGE_BYTES_AT + 4;

/** True where LMDB cannot open it. One that holds nothing yet it begins by itself. */
export function hasLostHead(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const page = Buffer.alloc(READ_BYTES);
    const isMarked = (at: number): boolean =>
      readSync(file, page, 0, READ_BYTES, at) === READ_BYTES && page.readUInt32LE(MARK_AT) === MARK;
    if (!isMarked(0)) return readSync(file, page, 0, 1, 0) > 0;
    return !isMarked(page.readUInt32LE(PAGE_BYTES_AT));
  } finally {
    closeSync(file);
  }
}
