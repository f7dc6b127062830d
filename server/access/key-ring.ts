// The keys in force. Reads the key file, and again when it has changed, so that `attune keys` beside a running node takes
// effect within a second and a revocation through the API at once.
import { statSync } from "node:fs";
import {
  hashOfKey,
  KEYS_MAX,
  newId,
  newKey,
  readKeyFile,
  writeKeyFile,
  type KeyFileContent,
  type StoredKey,
  type TokenSecret,
} from "./key-file.ts";
import { randomBytes } from "node:crypto";
import type { Need, Role } from "./roles.ts";

/** How long a change of the file by somebody else may go unseen. */
const FRESH_MS = 500;

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

/** Reads are of what is in memory; changes are durable, and known to whoever shares the ring, when they resolve. */
export interface KeyRing {
  /** No key was ever made: a loopback node is open. A ring whose keys were all revoked stays closed. */
  readonly isEmpty: boolean;
  /** Whether the key of that id can still be used. */
  isInForce(id: string): boolean;
  /** The key in force; undefined for one that is unknown, revoked or expired. */
  find(key: string): StoredKey | undefined;
  list(project?: string): readonly StoredKey[];
  issue(request: KeyRequest): IssuedKey | Promise<IssuedKey>;
  /** A new key with the same rights; the old one goes on for `overlapMs`. Undefined: no such key in force. */
  rotate(id: string, overlapMs: number): IssuedKey | undefined | Promise<IssuedKey | undefined>;
  /** False where there is no such key in force. At once: the next request with it is refused. */
  revoke(id: string): boolean | Promise<boolean>;
  /** Secrets that verify user tokens, newest first. */
  secrets(project: string): readonly TokenSecret[];
  /** Makes a new secret; tokens of the old one are taken for `overlapMs`. */
  rotateSecret(project: string, overlapMs: number): TokenSecret | Promise<TokenSecret>;
}

/** A ring in a file of this machine: changes are made when the call returns. */
export interface FileKeyRing extends KeyRing {
  issue(request: KeyRequest): IssuedKey;
  rotate(id: string, overlapMs: number): IssuedKey | undefined;
  revoke(id: string): boolean;
  rotateSecret(project: string, overlapMs: number): TokenSecret;
}

export class TooManyKeysError extends Error {
  override readonly name = "TooManyKeysError";
}

/** @throws KeyFileError where the file is damaged or open to others. */
export function openKeyRing(path: string, now: () => number): FileKeyRing {
  let content: KeyFileContent = { keys: [], secrets: [] };
  let byHash = new Map<string, StoredKey>();
  let byId = new Map<string, StoredKey>();
  let stamp = "";
  let lookedAtMs = -Infinity;

  const load = (): void => {
    content = readKeyFile(path);
    byHash = new Map(content.keys.map((key) => [key.hash, key]));
    byId = new Map(content.keys.map((key) => [key.id, key]));
  };
  const refresh = (): void => {
    const nowMs = now();
    if (Math.abs(nowMs - lookedAtMs) < FRESH_MS) return;
    lookedAtMs = nowMs;
    const next = stampOf(path);
    if (next === stamp) return;
    load();
    stamp = next;
  };
  const save = (next: KeyFileContent): void => {
    writeKeyFile(path, next);
    load();
    stamp = stampOf(path);
  };
  const change = (id: string, edit: Partial<StoredKey>): KeyFileContent => ({
    ...content,
    keys: content.keys.map((key) => (key.id === id ? { ...key, ...edit } : key)),
  });
  const inForce = (key: StoredKey | undefined): StoredKey | undefined => {
    if (key === undefined || key.revokedAtMs !== undefined) return undefined;
    return key.expiresAtMs !== undefined && key.expiresAtMs <= now() ? undefined : key;
  };
  const issue = (request: KeyRequest, base: KeyFileContent): IssuedKey => {
    if (base.keys.length >= KEYS_MAX) throw new TooManyKeysError(`a node keeps at most ${KEYS_MAX} keys`);
    const key = newKey(request.role);
    const { project, role, name, expiresAtMs, scopes, origins } = request;
    const stored: StoredKey = {
      id: newId("key"),
      project,
      role,
      name,
      hash: hashOfKey(key),
      createdAtMs: now(),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      ...(scopes === undefined ? {} : { scopes }),
      ...(origins === undefined ? {} : { origins }),
    };
    save({ ...base, keys: [...base.keys, stored] });
    return { stored, key };
  };
  /** Before a change: somebody else may have written since the last look. */
  const reread = (): void => {
    load();
    stamp = stampOf(path);
  };

  reread();
  return {
    get isEmpty() {
      refresh();
      return content.keys.length === 0;
    },
    isInForce(id) {
      refresh();
      return inForce(byId.get(id)) !== undefined;
    },
    find(key) {
      refresh();
      return inForce(byHash.get(hashOfKey(key)));
    },
    list(project) {
      refresh();
      return project === undefined ? content.keys : content.keys.filter((key) => key.project === project);
    },
    issue(request) {
      reread();
      return issue(request, content);
    },
    rotate(id, overlapMs) {
      reread();
      const old = inForce(content.keys.find((key) => key.id === id));
      if (old === undefined) return undefined;
      const endMs = Math.min(now() + overlapMs, old.expiresAtMs ?? Infinity);
      return issue(old, change(id, { expiresAtMs: endMs }));
    },
    revoke(id) {
      reread();
      if (inForce(content.keys.find((key) => key.id === id)) === undefined) return false;
      save(change(id, { revokedAtMs: now() }));
      return true;
    },
    secrets(project) {
      refresh();
      return content.secrets
        .filter((one) => one.project === project && (one.expiresAtMs === undefined || one.expiresAtMs > now()))
        .reverse();
    },
    rotateSecret(project, overlapMs) {
      reread();
      const endMs = now() + overlapMs;
      const ended = content.secrets.map((one) =>
        one.project === project && one.expiresAtMs === undefined ? { ...one, expiresAtMs: endMs } : one,
      );
      const secret = randomBytes(32).toString("base64url");
      const made: TokenSecret = { id: newId("secret"), project, secret, createdAtMs: now() };
      save({ ...content, secrets: [...ended.filter((one) => (one.expiresAtMs ?? Infinity) > now()), made] });
      return made;
    },
  };
}

/** Changes whenever the file is replaced. */
function stampOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  return info === undefined ? "" : `${info.ino}:${info.mtimeMs}:${info.size}`;
}
