import { equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createLimits, DEFAULT_LIMITS, type Limits } from "../../server/access/limits.ts";
import { Problem } from "../../server/http/problem.ts";
import { RedisLink } from "../redis/link.ts";
import { clusterMissing, startRedis, type TestRedis } from "../testing/servers.ts";
import { sharedCounts } from "./shared-counts.ts";

const missing = clusterMissing();
const options = { skip: missing };
const PER_S = 400;
/** What is asked before anybody can be told that it is too much. */
const ROUND = 50;
/** By then what was counted is on its way to Redis. */
const TOLD_MS = 15;
let redis: TestRedis;
const links: RedisLink[] = [];
const servers: Limits[] = [];

before(async () => {
  if (missing) return;
  redis = await startRedis();
  for (let i = 0; i < 2; i++) {
    const link = await RedisLink.open({ urls: [redis.url] });
    links.push(link);
    const config = { ...DEFAULT_LIMITS, keyPerS: PER_S, personPerS: PER_S };
    servers.push(createLimits(config, Date.now, sharedCounts(link, Date.now)));
  }
});
after(async () => {
  for (const link of links) link.close();
  await redis?.stop();
});

/** How many of `total` requests of one key are let in, asked of the servers in turn, until the first has to wait. */
async function letIn(
  key: string,
  asked: readonly Limits[],
  total: number,
): Promise<{ letIn: number; mostly: number; waitS: number }> {
  const startMs = performance.now();
  // A machine that is slow lets a second window begin.
  const mostly = (): number => PER_S * Math.ceil((performance.now() - startMs) / 1_000) + ROUND;
  for (let count = 0; count < total; count++) {
    try {
      asked[count % asked.length]!.key(key);
    } catch (error) {
      ok(error instanceof Problem && error.code === "rate_limited");
      return { letIn: count, mostly: mostly(), waitS: error.extras.retryAfterS! };
    }
    if (count % ROUND !== ROUND - 1) continue;
    await pause(TOLD_MS);
    await Promise.all(links.map((link) => link.ask("attune", ["EXISTS", "attune"]).catch(() => undefined)));
  }
  return { letIn: total, mostly: mostly(), waitS: 0 };
}

test("two servers together let in what one would, give or take what comes while they tell each other", options, async () => {
  for (const asked of [servers, [servers[0]!]]) {
    const { letIn: count, mostly, waitS } = await letIn(`key-${asked.length}`, asked, 5 * PER_S);
    ok(count >= PER_S && count <= mostly, `${count} of ${PER_S} by ${asked.length}`);
    ok(waitS > 0 && waitS <= 1, `${waitS} s`);
  }
  equal((await letIn("another", servers, PER_S)).letIn, PER_S, "nobody else has to wait");
});

test("who asks a little is not heard of in Redis", options, async () => {
  for (let i = 0; i < Math.floor(PER_S / 32); i++) servers[0]!.person("default", "u:ada");
  servers[1]!.person("default", "u:ada");
  await pause(50);
  const exists = (key: string) => links[0]!.ask(key, ["EXISTS", key]);
  equal(await exists("attune:limit:person:default u:ada"), 0);
  for (let i = 0; i < PER_S / 2; i++) servers[0]!.person("default", "u:bob");
  while ((await exists("attune:limit:person:default u:bob")) === 0) await pause(5);
  equal(Number(await links[0]!.ask("attune", ["GET", "attune:limit:person:default u:bob"])), PER_S / 2, "none is left out");
});

test("Redis away: each server counts for itself, and neither is open", options, async () => {
  await redis.part.kill();
  while (links.some(({ isUp }) => isUp)) await pause(10);
  const { letIn: count, mostly } = await letIn("key-away", [servers[0]!], 5 * PER_S);
  ok(count >= PER_S && count <= mostly, `${count} by the first`);
  ok((await letIn("key-away", [servers[1]!], PER_S)).letIn === PER_S, "the second knows nothing of it");
  await redis.part.start();
  while (links.some(({ isUp }) => !isUp)) await pause(10);
  const together = await letIn("key-back", servers, 5 * PER_S);
  ok(together.letIn <= together.mostly, `${together.letIn} when it is back`);
});
