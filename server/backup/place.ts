// A backup's folder: boxes, the keys of the boxes wrapped by the backup's own key-encryption key (which lies elsewhere), and
// the manifest that says what is in which box.
import type { KeyObject } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { openVault, type Vault } from "../vault/vault.ts";
import { openBox, sealBox } from "./box.ts";

export interface BackedUpFile {
  /** Path within the data folder. */
  readonly name: string;
  readonly box: number;
  readonly sizeBytes: number;
  /** Of the file that was copied: one that has not changed is not copied again. */
  readonly ino: number;
  readonly mtimeMs: number;
}

export interface Manifest {
  readonly format: 1;
  /** ISO 8601: when the backup was begun. All that was accepted before is in it. */
  readonly at: string;
  /** The vault's of the data; undefined where the data are open. */
  readonly source?: string;
  /** Data keys by name, base64. */
  readonly keys: Readonly<Record<string, string>>;
  readonly files: readonly BackedUpFile[];
}

export interface BackupFolder {
  readonly path: string;
  readonly vault: Vault;
  readonly manifest: Manifest | undefined;
}

/** The backup cannot be taken or used; the message says why. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

const MANIFEST = "manifest.box";
const MANIFEST_KEY = "manifest";

export function defaultBackupKeys(): string {
  return join(homedir(), ".config", "attune", "backup-keys");
}

/** @param keys - folder of the backup's key-encryption key; keep it apart from the backup and from the data. */
export async function openBackup(path: string, keys: string | undefined, mode: "write" | "read"): Promise<BackupFolder> {
  const manifestPath = join(path, MANIFEST);
  if (mode === "read" && !existsSync(manifestPath)) throw new BackupError(`${path} holds no backup`);
  mkdirSync(join(path, "boxes"), { recursive: true, mode: 0o700 });
  const vault = openVault({ dataFolder: path, kekFolder: keys ?? defaultBackupKeys() });
  if (!existsSync(manifestPath)) return { path, vault, manifest: undefined };
  const key = vault.find(MANIFEST_KEY);
  if (key === undefined) throw new BackupError(`${path}: the manifest's key was destroyed`);
  let text = "";
  for await (const chunk of openBox(manifestPath, key)) text += chunk.toString("utf8");
  return { path, vault, manifest: JSON.parse(text) as Manifest };
}

/** The new manifest takes the old one's place in one step. */
export async function writeManifest({ path, vault }: BackupFolder, manifest: Manifest): Promise<void> {
  const next = join(path, `${MANIFEST}.next`);
  await sealBox(Buffer.from(JSON.stringify(manifest)), next, vault.obtain(MANIFEST_KEY));
  await rename(next, join(path, MANIFEST));
}

export function boxPath({ path }: BackupFolder, box: number): string {
  return join(path, "boxes", `${box}.box`);
}

export function boxKey({ vault }: BackupFolder, box: number): KeyObject {
  return vault.obtain(`box/${box}`);
}

export const BOX_KEY = /^box\/(\d+)$/;
