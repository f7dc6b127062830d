// The rules of keys, wherever they are kept: which is in force, how a new one is made.
import { randomBytes } from "node:crypto";
import { hashOfKey, KEYS_MAX, newId, newKey, type KeyFileContent, type StoredKey, type TokenSecret } from "./key-file.ts";
import type { Need, Role } from "./roles.ts";

export interface KeyRequest {
  project: string;
  role: Role;
  name: string;
  expiresAtMs?: number | undefined;
  scopes?: readonly Need[] | undefined;
  origins?: readonly string[] | undefined;
}

export interface IssuedKey {
  stored: StoredKey;
  /** Shown once; only its hash is kept. */
  key: string;
}

export class TooManyKeysError extends Error {
  override readonly name = "TooManyKeysError";
}

/** Keys and secrets as they are at one moment. */
export class KeyTable {
  readonly #content: KeyFileContent;
  readonly #now: () => number;
  readonly #byHash: ReadonlyMap<string, StoredKey>;
  readonly #byId: ReadonlyMap<string, StoredKey>;

  constructor(content: KeyFileContent, now: () => number) {
    this.#content = content;
    this.#now = now;
    this.#byHash = new Map(content.keys.map((key) => [key.hash, key]));
    this.#byId = new Map(content.keys.map((key) => [key.id, key]));
  }

  get isEmpty(): boolean {
    return this.#content.keys.length === 0;
  }

  isInForce(id: string): boolean {
    return this.get(id) !== undefined;
  }

  /** The key in force of that id. */
  get(id: string): StoredKey | undefined {
    return this.#inForce(this.#byId.get(id));
  }

  find(key: string): StoredKey | undefined {
    return this.#inForce(this.#byHash.get(hashOfKey(key)));
  }

  list(project?: string): readonly StoredKey[] {
    const { keys } = this.#content;
    return project === undefined ? keys : keys.filter((key) => key.project === project);
  }

  /** Newest first. */
  secrets(project: string): readonly TokenSecret[] {
    return this.#content.secrets
      .filter((one) => one.project === project && (one.expiresAtMs === undefined || one.expiresAtMs > this.#now()))
      .reverse();
  }

  #inForce(key: StoredKey | undefined): StoredKey | undefined {
    if (key === undefined || key.revokedAtMs !== undefined) return undefined;
    return key.expiresAtMs !== undefined && key.expiresAtMs <= this.#now() ? undefined : key;
  }
}

/** @throws TooManyKeysError */
export function makeKey(request: KeyRequest, count: number, nowMs: number): IssuedKey {
  if (count >= KEYS_MAX) throw new TooManyKeysError(`a node keeps at most ${KEYS_MAX} keys`);
  const { project, role, name, expiresAtMs, scopes, origins } = request;
  const key = newKey(role);
  const stored: StoredKey = {
    id: newId("key"),
    project,
    role,
    name,
    hash: hashOfKey(key),
    createdAtMs: nowMs,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(origins === undefined ? {} : { origins }),
  };
  return { stored, key };
}

export function makeSecret(project: string, nowMs: number): TokenSecret {
  return { id: newId("secret"), project, secret: randomBytes(32).toString("base64url"), createdAtMs: nowMs };
}

/** When a key ends that was to end at `endMs`: never later than it would have. */
export function endOf(key: StoredKey, endMs: number): number {
  return Math.min(endMs, key.expiresAtMs ?? Infinity);
}
