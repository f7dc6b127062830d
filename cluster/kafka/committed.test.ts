// What Java's `read_committed` would see, from a partition with committed, aborted and open transactions between plain
// records.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Producer } from "@platformatic/kafka";
import { clusterMissing, startKafka } from "../testing/servers.ts";
import { readCommitted } from "./committed.ts";
import { clientOptions } from "./connection.ts";
import { createTopics } from "./topics.ts";

const READ_EVERY_MS = 100;
const READS_MAX = 100;

test("aborted and open transactions are not read", { skip: clusterMissing() ?? false }, async (t) => {
  const kafka = await startKafka();
  t.after(() => kafka.stop());
  const connection = { brokers: [kafka.bootstrap] };
  const topic = "t";
  const settings = { cleanup: "delete", logAppendTime: false, partitions: "one" } as const;
  await createTopics(connection, [{ name: topic, settings }], { partitions: 1, replicas: 1 });
  const messages = (...texts: string[]) => ({
    messages: texts.map((text) => ({ topic, partition: 0, key: Buffer.from("k"), value: Buffer.from(text) })),
  });
  const read = async (): Promise<string[]> => {
    const texts: string[] = [];
    for await (const records of readCommitted({ connection, topic, partition: 0 }))
      texts.push(...records.map(({ value }) => value!.toString()));
    return texts;
  };
  /** A commit is answered before its marker is in the log: what was committed is there soon after. */
  const readsSoon = async (expected: string[]): Promise<void> => {
    for (let tries = 0; tries < READS_MAX && (await read()).length < expected.length; tries++) await pause(READ_EVERY_MS);
    deepEqual(await read(), expected);
  };
  const open = (transactionalId?: string) =>
    new Producer({
      ...clientOptions(connection),
      idempotent: true,
      retryDelay: 10,
      ...(transactionalId === undefined ? {} : { transactionalId }),
    });
  const [plain, one, two] = [open(), open("one"), open("two")];
  t.after(() => Promise.all([plain, one, two].map((producer) => producer.close(true))));
  deepEqual(await read(), []);
  await plain.send(messages("a"));
  const committed = await one.beginTransaction();
  const aborted = await two.beginTransaction();
  await committed.send(messages("c1"));
  await aborted.send(messages("x1", "x2"));
  await plain.send(messages("b"));
  await aborted.send(messages("x3"));
  await committed.send(messages("c2"));
  await aborted.abort();
  await committed.commit();
  const again = await two.beginTransaction();
  await again.send(messages("d"));
  await again.commit();
  await readsSoon(["a", "c1", "b", "c2", "d"]);
  const openOne = await one.beginTransaction();
  await openOne.send(messages("y"));
  await plain.send(messages("behind"));
  deepEqual(await read(), ["a", "c1", "b", "c2", "d"]);
  await openOne.abort();
  await readsSoon(["a", "c1", "b", "c2", "d", "behind"]);
});
