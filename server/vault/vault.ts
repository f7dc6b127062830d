// The vault: keys that open what lies on the disk, and can be destroyed.
//
// Data keys stand in one small file, each wrapped by the key-encryption key (KEK), which lives in another place. Deleting
// bytes from a disk is a hope: file systems and drives keep old copies. So destroying data keys means a new epoch: a new
// KEK, the living keys wrapped anew, the old KEK overwritten. Whatever copy of the old file turns up, nothing opens it.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { overwriteAndReplace, replaceFile } from "../disk/durable-file.ts";

export interface Vault {
  /** Names the vault; its KEK is found by it, so a data folder may be moved. */
  readonly id: string;
  /** Grows with each destruction. */
  readonly epoch: number;
  /** The data key of that name; undefined for one that never was or was destroyed. */
  find(name: string): KeyObject | undefined;
  /** A new data key under `name`, durable before it is returned. A key of that name is replaced and destroyed. */
  make(name: string): KeyObject;
  /** The key of that name, made where there is none. */
  obtain(name: string): KeyObject;
  /** From now on nothing on any disk opens what these keys closed. Unknown names are no fault. */
  destroy(names: readonly string[]): void;
  /** Names of the keys in force. */
  names(): string[];
  /** Takes a key that another vault held; durable before it returns. For a restored backup. */
  adopt(keys: ReadonlyMap<string, KeyObject>): void;
  /** A file beside the key-encryption key, named after the vault: what must outlive the data folder lies there. */
  besideKek(name: string): string;
}

export interface VaultOptions {
  /** Folder of the data, which holds the wrapped keys. */
  dataFolder: string;
  /** Folder of key-encryption keys, best on another volume. Default `~/.config/attune/keys`. */
  kekFolder?: string | undefined;
  /** The variable that names that folder, for messages. Default `ATTUNE_KEK_FOLDER`. */
  variable?: string | undefined;
}

/** The keys cannot be had; without them what is on the disk stays closed. The message says what to do. */
export class VaultError extends Error {
  override readonly name = "VaultError";
}

interface Wrapped {
  name: string;
  /** nonce 12, ciphertext 32, tag 16; base64. */
  key: string;
}

interface VaultFile {
  format: 1;
  id: string;
  epoch: number;
  keys: Wrapped[];
}

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VAULT_FILE = "vault.json";

export function defaultKekFolder(): string {
  return join(homedir(), ".config", "attune", "keys");
}

export function holdsVault(dataFolder: string): boolean {
  const file = join(dataFolder, VAULT_FILE);
  return existsSync(file) || existsSync(nextOf(file));
}

/** Opens the vault of a data folder, or makes it. @throws VaultError where its KEK is missing or does not fit. */
export function openVault(options: VaultOptions): Vault {
  const file = join(options.dataFolder, VAULT_FILE);
  const kekFolder = options.kekFolder ?? defaultKekFolder();
  mkdirSync(options.dataFolder, { recursive: true, mode: 0o700 });
  const opened = holdsVault(options.dataFolder) ? openExisting(file, kekFolder, options.variable) : makeNew(file, kekFolder, options.variable);
  return new FileVault(file, opened);
}

interface Opened {
  readonly id: string;
  readonly epoch: number;
  readonly kek: Buffer;
  readonly kekPath: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
}

class FileVault implements Vault {
  readonly #file: string;
  /** As it lies on the disk: what could not be written is not in force. */
  #opened: Opened;
  constructor(file: string, opened: Opened) {
    this.#file = file;
    this.#opened = opened;
  }

  get id(): string {
    return this.#opened.id;
  }

  get epoch(): number {
    return this.#opened.epoch;
  }

  find(name: string): KeyObject | undefined {
    return this.#opened.keys.get(name);
  }

  make(name: string): KeyObject {
    if (this.#opened.keys.has(name)) this.destroy([name]);
    const key = createSecretKey(randomBytes(KEY_BYTES));
    this.adopt(new Map([[name, key]]));
    return key;
  }

  obtain(name: string): KeyObject {
    return this.find(name) ?? this.make(name);
  }

  destroy(names: readonly string[]): void {
    const keys = new Map(this.#opened.keys);
    if (names.filter((name) => keys.delete(name)).length === 0) return;
    const next: Opened = { ...this.#opened, keys, kek: randomBytes(KEY_BYTES), epoch: this.#opened.epoch + 1 };
    // The new wraps first, beside the old; then the new KEK in place of the old one; then the new wraps in their place.
    // A crash in between leaves one of the two files with the epoch of the KEK that is there.
    replaceFile(nextOf(this.#file), textOf(next));
    try {
      overwriteAndReplace(next.kekPath, kekText(next.epoch, next.kek));
    } finally {
      // Whatever failed: what is closed from now on must open with the KEK that lies there.
      if (readKek(next.kekPath).epoch === next.epoch) this.#opened = next;
    }
    replaceFile(this.#file, textOf(next));
    overwriteAndReplace(nextOf(this.#file), undefined);
  }

  names(): string[] {
    return [...this.#opened.keys.keys()];
  }

  adopt(keys: ReadonlyMap<string, KeyObject>): void {
    const next = { ...this.#opened, keys: new Map([...this.#opened.keys, ...keys]) };
    replaceFile(this.#file, textOf(next));
    this.#opened = next;
  }

  besideKek(name: string): string {
    return besideKek(dirname(this.#opened.kekPath), this.id, name);
  }
}

function besideKek(kekFolder: string, id: string, name: string): string {
  return join(kekFolder, `${id}.${name}`);
}

/** What a vault holds at this moment, read beside the process that has it open; undefined where there is no vault. */
export function readVault(options: VaultOptions): ReadableVault | undefined {
  const file = join(options.dataFolder, VAULT_FILE);
  if (!holdsVault(options.dataFolder)) return undefined;
  const { id, keys } = openKeys(file, options.kekFolder ?? defaultKekFolder());
  return { id, keys };
}

export interface ReadableVault {
  readonly id: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
}

/** See Vault.besideKek, for a vault that may be no more. */
export function fileBesideKek(kekFolder: string | undefined, id: string, name: string): string {
  return besideKek(kekFolder ?? defaultKekFolder(), id, name);
}

function makeNew(file: string, kekFolder: string, variable = "ATTUNE_KEK_FOLDER"): Opened {
  const id = randomBytes(8).toString("hex");
  const opened: Opened = {
    id,
    epoch: 1,
    kek: randomBytes(KEY_BYTES),
    kekPath: kekPathOf(kekFolder, id),
    keys: new Map(),
  };
  try {
    mkdirSync(kekFolder, { recursive: true, mode: 0o700 });
    replaceFile(opened.kekPath, kekText(1, opened.kek));
  } catch (cause) {
    const why = (cause as Error).message;
    throw new VaultError(`${kekFolder} cannot hold keys: ${why}. Name another folder (${variable}), or make this one writable.`, { cause });
  }
  replaceFile(file, textOf(opened));
  return opened;
}

function openExisting(file: string, kekFolder: string, variable: string | undefined): Opened {
  const { isWhole, ...opened } = openKeys(file, kekFolder, variable);
  if (isWhole) return opened;
  replaceFile(file, textOf(opened));
  overwriteAndReplace(nextOf(file), undefined);
  return opened;
}

/** `isWhole`: false where a crash cut a destruction short. */
function openKeys(file: string, kekFolder: string, variable = "ATTUNE_KEK_FOLDER"): Opened & { isWhole: boolean } {
  const candidates = [file, nextOf(file)].filter((path) => existsSync(path)).map(readVaultFile);
  const { id } = candidates[0]!;
  const kekPath = kekPathOf(kekFolder, id);
  if (!existsSync(kekPath)) {
    throw new VaultError(
      `the data of ${dirname(file)} is encrypted, and its key ${kekPath} is missing: bring the key back, or set ` +
        `${variable} to the folder that holds it`,
    );
  }
  const { epoch, key: kek } = readKek(kekPath);
  const fitting = candidates.find((candidate) => candidate.epoch === epoch);
  if (fitting === undefined) {
    throw new VaultError(
      `${kekPath} is of epoch ${epoch} and opens no copy of ${file}: keys were destroyed in between, so folder and key must be ` +
        `of one moment. Bring back the key that was there with this folder, or the folder that belongs to this key`,
    );
  }
  const keys = new Map(fitting.keys.map(({ name, key }) => [name, unwrap(name, key, kek, fitting)]));
  return { id, epoch, kek, kekPath, keys, isWhole: fitting === candidates[0] && candidates.length === 1 };
}

function textOf({ id, epoch, kek, keys }: Opened): string {
  const wrapped = [...keys].map(([name, key]): Wrapped => ({ name, key: wrap(name, key, kek, { id, epoch }) }));
  return `${JSON.stringify({ format: 1, id, epoch, keys: wrapped } satisfies VaultFile, null, 1)}\n`;
}

/** A wrapped key opens only under its own name, in its own vault and epoch. */
function aadOf(name: string, { id, epoch }: { id: string; epoch: number }): Buffer {
  return Buffer.from(`${id}|${epoch}|${name}`);
}

function wrap(name: string, key: KeyObject, kek: Buffer, place: { id: string; epoch: number }): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, kek, nonce).setAAD(aadOf(name, place));
  return Buffer.concat([nonce, cipher.update(key.export()), cipher.final(), cipher.getAuthTag()]).toString("base64");
}

function unwrap(name: string, wrapped: string, kek: Buffer, place: { id: string; epoch: number }): KeyObject {
  const bytes = Buffer.from(wrapped, "base64");
  try {
    const decipher = createDecipheriv(CIPHER, kek, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(aadOf(name, place))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    const key = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return createSecretKey(key);
  } catch (cause) {
    throw new VaultError(`the data key "${name}" does not open: the vault's file or its KEK was changed`, { cause });
  }
}

function readVaultFile(path: string): VaultFile {
  try {
    const parsed = JSON.parse(readFileSync(path, "utf8")) as VaultFile;
    if (parsed.format === 1 && Array.isArray(parsed.keys)) return parsed;
  } catch (cause) {
    throw new VaultError(`${path} cannot be read: bring it back from a backup`, { cause });
  }
  throw new VaultError(`${path} was written by a newer version of attune; start that version`);
}

function readKek(path: string): { epoch: number; key: Buffer } {
  const [epoch = "", key = ""] = readFileSync(path, "utf8").trim().split(" ");
  const bytes = Buffer.from(key, "base64");
  if (/^\d+$/.test(epoch) && bytes.length === KEY_BYTES) return { epoch: Number(epoch), key: bytes };
  throw new VaultError(`${path} is no key of attune: bring it back from a backup`);
}

function kekText(epoch: number, kek: Buffer): string {
  return `${epoch} ${kek.toString("base64")}\n`;
}

function kekPathOf(folder: string, id: string): string {
  return join(folder, `${id}.kek`);
}

function nextOf(file: string): string {
  return `${file}.next`;
}
