// The trail's file, read in pieces: in two years it may outgrow memory, and what fits into one text.
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { syncFolderOf } from "../disk/durable-file.ts";

const PIECE_BYTES = 1 << 20;
/** So much holds the end of one line and all of the next: names in entries are bounded. */
const TWO_LINES_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface TrailLine {
  readonly text: string;
  /** Offset in the file at which the next one begins. */
  readonly end: number;
  /** False for a last one that nothing ends: a crash cut it short. */
  readonly isWhole: boolean;
}

/** Every line in order; none where there is no file. Holds a mebibyte at a time. */
export function* linesOf(path: string): Generator<TrailLine> {
  if (!existsSync(path)) return;
  const file = openSync(path, "r");
  try {
    let rest: Buffer = Buffer.alloc(0);
    let end = 0;
    for (let at = 0, piece = readAt(file, 0); piece.length > 0; piece = readAt(file, at)) {
      at += piece.length;
      const bytes = Buffer.concat([rest, piece]);
      let from = 0;
      for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
        end += to + 1 - from;
        yield { text: bytes.toString("utf8", from, to), end, isWhole: true };
        from = to + 1;
      }
      rest = bytes.subarray(from);
    }
    if (rest.length > 0) yield { text: rest.toString("utf8"), end: end + rest.length, isWhole: false };
  } finally {
    closeSync(file);
  }
}

/**
 * The lines that are there now, last one first; all must be whole. Of those at the end of which `isAfter` is true the most are
 * passed over unread. What is added or cut meanwhile is not seen.
 */
export function* linesFromEnd(path: string, isAfter: (text: string) => boolean): Generator<string> {
  if (!existsSync(path)) return;
  const file = openSync(path, "r");
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (let at = endOf(file, isAfter); at > 0; ) {
      const sizeBytes = Math.min(PIECE_BYTES, at);
      at -= sizeBytes;
      const bytes = Buffer.concat([readAt(file, at, sizeBytes), rest]);
      let to = bytes.length;
      while (to > 0) {
        const newline = bytes.lastIndexOf(NEWLINE, to - 1);
        if (newline < 0) break;
        if (newline + 1 < to) yield bytes.toString("utf8", newline + 1, to);
        to = newline;
      }
      rest = bytes.subarray(0, to);
    }
    if (rest.length > 0) yield rest.toString("utf8");
  } finally {
    closeSync(file);
  }
}

/** Where a line ends: all behind it are `isAfter`, and less than a piece before it. */
function endOf(file: number, isAfter: (text: string) => boolean): number {
  let [low, high] = [0, fstatSync(file).size];
  while (high - low > PIECE_BYTES) {
    const middle = low + Math.floor((high - low) / 2);
    const bytes = readAt(file, middle, TWO_LINES_BYTES);
    const from = bytes.indexOf(NEWLINE) + 1;
    const to = bytes.indexOf(NEWLINE, from);
    if (from === 0 || to < 0) break;
    if (isAfter(bytes.toString("utf8", from, to))) high = middle + from;
    else low = middle;
  }
  return high;
}

/** Takes away what lies before `offset`; it is on disk when the call returns, and a crash leaves the old file or the new one. */
export function cutHead(path: string, offset: number): void {
  const temporary = `${path}.tmp`;
  const [from, to] = [openSync(path, "r"), openSync(temporary, "w", 0o600)];
  try {
    let at = offset;
    for (let piece = readAt(from, at); piece.length > 0; piece = readAt(from, at)) {
      writeAll(to, piece);
      at += piece.length;
    }
    fsyncSync(to);
  } catch (error) {
    rmSync(temporary);
    throw error;
  } finally {
    closeSync(from);
    closeSync(to);
  }
  renameSync(temporary, path);
  syncFolderOf(path);
}

/** At the file's place, all of it: a disk that fills up takes a part of what one call hands over. */
export function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

function readAt(file: number, at: number, sizeBytes = PIECE_BYTES): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let done = 0;
  while (done < sizeBytes) {
    const read = readSync(file, bytes, done, sizeBytes - done, at + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}
