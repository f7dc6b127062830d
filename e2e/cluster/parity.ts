// The same events through both hosts: a real cluster (Kafka, the job on Flink, Redis, two servers), and the embedded
// host's fold of the log that came of it. Compared are persons, lists, and what the models are worth.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Rig } from "../../cluster/flink/testing/rig.ts";
import { applyLog, differences } from "../../cluster/operator/testing/log-reference.ts";
import { personOf } from "../../cluster/operator/key-state.ts";
import { openClusterHost, type ClusterHost } from "../../cluster/server/host.ts";
import type { ClusterProject } from "../../cluster/server/project.ts";
import { type LearntStep, StepFollower } from "../../cluster/server/step-follower.ts";
import { startRedis } from "../../cluster/testing/servers.ts";
import { decodeClusterRecord } from "../../cluster/wire/record.ts";
import type { EventTopics } from "../../cluster/wire/topics.ts";
import { lookAgain } from "../../core/engine.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import { hash32 } from "../../core/math/hash.ts";
import { rngFrom } from "../../core/math/rng.ts";
import { profileView, type ProfileView } from "../../core/profile/view.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import type { Step } from "../../core/model/step.ts";
import { createRecommender } from "../../core/rank/recommender.ts";
import { refOfKey } from "../../core/identity/identity.ts";
import { createVisits } from "../../server/cli/evaluate-visits.ts";
import type { Fold } from "../../server/embedded/fold.ts";
import { EmbeddedProject } from "../../server/embedded/project.ts";
import { answerList } from "../../server/hosting/answers.ts";

export interface ParityOptions {
  readonly program: ProgramDocument;
  /** In the order in which they are sent; some may come twice. */
  readonly events: AsyncIterable<LoggedEvent> | Iterable<LoggedEvent>;
  readonly topics: EventTopics;
  /** Persons whose lists are compared. */
  readonly asked: number;
  /** Subtasks of the job, which write to the same partitions. */
  readonly parallelism: number;
  /** Items of the open session are not to be shown again, as in a newsroom. */
  readonly excludesSession?: boolean;
  readonly onProgress?: (line: string) => void;
}

export interface Parity {
  readonly events: number;
  readonly duplicates: number;
  readonly persons: number;
  /** Persons whose bytes differ; only of one topic. */
  readonly differing: readonly string[];
  /** The largest difference of a feature, relative where it is above 1. */
  readonly featureError: number;
  /** Share of the top ten that is the same. */
  readonly sameTopTen: number;
  readonly asked: number;
  /** Next item among the first twenty, as shares 0–1: steps in the order of either host. */
  readonly hr20: { readonly embedded: number; readonly cluster: number; readonly evaluated: number };
}

const PROJECT = "shop";
const BATCH = 500;
const PARTITIONS = 4;
const QUIET_MS = 3_000;
const POLL_MS = 200;
const PATIENCE_MS = 3_600_000;
const TOP = 10;
const LIST = 20;
const WARM_UP_SHARE = 0.2;
/** One step of so many is asked for: the same ones in both orders. */
const SCORED_EVERY = 10;

export async function measureParity(options: ParityOptions): Promise<Parity> {
  const rig = await Rig.start({ partitions: PARTITIONS, keepsVersions: false, events: options.topics });
  const redis = await startRedis();
  const hosts: ClusterHost[] = [];
  const folder = mkdtempSync(join(tmpdir(), "attune-parity-"));
  let embedded: EmbeddedProject | undefined;
  try {
    const order = new StepOrder(rig, options);
    for (let i = 0; i < 2; i++) hosts.push(await openServer(rig, redis.url, options));
    const servers = hosts.map(({ projects }) => projects.get(PROJECT)!);
    await rig.submit({ parallelism: options.parallelism, settings: { "state.backend.type": "hashmap" } });
    const duplicates = await send(servers, options);
    await settled(rig, servers, options);
    await order.close();
    const programs = (await servers[0]!.programVersions()).map(({ version, at }) => ({ version, at, document: options.program }));
    embedded = await EmbeddedProject.open({
      folder,
      name: PROJECT,
      firstProgram: options.program,
      now: () => programs[0]!.at,
      sync: "none",
      checkpointEveryMs: PATIENCE_MS,
    });
    const { fold } = embedded;
    options.onProgress?.(`the embedded host folds ${rig.outputs.log.length} records`);
    applyLog(fold, rig.outputs.log, programs);
    const persons = [...rig.outputs.profiles].filter(([, { signpost }]) => signpost === undefined).map(([key]) => key).sort();
    const asked = rngFrom(1).shuffle(persons).slice(0, options.asked);
    const sameTopTen = await compareLists(servers[0]!, fold, asked);
    const featureError = compareFeatures(rig, fold, programs);
    const untilMs = Date.now();
    return {
      events: rig.outputs.log.length,
      duplicates,
      persons: persons.length,
      differing: options.topics === "one" ? differences(rig.outputs.profiles, fold, { programs, untilMs }) : [],
      featureError,
      sameTopTen,
      asked: asked.length,
      hr20: compareModels(rig, order.learnt, options),
    };
  } finally {
    for (const host of hosts) await host.close();
    await embedded?.close();
    await Promise.all([rig.stop(), redis.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function openServer(rig: Rig, redisUrl: string, { program, topics }: ParityOptions): Promise<ClusterHost> {
  return openClusterHost({
    kafka: { brokers: [rig.kafka.bootstrap] },
    redis: { urls: [redisUrl] },
    projects: { [PROJECT]: program },
    events: topics,
    now: Date.now,
    onFault: (error) => process.stderr.write(`${error.stack}\n`),
  });
}

/** What a server learns, in the order in which it does. */
class StepOrder {
  readonly learnt: LearntStep[] = [];
  readonly #follower: StepFollower;

  constructor({ kafka, topics }: Rig, { program }: ParityOptions) {
    this.#follower = new StepFollower({
      isErased: () => false,
      connection: { brokers: [kafka.bootstrap] },
      topics,
      partitions: new Map([[topics.steps, PARTITIONS]]),
      now: Date.now,
      onCorrupt: (error) => process.stderr.write(`${error.stack}\n`),
      onLearnt: (step) => void this.learnt.push(step),
    });
    this.#follower.follow(createRecommender({ models: program.models, learning: program.learning }), {});
  }

  close(): Promise<void> {
    return this.#follower.close();
  }
}

/** By turns to both servers, so that an event that comes twice is known by the job alone. */
async function send(servers: readonly ClusterProject[], { events, onProgress }: ParityOptions): Promise<number> {
  const seen = new Set<number>();
  let duplicates = 0;
  let sent = 0;
  let batch: LoggedEvent[] = [];
  const flush = async (): Promise<void> => {
    const server = servers[(sent / BATCH) % servers.length | 0]!;
    await server.submit({ events: batch, deadLetters: [] });
    sent += batch.length;
    batch = [];
    if (sent % 50_000 === 0) onProgress?.(`${sent} events sent`);
  };
  for await (const event of events) {
    const id = hash32(`${event.user_id ?? event.anonymous_id}\n${event.event_id}`);
    if (seen.has(id)) duplicates++;
    seen.add(id);
    batch.push(event);
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return duplicates;
}

/** The job has published everything, the servers have learnt it and Redis has it: nothing came for a while. */
async function settled(rig: Rig, servers: readonly ClusterProject[], { onProgress }: ParityOptions): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  const seen = (): number => {
    const { log, steps, profiles } = rig.outputs;
    let sequences = 0;
    for (const { sequence } of profiles.values()) sequences += sequence;
    // Ticks come all the time.
    return log.filter(({ value }) => value[1] !== 4).length + steps.length + sequences;
  };
  // What the job has not confirmed counts ticks, so it is never nothing: that the job rests its outputs say.
  const isBehind = (server: ClusterProject): boolean =>
    Object.entries(server.stats().parts!).some(([name, { lag = 0 }]) => name !== "job" && Number(lag) > 0);
  let [before, quietSinceMs] = [-1, performance.now()];
  for (;;) {
    const now = seen();
    if (now !== before || servers.some(isBehind)) [before, quietSinceMs] = [now, performance.now()];
    if (performance.now() - quietSinceMs > QUIET_MS) return;
    if (performance.now() > deadline) throw new Error("the cluster did not come to rest");
    onProgress?.(`${rig.outputs.steps.length} steps so far`);
    await pause(POLL_MS * 5);
  }
}

async function compareLists(server: ClusterProject, fold: Fold, keys: readonly string[]): Promise<number> {
  let same = 0;
  let places = 0;
  for (const key of keys) {
    const request = { ref: refOfKey(key), placement: "home", limit: TOP };
    const nowMs = Date.now();
    const theirs = (await server.recommend(request))!.items.map(({ item_id }) => item_id);
    const { programs, recommender, decisions } = fold;
    fold.look(key, nowMs);
    const visitor = { ref: request.ref, key, person: fold.persons.get(key) };
    const ours = answerList(request, visitor, { program: programs.current, recommender, nowMs, decisions })!.answer.items;
    same += ours.filter(({ item_id }) => theirs.includes(item_id)).length;
    places += Math.max(ours.length, theirs.length);
  }
  return places === 0 ? 1 : same / places;
}

function compareFeatures(rig: Rig, fold: Fold, programs: Parameters<typeof applyLog>[2]): number {
  const nowMs = Date.now();
  const timeline = fold.programs;
  let largest = 0;
  for (const [key, { person: bytes, programVersion, signpost }] of rig.outputs.profiles) {
    if (signpost !== undefined) continue;
    const ours = personOf(bytes, programVersion, timeline);
    lookAgain(ours, nowMs, timeline);
    fold.look(key, nowMs);
    const theirs = fold.persons.get(key);
    if (theirs === undefined) return Infinity;
    const { plan } = timeline.current;
    largest = Math.max(largest, errorOf(profileView(ours, plan, nowMs), profileView(theirs, plan, nowMs)));
  }
  return programs.length === 0 ? Infinity : largest;
}

function errorOf(a: ProfileView, b: ProfileView): number {
  let largest = 0;
  for (const part of ["features", "interests"] as const) {
    const names = new Set([...Object.keys(a[part]), ...Object.keys(b[part])]);
    for (const name of names) {
      const [x, y] = [a[part][name] ?? 0, b[part][name] ?? 0] as [number | null, number | null];
      if (x === y) continue;
      if (typeof x !== "number" || typeof y !== "number") return Infinity;
      largest = Math.max(largest, Math.abs(x - y) / Math.max(1, Math.abs(x), Math.abs(y)));
    }
  }
  return largest;
}

/** What a blend is worth that learns the steps in the order of a server, or of the log. */
function compareModels(rig: Rig, cluster: readonly LearntStep[], options: ParityOptions): Parity["hr20"] {
  const places = new Map<string, number>();
  const log = [...rig.outputs.log].sort((a, b) => a.atMs - b.atMs || (a.key < b.key ? -1 : 1));
  for (const { value } of log) {
    const record = decodeClusterRecord(value);
    if (record.kind === "event") places.set(record.event.event_id, places.size);
  }
  const embedded = cluster.toSorted((a, b) => places.get(a.eventId)! - places.get(b.eventId)!);
  const [ours, theirs] = [hitRate(embedded, options), hitRate(cluster, options)];
  return { embedded: ours.hits / ours.evaluated, cluster: theirs.hits / theirs.evaluated, evaluated: ours.evaluated };
}

function hitRate(
  steps: readonly LearntStep[],
  { program, excludesSession = false }: ParityOptions,
): { hits: number; evaluated: number } {
  const recommender = createRecommender({ models: program.models, learning: program.learning });
  const visits = createVisits({ keepSeen: false });
  const scored = new Set(
    steps.toSorted((a, b) => a.step.timeMs - b.step.timeMs).slice(Math.floor(steps.length * WARM_UP_SHARE)).map(({ eventId }) => eventId),
  );
  let [hits, evaluated] = [0, 0];
  for (const { eventId, step } of steps) {
    const sampled = recommender.learningSample(eventId, step.timeMs);
    const whole: Step = { ...step, sampled, history: visits.history(step.personKey).slice() };
    const trail = visits.trail(whole);
    const isNew = trail[0] !== step.itemId && !(excludesSession && trail.includes(step.itemId));
    if (trail.length > 0 && isNew && scored.has(eventId) && hash32(eventId) % SCORED_EVERY === 0) {
      const { items } = recommender.recommend({
        personKey: step.personKey,
        sessionId: step.sessionId,
        nowMs: step.timeMs,
        limit: LIST,
        history: whole.history,
        interests: [],
        excludeKinds: excludesSession ? ["session"] : [],
      });
      evaluated++;
      if (items.some(({ itemId }) => itemId === step.itemId)) hits++;
    }
    recommender.learn(whole);
    visits.add(whole);
  }
  return { hits, evaluated };
}
