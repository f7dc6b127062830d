// The background model in the embedded host: trained aside, written into the log, and the same after a crash, from the
// last checkpoint as from the log alone.
import { deepEqual, equal, ok } from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { LoggedEvent } from "../../core/event/event.ts";
import { openProject, START_MS, testFolder } from "../embedded/testing.ts";
import type { BackgroundPart } from "../../core/model/background.ts";
import { earlierModel } from "./earlier-model.ts";
import { BackgroundTrainer } from "./trainer.ts";
import type { EmbeddedProject } from "../embedded/project.ts";

const clock = { nowMs: START_MS };

/** `persons` visitors who click two items of one pair, and one item that pairs with none. */
function clicks(persons: number): LoggedEvent[] {
  return Array.from({ length: persons }, (_, i) =>
    [`left-${i % 9}`, `right-${i % 9}`, "alone"].map((itemId, k): LoggedEvent => ({
      event_id: `e${i}-${k}`,
      anonymous_id: `visitor-${i}`,
      event_type: "click",
      timestamp: START_MS + i * 10 + k,
      received_at: START_MS + i * 10 + k,
      item_id: itemId,
    })),
  ).flat();
}

async function reasons(project: EmbeddedProject): Promise<unknown> {
  const ref = { anonymous_id: "visitor-1" };
  const list = await project.recommend({ ref, placement: "home", limit: 10, explain: true, exclude: ["right-1"] });
  return list!.items.map((item) => [item.item_id, item.reasons]);
}

test("a training reaches the lists through the log; a crash and a replay change nothing", { timeout: 120_000 }, async () => {
  const folder = testFolder();
  const project = await openProject(folder, clock);
  equal(await project.trainBackground(), false);
  await project.submit({ events: clicks(200), deadLetters: [] });
  clock.nowMs = START_MS + 10_000;
  equal(await project.trainBackground(), true);
  const expected = await reasons(project);
  ok(JSON.stringify(expected).includes('"background"'), JSON.stringify(expected));
  await project.checkpoint();
  deepEqual(await reasons(await openProject(folder.crashed(), clock)), expected);
  const bare = folder.crashed();
  rmSync(join(bare.path, "state"), { recursive: true });
  rmSync(join(bare.path, "ids"), { recursive: true });
  deepEqual(await reasons(await openProject(bare, clock)), expected);
});

test("an erasure takes the models along that he was in, also one that is being trained", { timeout: 120_000 }, async () => {
  const folder = testFolder();
  const [project, never] = [await openProject(folder, clock), await openProject(testFolder(), clock)];
  const his = ["left-1", "canary-item", "right-2"].map((item_id, k): LoggedEvent => ({
    event_id: `his-${k}`, user_id: "canary", event_type: "click", timestamp: START_MS + k, received_at: START_MS + k, item_id,
  }));
  await project.submit({ events: [...clicks(200), ...his], deadLetters: [] });
  await never.submit({ events: clicks(200), deadLetters: [] });
  clock.nowMs = START_MS + 10_000;
  const inLog = (): string[] => [...project.log.read(project.log.start)].map(({ payload }) => payload.toString("latin1"));
  equal(await project.trainBackground(), true);
  ok(inLog().some((record) => record.includes("canary-item") && record.includes("left-3")), "he is in the model");
  const underWay = project.trainBackground();
  const { job_id: id } = await project.erasePerson({ user_id: "canary" });
  equal(await underWay, false);
  while ((await project.erasure(id))!.status !== "done") await new Promise(setImmediate);
  deepEqual(inLog().filter((record) => record.includes("canary")), []);
  ok(!JSON.stringify(await reasons(project)).includes('"background"'));
  deepEqual([await project.trainBackground(), await never.trainBackground()], [true, true]);
  ok(JSON.stringify(await reasons(project)).includes('"background"'));
  deepEqual(await reasons(project), await reasons(never));
});

test("drift asks for a training, a model that does worse gives way to the one before, and time alone asks in its turn", { timeout: 120_000 }, async () => {
  const signs = { verdict: "unknown" as "worse" | "good" | "unknown", backgroundSinceMs: 4, changedMs: 5 };
  const written: BackgroundPart[] = [];
  const earlier: BackgroundPart[] = [{ part: 0, rows: [["a", ["b"], [0.5]]] }];
  let hasEarlier = false;
  const trainer = new BackgroundTrainer({
    config: () => ({ everyMs: 3_600_000, ridge: 200, minPersons: 1 }),
    steps: () => clicks(200).map(({ anonymous_id: id, item_id: itemId }) => ({ personKey: `a:${id}`, itemId: itemId!, weight: 1 })),
    write: async (part) => void written.push(part),
    erasure: () => ({ newest: undefined, isRunning: false }),
    personsTotal: () => 200,
    health: () => signs,
    *earlier() {
      yield;
      return hasEarlier ? earlier : undefined;
    },
    onFailed: (error) => {
      throw error;
    },
  });
  trainer.start();
  equal(await trainer.look(), "nothing", "changes of before the start were answered");
  signs.changedMs = 6;
  equal(await trainer.look(), "trained");
  ok(written.length > 0);
  signs.changedMs = 7;
  equal(await trainer.look(), "nothing", "not so soon after the last");
  written.length = 0;
  signs.verdict = "worse";
  equal(await trainer.look(), "nothing", "there is none before it");
  hasEarlier = true;
  equal(await trainer.look(), "rolled_back");
  deepEqual(written, earlier);
  await trainer.stop();
});

test("the log holds the model before the one that serves", { timeout: 120_000 }, async () => {
  const folder = testFolder();
  const project = await openProject(folder, clock);
  await project.submit({ events: clicks(200), deadLetters: [] });
  const read = () => {
    const reader = earlierModel(project.log);
    for (let next = reader.next(); ; next = reader.next()) if (next.done === true) return next.value;
  };
  await project.trainBackground();
  equal(read(), undefined);
  await project.trainBackground();
  const before = read();
  ok(before !== undefined && before[0]!.part === 0 && before[0]!.rows.length > 0);
  const { background } = await project.models();
  ok(background.since !== null && background.verdict === "unknown", JSON.stringify(background));
  equal(await project.lookAfterBackground(), "nothing");
});

test("where there is no model yet the first look trains one, and one in vain is tried again with twice as many persons", async () => {
  let persons = 49;
  let gathered = 0;
  const signs = { verdict: "unknown" as const, backgroundSinceMs: 0, changedMs: 0 };
  const trainer = new BackgroundTrainer({
    config: () => ({ everyMs: 3_600_000, ridge: 200, minPersons: 1 }),
    *steps() {
      gathered++;
      // Fifty persons came, but few of them did anything.
      const active = persons < 100 ? 20 : persons;
      for (const { anonymous_id: id, item_id: itemId } of clicks(active)) yield { personKey: `a:${id}`, itemId: itemId!, weight: 1 };
    },
    write: async () => void (signs.backgroundSinceMs = 1),
    erasure: () => ({ newest: undefined, isRunning: false }),
    personsTotal: () => persons,
    health: () => signs,
    *earlier() {
      yield;
      return undefined;
    },
    onFailed: (error) => {
      throw error;
    },
  });
  equal(await trainer.look(), "nothing", "too few persons to look at the log");
  equal(gathered, 0);
  persons = 50;
  equal(await trainer.look(), "nothing", "too few of them did anything");
  equal(gathered, 1);
  persons = 99;
  equal(await trainer.look(), "nothing");
  equal(gathered, 1, "the log is not read at every look");
  persons = 100;
  equal(await trainer.look(), "trained");
  persons = 1_000;
  equal(await trainer.look(), "nothing", "the next one in its turn");
  await trainer.stop();
});

test("a node trains and forgets a minute after its start; a command on its folder does neither", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const afterMinute = async (isBatch: boolean, isOver: (state: unknown[], turns: number) => boolean) => {
    const project = await openProject(testFolder(), clock, { isBatch });
    await project.submit({ events: clicks(200), deadLetters: [] });
    t.mock.timers.tick(60_000);
    for (let turns = 1; ; turns++) {
      await new Promise(setImmediate);
      t.mock.timers.tick(10);
      const state = [(await project.models()).background.since, (await project.retention()).last];
      if (isOver(state, turns)) return { state, turns };
    }
  };
  const node = await afterMinute(false, ([trained, retained]) => trained !== null && retained !== undefined);
  const command = await afterMinute(true, (_state, turns) => turns > 2 * node.turns);
  deepEqual(command.state, [null, undefined]);
});
