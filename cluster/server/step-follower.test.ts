// Steps from a real broker: learnt in one order by every server, however its partitions come; and exactly once by whoever
// goes on from offsets.
import { deepEqual, equal } from "node:assert/strict";
import { after, before, test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { createRecommender } from "../../core/rank/recommender.ts";
import { partitionOf } from "../kafka/partition.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { createTopics } from "../kafka/topics.ts";
import { clusterMissing, startKafka, type TestKafka } from "../testing/servers.ts";
import { encodeStep } from "../wire/step.ts";
import { TOPIC_SETTINGS } from "../wire/topics.ts";
import { StepFollower } from "./step-follower.ts";

const missing = clusterMissing();
const options = { skip: missing };
const PARTITIONS = 4;
let kafka: TestKafka;
const followers: StepFollower[] = [];

before(async () => {
  if (!missing) kafka = await startKafka();
});
after(async () => {
  await Promise.all(followers.map((follower) => follower.close()));
  await kafka?.stop();
});

interface Sent {
  id: string;
  key: string;
  at: number;
}

function follow(steps: string, onLearnt: (id: string) => void, offsets: Readonly<Record<string, number>> = {}): StepFollower {
  const follower = new StepFollower({
    isErased: () => false,
    connection: { brokers: [kafka.bootstrap] },
    topics: { steps },
    partitions: new Map([[steps, PARTITIONS]]),
    now: Date.now,
    onCorrupt: (error) => {
      throw error;
    },
    onLearnt: ({ eventId }) => onLearnt(eventId),
  });
  followers.push(follower);
  follower.follow(createRecommender(), offsets);
  return follower;
}

test("steps are learnt by log time and key, though some partitions are late; offsets go on from there", options, async () => {
  const topic = "steps.order";
  const connection = { brokers: [kafka.bootstrap] };
  await createTopics(connection, [{ name: topic, settings: TOPIC_SETTINGS.steps }], { partitions: PARTITIONS, replicas: 1 });
  const sender = new KafkaSender(connection);
  const rng = rngFrom(3);
  // A job that is four seconds behind: several records have one log time, as those of one request.
  let at = Date.now() - 4_000;
  const all = Array.from({ length: 200 }, (_, i): Sent => {
    if (i % 5 === 0) at++;
    return { id: `e${i}`, key: `u:${rng.between(1, 40)}`, at };
  });
  const sorted = all.toSorted((a, b) => a.at - b.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ id }) => id);
  const live: string[] = [];
  const server = follow(topic, (id) => live.push(id));
  // Half of the persons are another subtask's, which is further behind.
  const writtenAt = ({ key, at: atMs }: Sent): number => atMs + (Number(key.slice(2)) % 2) * 15;
  // The newest partition first, and each answered by Kafka before the next is sent.
  for (let partition = PARTITIONS - 1; partition >= 0; partition--) {
    const own = all.filter(({ key }) => partitionOf(key, PARTITIONS) === partition).sort((a, b) => writtenAt(a) - writtenAt(b));
    await sender.send(
      own.map(({ id, key, at: atMs }) => {
        const step = { personKey: key, itemId: `i${id}`, eventType: "view", weight: 1, timeMs: atMs };
        return { topic, partition, key: Buffer.from(key), value: encodeStep({ kind: "step", eventId: id, at: atMs, step }) };
      }),
    );
  }
  await server.caughtUp();
  while (live.length < all.length) await server.caughtUp();
  deepEqual(live, sorted);
  equal(server.lag, 0);

  // Another server stops among them, and one goes on from where it stood.
  const early: string[] = [];
  let offsets: Readonly<Record<string, number>> | undefined;
  const other = follow(topic, (id) => {
    if (offsets !== undefined) return;
    early.push(id);
    if (early.length === 73) other.atRest(() => (offsets = other.offsets));
  });
  while (offsets === undefined) await other.caughtUp();
  const rest: string[] = [];
  const next = follow(topic, (id) => rest.push(id), offsets);
  while (early.length + rest.length < all.length) await next.caughtUp();
  deepEqual([...early, ...rest], sorted);
  await sender.close();
});
