// The law of the cluster: whatever partitions, lags, duplicates and hand-overs do, each person's bytes are those that the
// embedded host makes of the same log.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { newsProgram } from "../../core/program/news.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { forEachSeedAsync } from "../../core/testing/seeds.ts";
import { START_MS } from "../../server/embedded/testing.ts";
import { personOf } from "./key-state.ts";
import { addProgram, createProject } from "./project.ts";
import { createOperator } from "./operator.ts";
import { LogHost } from "./testing/log-host.ts";
import { differences, foldOfLog } from "./testing/reference.ts";
import { play, type World } from "./testing/world.ts";

const HOUR_MS = 3_600_000;
const PROGRAMS: readonly ProgramDocument[] = [shopProgram, newsProgram];

async function compare({ host, programs }: World): Promise<void> {
  const fold = await foldOfLog(host.partitions.flat(), programs);
  const untilMs = host.nowMs + 10 * 24 * 3_600_000;
  deepEqual(differences(host.profiles, fold, { programs, untilMs }), []);
}

test("every person's bytes are the embedded host's: shared devices, duplicates, late and marked events", async () => {
  let merged = 0;
  await forEachSeedAsync(15, async (rng) => {
    const world = play(rng, { servers: 1, partitions: rng.between(1, 4) });
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
    const world = play(rng, { servers: 3, partitions: rng.between(1, 4) });
    passedOn += world.host.partitions.flat().filter(({ value }) => (value[2]! & 2) !== 0).length;
    await compare(world);
  });
  ok(passedOn > 50, `${passedOn} passed on`);
});

test("the same through changes of the program", async () => {
  await forEachSeedAsync(10, async (rng) => {
    const world = play(rng, { servers: 1, partitions: rng.between(1, 4), programs: PROGRAMS });
    await compare(world);
  });
});

for (const otherwise of ["granted", "denied"] as const) {
  test(`the same where persons say what they allow and the default is ${otherwise}; what is refused leaves nothing`, async () => {
    let refused = 0;
    await forEachSeedAsync(10, async (rng) => {
      const programs = [{ ...shopProgram, consent: { default: otherwise } }];
      const world = play(rng, { servers: rng.between(1, 3), partitions: rng.between(1, 4), programs, consents: true });
      await compare(world);
      for (const { analytics, person, programVersion } of world.host.profiles.values()) {
        if (person.length === 0) continue;
        const project = createProject(0);
        addProgram(project, { version: 1, atMs: START_MS, document: programs[0] });
        equal(analytics, personOf(person, programVersion, project.programs).consent?.analytics, "what servers read of it");
        if (analytics === "denied") refused++;
      }
    });
    ok(refused > 10, `${refused} refuse`);
  });
}

for (const servers of [1, 3]) {
  test(`the same where persons are forgotten by age, and some begin anew; ${servers} servers`, async () => {
    const ages = { profiles: 5 * HOUR_MS, visitors: HOUR_MS };
    let [forgotten, anew] = [0, 0];
    await forEachSeedAsync(15, async (rng) => {
      const world = play(rng, { servers, partitions: rng.between(1, 4), ages });
      forgotten += world.host.forgotten.length;
      anew += world.host.forgotten.filter((key) => world.host.profiles.get(key)?.person.length).length;
      await compare(world);
    });
    ok(forgotten > 100 && anew > 50, `${forgotten} forgotten, ${anew} began anew`);
  });
}

test("another replay gives the same sequence and time to the same bytes", async () => {
  await forEachSeedAsync(8, async (rng) => {
    const world = play(rng, { servers: 1, partitions: 3, programs: PROGRAMS });
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
