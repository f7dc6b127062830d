// What persons share: empty lists that stand for everybody's, and lists of times that are values.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { EPOCH_MS, visitorEvents } from "../testing/events.ts";
import { barePlan, shopLikePlan as plan } from "../testing/plan.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { adaptPerson, decodePerson, emptyPerson, encodePerson, foldEvent, mergePerson, setAttributes } from "./person.ts";
import { putEntry } from "./state.ts";
import { TIMES_MAX, withTime } from "./times.ts";

test("somebody new has nothing of anybody, whatever was folded, merged, adapted and read before", () => {
  const nobody = structuredClone({ ...emptyPerson(plan), layout: null });
  forEachSeed(20, (rng) => {
    const [one, other] = [emptyPerson(plan), emptyPerson(plan)];
    for (const event of visitorEvents(rng, 200)) foldEvent(rng.between(0, 1) === 0 ? one : other, event, plan);
    setAttributes(one, { age: 30 }, EPOCH_MS);
    putEntry(other, "memberships", "readers", EPOCH_MS);
    putEntry(other, "triggerMarks", "stayed", EPOCH_MS);
    mergePerson(one, decodePerson(encodePerson(other), plan), plan);
    adaptPerson(one, barePlan);
    adaptPerson(one, plan);
    foldEvent(one, visitorEvents(rng, 1)[0]!, plan);
    deepEqual({ ...emptyPerson(plan), layout: null }, nobody);
  });
});

test("the newest times, ascending, as a sorted list of all; no list is ever changed", () => {
  forEachSeed(200, (rng) => {
    const all: number[] = [];
    let times: readonly number[] = [];
    for (let i = rng.between(1, 40); i > 0; i--) {
      const timeMs = EPOCH_MS + rng.between(0, 50);
      const before = [times, [...times]];
      all.push(timeMs);
      times = withTime(times, timeMs);
      deepEqual(before[0], before[1]);
      deepEqual(times, all.sort((a, b) => a - b).slice(-TIMES_MAX));
    }
  });
});

test("what an event adds to several lists that are the same is one list, read from bytes too", () => {
  const person = emptyPerson(plan);
  const click = { event_type: "click", item_id: "lamp", received_at: EPOCH_MS };
  for (const id of [1, 2, 3]) foldEvent(person, { ...click, event_id: `e${id}`, timestamp: EPOCH_MS + id }, plan);
  for (const { clickMs, rates } of [person, decodePerson(encodePerson(person), plan)]) {
    deepEqual(clickMs, [1, 2, 3].map((id) => EPOCH_MS + id));
    equal(rates.every(({ times }) => times === clickMs), true);
  }
});
