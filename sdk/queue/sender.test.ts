import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rng } from "../../core/math/rng.ts";
import { forEachSeedAsync } from "../../core/testing/seeds.ts";
import type { Answer } from "../host.ts";
import { simulatedClock, simulatedStore, type SimulatedClock } from "../testing/simulation.ts";
import type { Delivery, SdkError, SentEvent } from "../types.ts";
import { openEventQueue } from "./event-queue.ts";
import { BATCH_BYTES_MAX, BATCH_EVENTS_MAX, createSender, type Sender, type SenderOptions } from "./sender.ts";

const DAY_MS = 86_400_000;
const AWAY_MAX_MS = 7 * DAY_MS;
const START_MS = 1_790_000_000_000;
const PREFIX = "attune:test:q:";

let nextNumber = 0;
function eventAt(timestamp: number, fields: Partial<SentEvent> = {}): SentEvent {
  const event_id = `${String(timestamp).padStart(14, "0")}-${String(nextNumber++).padStart(6, "0")}`;
  return { event_id, anonymous_id: "a", session_id: "s", event_type: "click", timestamp, ...fields };
}

const accepted = (count: number, rejected: object[] = []): Answer => ({
  status: rejected.length === count && count > 0 ? 400 : 202,
  retryAfter: null,
  body: { accepted: count - rejected.length, duplicates: 0, rejected },
});
const failure = (status: number, retryAfter: string | null = null): Answer => ({ status, retryAfter, body: undefined });

interface Wire {
  post: SenderOptions["post"];
  beacon?: SenderOptions["beacon"];
  patch?: SenderOptions["patch"];
  exclusively?: SenderOptions["exclusively"];
}

function openTab(clock: SimulatedClock, store: ReturnType<typeof simulatedStore>, wire: Wire, random = () => 0.5) {
  const life = clock.tab();
  /** A closed tab hears no answer. */
  const heard = (answer: Promise<Answer>): Promise<Answer> =>
    answer.finally(() => life.isAlive() || new Promise<never>(() => {}));
  const errors: SdkError[] = [];
  const deliveries: Delivery[] = [];
  const backAtMs: number[] = [];
  const queue = openEventQueue({ store, prefix: PREFIX, nowMs: clock.nowMs, onDrop: (error) => errors.push(error) });
  const sender: Sender = createSender({
    queue,
    clock: life,
    random,
    post: (path, body) => heard(wire.post(path, body)),
    patch: wire.patch ?? (async () => failure(200)),
    beacon: wire.beacon ?? (() => false),
    exclusively: wire.exclusively ?? ((task) => task()),
    onDelivery: (delivery) => deliveries.push(delivery),
    onError: (error) => errors.push(error),
    onBack: () => backAtMs.push(clock.nowMs()),
    onChange: () => {},
  });
  const track = (event: SentEvent, waitMs = 0): void => {
    queue.put({ id: event.event_id, event }, waitMs > 0 ? "expendable" : "kept");
    sender.schedule(waitMs);
  };
  return { queue, sender, track, errors, deliveries, backAtMs, kill: life.kill };
}

const eventsOf = (body: string): SentEvent[] => (JSON.parse(body) as { events: SentEvent[] }).events;

/** The other end: counts each id once, refuses what is marked as bad, and loses or answers late as the seed wills. */
function unreliableServer(clock: SimulatedClock, rng: Rng) {
  const counted = new Set<string>();
  let healthy = false;

  function take(body: string): Answer {
    const events = eventsOf(body);
    const rejected = events.flatMap(({ event_id, event_type }, index) =>
      event_type === "bad" ? [{ index, event_id, code: "bad_type", path: "/event_type", message: "" }] : [],
    );
    for (const { event_id, event_type } of events) {
      if (event_type !== "bad") counted.add(event_id);
    }
    return accepted(events.length, rejected);
  }

  const answerAfter = <T>(ms: number, give: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      clock.after(ms, () => {
        try {
          resolve(give());
        } catch (error) {
          reject(error);
        }
      });
    });
  const lost = (): never => {
    throw new Error("connection lost");
  };

  async function post(_path: string, body: string): Promise<Answer> {
    if (healthy) return answerAfter(5, () => take(body));
    const latencyMs = rng.between(1, 3_000);
    const fate = rng.between(0, 9);
    if (fate <= 1) return answerAfter(latencyMs, lost); // never arrived
    if (fate <= 3) {
      await answerAfter(latencyMs / 2, () => take(body)); // arrived, the answer was lost
      return answerAfter(latencyMs, lost);
    }
    if (fate === 4) return answerAfter(latencyMs, () => failure(429, String(rng.between(0, 30))));
    if (fate === 5) return answerAfter(latencyMs, () => failure(503, rng.between(0, 1) ? "5" : null));
    if (fate === 6) return answerAfter(latencyMs, () => failure(200)); // a captive portal
    if (fate === 7 && eventsOf(body).length > 3) return answerAfter(latencyMs, () => failure(413));
    return answerAfter(latencyMs, () => take(body));
  }

  return {
    counted,
    post,
    beacon(_path: string, body: string) {
      if (rng.between(0, 1)) clock.after(rng.between(1, 500), () => take(body));
      return rng.between(0, 9) > 0;
    },
    heal: () => void (healthy = true),
  };
}

async function simulate(rng: Rng): Promise<void> {
  const clock = simulatedClock(START_MS);
  const store = simulatedStore();
  const server = unreliableServer(clock, rng);
  const random = (): number => rng.between(0, 999) / 1_000;
  const good: string[] = [];
  const bad: string[] = [];
  const errors: SdkError[] = [];
  let tabs = [openTab(clock, store, server, random)];

  const close = (tab: (typeof tabs)[number]): void => {
    tab.kill();
    errors.push(...tab.errors);
    tabs = tabs.filter((each) => each !== tab);
  };
  // All together: what waits longer than the queue keeps it is given up, and said.
  let awayLeftMs = AWAY_MAX_MS;
  for (let step = 0; step < 60; step++) {
    if (awayLeftMs >= DAY_MS && rng.between(0, 29) === 0) {
      for (const tab of tabs) close(tab);
      const awayMs = rng.between(0, 2) === 0 ? awayLeftMs : rng.between(DAY_MS, awayLeftMs);
      awayLeftMs -= awayMs;
      await clock.advance(awayMs);
      tabs = [openTab(clock, store, server, random)];
      tabs[0]!.sender.schedule(0);
    }
    const tab = tabs[rng.between(0, tabs.length - 1)]!;
    const action = rng.between(0, 19);
    if (action <= 12) {
      for (let n = rng.between(1, 12); n > 0; n--) {
        const event = eventAt(clock.nowMs(), { event_type: rng.between(0, 19) === 0 ? "bad" : "click" });
        (event.event_type === "bad" ? bad : good).push(event.event_id);
        tab.track(event, rng.between(0, 1) * 2_000);
      }
    } else if (action === 13) tab.sender.hide();
    else if (action === 14) tab.sender.wake();
    else if (action === 15) void tab.sender.flush();
    else if (action === 16 && tabs.length < 4) tabs.push(openTab(clock, store, server, random));
    else if (action >= 17 && tabs.length > 1) {
      if (action < 19) tab.sender.leave(); // 19: the tab crashed
      close(tab);
    }
    await clock.advance(rng.between(0, 4_000));
  }
  for (const tab of tabs) {
    tab.sender.leave();
    tab.kill();
    errors.push(...tab.errors);
  }
  server.heal();
  const last = openTab(clock, store, server, random);
  last.sender.schedule(0);
  await clock.advance(120_000);
  errors.push(...last.errors);

  assert.deepEqual([...server.counted].sort(), good.sort());
  assert.equal(last.queue.size, 0, "the queue is empty in the end");
  const reported = new Set(errors.filter(({ code }) => code === "bad_type").map(({ event }) => event?.event_id));
  assert.deepEqual(
    bad.filter((id) => !reported.has(id)),
    [],
    "each refused event is reported",
  );
}

test("whatever the network, tabs, answers and days offline do, each event is counted exactly once", () =>
  forEachSeedAsync(300, simulate));

test("a weighty event goes out at once and takes waiting company along", async () => {
  const clock = simulatedClock(START_MS);
  const bodies: string[] = [];
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => {
      bodies.push(body);
      return accepted(eventsOf(body).length);
    },
  });
  tab.track(eventAt(clock.nowMs(), { event_type: "hover" }), 2_000);
  await clock.advance(1_999);
  assert.equal(bodies.length, 0);
  tab.track(eventAt(clock.nowMs()));
  await clock.advance(0);
  assert.deepEqual(
    eventsOf(bodies[0]!).map(({ event_type }) => event_type),
    ["hover", "click"],
  );
  assert.equal(JSON.parse(bodies[0]!).sent_at, clock.nowMs());
  await clock.advance(10_000);
  assert.equal(bodies.length, 1);
  assert.equal(tab.deliveries[0]?.accepted, 2);
});

test("Retry-After is honoured, as seconds and as a date, also by flush and wake", async () => {
  for (const header of ["30", new Date(START_MS + 30_000).toUTCString()]) {
    const clock = simulatedClock(START_MS);
    const triesMs: number[] = [];
    const tab = openTab(clock, simulatedStore(), {
      post: async (_path, body) => {
        triesMs.push(clock.nowMs() - START_MS);
        return triesMs.length === 1 ? failure(429, header) : accepted(eventsOf(body).length);
      },
    });
    tab.track(eventAt(clock.nowMs()));
    await clock.advance(10_000);
    tab.sender.wake();
    await tab.sender.flush();
    await clock.advance(19_999);
    assert.deepEqual(triesMs, [0]);
    await clock.advance(1);
    assert.deepEqual(triesMs, [0, 30_000]);
    assert.equal(tab.queue.size, 0);
  }
});

test("a proxy's 404 is no answer of the node's: what waits is kept; the node's own is final", async () => {
  const clock = simulatedClock(START_MS);
  const unknownProject: Answer = { status: 404, retryAfter: null, body: { code: "unknown_project", detail: "no such project" } };
  let answer: Answer | undefined = failure(404);
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => answer ?? accepted(eventsOf(body).length),
  });
  for (let i = 0; i < 3; i++) tab.track(eventAt(clock.nowMs()));
  await clock.advance(10_000);
  assert.equal(tab.queue.size, 3);
  assert.deepEqual([...new Set(tab.errors.map(({ code }) => code))], ["server"]);
  answer = undefined;
  await clock.advance(60_000);
  assert.deepEqual([tab.queue.size, tab.deliveries.map(({ accepted: count }) => count)], [0, [3]]);
  tab.errors.length = 0;
  answer = unknownProject;
  const refused = eventAt(clock.nowMs());
  tab.track(refused);
  await clock.advance(0);
  assert.deepEqual(
    [tab.queue.size, tab.errors.map(({ code, event }) => [code, event?.event_id])],
    [0, [["unknown_project", refused.event_id]]],
  );
});

test("what a login wall, a proxy or another server answers to a request keeps it; what may be the event's own fault does not", async () => {
  for (const [status, left] of [[401, 1], [405, 1], [407, 1], [400, 0], [403, 0], [413, 0]] as const) {
    const clock = simulatedClock(START_MS);
    const tab = openTab(clock, simulatedStore(), { post: async () => failure(status) });
    tab.track(eventAt(clock.nowMs()));
    await clock.advance(0);
    assert.deepEqual([status, tab.queue.size], [status, left]);
  }
});

test("a clock that is set back or forth neither lengthens a wait nor ends it", async () => {
  for (const setMs of [-3 * 3_600_000, 3 * 3_600_000]) {
    const clock = simulatedClock(START_MS);
    const bodies: string[] = [];
    const tab = openTab(clock, simulatedStore(), {
      post: async (_path, body) => {
        bodies.push(body);
        return bodies.length > 1 ? accepted(eventsOf(body).length) : { ...failure(503), retryAfter: "60" };
      },
    });
    tab.track(eventAt(clock.nowMs()));
    await clock.advance(1_000);
    clock.set(setMs);
    tab.sender.wake();
    await clock.advance(58_000);
    assert.equal(bodies.length, 1);
    await clock.advance(2_000);
    assert.deepEqual([bodies.length, tab.queue.size, tab.deliveries.map(({ took_ms }) => took_ms)], [2, 0, [0]]);
    assert.equal(JSON.parse(bodies[1]!).sent_at, START_MS + 60_000 + setMs);
  }
});

test("failures double the wait up to a minute; wake ends it", async () => {
  const clock = simulatedClock(START_MS);
  const triesMs: number[] = [];
  const tab = openTab(
    clock,
    simulatedStore(),
    {
      post: async () => {
        triesMs.push(clock.nowMs() - START_MS);
        throw new Error("offline");
      },
    },
    () => 1,
  );
  tab.track(eventAt(clock.nowMs()));
  await clock.advance(200_000);
  assert.deepEqual(
    triesMs.map((ms, i) => ms - (triesMs[i - 1] ?? 0)),
    [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000],
  );
  tab.sender.wake();
  await clock.advance(0);
  assert.equal(triesMs.length, 10);
});

test("the first answer after tries that failed is told, and no other", async () => {
  const clock = simulatedClock(START_MS);
  let tries = 0;
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => {
      tries++;
      if (tries === 2 || tries === 3) throw new Error("away");
      return accepted(eventsOf(body).length);
    },
  });
  for (let sent = 0; sent < 3; sent++) {
    tab.track(eventAt(clock.nowMs()));
    await clock.advance(60_000);
  }
  assert.equal(tries, 5);
  // The second event: half of 1 s and half of 2 s besides what chance adds, 750 and 1,500 ms at 0.5.
  assert.deepEqual(tab.backAtMs, [START_MS + 60_000 + 750 + 1_500]);
});

test("a batch stays within its bounds in events and in bytes", async () => {
  const clock = simulatedClock(START_MS);
  const bodies: string[] = [];
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => {
      bodies.push(body);
      return accepted(eventsOf(body).length);
    },
  });
  for (let i = 0; i < 250; i++) tab.track(eventAt(clock.nowMs()));
  await clock.advance(0);
  assert.deepEqual(
    bodies.map((body) => eventsOf(body).length),
    [BATCH_EVENTS_MAX, BATCH_EVENTS_MAX, 50],
  );
  bodies.length = 0;
  for (let i = 0; i < 20; i++) tab.track(eventAt(clock.nowMs(), { additional_data: { text: "ü".repeat(4_000) } }));
  await clock.advance(0);
  assert.equal(
    bodies.reduce((sum, body) => sum + eventsOf(body).length, 0),
    20,
  );
  for (const body of bodies) assert.ok(Buffer.byteLength(body) <= BATCH_BYTES_MAX + 100);
});

test("a refused body is halved until the bad event stands alone; the rest arrives", async () => {
  const clock = simulatedClock(START_MS);
  const arrived: string[] = [];
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => {
      const events = eventsOf(body);
      if (events.some(({ event_type }) => event_type === "poison")) {
        return { status: 400, retryAfter: null, body: { code: "bad_json", detail: "cannot be read" } };
      }
      arrived.push(...events.map(({ event_id }) => event_id));
      return accepted(events.length);
    },
  });
  const events = Array.from({ length: 40 }, (_, i) => eventAt(START_MS, { event_type: i === 23 ? "poison" : "click" }));
  for (const event of events) tab.track(event);
  await clock.advance(0);
  assert.equal(arrived.length, 39);
  assert.deepEqual(
    tab.errors.map(({ code, event }) => [code, event?.event_id]),
    [["bad_json", events[23]!.event_id]],
  );
  assert.equal(tab.queue.size, 0);
});

test("attributes go out in their place: after the events before them, before the events behind", async () => {
  const clock = simulatedClock(START_MS);
  const calls: string[] = [];
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => {
      calls.push(`post ${eventsOf(body).length}`);
      return accepted(eventsOf(body).length);
    },
    patch: async (path, body) => {
      calls.push(`patch ${path} ${body}`);
      return failure(200);
    },
  });
  tab.track(eventAt(START_MS));
  const { event_id } = eventAt(START_MS);
  tab.queue.put({ id: event_id, set: { user_id: "u/1", attributes: { age: 31 }, timestamp: START_MS } }, "kept");
  tab.track(eventAt(START_MS));
  await clock.advance(0);
  assert.deepEqual(calls, ["post 1", 'patch /v1/users/u%2F1/profile {"attributes":{"age":31}}', "post 1"]);
});

test("a hidden page sends at once, and not again what is under way", async () => {
  const clock = simulatedClock(START_MS);
  const bodies: string[] = [];
  const beacons: string[] = [];
  const tab = openTab(clock, simulatedStore(), {
    post: (_path, body) => {
      bodies.push(body);
      return new Promise((resolve) => clock.after(100, () => resolve(accepted(eventsOf(body).length))));
    },
    beacon: (_path, body) => beacons.push(body) > 0,
  });
  tab.track(eventAt(clock.nowMs()), 2_000);
  tab.sender.hide();
  assert.equal(bodies.length, 1);
  tab.track(eventAt(clock.nowMs()), 2_000);
  tab.sender.leave();
  assert.deepEqual(
    beacons.map((body) => eventsOf(body).length),
    [1],
  );
  tab.sender.wake();
  await clock.advance(10_000);
  assert.equal(tab.queue.size, 0);
  // The beacon is never answered, so its event was sent once more, under the same id.
  assert.equal(
    new Set([...bodies, ...beacons].flatMap((body) => eventsOf(body).map(({ event_id }) => event_id))).size,
    2,
  );
});

test("a page that was left asks for no lock until it is back, and sends then what came meanwhile", async () => {
  const clock = simulatedClock(START_MS);
  let rounds = 0;
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => accepted(eventsOf(body).length),
    exclusively: (task) => (rounds++, task()),
  });
  tab.track(eventAt(clock.nowMs()), 2_000);
  tab.sender.leave();
  tab.track(eventAt(clock.nowMs()));
  await tab.sender.flush();
  await clock.advance(10_000);
  assert.deepEqual([rounds, tab.queue.size], [0, 2]);
  tab.sender.wake();
  await clock.advance(0);
  assert.deepEqual([rounds, tab.queue.size], [1, 0]);
});

test("an event that comes while the lock is being given back does not wait for the next one", async () => {
  const clock = simulatedClock(START_MS);
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => accepted(eventsOf(body).length),
    exclusively: (task) => task().then(() => new Promise<void>((resolve) => clock.after(50, resolve))),
  });
  tab.track(eventAt(clock.nowMs()));
  await clock.advance(10);
  tab.track(eventAt(clock.nowMs()));
  await clock.advance(60);
  assert.equal(tab.queue.size, 0);
});

test("attributes that do not get through let the events behind them pass, and are tried again", async () => {
  const clock = simulatedClock(START_MS);
  const patchesMs: number[] = [];
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => accepted(eventsOf(body).length),
    patch: async () => {
      patchesMs.push(clock.nowMs() - START_MS);
      if (patchesMs.length < 3) throw new Error("refused across origins");
      return failure(200);
    },
  });
  const { event_id } = eventAt(START_MS);
  tab.queue.put({ id: event_id, set: { user_id: "u", attributes: {}, timestamp: START_MS } }, "kept");
  tab.track(eventAt(START_MS));
  await clock.advance(0);
  assert.deepEqual([tab.queue.size, tab.deliveries.length], [1, 1]);
  tab.track(eventAt(START_MS));
  await clock.advance(200_000);
  assert.deepEqual([tab.queue.size, patchesMs], [0, [0, 60_000, 120_000]]);
});

test("a batch full of attributes that do not get through holds no event up", async () => {
  const clock = simulatedClock(START_MS);
  const tab = openTab(clock, simulatedStore(), {
    post: async (_path, body) => accepted(eventsOf(body).length),
    patch: async () => failure(502),
  });
  for (let n = 0; n <= BATCH_EVENTS_MAX; n++) {
    const { event_id } = eventAt(START_MS);
    tab.queue.put({ id: event_id, set: { user_id: "u", attributes: {}, timestamp: START_MS } }, "kept");
  }
  tab.track(eventAt(START_MS));
  await clock.advance(0);
  assert.deepEqual([tab.queue.size, tab.deliveries.length], [BATCH_EVENTS_MAX + 1, 1]);
});
