// Learned segments in the embedded host: found aside, in force as a version of the program, the same after a crash and from
// the log alone, and usable as any other segment.
import { deepEqual, equal, ok } from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { applyEvent } from "../../core/engine.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { PersonState } from "../../core/profile/person.ts";
import { learnedDocument, withLearned } from "../../core/program/clusters.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import { compiled, copyOf, visitor } from "../../core/testing/programs.ts";
import { openProject, START_MS, testFolder } from "../embedded/testing.ts";
import type { EmbeddedProject } from "../embedded/project.ts";
import { verifyProject } from "../embedded/verify.ts";
import { FamilyTrainer } from "./family-trainer.ts";

const PROGRAM = {
  events: { click: { weight: 1 } },
  segments: {
    tastes: { clusters: { features: ["interactions"], min_size: 0.1 }, description: "What people are after." },
    reached: { when: 'in_segment("tastes")' },
    first: { when: 'in_segment("tastes_1") && !in_segment("tastes_2")' },
  },
};
const TASTES = ["audio", "garden", "books"];
let serial = 0;

/** Five clicks a person on items of one category, and one on another. */
function clicks(from: number, persons: number): LoggedEvent[] {
  return Array.from({ length: persons }, (_, i) =>
    Array.from({ length: 6 }, (_, k): LoggedEvent => {
      const category = TASTES[(from + i + (k === 5 ? 1 : 0)) % 3]!;
      const at = START_MS + ++serial;
      const item = { categories: [category], tags: [] };
      return { event_id: `e${serial}`, user_id: `u${from + i}`, event_type: "click", timestamp: at, received_at: at, item_id: category, item };
    }),
  ).flat();
}

/** A trainer beside a program that may change, and persons of three tastes; `written` names what it put in force. */
function trainerOf(clock: { nowMs: number }) {
  const { person: everybody, timeline } = visitor(PROGRAM);
  const people = new Map<string, PersonState>();
  for (const event of clicks(0, 90)) {
    let person = people.get(event.user_id!);
    if (person === undefined) people.set(event.user_id!, (person = copyOf(everybody)));
    applyEvent(person, event, timeline);
  }
  const world = { document: PROGRAM as ProgramDocument, written: [] as string[] };
  const trainer = new FamilyTrainer({
    program: () => compiled(world.document),
    walk: () => {
      const keys = [...people.keys()];
      return { next: (limit) => keys.splice(0, limit) };
    },
    person: (key) => people.get(key),
    personsTotal: () => people.size,
    nowMs: () => clock.nowMs,
    write: async (name, family) => {
      world.written.push(name);
      world.document = learnedDocument(world.document, name, family) as ProgramDocument;
    },
    onFailed: (error) => {
      throw error;
    },
  });
  const put = (segments: NonNullable<ProgramDocument["segments"]>): void => {
    const document = { events: PROGRAM.events, segments };
    world.document = withLearned(document, compiled(world.document)) as ProgramDocument;
  };
  return { trainer, put, written: world.written };
}

test("a family that is taken out and made again, renamed, or there twice is learnt at the next look", { timeout: 120_000 }, async () => {
  const clock = { nowMs: START_MS + 10_000 };
  const { trainer, put, written } = trainerOf(clock);
  const { tastes } = PROGRAM.segments;
  const due = async (): Promise<string[]> => {
    clock.nowMs += 60_000;
    await trainer.train("due");
    return written.splice(0);
  };
  deepEqual(await due(), ["tastes"]);
  deepEqual(await due(), [], "it is not yet time");
  put({});
  put({ tastes });
  deepEqual(await due(), ["tastes"], "what was learnt went with the definition");
  put({ tastes, again: tastes });
  deepEqual(await due(), ["again"]);
  put({ renamed: tastes });
  deepEqual(await due(), ["renamed"]);
  clock.nowMs += 86_400_000;
  deepEqual(await due(), [], "looked at, and nothing has changed");
  put({});
  put({ renamed: tastes });
  deepEqual(await due(), ["renamed"]);
  await trainer.stop();
});

const segmentsOf = async (project: EmbeddedProject, user: string): Promise<string[]> =>
  (await project.profile({ user_id: user }))!.segments;

test("groups are found, are segments like others, keep their numbers, and a replay equals", { timeout: 120_000 }, async () => {
  const clock = { nowMs: START_MS + 10_000 };
  const folder = testFolder();
  const project = await openProject(folder, clock, { firstProgram: PROGRAM });
  await project.putItems(TASTES.map((item_id) => ({ item_id, categories: [item_id], tags: [] })));
  equal(await project.trainSegments(), 0, "nobody to learn from");
  deepEqual((await project.segments()).map(({ name }) => name), ["tastes", "reached", "first"]);
  await project.submit({ events: clicks(0, 90), deadLetters: [] });
  deepEqual(await segmentsOf(project, "u0"), []);
  equal(await project.trainSegments(), 1);
  clock.nowMs += 1_000;
  const segments = await project.segments();
  const groups = segments.filter(({ learned, name }) => learned !== undefined && name !== "tastes");
  equal(groups.length, 3, JSON.stringify(segments));
  for (const { learned } of groups) {
    const [strongest] = learned!.distinctions;
    ok(strongest!.column.startsWith("interest:") && strongest!.mean > 2 * strongest!.of_all, JSON.stringify(learned));
  }
  const own = await Promise.all([0, 1, 2, 3].map((i) => segmentsOf(project, `u${i}`)));
  equal(own[0]!.length >= 3 && own[0]!.includes("tastes") && own[0]!.includes("reached"), true, own[0]!.join());
  deepEqual(own[3], own[0], "the same taste, the same group");
  equal(new Set(own.slice(0, 3).map((names) => names.find((name) => /^tastes_\d$/.test(name)))).size, 3);
  // Somebody new is in his group at once.
  await project.submit({ events: clicks(90, 1), deadLetters: [] });
  deepEqual(await segmentsOf(project, "u90"), own[0]);
  // Nothing has changed, so nothing is put in force; a definition that stays keeps what was learnt.
  equal(await project.trainSegments(), 0);
  const put = await project.putProgram({ ...PROGRAM, description: "the same segments" });
  ok("version" in put);
  deepEqual(await segmentsOf(project, "u0"), own[0]);
  for (let i = 0; i < 91; i++) await segmentsOf(project, `u${i}`);
  const sizes = (await project.segments()).map(({ name, size }) => [name, size]);
  const members = await project.segmentUsers("tastes_1", { limit: 100 });
  equal(members!.total, members!.users.length);
  deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
  await project.checkpoint();
  const bare = folder.crashed();
  rmSync(join(bare.path, "state"), { recursive: true });
  rmSync(join(bare.path, "ids"), { recursive: true });
  for (const again of [folder.crashed(), bare]) {
    const reopened = await openProject(again, clock, { firstProgram: PROGRAM });
    deepEqual(await segmentsOf(reopened, "u0"), own[0]);
    for (let i = 0; i < 91; i++) await segmentsOf(reopened, `u${i}`);
    deepEqual((await reopened.segments()).map(({ name, size }) => [name, size]), sizes);
  }
  // Another definition means other groups.
  await project.putProgram({ segments: { tastes: { clusters: { max: 3 } } } });
  deepEqual(await segmentsOf(project, "u0"), []);
});
