// The real servers come up, take work, and come back on their own address after kill -9.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Admin } from "@platformatic/kafka";
import { createClient } from "redis";
import { clusterMissing, startFlink, startKafka, startRedis } from "./servers.ts";

const missing = clusterMissing();

interface Registered {
  taskmanagers: { slotsNumber: number }[];
}

describe("real servers", { skip: missing ?? false }, () => {
  test("Kafka keeps its topics over kill -9", async (t) => {
    const kafka = await startKafka();
    t.after(() => kafka.stop());
    const admin = new Admin({ clientId: "test", bootstrapBrokers: [kafka.bootstrap] });
    await admin.createTopics({ topics: ["t"], partitions: 2, replicas: 1 });
    await kafka.part.kill();
    assert.equal(kafka.part.isAlive, false);
    await kafka.part.start();
    assert.deepEqual(await admin.listTopics(), ["t"]);
    await admin.close();
  });

  test("Redis answers, and is empty after kill -9", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const write = await createClient({ url: redis.url }).on("error", () => undefined).connect();
    await write.set("a", "1");
    write.destroy();
    await redis.part.kill();
    await redis.part.start();
    const read = await createClient({ url: redis.url }).connect();
    assert.equal(await read.get("a"), null);
    read.destroy();
  });

  test("Flink has the slots of its TaskManagers, and a killed JobManager leads again", async (t) => {
    const flink = await startFlink({ taskManagers: 2, slots: 2, highAvailability: true });
    t.after(() => flink.stop());
    const slots = async (): Promise<number[]> => {
      const answer = (await (await fetch(`${flink.url}/taskmanagers`)).json()) as Registered;
      return answer.taskmanagers.map(({ slotsNumber }) => slotsNumber);
    };
    assert.deepEqual(await slots(), [2, 2]);
    await flink.jobManager.kill();
    await flink.jobManager.start();
    await Promise.all(flink.taskManagers.map((part) => part.waitUntilReady()));
    assert.deepEqual(await slots(), [2, 2]);
  });
});
