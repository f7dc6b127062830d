// A backup's folder: boxes, the keys of the boxes wrapped by the backup's own key-encryption key (which lies elsewhere), and
// the manifest that says what is in which box.
import type { KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { isThere } from "../disk/is-there.ts";
import { holdsVault, openVault, type Vault } from "../vault/vault.ts";
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

/** What a backup is of; each has its own command that restores it. */
export type BackedUpHost = "node" | "cluster";

export interface AnyManifest {
  readonly format: 1;
  /** Missing: of a node. */
  readonly host?: BackedUpHost;
}

export interface BackupFolder<M = Manifest> {
  readonly path: string;
  readonly vault: Vault;
  /** Undefined: none was finished here yet. */
  readonly manifest: M | undefined;
}

/** The backup cannot be taken or used; the message says why. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

const MANIFEST = "manifest.box";
const MANIFEST_KEY = "manifest";

function defaultBackupKeys(): string {
  return join(homedir(), ".config", "attune", "backup-keys");
}

/**
 * @param keys - folder of the backup's key-encryption key; keep it apart from the backup and from the data.
 * @throws BackupError where there is none to read, or it is of another host.
 */
export async function openBackup<M extends AnyManifest = Manifest>(
  path: string,
  keys: string | undefined,
  mode: "write" | "read",
  host: BackedUpHost = "node",
): Promise<BackupFolder<M>> {
  const manifestPath = join(path, MANIFEST);
  const boxes = join(path, "boxes");
  if (mode === "read" && !isThere(manifestPath)) {
    const isBegun = existsSync(boxes) && readdirSync(boxes).length > 0;
    throw new BackupError(isBegun ? `${path}: this backup was not finished; take it again` : `${path} holds no backup`);
  }
  if (existsSync(manifestPath) && !holdsVault(path)) {
    throw new BackupError(`${path} has lost its vault.json, without which nothing of it opens: bring it back, or name another folder`);
  }
  mkdirSync(boxes, { recursive: true, mode: 0o700 });
  const vault = openVault({ dataFolder: path, kekFolder: keys ?? defaultBackupKeys(), variable: "ATTUNE_BACKUP_KEYS" });
  if (!existsSync(manifestPath)) return { path, vault, manifest: undefined };
  const key = vault.find(MANIFEST_KEY);
  if (key === undefined) throw new BackupError(`${path}: the manifest's key was destroyed`);
  let text = "";
  for await (const chunk of openBox(manifestPath, key)) text += chunk.toString("utf8");
  const manifest = JSON.parse(text) as M;
  const { host: found = "node" } = manifest;
  if (found !== host) {
    const command = found === "node" ? "attune restore" : "attune cluster restore";
    throw new BackupError(`${path} holds a backup of a ${found}, which "${command}" restores: name another folder`);
  }
  return { path, vault, manifest };
}

/** The new manifest takes the old one's place in one step. */
export async function writeManifest<M extends AnyManifest>(
  { path, vault }: Pick<BackupFolder, "path" | "vault">,
  manifest: M,
): Promise<void> {
  const next = join(path, `${MANIFEST}.next`);
  await sealBox(Buffer.from(JSON.stringify(manifest)), next, vault.obtain(MANIFEST_KEY));
  await rename(next, join(path, MANIFEST));
}

export function boxPath({ path }: Pick<BackupFolder, "path">, box: number): string {
  return join(path, "boxes", `${box}.box`);
}

export function boxKey({ vault }: Pick<BackupFolder, "vault">, box: number): KeyObject {
  return vault.obtain(`box/${box}`);
}

/** The number of the next new box: none is used twice. */
export function nextBox({ vault }: Pick<BackupFolder, "vault">): number {
  return Math.max(0, ...boxesOf(vault)) + 1;
}

/** What is in no manifest any more goes, and no copy of it opens. */
export function forgetOthers({ path, vault }: Pick<BackupFolder, "path" | "vault">, kept: readonly number[]): void {
  const isKept = new Set(kept);
  const gone = boxesOf(vault).filter((box) => !isKept.has(box));
  for (const box of gone) rmSync(boxPath({ path }, box), { force: true });
  vault.destroy(gone.map((box) => `box/${box}`));
}

function boxesOf(vault: Vault): number[] {
  return vault.names().flatMap((name) => (BOX_KEY.test(name) ? [Number(BOX_KEY.exec(name)![1])] : []));
}

const BOX_KEY = /^box\/(\d+)$/;
