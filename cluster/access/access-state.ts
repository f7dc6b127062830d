// What the records of the `access` topic add up to: keys, secrets of user tokens, sessions that were ended. Records say
// what happened and never take anything back: whatever two servers write at the same time, a revoked key stays revoked.
import type { StoredKey, TokenSecret } from "../../server/access/key-file.ts";
import { endOf, KeyTable } from "../../server/access/key-table.ts";
import { decodeUtf8, encodeUtf8 } from "../wire/utf8.ts";

export type AccessRecord =
  /** Made. Its hash, never the key. */
  | { kind: "key"; key: StoredKey }
  | { kind: "key_ends"; id: string; atMs: number }
  | { kind: "key_revoked"; id: string; atMs: number }
  /** `sealed` is closed with the cluster's key. Those of the project before it end then. */
  | { kind: "secret"; id: string; project: string; sealed: string; createdAtMs: number; earlierEndAtMs: number }
  /** Nothing need be known of it after `untilMs`. */
  | { kind: "session_ended"; id: string; untilMs: number };

export interface AccessStateOptions {
  readonly now: () => number;
  /** Opens a secret; undefined: it was closed with another key. */
  readonly open: (sealed: string) => string | undefined;
}

export class AccessState {
  readonly #options: AccessStateOptions;
  readonly #keys = new Map<string, StoredKey>();
  #secrets: TokenSecret[] = [];
  /** Id of a session → when it would have ended anyway. */
  readonly #ended = new Map<string, number>();
  #table: KeyTable | undefined;
  /** Projects whose newest secret was closed with another key than ours. */
  readonly closed = new Set<string>();

  constructor(options: AccessStateOptions) {
    this.#options = options;
  }

  /** Keys and secrets as they are now. */
  get table(): KeyTable {
    return (this.#table ??= new KeyTable(
      { keys: [...this.#keys.values()], secrets: this.#secrets },
      this.#options.now,
    ));
  }

  apply(record: AccessRecord): void {
    this.#table = undefined;
    switch (record.kind) {
      case "key":
        if (!this.#keys.has(record.key.id)) this.#keys.set(record.key.id, record.key);
        return;
      case "key_ends":
        return this.#change(record.id, (key) => ({ expiresAtMs: endOf(key, record.atMs) }));
      case "key_revoked":
        return this.#change(record.id, ({ revokedAtMs }) => ({ revokedAtMs: revokedAtMs ?? record.atMs }));
      case "secret":
        return this.#addSecret(record);
      case "session_ended":
        this.#ended.set(record.id, record.untilMs);
        return this.#forgetEnded();
      default:
      // Of a later release: it is not for us.
    }
  }

  isEnded(sessionId: string): boolean {
    return this.#ended.has(sessionId);
  }

  #change(id: string, edit: (key: StoredKey) => Partial<StoredKey>): void {
    const key = this.#keys.get(id);
    if (key !== undefined) this.#keys.set(id, { ...key, ...edit(key) });
  }

  #addSecret({ id, project, sealed, createdAtMs, earlierEndAtMs }: AccessRecord & { kind: "secret" }): void {
    const secret = this.#options.open(sealed);
    if (secret === undefined) this.closed.add(project);
    else this.closed.delete(project);
    const nowMs = this.#options.now();
    const earlier = this.#secrets.map((one) =>
      one.project === project && one.expiresAtMs === undefined ? { ...one, expiresAtMs: earlierEndAtMs } : one,
    );
    const made = secret === undefined ? [] : [{ id, project, secret, createdAtMs }];
    this.#secrets = [...earlier.filter((one) => (one.expiresAtMs ?? Infinity) > nowMs), ...made];
  }

  #forgetEnded(): void {
    const nowMs = this.#options.now();
    for (const [id, untilMs] of this.#ended) if (untilMs <= nowMs) this.#ended.delete(id);
  }
}

export function encodeAccess(record: AccessRecord): Uint8Array {
  return encodeUtf8(JSON.stringify(record));
}

/** @throws where it is not JSON in UTF-8. */
export function decodeAccess(bytes: Uint8Array): AccessRecord {
  return JSON.parse(decodeUtf8(bytes)) as AccessRecord;
}
