// One seed: pages with the SDK's queue, a network that loses and doubles, the real intake and the real embedded project on
// a machine that fails; then everything heals, and the books are compared.
import { performance as realPerformance } from "node:perf_hooks";
import type { ProgramDocument } from "../core/program/program.ts";
import { EmbeddedProject } from "../server/embedded/project.ts";
import { verifyProject } from "../server/embedded/verify.ts";
import { decodeRecord } from "../server/embedded/record-codec.ts";
import { admission } from "../server/intake/admission.ts";
import { readBatch } from "../server/intake/batch.ts";
import { createEnricher } from "../server/intake/enrich/enrich.ts";
import { createIntake, type Intake } from "../server/intake/intake.ts";
import { Timings } from "../server/http/timings.ts";
import { HostError } from "../server/ports.ts";
import { openEventQueue } from "../sdk/queue/event-queue.ts";
import { createSender } from "../sdk/queue/sender.ts";
import { Disk, type FaultCounts } from "./disk.ts";
import { current, WALL_START_MS, World } from "./world.ts";

export interface Outcome {
  seed: number;
  simulatedMs: number;
  events: number;
  faults: FaultCounts;
  /** What was broken; undefined where everything held. */
  violation?: string;
}

const FOLDER = "/data/projects/default";
const STEPS_MIN = 12;
const STEPS_MAX = 40;
const START_TRIES_MAX = 100;
const PERSONS = 6;
const ITEMS = 8;
const PAGES = 3;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How long healing may take: retries back off to a minute. */
const HEAL_MS_MAX = 2 * HOUR;

const program = (version: number): ProgramDocument => ({
  name: `simulated ${version}`,
  events: { view: { weight: 1 }, click: { weight: 1 }, purchase: { weight: 10 }, dwell: { weight: 0.5 } },
  interests: { by: ["categories"], half_life: "1h" },
  features: { bought: { kind: "sum", event: "purchase", window: "1d" } },
  segments: {
    keen: { when: `count("view", "10m") >= ${1 + (version % 4)}` },
    lapsed: { when: 'features.interactions > 0 && since("view") >= 1800' },
    buyer: { when: "features.bought > 0" },
  },
  placements: { home: { limit: 5 } },
});

interface SentByPage {
  event_id: string;
  event_type: string;
  user_id?: string;
  item_id: string;
}

/** Answers of the node as a page sees them. */
interface Answered {
  status: number;
  retryAfter: string | null;
  body: unknown;
}

class Violation extends Error {}

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Violation(what);
}

/** Runs one seed to its end. The same seed gives the same run. */
export async function runSeed(seed: number): Promise<Outcome> {
  const world = new World(seed);
  const faults: FaultCounts = {};
  const disk = new Disk(world, faults);
  current.world = world;
  current.disk = disk;
  const restore = takeOverClocks(world);
  const run = new Run(world, disk);
  const uncaught = (error: unknown): void => run.uncaught(error);
  world.onUncaught = uncaught;
  process.on("unhandledRejection", uncaught);
  let violation: string | undefined;
  try {
    await world.settle(run.toTheEnd());
  } catch (error) {
    violation = error instanceof Violation ? error.message : `${(error as Error).stack ?? String(error)}`;
  } finally {
    process.off("unhandledRejection", uncaught);
    restore();
  }
  return {
    seed,
    simulatedMs: world.nowMs,
    events: run.sent.size,
    faults,
    ...(violation === undefined ? {} : { violation }),
  };
}

class Run {
  readonly world: World;
  readonly disk: Disk;
  readonly sent = new Set<string>();
  readonly acknowledged = new Set<string>();
  readonly dropped = new Set<string>();
  readonly refused = new Set<string>();
  #node: Node | null = null;
  #starting: Promise<void> | null = null;
  /** Who waits for an answer of the process that lives. */
  readonly #orphans = new Set<() => void>();
  readonly #pages: Page[] = [];

  constructor(world: World, disk: Disk) {
    this.world = world;
    this.disk = disk;
  }

  async toTheEnd(): Promise<void> {
    this.disk.makeFolder("/data/projects");
    this.disk.makeFolder("/tmp");
    for (let i = 0; i < PAGES; i++) this.#pages.push(newPage(i, this));
    await this.start();
    const steps = this.world.rng.between(STEPS_MIN, STEPS_MAX);
    for (let step = 0; step < steps; step++) await this.#step(step);
    await this.#heal();
    await this.#compareBooks();
  }

  /** Starts the node, again and again where the disk does not let it. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    return this.#starting;
  }

  async #start(): Promise<void> {
    let last: unknown;
    for (let attempt = 0; this.#node === null; attempt++) {
      check(attempt < START_TRIES_MAX, `the node does not start any more: ${String(last)}`);
      const { life } = this.world;
      try {
        const node = await this.#inProcess(openNode(this.world));
        if (node !== undefined && life === this.world.life) this.#node = node;
      } catch (error) {
        last = error;
        this.disk.freeBytes = Infinity; // somebody frees space before the next try
        this.#die("kill");
        await this.world.sleep(1_000);
      }
    }
  }

  /** What the process promised; undefined where it died meanwhile. */
  #inProcess<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const died = (): void => resolve(undefined);
      this.#orphans.add(died);
      promise.then(resolve, reject).finally(() => this.#orphans.delete(died));
    });
  }

  #die(how: "kill" | "power_cut"): void {
    this.disk.count(how);
    this.world.killProcess();
    if (how === "kill") this.disk.endProcess();
    else this.disk.cutPower();
    this.#node = null;
    for (const died of this.#orphans) died();
    this.#orphans.clear();
  }

  async crash(how: "kill" | "power_cut"): Promise<void> {
    this.#die(how);
    await this.world.sleep(this.world.rng.between(1, 3_000));
    await this.start();
  }

  async #step(step: number): Promise<void> {
    const { world, disk } = this;
    const what = world.rng.between(0, 21);
    if (what < 9) for (let n = world.rng.between(1, 5); n > 0; n--) world.pick(this.#pages).act();
    else if (what === 9) await this.#ask();
    else if (what === 10)
      void this.#attempt((node) =>
        node.project.setAttributes({ user_id: `u${world.rng.between(0, PERSONS)}` }, { step }),
      );
    else if (what === 11) void this.#attempt((node) => node.project.putItems([itemOf(world.rng.between(0, ITEMS))]));
    else if (what === 12) void this.#attempt((node) => node.project.putProgram(program(step)));
    else if (what === 13) void this.#attempt((node) => node.project.checkpoint());
    else if (what === 14) await this.#crashAtWork();
    else if (what === 15) disk.freeBytes = world.rng.between(0, 6_000);
    else if (what === 16) disk.freeBytes = Infinity;
    else if (what === 17) disk.failNextSync = true;
    else if (what === 18) {
      disk.latencyMsMax = world.pick([0.1, 2, 60, 2_000]);
      if (disk.latencyMsMax >= 60) disk.count("slow_disk");
    } else if (what === 19) disk.failNextCheckpoint = true;
    else if (what === 20) {
      world.wallOffsetMs += world.pick([-HOUR, HOUR, -5_000, 24 * HOUR, -24 * HOUR]);
      disk.count("clock_jump");
    } else if (world.oneIn(3)) {
      disk.flipStateByte();
    } else {
      world.suspend(world.rng.between(MINUTE, 30 * HOUR));
      disk.count("suspended");
    }
    // Often not waiting at all: what comes next then meets what is under way.
    await world.sleep(world.pick([0, 1, 5, 50, 1_000, 20_000]));
    if (this.#node?.hasFailed === true) await this.crash("kill");
  }

  /** In the middle of what the pages have just set off. */
  async #crashAtWork(): Promise<void> {
    const { world } = this;
    for (const page of this.#pages) page.act();
    await world.sleep(world.rng.between(0, 8_000) / 100);
    await this.crash(world.pick(["kill", "power_cut"] as const));
  }

  async #ask(): Promise<void> {
    const ref = { user_id: `u${this.world.rng.between(0, PERSONS)}` };
    await this.#attempt(async (node) => {
      await node.project.profile(ref);
      await node.project.recommend({ ref, placement: "home", limit: 3 });
    });
  }

  /** A request of an operator: refused is fine, wrong is not. */
  async #attempt(work: (node: Node) => Promise<unknown>): Promise<void> {
    const node = this.#node;
    if (node === null) return;
    try {
      await this.#inProcess(work(node));
    } catch (error) {
      this.fault(node, error);
    }
  }

  /** A fault that the node may have: of its disk. It is started anew where it cannot go on. */
  fault(node: Node, error: unknown): void {
    const { name, code } = error as { name?: string; code?: string };
    const isDisk = error instanceof HostError || name === "CheckpointFailedError" || name === "StateCorruptError";
    if (!isDisk) throw error;
    if (code === "storage_failed" || name === "StateCorruptError") node.hasFailed = true;
  }

  /** What nobody caught ends the process: its supervisor starts it anew. Only a rotted state file may do that. */
  uncaught(error: unknown): void {
    if ((error as { name?: string }).name !== "StateCorruptError") {
      this.#violation ??= new Violation(`the process fell: ${(error as Error).stack ?? String(error)}`);
    }
    if (this.#node !== null) this.#node.hasFailed = true;
    else this.world.killProcess();
  }

  /** One request of a page, through a network that may lose it, double it, or lose the answer. */
  async post(body: string): Promise<Answered> {
    const { world, disk } = this;
    await world.sleep(world.rng.between(1, 40));
    if (world.oneIn(12)) {
      disk.count("request_lost");
      throw new Error("lost");
    }
    if (world.oneIn(15)) {
      disk.count("request_doubled");
      void this.#take(body).catch(() => {});
    }
    const answer = await this.#take(body);
    await world.sleep(world.rng.between(1, 40));
    if (world.oneIn(12)) {
      disk.count("answer_lost");
      throw new Error("lost");
    }
    return answer;
  }

  async #take(body: string): Promise<Answered> {
    const node = this.#node;
    if (node === null) throw new Error("nobody listens");
    const batch = readBatch(JSON.parse(body));
    const ids = batch.raws.map((raw) => (raw as SentByPage).event_id);
    try {
      const answer = await this.#inProcess(
        node.intake.take(node.project, batch, {
          sender: node.sender,
          sizeBytes: body.length,
          source: "http",
          keepRejected: true,
        }),
      );
      if (answer === undefined) throw new Error("connection reset");
      const { accepted, duplicates, rejected } = answer;
      check(
        accepted + duplicates + rejected.length === ids.length,
        `of ${ids.length} events ${accepted + duplicates + rejected.length} were accounted for`,
      );
      const isRejected = new Set(rejected.map(({ index }) => index));
      const seen = batch.raws.findIndex((_, index) => !isRejected.has(index));
      if (seen >= 0) await this.#checkSeen(node, batch.raws[seen] as SentByPage);
      ids.forEach((id, index) => (isRejected.has(index) ? this.refused : this.acknowledged).add(id));
      return { status: 202, retryAfter: null, body: answer };
    } catch (error) {
      if (error instanceof Violation) {
        this.#violation ??= error;
        throw error;
      }
      if (!(error instanceof HostError)) throw error;
      this.fault(node, error);
      return { status: 503, retryAfter: String(error.retryAfterS), body: undefined };
    }
  }

  /** Whoever asks after the answer is told of the event. */
  async #checkSeen(node: Node, { user_id, item_id, event_type }: SentByPage): Promise<void> {
    if (event_type === "dwell") return; // moves figures, and no list of items
    if (user_id === undefined) return; // an anonymous id may have become another user's meanwhile
    const profile = await this.#inProcess(node.project.profile({ user_id }));
    if (this.#node !== node) return;
    check(
      profile?.recent.some((one) => one.item_id === item_id) === true,
      "unseen: an accepted event is not in the profile",
    );
  }

  #violation: Violation | undefined;

  async #heal(): Promise<void> {
    const { world, disk } = this;
    Object.assign(disk, { freeBytes: Infinity, failNextSync: false, failNextCheckpoint: false, latencyMsMax: 2 });
    await this.start();
    const untilMs = world.nowMs + HEAL_MS_MAX;
    while (this.#pages.some((page) => page.waiting > 0) && world.nowMs < untilMs) {
      if (this.#node === null || this.#node.hasFailed) await this.crash("kill");
      await world.sleep(10_000);
    }
    if (this.#violation !== undefined) throw this.#violation;
    for (const page of this.#pages) check(page.waiting === 0, `${page.waiting} events never got through`);
  }

  async #compareBooks(): Promise<void> {
    const { world, disk } = this;
    if (world.oneIn(2)) {
      disk.count("clean_restart");
      await this.#node!.project.close();
      world.killProcess();
      disk.endProcess();
      this.#node = null;
    } else this.#die(world.pick(["kill", "power_cut"] as const));
    await this.start();
    try {
      await this.#readBooks(this.#node!.project);
    } catch (error) {
      if ((error as Error).name !== "StateCorruptError") throw error;
      // A rotted row that nobody had read before: the next start builds the state anew.
      await this.crash("kill");
      await this.#readBooks(this.#node!.project);
    }
  }

  async #readBooks(project: EmbeddedProject): Promise<void> {
    const { world } = this;
    const logged = new Map<string, number>();
    for (const { type, payload } of project.log.read(project.log.start)) {
      const record = decodeRecord(type, payload);
      if (record?.kind === "event") logged.set(record.event.event_id, (logged.get(record.event.event_id) ?? 0) + 1);
    }
    for (const id of this.acknowledged) check(logged.has(id), `lost: ${id} was acknowledged and is not in the log`);
    for (const [id, times] of logged) {
      check(this.sent.has(id), `phantom: ${id} is in the log and was never sent`);
      check(times === 1, `twice: ${id} is ${times} times in the log`);
    }
    for (const id of this.sent) {
      const isAccounted = logged.has(id) || this.refused.has(id) || this.dropped.has(id);
      check(isAccounted, `conservation: ${id} was kept by its page and is nowhere`);
    }
    const { differences } = await verifyProject(project, { now: () => world.wallMs });
    const [first] = differences;
    check(first === undefined, `replay: ${differences.length} profiles differ, ${first?.key} ${first?.kind}`);
    await project.close();
  }
}

interface Node {
  project: EmbeddedProject;
  intake: Intake;
  sender: ReturnType<ReturnType<typeof createEnricher>["sender"]>;
  /** Its disk has failed: it must be started anew. */
  hasFailed: boolean;
}

async function openNode(world: World): Promise<Node> {
  const now = (): number => world.wallMs;
  const project = await EmbeddedProject.open({
    folder: FOLDER,
    name: "default",
    firstProgram: program(0),
    now,
    personsCachedMax: 4,
  });
  const enricher = createEnricher(() => ({ local: true, listed: false }));
  const timings = new Timings();
  const intake = createIntake({
    enricher,
    admission: admission({ bytesMax: 4_000 }),
    commitTiming: () => timings.of("commit"),
    now,
  });
  return { project, intake, sender: enricher.sender({ address: "", userAgent: undefined }), hasFailed: false };
}

interface Page {
  readonly waiting: number;
  /** The visitor does something. */
  act(): void;
}

/** A page with the SDK's own queue and sender, in a browser that never closes. */
function newPage(number: number, run: Run): Page {
  const { world } = run;
  const stored = new Map<string, string>();
  // A visitor's clock is off by whatever it is off by, and stays so.
  const skewMs = world.pick([0, 0, -3 * 24 * HOUR, 40 * MINUTE]);
  const clock = {
    nowMs: () => Math.floor(world.nowMs) + WALL_START_MS + skewMs,
    steadyMs: () => world.nowMs,
    after: (ms: number, task: () => void) => {
      const timer = world.after(ms, task, 0);
      return () => timer.cancel();
    },
  };
  const queue = openEventQueue({
    store: {
      keys: () => [...stored.keys()],
      get: (key) => stored.get(key) ?? null,
      set: (key, value) => (stored.set(key, value), true),
      remove: (key) => void stored.delete(key),
    },
    prefix: "q.",
    nowMs: clock.nowMs,
    onDrop: ({ event }) => event !== undefined && run.dropped.add(event.event_id),
  });
  const post = (_path: string, body: string): Promise<Answered> => run.post(body);
  const sender = createSender({
    queue,
    clock,
    random: () => world.rng.between(0, 999) / 1_000,
    post,
    patch: post,
    beacon: () => false,
    exclusively: (task) => task(),
    onDelivery: () => {},
    onError: () => {},
    onBack: () => {},
    onChange: () => {},
  });
  let count = 0;
  return {
    get waiting() {
      return queue.size;
    },
    act() {
      const id = `${number}-${String(count++).padStart(5, "0")}`;
      const person = world.rng.between(0, PERSONS);
      const isKnown = world.oneIn(2);
      const isBad = world.oneIn(12);
      const event = {
        event_id: id,
        ...(isKnown ? { user_id: `u${person}` } : {}),
        ...(isKnown && world.oneIn(3) ? {} : { anonymous_id: `a${person}` }),
        event_type: isBad ? "never_declared" : world.pick(["view", "click", "purchase", "dwell"]),
        timestamp: clock.nowMs() - world.pick([0, 0, 1_000, HOUR]),
        item_id: `i${world.rng.between(0, ITEMS)}`,
        value: world.rng.between(1, 60),
      };
      run.sent.add(id);
      queue.put({ id, event: event as never }, "kept");
      sender.schedule(world.pick([0, 1_000]));
    },
  };
}

function itemOf(number: number) {
  return {
    item_id: `i${number}`,
    title: `Item ${number}`,
    categories: [`c${number % 3}`],
    tags: [],
    attributes: {},
  } as never;
}

/** The real code's timers and clocks are the world's while a seed runs. */
function takeOverClocks(world: World): () => void {
  const real = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, now: Date.now };
  const cancel = (timer: { cancel?: () => void } | undefined): void => timer?.cancel?.();
  let calls = 0;
  Object.assign(globalThis, {
    setTimeout: (task: () => void, ms = 0) => world.after(ms, task),
    setInterval: (task: () => void, ms = 0) => world.every(ms, task),
    setImmediate: (task: () => void) => world.after(0, task),
    clearTimeout: cancel,
    clearInterval: cancel,
  });
  Date.now = () => world.wallMs;
  // Time spent computing: a microsecond for each look at the clock, so that slices end somewhere.
  const realNow = realPerformance.now;
  performance.now = () => world.nowMs + ++calls / 1_000;
  return () => {
    Object.assign(globalThis, real);
    Date.now = real.now;
    performance.now = realNow;
  };
}
