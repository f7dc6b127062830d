// The key file: every project's keys, as hashes, and the secrets that user tokens are signed with. One small JSON file
// that only its owner reads; replaced as a whole, so a reader sees the old one or the new one.
import { hash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { replaceFile } from "../disk/durable-file.ts";
import { isNeed, isRole, type Need, type Role } from "./roles.ts";

export interface StoredKey {
  /** Names the key in lists, logs and the audit trail; says nothing about the key itself. */
  readonly id: string;
  readonly project: string;
  readonly role: Role;
  readonly name: string;
  /** SHA-256 of the key, hex. A key has 256 random bits, so no slow hash is needed. */
  readonly hash: string;
  /** Unix ms. */
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
  readonly revokedAtMs?: number;
  /** Only part of what the role grants. */
  readonly scopes?: readonly Need[];
  /** Origins of pages that may use it; any where it is missing. */
  readonly origins?: readonly string[];
}

/** Signs the user tokens of one project (HS256). */
export interface TokenSecret {
  readonly id: string;
  readonly project: string;
  /** 32 random bytes, base64url. */
  readonly secret: string;
  readonly createdAtMs: number;
  /** Tokens signed with it are taken until then; missing for the newest one. */
  readonly expiresAtMs?: number;
}

export interface KeyFileContent {
  readonly keys: readonly StoredKey[];
  readonly secrets: readonly TokenSecret[];
}

/** The file cannot be understood or is open to others; the message says what to do. */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
}

/** The first format had no checksum: a flipped bit in the name of a field brought a revoked key back. */
const FORMAT_WITHOUT_SUM = 1;
const FORMAT = 2;
/** Within the data folder. */
export const KEY_FILE = "keys.json";
export const KEYS_MAX = 10_000;

const EMPTY: KeyFileContent = { keys: [], secrets: [] };

/** @throws KeyFileError where the file is not one of ours, or readable by others. */
export function readKeyFile(path: string): KeyFileContent {
  if (!existsSync(path)) return EMPTY;
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new KeyFileError(`${path} can be read by others: chmod 600 it`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new KeyFileError(`${path} is no JSON: bring it back from a backup, or remove it and make new keys`, {
      cause,
    });
  }
  const { format, sum, keys, secrets } = (parsed ?? {}) as Partial<Record<"format" | "sum" | "keys" | "secrets", unknown>>;
  const isKnown = (format === FORMAT || format === FORMAT_WITHOUT_SUM) && Array.isArray(keys) && Array.isArray(secrets);
  if (!isKnown || !keys.every(isStoredKey)) {
    throw new KeyFileError(`${path} is not a key file of this version: bring it back from a backup`);
  }
  if (format === FORMAT && sum !== sumOf({ keys, secrets: secrets as TokenSecret[] })) {
    throw new KeyFileError(`${path} is not as it was written: it has rotted or was edited; bring it back from a backup`);
  }
  return { keys, secrets: secrets as TokenSecret[] };
}

/** Replaces the file; it is on disk when the call returns. */
export function writeKeyFile(path: string, content: KeyFileContent): void {
  const { keys, secrets } = content;
  const whole = { format: FORMAT, sum: sumOf({ keys, secrets }), keys, secrets };
  replaceFile(path, `${JSON.stringify(whole, null, 2)}\n`);
}

function sumOf({ keys, secrets }: KeyFileContent): string {
  return hash("sha256", JSON.stringify({ keys, secrets }));
}

/** `pk_…` for keys that stand in pages, `sk_…` for secret ones, so that scanners of leaked secrets find them. */
export function newKey(role: Role): string {
  return `${role === "write" ? "pk" : "sk"}_${randomBytes(32).toString("base64url")}`;
}

export function hashOfKey(key: string): string {
  return hash("sha256", key);
}

export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString("hex")}`;
}

/** A scheme and a host, as browsers send it: nothing that never matches may stand in a key. */
export function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

function isStoredKey(value: unknown): value is StoredKey {
  const key = value as Partial<StoredKey> | null;
  return (
    typeof key?.id === "string" &&
    typeof key.project === "string" &&
    typeof key.role === "string" &&
    isRole(key.role) &&
    typeof key.hash === "string" &&
    typeof key.createdAtMs === "number" &&
    (key.scopes === undefined || key.scopes.every(isNeed))
  );
}
