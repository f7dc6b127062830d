// How a filler brings `profiles` into Redis: each value as a row, and what it changed told where the row was newer.
import type { ErasureBook } from "../erasure/book.ts";
import type { ReadRecord } from "../kafka/reader.ts";
import { changeOf, type ChangeMessage, type ProfileStore } from "../redis/profile-store.ts";
import { decodeProfile, type ProfileValue } from "../wire/profile.ts";
import type { FillTarget } from "./filler.ts";

export interface ProfilesTargetOptions {
  readonly topic: string;
  readonly store: ProfileStore;
  /** It may grow. */
  readonly erasures: ErasureBook;
  /** This server's name: it is the one that sends the webhooks of what it wrote. */
  readonly server: string;
  /** Told of each row that was taken. */
  readonly onTaken: (message: ChangeMessage) => void;
  /** A value that cannot be read; it is left out. */
  readonly onCorrupt: (error: Error) => void;
}

export function profilesTarget({ topic, store, erasures, server, onTaken, onCorrupt }: ProfilesTargetOptions): FillTarget {
  async function put(key: string, { value, timestampMs }: ReadRecord, isRefill: boolean): Promise<void> {
    // A tombstone is of the log time up to which nothing is left: another filler may have written who began anew.
    if (value === null) return void (await store.erase(key, timestampMs));
    let profile: ProfileValue;
    try {
      profile = decodeProfile(value);
    } catch (error) {
      return onCorrupt(error as Error);
    }
    if (erasures.covers(key, profile.asOfMs)) return;
    const change = changeOf(key, profile);
    const message = { ...change, by: server, ...(isRefill ? { changes: [] } : {}) };
    if (await store.put(message, profile)) onTaken(message);
  }
  return {
    topic,
    partitions: store.names.shards,
    mark: (partition) => store.mark(partition),
    moveMark: (partition, move) => store.moveMark(partition, move),
    async write(records, isRefill) {
      // Rows may come in any order, because the newer one wins; but who comes behind a tombstone begins anew.
      const isOrdered = records.some(({ value }) => value === null);
      const ofKey = new Map<string, Promise<void>>();
      const writes = records.map((record) => {
        if (record.key === null) return undefined;
        const name = record.key.toString();
        const before = isOrdered ? ofKey.get(name) : undefined;
        const written = before === undefined ? put(name, record, isRefill) : before.then(() => put(name, record, isRefill));
        if (isOrdered) ofKey.set(name, written);
        return written;
      });
      // All of them are waited for: none may still be on its way when they are tried again.
      const failed = (await Promise.allSettled(writes)).find(({ status }) => status === "rejected");
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    },
  };
}
