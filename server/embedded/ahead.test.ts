// Persons are written ahead of a checkpoint's position, each as he is when his turn comes. Whatever comes in between, a
// start from that checkpoint must find the state that the log says: persons, segments, sizes and what the models learnt.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../../core/event/event.ts";
import { rngFrom, type Rng } from "../../core/math/rng.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { openProject, randomEvent, START_MS, testFolder, type Clock } from "./testing.ts";
import type { EmbeddedProject } from "./project.ts";
import { verifyProject } from "./verify.ts";

const PERSONS = 40;
const ROUNDS = 5;
const SUBMISSIONS_MAX = 400;
/** A person or row a turn, so that events come between any two. */
const OPTIONS = { personsCachedMax: 10, checkpointSlice: { ms: 0, rows: 1 } };
const FANS = { ...shopProgram, segments: { fans: { when: 'count("view", "10m") >= 2' } } };

for (let seed = 0; seed < 4; seed++) {
  test(`a start from a checkpoint that was taken under load finds what the log says (seed ${seed})`, async () => {
    const rng = rngFrom(seed);
    const clock = { nowMs: START_MS };
    const folder = testFolder();
    const project = await openProject(folder, clock, OPTIONS);
    const traffic = { rng, clock, serial: 0 };
    for (let i = 0; i < 20; i++) await somethingHappens(project, traffic);
    for (let round = 0; round < ROUNDS; round++) {
      let isTaken = false;
      const checkpoint = project.checkpoint().then(() => (isTaken = true));
      for (let i = 0; i < SUBMISSIONS_MAX && !isTaken; i++) await somethingHappens(project, traffic);
      await checkpoint;
      for (let i = rng.between(0, 3); i > 0; i--) await somethingHappens(project, traffic);
      const recovered = await openProject(folder.crashed(), clock, OPTIONS);
      deepEqual(await seen(recovered, clock), await seen(project, clock), `SEED=${seed} round ${round}`);
      const { differences } = await verifyProject(recovered, { now: () => clock.nowMs });
      deepEqual(differences, [], `SEED=${seed} round ${round}`);
      await recovered.close();
    }
  });
}

async function somethingHappens(project: EmbeddedProject, traffic: { rng: Rng; clock: Clock; serial: number }) {
  const { rng, clock } = traffic;
  clock.nowMs += rng.between(0, 3) === 0 ? rng.between(1, 400_000) : rng.between(0, 2_000);
  const user = `u${rng.between(1, PERSONS)}`;
  const anonymous = `a${rng.between(1, PERSONS)}`;
  switch (rng.between(0, 60)) {
    case 0:
      await project.setAttributes({ user_id: user, anonymous_id: anonymous }, { tier: rng.between(1, 3) });
      break;
    case 1:
      if (rng.between(0, 3) === 0) await project.putProgram(rng.between(0, 1) === 0 ? FANS : shopProgram);
      break;
    default: {
      const events: LoggedEvent[] = Array.from({ length: rng.between(1, 6) }, () => {
        const event = randomEvent(rng, clock, { persons: PERSONS, serial: traffic.serial++ });
        // A device that others have used as well.
        return rng.between(0, 12) === 0 ? { ...event, user_id: user, anonymous_id: anonymous } : event;
      });
      await project.submit({ events, deadLetters: [] });
    }
  }
  if (rng.between(0, 2) === 0) await project.profile({ user_id: user });
}

/** What anybody can see, everybody looked at first: time moves persons in both at the same moment then. */
async function seen(project: EmbeddedProject, clock: Clock) {
  const refs = Array.from({ length: PERSONS }, (_, i) => [{ user_id: `u${i + 1}` }, { anonymous_id: `a${i + 1}` }]).flat();
  const persons = [];
  for (const ref of refs) persons.push(await project.profile(ref));
  const members = [];
  for (const { name, size } of await project.segments()) {
    const { users } = (await project.segmentUsers(name, { limit: 1_000 }))!;
    equal(users.length, size, `${name} at ${clock.nowMs}: as many members as the size says`);
    members.push([name, users]);
  }
  const lists = [];
  for (const ref of refs.slice(0, 12)) {
    const list = await project.recommend({ ref, placement: "home", limit: 10 });
    lists.push(list!.items.map(({ item_id, score }) => [item_id, score]));
  }
  return { persons, members, lists, total: project.stats().personsTotal };
}
