// How a filler brings `profiles` into Redis: each value as a row, and what it changed told where the row was newer.
import type { ErasureBook } from "../erasure/book.ts";
import type { ReadRecord } from "../kafka/reader.ts";
import { changeOf, type ChangeMessage, type ProfileStore } from "../redis/profile-store.ts";
import { decodeProfile, isNewer, type ProfileValue } from "../wire/profile.ts";
import type { FillTarget } from "./filler.ts";

interface Value {
  readonly key: string;
  readonly timestampMs: number;
  /** Undefined: a tombstone. */
  readonly profile: ProfileValue | undefined;
}

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
  /** Undefined for what counts as never written. */
  function read({ key: bytes, value, timestampMs }: ReadRecord): Value | undefined {
    if (bytes === null) return undefined;
    const key = bytes.toString();
    if (value === null) return { key, timestampMs, profile: undefined };
    try {
      const profile = decodeProfile(value);
      return erasures.covers(key, profile.asOfMs) ? undefined : { key, timestampMs, profile };
    } catch (error) {
      onCorrupt(error as Error);
      return undefined;
    }
  }
  async function put({ key, timestampMs, profile }: Value, isRefill: boolean): Promise<void> {
    // A tombstone is of the log time up to which nothing is left: another filler may have written who began anew.
    if (profile === undefined) return void (await store.erase(key, timestampMs));
    const change = changeOf(key, profile);
    const message = { ...change, by: server, ...(isRefill ? { changes: [] } : {}) };
    if (await store.put(message, profile)) onTaken(message);
  }
  return {
    topic,
    partitions: store.names.shards,
    mark: (partition) => store.mark(partition),
    moveMark: (partition, move) => store.moveMark(partition, move),
    clean: (partition) => store.clean(partition, erasures),
    async write(records, isRefill) {
      const values = records.map(read).filter((value) => value !== undefined);
      // Rows may come in any order, because the newer one wins; but who comes behind a tombstone begins anew.
      const isOrdered = values.some(({ profile }) => profile === undefined);
      const ofKey = new Map<string, Promise<void>>();
      const writes = (isRefill ? newestOfEach(values) : values).map((value) => {
        const before = isOrdered ? ofKey.get(value.key) : undefined;
        const written = before === undefined ? put(value, isRefill) : before.then(() => put(value, isRefill));
        if (isOrdered) ofKey.set(value.key, written);
        return written;
      });
      // All of them are waited for: none may still be on its way when they are tried again.
      const failed = (await Promise.allSettled(writes)).find(({ status }) => status === "rejected");
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    },
  };
}

/** What comes to the same: of whoever has hundreds of values before Kafka compacts, Redis takes the newest. */
function newestOfEach(values: readonly Value[]): Value[] {
  const newest = new Map<string, Value[]>();
  for (const value of values) {
    const known = newest.get(value.key);
    const last = known?.at(-1)?.profile;
    const { profile } = value;
    if (known === undefined) newest.set(value.key, [value]);
    // Before and after a tombstone are two persons.
    else if (last === undefined || profile === undefined) known.push(value);
    else if (isNewer(profile, last)) known[known.length - 1] = value;
  }
  return [...newest.values()].flat();
}
