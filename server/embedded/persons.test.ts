import { deepEqual, equal } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { openVault } from "../vault/vault.ts";
import { openProject, START_MS, testFolder } from "./testing.ts";

const PERSONS = 700;
/** So few that most persons are on disk alone. */
const CACHED_MAX = 130;

for (const encryption of ["on", "off"] as const) {
  test(`a walk comes to everybody once, whatever happens on the way (encryption ${encryption})`, async () => {
    const { path } = testFolder();
    const vault = encryption === "on" ? openVault({ dataFolder: join(path, "v"), kekFolder: join(path, "kek") }) : undefined;
    const project = await openProject(testFolder(), { nowMs: START_MS }, { personsCachedMax: CACHED_MAX, vault });
    const visit = (person: number, visit: number) => ({
      event_id: `${person}-${visit}`, event_type: "view", item_id: "lamp", user_id: `u${person}`, timestamp: START_MS, received_at: START_MS,
    });
    const submit = (persons: number[], serial: number) =>
      project.submit({ events: persons.map((person) => visit(person, serial)), deadLetters: [] });
    const everybody = Array.from({ length: PERSONS }, (_, i) => i);
    await submit(everybody.slice(0, 500), 0);
    await project.checkpoint();
    await submit(everybody.slice(450), 1);
    const { persons } = project.fold;
    const isGone = (key: string): boolean => Number(key.slice(3)) % 50 === 7;
    for (const person of everybody) if (isGone(`u:u${person}`)) persons.forget(`u:u${person}`);
    equal(persons.cached < PERSONS / 2, true, "most are not in memory");
    const expected = everybody.map((person) => `u:u${person}`).filter((key) => !isGone(key)).sort();
    deepEqual([...persons.all()].sort(), expected);

    const rng = rngFrom(5);
    const walk = persons.walk();
    const seen: string[] = [];
    for (let keys = walk.next(40), turn = 2; keys.length > 0; keys = walk.next(40), turn++) {
      equal(keys.length <= 40, true);
      seen.push(...keys);
      await submit(everybody.filter((person) => !isGone(`u:u${person}`) && rng.between(0, 9) === 0), turn);
      if (turn % 3 === 0) await project.checkpoint();
    }
    deepEqual(seen.sort(), expected);
  });
}

test("a walk ends where its file is closed on the way", async () => {
  const project = await openProject(testFolder(), { nowMs: START_MS }, { personsCachedMax: CACHED_MAX });
  const events = Array.from({ length: PERSONS }, (_, i) => ({
    event_id: `${i}`, event_type: "view", user_id: `u${i}`, timestamp: START_MS, received_at: START_MS,
  }));
  await project.submit({ events, deadLetters: [] });
  await project.checkpoint();
  const walk = project.fold.persons.walk();
  const first = walk.next(10);
  await project.close();
  let rest = 0;
  for (let keys = walk.next(50); keys.length > 0; keys = walk.next(50)) rest += keys.length;
  equal(first.length + rest < PERSONS, true);
});
