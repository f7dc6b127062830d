// How many brokers must have a record before it is answered, by the number that keep one.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { clusterMissing, startKafka } from "../testing/servers.ts";
import { projectTopics } from "../wire/topics.ts";
import { checkTopics, createTopics, inSyncFault, inSyncOf, needsOf } from "./topics.ts";

test("topics that are made are set up as the check needs them, with any number of replicas", () => {
  const numbers = [1, 2, 3, 4, 5];
  deepEqual(numbers.map(inSyncOf), [1, 2, 2, 3, 4]);
  deepEqual(numbers.map((replicas) => inSyncFault(inSyncOf(replicas), replicas)), numbers.map(() => undefined));
});

test("too few in sync can lose an answer, too many take none", () => {
  match(inSyncFault(1, 2)!, /^with 2 replicas it must be at least 2$/);
  match(inSyncFault(2, 1)!, /^nothing can be written with 1 replica; make it 1$/);
  match(inSyncFault(4, 3)!, /^nothing can be written with 3 replicas; make it 2$/);
  equal(inSyncFault(3, 3), undefined, "as safe as can be");
});

test("one replica can be written to also where brokers ask for two by default", { skip: clusterMissing() ?? false }, async (t) => {
  const kafka = await startKafka({ settings: { "min.insync.replicas": 2 } });
  t.after(() => kafka.stop());
  const needs = needsOf(projectTopics("default"));
  const connection = { brokers: [kafka.bootstrap] };
  await createTopics(connection, needs, { partitions: 1, replicas: 1 });
  equal((await checkTopics(connection, needs)).size, needs.length);
});
