// Small files that hold secrets: replaced as a whole, readable by their owner only, the old bytes overwritten.
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const MODE = 0o600;

/** Replaces the file, or makes it; it is on disk when the call returns, and a crash or a full disk leaves the old one or the new one. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, "w", MODE);
  try {
    // All of it: one write of a call takes what there is room for, and says so by a number.
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolderOf(path);
}

/** Replaces the file, or removes it where `text` is undefined, and overwrites what the old one held. */
export function overwriteAndReplace(path: string, text: string | undefined): void {
  const old = existsSync(path) ? openSync(path, "r+") : undefined;
  try {
    if (text !== undefined) replaceFile(path, text);
    else if (old !== undefined) {
      unlinkSync(path);
      syncFolderOf(path);
    }
    if (old === undefined) return;
    writeFileSync(old, Buffer.alloc(fstatSync(old).size));
    fsyncSync(old);
  } finally {
    if (old !== undefined) closeSync(old);
  }
}

/** Makes the file's name durable, or its removal. */
export function syncFolderOf(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
