// The laws of a person's state, on the whole of it: order, duplication, split and merge, bytes, any prefix.
import { deepEqual, equal, notDeepEqual, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import type { LoggedEvent } from "../event/event.ts";
import { visitorEvents } from "../testing/events.ts";
import { closeTo, numbersOf } from "../testing/numbers.ts";
import { barePlan, keepingPlan } from "../testing/plan.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { type Rng, rngFrom } from "../math/rng.ts";
import { ByteWriter } from "../wire/writer.ts";
import type { FoldPlan } from "./plan.ts";
import {
  adaptPerson,
  decodePerson,
  emptyPerson,
  encodePerson,
  foldEvent,
  mergePerson,
  setAttributes,
  type PersonState,
} from "./person.ts";
import { builtinValue, interestShare } from "./reading.ts";
import { profileView } from "./view.ts";

const plan = keepingPlan;
const LATENESS_MS = 3_600_000;

function fold(events: readonly LoggedEvent[], under: FoldPlan = plan): PersonState {
  const state = emptyPerson(under);
  for (const event of events) foldEvent(state, event, under);
  return state;
}

/** Each event up to LATENESS_MS late. */
function outOfOrder(rng: Rng, events: readonly LoggedEvent[]): LoggedEvent[] {
  const arrival = new Map(events.map((event) => [event, event.timestamp + rng.between(0, LATENESS_MS)]));
  return [...events].sort((a, b) => arrival.get(a)! - arrival.get(b)!);
}

test("same events in the same order give the same bytes", () => {
  forEachSeed(50, (rng) => {
    const events = visitorEvents(rng, rng.between(0, 200));
    deepEqual(encodePerson(fold(events)), encodePerson(fold(structuredClone(events))));
  });
});

test("late and out-of-order events give the same numbers", () => {
  forEachSeed(200, (rng) => {
    const events = visitorEvents(rng, rng.between(1, 200));
    const inOrder = fold(events);
    const shuffled = fold(outOfOrder(rng, events));
    for (const nowMs of [inOrder.asOf, inOrder.asOf + 700_000, inOrder.asOf + 86_400_000]) {
      closeTo(numbersOf(shuffled, nowMs), numbersOf(inOrder, nowMs));
    }
  });
});

test("a duplicate changes nothing, not even a bit", () => {
  forEachSeed(100, (rng) => {
    const events = visitorEvents(rng, rng.between(1, 60));
    const state = fold(events);
    const before = encodePerson(state);
    const again = { ...events[rng.between(0, events.length - 1)]!, received_at: state.asOf + 1000 };
    equal(foldEvent(state, again, plan), "duplicate");
    deepEqual(encodePerson(state), before);
  });
});

test("merging two persons gives the numbers of one who did it all", () => {
  forEachSeed(200, (rng) => {
    const events = visitorEvents(rng, rng.between(0, 150));
    const mine: LoggedEvent[] = [];
    const theirs: LoggedEvent[] = [];
    for (const event of events) (rng.between(0, 1) === 0 ? mine : theirs).push(event);
    const merged = fold(mine);
    mergePerson(merged, fold(theirs), plan);
    const whole = fold(events);
    for (const nowMs of [whole.asOf, whole.asOf + 700_000]) closeTo(numbersOf(merged, nowMs), numbersOf(whole, nowMs));
    equal(merged.version, whole.version);
  });
});

test("merging nobody changes nothing, and merging into nobody gives the same numbers", () => {
  forEachSeed(50, (rng) => {
    const state = fold(visitorEvents(rng, rng.between(1, 100)));
    const before = encodePerson(state);
    mergePerson(state, emptyPerson(plan), plan);
    deepEqual(encodePerson(state), before);
    const nobody = emptyPerson(plan);
    const expected = numbersOf(state, state.asOf);
    mergePerson(nobody, state, plan);
    closeTo(numbersOf(nobody, nobody.asOf), expected);
  });
});

test("folding goes on from bytes as if it had never stopped, from any prefix", () => {
  forEachSeed(100, (rng) => {
    const events = visitorEvents(rng, rng.between(1, 250));
    const arrivals = outOfOrder(rng, events);
    const cut = rng.between(0, arrivals.length);
    const resumed = decodePerson(encodePerson(fold(arrivals.slice(0, cut))), plan);
    for (const event of arrivals.slice(cut)) foldEvent(resumed, event, plan);
    const whole = fold(arrivals);
    deepEqual(encodePerson(resumed), encodePerson(whole));
    deepEqual(numbersOf(resumed, whole.asOf), numbersOf(whole, whole.asOf));
    deepEqual(profileView(resumed, plan, whole.asOf), profileView(whole, plan, whole.asOf));
  });
});

test("another program keeps what has the same key, starts the rest empty, and comes back", () => {
  forEachSeed(50, (rng) => {
    const events = visitorEvents(rng, rng.between(1, 100));
    const other: FoldPlan = {
      ...plan,
      key: "other",
      interests: { ...plan.interests, halfLifeMs: 3_600_000 },
      windows: [...plan.windows].reverse().slice(2),
      features: plan.features.slice(1, 4),
    };
    const direct = fold(events);
    const { asOf, lastMs } = direct;
    const engagement = builtinValue(direct, "engagement", lastMs);
    adaptPerson(direct, other);
    const decoded = decodePerson(encodePerson(fold(events)), other);
    deepEqual(encodePerson(decoded), encodePerson(direct));
    const want = numbersOf(fold(events), asOf);
    const got = numbersOf(direct, asOf);
    for (const name of Object.keys(got)) {
      if (!name.startsWith("builtin.engagement")) closeTo({ [name]: got[name]! }, { [name]: want[name]! });
    }
    // Weights keep the value that they had at the newest event, and decay anew from there.
    closeTo({ engagement: builtinValue(direct, "engagement", lastMs) }, { engagement });
    closeTo({ engagement: builtinValue(direct, "engagement", lastMs + 3_600_000) }, { engagement: engagement / 2 });
    adaptPerson(direct, barePlan);
    adaptPerson(direct, plan);
    equal(
      direct.windows.every((series) => series.times.length === 0),
      true,
    );
  });
});

test("a program that no longer keeps a dimension of interests forgets it; one that keeps it again begins anew", () => {
  const events = visitorEvents(rngFrom(3), 100);
  for (const [dropped, kept] of [["tags", "categories"], ["categories", "tags"]] as const) {
    const shown = { categories: "interests", tags: "interest_tags" } as const;
    const before = fold(events);
    const view = profileView(before, plan, before.asOf);
    ok(Object.keys(view[shown[dropped]]).length > 0);
    adaptPerson(before, { ...plan, key: "one", interests: { ...plan.interests, [dropped]: false } });
    const after = profileView(before, before.layout.plan, before.asOf);
    deepEqual([after[shown[dropped]], after[shown[kept]]], [{}, view[shown[kept]]]);
    for (const name of Object.keys(view[shown[dropped]])) equal(interestShare(before, name), 0);
    adaptPerson(before, plan);
    deepEqual(profileView(before, plan, before.asOf)[shown[dropped]], {});
  }
});

test("bytes stay bounded however much happened, and small for few events", () => {
  forEachSeed(3, (rng) => {
    ok(encodePerson(fold(visitorEvents(rng, 20))).length <= 2048);
    const many = visitorEvents(rng, 5000).map((event, i) => ({
      ...event,
      session_id: `session-${i}`,
      anonymous_id: `anonymous-${i}`,
      item_id: `item-${i}`,
      event_type: `type_${i % 200}`,
      item: { categories: [`category-${i}`], tags: [`tag-${i}`, `tag2-${i}`], price: i },
    }));
    const weights = new Map(many.map((event) => [event.event_type, 1]));
    ok(encodePerson(fold(many, { ...plan, weights })).length <= 16_384);
  });
});

test("bytes that were cut off or flipped throw the typed error or decode, nothing else", () => {
  forEachSeed(300, (rng) => {
    const bytes = encodePerson(fold(visitorEvents(rng, 30)));
    const cut = bytes.slice(0, rng.between(0, bytes.length - 1));
    throws(() => decodePerson(cut, plan), { code: "corrupt" });
    const flipped = bytes.slice();
    flipped[rng.between(0, bytes.length - 1)]! ^= 1 << rng.between(0, 7);
    try {
      decodePerson(flipped, plan);
    } catch (error) {
      equal((error as { code?: string }).code, "corrupt");
    }
  });
});

test("a number far too large in place of any byte throws the typed error or decodes, nothing else", () => {
  const bytes = encodePerson(fold(visitorEvents(rngFrom(5), 30)));
  const writer = new ByteWriter();
  for (const number of [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    for (let at = 0; at < bytes.length; at++) {
      writer.raw(bytes.subarray(0, at));
      writer.varint(number);
      writer.raw(bytes.subarray(at + 1));
      const changed = writer.take();
      try {
        decodePerson(changed, plan);
      } catch (error) {
        equal((error as { code?: string }).code, "corrupt", `${number} at ${at}: ${String(error)}`);
      }
    }
  }
});

test("attributes: the latest wins, null takes away, the rest stays; bytes keep them", () => {
  const state = emptyPerson(plan);
  setAttributes(state, { age: 30, plan: "free", tags: ["a", { b: 1 }] }, 1000);
  setAttributes(state, { age: 31, plan: null }, 2000);
  setAttributes(state, { age: 29 }, 1500);
  setAttributes(state, { age: 32 }, 2000);
  setAttributes(state, JSON.parse('{"__proto__":{"admin":true}}'), 2000);
  const decoded = decodePerson(encodePerson(state), plan);
  for (const one of [state, decoded]) {
    equal(one.attributes["age"], 32);
    equal((one.attributes as { admin?: boolean }).admin, undefined);
    equal(
      JSON.stringify(profileView(one, plan, 3000).attributes),
      '{"age":32,"tags":["a",{"b":1}],"__proto__":{"admin":true}}',
    );
  }
  for (let i = 0; i < 200; i++) setAttributes(state, { [`a${i}`]: i }, 3000 + i);
  equal(state.attributeMs.size, 64);
  equal(Object.keys(state.attributes).length, 64);
  notDeepEqual(state.attributes["a199"], undefined);
});
