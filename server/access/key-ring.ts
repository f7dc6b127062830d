// The keys in force. Reads the key file, and again when it has changed, so that `attune keys` beside a running node takes
// effect within a second and a revocation through the API at once.
import { existsSync, statSync } from "node:fs";
import { readKeyFile, writeKeyFile, type KeyFileContent, type StoredKey, type TokenSecret } from "./key-file.ts";
import { endOf, KeyTable, makeKey, makeSecret, type IssuedKey, type KeyRequest } from "./key-table.ts";

/** How long a change of the file by somebody else may go unseen. */
const FRESH_MS = 500;

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

/** @throws KeyFileError where the file is damaged or open to others. */
export function openKeyRing(path: string, now: () => number): FileKeyRing {
  let content: KeyFileContent = { keys: [], secrets: [] };
  let table = new KeyTable(content, now);
  let stamp = "";
  let lookedAtMs = -Infinity;

  const load = (): void => {
    // A file that is gone takes no key back: otherwise the node would stand open. The next change writes it anew.
    if (content.keys.length > 0 && !existsSync(path)) return;
    content = readKeyFile(path);
    table = new KeyTable(content, now);
  };
  /** The keys as they are now, also where somebody else has written them. */
  const current = (): KeyTable => {
    const nowMs = now();
    if (Math.abs(nowMs - lookedAtMs) < FRESH_MS) return table;
    lookedAtMs = nowMs;
    const next = stampOf(path);
    if (next === stamp) return table;
    load();
    stamp = next;
    return table;
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
  const issue = (request: KeyRequest, base: KeyFileContent): IssuedKey => {
    const issued = makeKey(request, base.keys.length, now());
    save({ ...base, keys: [...base.keys, issued.stored] });
    return issued;
  };
  /** Before a change: somebody else may have written since the last look. */
  const reread = (): void => {
    load();
    stamp = stampOf(path);
  };

  reread();
  return {
    get isEmpty() {
      return current().isEmpty;
    },
    isInForce: (id) => current().isInForce(id),
    find: (key) => current().find(key),
    list: (project) => current().list(project),
    issue(request) {
      reread();
      return issue(request, content);
    },
    rotate(id, overlapMs) {
      reread();
      const old = table.get(id);
      if (old === undefined) return undefined;
      return issue(old, change(id, { expiresAtMs: endOf(old, now() + overlapMs) }));
    },
    revoke(id) {
      reread();
      if (!table.isInForce(id)) return false;
      save(change(id, { revokedAtMs: now() }));
      return true;
    },
    secrets: (project) => current().secrets(project),
    rotateSecret(project, overlapMs) {
      reread();
      const endMs = now() + overlapMs;
      const ended = content.secrets.map((one) =>
        one.project === project && one.expiresAtMs === undefined ? { ...one, expiresAtMs: endMs } : one,
      );
      const made = makeSecret(project, now());
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
