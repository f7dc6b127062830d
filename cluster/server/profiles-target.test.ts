// A refill takes the newest value of each person alone; Redis must hold what it holds after every value was taken by itself.
import { deepEqual } from "node:assert/strict";
import { after, test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { ErasureBook } from "../erasure/book.ts";
import type { ReadRecord } from "../kafka/batches.ts";
import { RedisLink } from "../redis/link.ts";
import { ProfileStore } from "../redis/profile-store.ts";
import { clusterMissing, startRedis } from "../testing/servers.ts";
import { encodeProfile, type ProfileValue } from "../wire/profile.ts";
import { profilesTarget } from "./profiles-target.ts";

const SEED = 5;
const SEGMENTS = ["buyers", "fans", "new"];

test("a refill makes the same rows as each value alone", { skip: clusterMissing() ?? false }, async () => {
  const redis = await startRedis();
  const link = await RedisLink.open({ urls: [redis.url] });
  after(async () => {
    link.close();
    await redis.stop();
  });
  const rng = rngFrom(SEED);
  const keys = Array.from({ length: 12 }, (_, i) => `u:p${i}`);
  const records = Array.from({ length: 400 }, (_, offset): ReadRecord => {
    const key = Buffer.from(keys[rng.between(0, keys.length - 1)]!);
    // An older value may come behind a newer one, and one in thirty is an erasure.
    const value = rng.between(0, 29) === 0 ? null : Buffer.from(encodeProfile(randomProfile()));
    return { offset, timestampMs: offset, key, value };
  });

  function randomProfile(): ProfileValue {
    const sequence = rng.between(1, 9);
    const asOfMs = rng.between(1, 5);
    // A log holds one value of a (sequence, asOf).
    const memberships = SEGMENTS.filter((_, i) => (((5 * sequence + asOfMs) >> i) & 1) === 1);
    const person = Buffer.from(`${sequence}/${asOfMs}`);
    return { sequence, asOfMs, version: sequence, programVersion: 1, nextCheckMs: Infinity, memberships, person, changes: [] };
  }

  type Write = (some: ReadRecord[], isRefill: boolean) => Promise<void>;
  async function rowsAfter(project: string, take: (write: Write) => Promise<void>) {
    const store = new ProfileStore(link, { project, generation: 1, shards: 4 });
    const erasures = new ErasureBook();
    const target = profilesTarget({
      ...{ topic: "profiles", store, erasures, server: "server", onTaken: () => {} },
      onCorrupt: (error) => {
        throw error;
      },
    });
    await take((some, isRefill) => target.write(some, isRefill));
    const rows = await Promise.all(keys.map(async (key) => String((await store.get(key)).profile?.person)));
    return { rows, sizes: await store.sizes(SEGMENTS) };
  }
  const alone = await rowsAfter("alone", async (write) => {
    for (const record of records) await write([record], false);
  });
  const refilled = await rowsAfter("refilled", (write) => write(records, true));
  deepEqual(refilled, alone, `seed ${SEED}`);
});
