// Snapshots of the models over a real Redis: a new server knows what the others have learnt, having read only what came
// since; whoever takes the next one goes on from the one before; and a Redis that lost them gets all of them anew.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "redis";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { ClusterProject } from "./project.ts";
import { clusterOfFile, until, type TestProject } from "./testing/cluster.ts";

const cluster = clusterOfFile();
const options = { skip: cluster.missing };

let serial = 0;
async function visit(server: ClusterProject, persons: number): Promise<void> {
  const events = Array.from({ length: persons * 4 }, (_, i): LoggedEvent => ({
    event_id: `e${serial++}`,
    user_id: `u${i % persons}`,
    session_id: `s${serial}`,
    event_type: "view",
    item_id: `i${(i * 7) % 13}`,
    timestamp: Date.now(),
    received_at: 0,
  }));
  await server.submit({ events, deadLetters: [] });
}

async function withRedis(act: (client: ReturnType<typeof createClient>) => Promise<unknown>): Promise<void> {
  const client = createClient({ url: cluster.redis.url });
  await client.connect();
  await act(client as never);
  client.destroy();
}

/** One row of the snapshot becomes one that this release does not know. */
async function damage({ name }: TestProject): Promise<void> {
  await withRedis(async (client) => {
    const [base] = await client.keys(`attune:{${name}}:*:models:base:*:popularity`);
    ok((await client.hLen(base!)) > 0);
    await client.hSet(base!, "0", Buffer.of(1, 99));
  });
}

/** What the models answer somebody of whom they know nothing but this. */
const answerOf = async (server: ClusterProject) => {
  const { items } = await server.similar("i0", 10);
  return items.map(({ item_id, score }) => [item_id, score]);
};

/** A server that has learnt 80 steps and knows a lamp, and its snapshot. */
async function begun(): Promise<{ project: TestProject; one: ClusterProject }> {
  const project = await cluster.newProject();
  const [one] = project.servers as [ClusterProject];
  await one.putItems([{ item_id: "lamp", title: "Lamp", categories: ["lamps"], tags: [] }]);
  await visit(one, 20);
  await until(() => one.learner.stepsTotal === 80);
  equal(await one.snapshots.take(), true);
  return { project, one };
}

test("a new server starts from the snapshot and reads only what came since", options, async () => {
  const { project, one } = await begun();
  await visit(one, 5);
  await until(() => one.learner.stepsTotal === 100);
  equal(await one.snapshots.take(), true, "the changed rows alone");
  await visit(one, 3);
  await until(() => one.learner.stepsTotal === 112);
  const two = await project.addServer();
  await until(() => two.learner.stepsTotal === 12);
  equal((await two.item("lamp"))!.title, "Lamp", "the catalogue is part of it");
  deepEqual(await answerOf(two), await answerOf(one));
  // The second takes the next one: its rows are relative to the snapshot that it came from.
  equal(await two.snapshots.take(), true);
  equal(await one.snapshots.take(), false, "the first has to go on from there");
  await visit(one, 2);
  await until(async () => (await answerOf(one)).length === (await answerOf(two)).length && one.learner.lag + two.learner.lag === 0);
  const three = await project.addServer();
  await until(() => three.learner.lag === 0 && one.learner.lag === 0 && two.learner.lag === 0);
  deepEqual(await answerOf(three), await answerOf(two));
  deepEqual(await answerOf(one), await answerOf(two));
});

test("a flushed Redis gets the whole of it from whoever is there, which learns nothing anew", options, async () => {
  const { project, one } = await begun();
  const two = await project.addServer();
  await visit(one, 5);
  await until(() => two.learner.stepsTotal === 20 && one.learner.lag === 0);
  const known = await answerOf(two);
  await withRedis((client) => client.flushAll());
  equal(await two.snapshots.take(), true, "the rows that it had from the snapshot, and those that it learnt since");
  equal(two.learner.stepsTotal, 20);
  const three = await project.addServer();
  equal(three.learner.stepsTotal, 0, "all of it is in the snapshot");
  equal((await three.item("lamp"))!.title, "Lamp");
  deepEqual(await answerOf(three), known);
});

test("a snapshot that cannot be read: models go on answering while they are learnt anew, and the next one replaces it", options, async () => {
  const { project, one } = await begun();
  const before = await answerOf(one);
  const two = await project.addServer();
  equal(await two.snapshots.take(), true, "the first one's rows are relative to no snapshot now");
  await damage(project);
  let isAnswering = true;
  const asking = (async () => {
    while (isAnswering) {
      ok((await answerOf(one)).length > 0);
      await pause(1);
    }
  })();
  equal(await one.snapshots.take(), false);
  isAnswering = false;
  await asking;
  equal(one.learner.stepsTotal, 160, "all of them again");
  deepEqual(await answerOf(one), before);
  equal(await one.snapshots.take(), true);
  const three = await project.addServer();
  equal(three.learner.stepsTotal, 0);
  deepEqual(await answerOf(three), before);
});
