// The law of the cluster: whatever partitions, lags, duplicates and hand-overs do, each person's bytes are those that the
// embedded host makes of the same log.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Rng } from "../../core/math/rng.ts";
import { newsProgram } from "../../core/program/news.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import { shopProgram } from "../../core/program/shop.ts";
import type { PersonRef } from "../../core/record.ts";
import { forEachSeedAsync } from "../../core/testing/seeds.ts";
import { START_MS } from "../../server/embedded/testing.ts";
import { createOperator } from "./operator.ts";
import { LogHost } from "./testing/log-host.ts";
import { differences, foldOfLog, type ProgramInForce } from "./testing/reference.ts";
import { randomVisit, ServerLinks } from "./testing/visits.ts";

const EVENTS = 400;
const PERSONS = 12;
const PROGRAMS: readonly ProgramDocument[] = [shopProgram, newsProgram];

interface World {
  host: LogHost;
  programs: ProgramInForce[];
}

/** Traffic into a log, read by the operator as chance has it, to the end. */
function play(rng: Rng, options: { servers: number; partitions: number; programs: boolean }): World {
  const operator = createOperator();
  operator.addProject({ passOnAfterMs: 0 });
  const programs: ProgramInForce[] = [];
  const put = (document: ProgramDocument, at: number): void => {
    const version = programs.length + 1;
    programs.push({ version, at, document });
    operator.addProgram(0, { version, atMs: at, document });
  };
  const host = new LogHost({ operator, partitions: options.partitions, nowMs: START_MS });
  put(shopProgram, START_MS);
  const servers = Array.from({ length: options.servers }, () => new ServerLinks());
  const sent: ReturnType<typeof randomVisit>[] = [];
  const keyOfId = new Map<string, string>();
  for (let serial = 0; serial < EVENTS; serial++) {
    host.nowMs += rng.between(0, 30) === 0 ? rng.between(0, 4 * 3_600_000) : rng.between(0, 5_000);
    const again = sent.length > 0 && rng.between(0, 9) === 0;
    const shared = options.servers === 1;
    const event = again
      ? sent[Math.max(0, sent.length - rng.between(1, 30))]!
      : randomVisit(rng, { persons: shared ? PERSONS : 3 * Math.ceil(PERSONS / 3), nowMs: host.nowMs, serial });
    const visit = shared || again ? event : ownDevice(event);
    sent.push(visit);
    if (visit.traffic !== undefined) {
      host.append(`t:${serial % 7}`, { kind: "event", event: visit });
      continue;
    }
    const server = servers[rng.between(0, servers.length - 1)]!;
    // The one duplicate that a key cannot know: sent again after its device went over to another user.
    if (again && shared && server.keyOf(visit) !== keyOfId.get(visit.event_id)) continue;
    const { key, marker } = server.place(visit);
    keyOfId.set(visit.event_id, server.keyOf(visit));
    if (marker !== undefined) {
      host.append(marker.anonKey, marker);
      let lag = rng.between(0, 6);
      while (lag-- > 0) host.step(rng);
    }
    const ref = refOf(visit);
    const isSure = shared || ref.user_id !== undefined;
    if (isSure && rng.between(0, 15) === 0)
      host.append(key, { kind: "attributes", id: `r${serial}`, ref, attributes: { n: serial } });
    host.append(key, { kind: "event", event: visit });
    if (rng.between(0, 40) === 0 && servers.length > 1) for (const one of servers) one.learn(server);
    if (options.programs && rng.between(0, 120) === 0) put(PROGRAMS[programs.length % 2]!, host.nowMs + 1_000);
    let steps = rng.between(0, 3);
    while (steps-- > 0) host.step(rng);
  }
  while (host.step(rng));
  return { host, programs };
}

function refOf({ user_id: user, anonymous_id: anonymous }: PersonRef): PersonRef {
  return {
    ...(user === undefined ? {} : { user_id: user }),
    ...(anonymous === undefined ? {} : { anonymous_id: anonymous }),
  };
}

/** Where servers learn of links late, a device belongs to one user: a stale link to another one has no order. */
function ownDevice<T extends { user_id?: string; anonymous_id?: string }>(visit: T): T {
  return visit.user_id === undefined || visit.anonymous_id === undefined
    ? visit
    : { ...visit, anonymous_id: `a${visit.user_id.slice(1)}` };
}

async function compare({ host, programs }: World): Promise<void> {
  const fold = await foldOfLog(host.partitions.flat(), programs);
  const untilMs = host.nowMs + 10 * 24 * 3_600_000;
  deepEqual(differences(host.profiles, fold, { programs, untilMs }), []);
}

test("every person's bytes are the embedded host's: shared devices, duplicates, late and marked events", async () => {
  let merged = 0;
  await forEachSeedAsync(15, async (rng) => {
    const world = play(rng, { servers: 1, partitions: rng.between(1, 4), programs: false });
    merged += world.host.published.filter(({ value }) =>
      value.changes.some(({ mergedFrom }) => mergedFrom !== undefined),
    ).length;
    ok(world.host.duplicates.length > 0);
    await compare(world);
  });
  ok(merged > 50, `${merged} merges`);
});

test("the same where servers learn of links late, so that records are passed on", async () => {
  let passedOn = 0;
  await forEachSeedAsync(15, async (rng) => {
    const world = play(rng, { servers: 3, partitions: rng.between(1, 4), programs: false });
    passedOn += world.host.partitions.flat().filter(({ value }) => (value[2]! & 2) !== 0).length;
    await compare(world);
  });
  ok(passedOn > 50, `${passedOn} passed on`);
});

test("the same through changes of the program", async () => {
  await forEachSeedAsync(10, async (rng) => {
    const world = play(rng, { servers: 1, partitions: rng.between(1, 4), programs: true });
    await compare(world);
  });
});

test("another replay gives the same sequence and time to the same bytes", async () => {
  await forEachSeedAsync(8, async (rng) => {
    const world = play(rng, { servers: 1, partitions: 3, programs: true });
    const published = bytesByVersion(world.host.published);
    const operator = createOperator();
    operator.addProject({ passOnAfterMs: 0 });
    for (const { version, at, document } of world.programs) operator.addProgram(0, { version, atMs: at, document });
    const again = new LogHost({ operator, partitions: 3, nowMs: START_MS });
    for (const { key, atMs, value } of world.host.partitions.flat().sort((a, b) => a.atMs - b.atMs)) {
      again.nowMs = atMs - 1;
      again.append(key, value);
    }
    while (again.step(rng));
    let shared = 0;
    for (const [name, hex] of bytesByVersion(again.published)) {
      if (!published.has(name)) continue;
      ok(published.get(name) === hex, name);
      shared++;
    }
    ok(shared > 100, `${shared} values of both replays`);
    for (const [key, { sequence }] of world.host.profiles) ok(again.profiles.get(key)?.sequence === sequence, key);
  });
});

function bytesByVersion(published: LogHost["published"]): Map<string, string> {
  return new Map(
    published.map(({ key, value }) => [
      `${key} ${value.sequence} ${value.asOfMs}`,
      Buffer.from(value.person).toString("hex"),
    ]),
  );
}
