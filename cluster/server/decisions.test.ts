// What follows from decisions on several servers over a real Kafka and a real Redis: the same on each,
// and there for whoever starts later.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import type { PersonRef } from "../../core/record.ts";
import type { ClusterProject } from "./project.ts";
import { clusterOfFile, until } from "./testing/cluster.ts";

const cluster = clusterOfFile();
const options = { skip: cluster.missing };
const PROGRAM: ProgramDocument = {
  slots: {
    hero: { policy: "thompson", variants: { a: 1, b: 2, c: 3 }, reward: { events: { click: 1 } } },
    theme: { policy: "rules", variants: { light: 1, dark: 2 }, default: "light" },
  },
  experiments: {
    look: {
      variants: { light: {}, dark: { slots: { theme: "dark" } } },
      metrics: { bought: { kind: "conversion", event: "purchase" }, money: { kind: "revenue" } },
      window: "1d",
    },
  },
};

let serial = 0;
const did = (type: string, ref: PersonRef, more: Partial<LoggedEvent> = {}): LoggedEvent => ({
  event_id: `e${serial++}`,
  ...ref,
  event_type: type,
  timestamp: Date.now(),
  received_at: 0,
  ...more,
});

/** Visitors who ask one server and send their events to another. */
async function visit(servers: readonly ClusterProject[], persons: number): Promise<void> {
  for (let i = 0; i < persons; i++) {
    const ref = { user_id: `u${serial}` };
    const [asked, told] = [servers[i % servers.length]!, servers[(i + 1) % servers.length]!];
    const events: LoggedEvent[] = [];
    for (const slot of ["hero", "theme"]) {
      const { decision_id } = (await asked.decide(ref, slot))!;
      const context = { decision_id };
      events.push(did("impression", ref, { context }));
      if (i % 2 === 0) events.push(did("click", ref, { context }));
    }
    if (i % 4 === 0) events.push(did("purchase", ref, { value: 5 }));
    await told.submit({ events, deadLetters: [] });
  }
}

/** Without figures that only tell when somebody looked. */
async function shownBy(server: ClusterProject): Promise<unknown> {
  return { slots: await server.slots(), experiments: await server.experiments() };
}

async function users(server: ClusterProject): Promise<number> {
  const [hero] = await server.slots();
  const look = await server.experiment("look");
  return Math.min(look!.users, hero!.learning!.shown);
}

test("each server comes to the same, and one that starts later from a snapshot and what came since", options, async () => {
  const project = await cluster.newProject({ program: PROGRAM, servers: 2 });
  const [one, two] = project.servers as [ClusterProject, ClusterProject];
  await visit([one, two], 24);
  for (const server of [one, two]) await until(async () => (await users(server)) === 24);
  await until(() => one.learner.decisionsLag + two.learner.decisionsLag === 0);
  const shown = await shownBy(one);
  deepEqual(await shownBy(two), shown);
  const look = (await one.experiment("look"))!;
  equal(look.variants.reduce((sum, { conversions }) => sum + conversions!, 0), 6);
  equal((await one.slots())[0]!.learning!.reward, 12);

  equal(await one.snapshots.take(), true);
  await visit([one, two], 6);
  for (const server of [one, two]) await until(async () => (await users(server)) === 30);
  const three = await project.addServer();
  await until(async () => (await users(three)) === 30);
  await until(() => one.learner.decisionsLag + three.learner.decisionsLag === 0);
  deepEqual(await shownBy(three), await shownBy(one));
  ok((three.stats().parts!["decisions"]!["persons"] as number) === 30);
});

test("a new program starts an experiment on every server, at the same place of the log", options, async () => {
  const project = await cluster.newProject({ program: {}, servers: 2 });
  const [one, two] = project.servers as [ClusterProject, ClusterProject];
  deepEqual(await one.experiments(), []);
  deepEqual(await one.putProgram(PROGRAM), { version: 2 });
  await until(async () => (await two.experiments()).length === 1);
  await visit([one, two], 8);
  for (const server of [one, two]) await until(async () => (await users(server)) === 8);
  const started = await Promise.all([one, two].map(async (server) => (await server.experiment("look"))!.started_at));
  equal(started[0], started[1]);
});
