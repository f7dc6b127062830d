// A whole cluster under load, to be broken part by part: every process ends with the rig.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createClient } from "redis";
import type { ClusterParts } from "../../cluster/cli/cluster-parts.ts";
import { type ClusterSettings, resolveCluster } from "../../cluster/cli/settings.ts";
import { supervise } from "../../cluster/cli/supervise.ts";
import { bringUp } from "../../cluster/cli/up.ts";
import { type CheckpointFigures, FlinkError, FlinkRest, type JobOverview } from "../../cluster/jobs/flink-rest.ts";
import { livingJob, stopJob, submitJob, untilRunning } from "../../cluster/jobs/submit.ts";
import { KafkaSender } from "../../cluster/kafka/sender.ts";
import { writtenAgain, type WrittenAgain } from "../../cluster/kafka/written-again.ts";
import { checkTopics, needsOf } from "../../cluster/kafka/topics.ts";
import type { Part } from "../../cluster/parts/part.ts";
import { freePort } from "../../cluster/parts/port.ts";
import { ProfileStore } from "../../cluster/redis/profile-store.ts";
import { RedisLink } from "../../cluster/redis/link.ts";
import { verifyCluster, type Verification } from "../../cluster/verify/verify.ts";
import { projectTopics } from "../../cluster/wire/topics.ts";
import type { Rng } from "../../core/math/rng.ts";
import { FAULTS_PROGRAM, Ledger, type ProfileFigures } from "../faults/ledger.ts";
import { postEvents, profileFigures, putProgram } from "../faults/node.ts";
import { auditOutputs, type OutputAudit } from "./audit.ts";
import { type Senders, settle, startSenders } from "./senders.ts";

const PROJECT = "default";
const CONFIG = fileURLToPath(new URL("./attune.config.ts", import.meta.url));
const PROGRAM_SETTLE_MS = 1_500;
/** Flink answers questions about a job from a copy this old. */
const FLINK_CACHE_MS = 1_000;
const SENDERS = 4;
const PERSONS = 60;
const HEAL_PATIENCE_MS = 120_000;
const POLL_MS = 100;
/** Shorter than the longest pause that the rig makes. */
export const TRANSACTION_TIMEOUT_MS = 20_000;

export interface Counts {
  readonly sent: number;
  readonly acked: number;
  /** Acknowledged events that a profile lacks. */
  readonly lost: number;
  /** Events that a profile counts more than once. */
  readonly doubled: number;
}

function unlessAway(error: unknown): undefined {
  if (!(error instanceof FlinkError)) throw error;
}

export interface RigOptions {
  readonly folder: string;
  readonly rng: Rng;
  readonly say?: (line: string) => void;
}

interface Supervision {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class ClusterRig {
  readonly settings: ClusterSettings;
  readonly parts: ClusterParts;
  readonly ledger = new Ledger();
  readonly urls: readonly string[];
  readonly flink: FlinkRest;
  readonly topics = projectTopics(PROJECT);
  readonly #rng: Rng;
  readonly #say: (line: string) => void;
  #supervisor: Supervision;
  #senders: Senders | undefined;
  #probes = 0;

  private constructor(settings: ClusterSettings, parts: ClusterParts, rng: Rng, say: (line: string) => void) {
    this.settings = settings;
    this.parts = parts;
    this.#rng = rng;
    this.urls = settings.plan.servers.ports.map((port) => `http://127.0.0.1:${port}`);
    this.flink = new FlinkRest(settings.plan.flink.url);
    this.#say = say;
    this.#supervisor = this.#supervised();
  }

  static async start(options: RigOptions): Promise<ClusterRig> {
    const rig = await ClusterRig.open({ config: CONFIG, ...options });
    await putProgram(rig.urls[0]!, FAULTS_PROGRAM);
    // In force a second after it was taken.
    await setTimeout(PROGRAM_SETTLE_MS);
    return rig;
  }

  /** With the program that a cluster begins with. */
  static async open({ folder, config, rng, say = () => undefined }: RigOptions & { config: string }): Promise<ClusterRig> {
    const flags = { data: folder, demo: "0", port: String(await freePort()), config };
    const settings = await resolveCluster({
      ...flags,
      "checkpoint-ms": "500",
      "transaction-timeout-ms": String(TRANSACTION_TIMEOUT_MS),
    });
    const parts = await bringUp(settings, say, "caller");
    return new ClusterRig(settings, parts, rng, say);
  }

  part(name: string): Part {
    const part = [...this.parts.installations, ...this.parts.servers].find((one) => one.name === name);
    assert.ok(part !== undefined, `there is a part ${name}`);
    return part;
  }

  startLoad(): void {
    this.ledger.newPersons(PERSONS);
    this.#senders = startSenders(this.urls, this.ledger, this.#rng, SENDERS);
  }

  /** Stops the load and has everything answered; counts profiles until nothing is missing any more, or never will. */
  async count(): Promise<Counts> {
    await this.#senders?.stop();
    await settle(this.urls, this.ledger);
    const deadline = performance.now() + HEAL_PATIENCE_MS;
    for (;;) {
      const figures = await this.#figures();
      const { lost, doubled } = figures === undefined ? { lost: -1, doubled: 0 } : this.#compared(figures);
      if ((lost === 0 && figures !== undefined) || performance.now() > deadline)
        return { sent: this.ledger.sentCount, acked: this.ledger.ackedCount, lost, doubled };
      await setTimeout(POLL_MS);
    }
  }

  /** Undefined while an answer is degraded, or counts and sums of one person are of different moments. */
  async #figures() {
    const figures = await profileFigures(this.urls[this.#probes++ % this.urls.length]!, this.ledger.userIds());
    try {
      this.#compared(figures);
      return figures;
    } catch (error) {
      if (error instanceof assert.AssertionError) return undefined;
      throw error;
    }
  }

  #compared(figures: ReadonlyMap<string, ProfileFigures>): { lost: number; doubled: number } {
    return this.ledger.compareProfiles(figures, this.ledger.promised());
  }

  /** Waits until an event goes all the way again and the job's checkpoints do; the milliseconds since the call. */
  async untilHealed(): Promise<number> {
    const startMs = performance.now();
    await this.untilVisible();
    await this.untilCommitted();
    return performance.now() - startMs;
  }

  /** Sends one event and waits until every server shows it; the milliseconds since the call. */
  async untilVisible(): Promise<number> {
    const startMs = performance.now();
    const userId = `probe-${this.#probes++}`;
    const event = { event_id: userId, user_id: userId, event_type: "click" as const, item_id: "item-0", value: 1 };
    for (let server = 0; ; server++) {
      this.#inTime(startMs, "no server took an event");
      const answer = await postEvents(this.urls[server % 2]!, [{ ...event, timestamp: Date.now() }]);
      if (answer !== "gone" && answer.status === 202) break;
      await setTimeout(POLL_MS);
    }
    for (const url of this.urls) {
      while ((await this.#hits(url, userId)) !== 1) {
        this.#inTime(startMs, `${url} does not show it`);
        await setTimeout(POLL_MS);
      }
    }
    return performance.now() - startMs;
  }

  async #hits(url: string, userId: string): Promise<number> {
    const figures = await profileFigures(url, [userId]).catch(() => new Map<string, { hits: number }>());
    return figures.get(userId)?.hits ?? 0;
  }

  #inTime(startMs: number, failure: string): void {
    assert.ok(performance.now() - startMs < HEAL_PATIENCE_MS, `${failure} within ${HEAL_PATIENCE_MS / 1_000} s`);
  }

  /** When the job last began to run; it must be well. */
  async runningSince(): Promise<number> {
    await setTimeout(FLINK_CACHE_MS);
    return this.flink.runningSince((await this.#job())!.jid);
  }

  /** Waits for a whole checkpoint that began after this call, and one more: what was output until now is committed. */
  async untilCommitted(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const sinceMs = Date.now();
      await this.#until("no checkpoint was completed", (figures) => (figures?.lastTriggeredMs ?? 0) > sinceMs);
    }
  }

  /** Waits until a checkpoint has begun and is not done: with a paused TaskManager it stays so. */
  async untilCheckpointing(): Promise<void> {
    await this.#until("no checkpoint began", (figures) => (figures?.inProgress ?? 0) > 0);
  }

  async #until(failure: string, isThere: (figures: CheckpointFigures | undefined) => boolean): Promise<void> {
    const startMs = performance.now();
    for (;;) {
      const job = await this.#job();
      const figures = job === undefined ? undefined : await this.flink.checkpoints(job.jid).catch(unlessAway);
      if (isThere(figures)) return;
      this.#inTime(startMs, failure);
      await setTimeout(POLL_MS);
    }
  }

  /** Undefined also while no JobManager answers. */
  #job(): Promise<JobOverview | undefined> {
    return livingJob(this.flink, 1).catch(unlessAway);
  }

  async flushRedis(): Promise<void> {
    const client = await createClient({ url: this.settings.plan.redis.url }).on("error", () => undefined).connect();
    await client.flushAll();
    client.destroy();
  }

  /** Writes a record that no server would: its code throws. */
  async poison(key: string, value: Uint8Array): Promise<void> {
    const sender = new KafkaSender(this.settings.connection);
    await sender.send([{ topic: this.topics.log[0]!, partition: 0, key: Buffer.from(key), value }]);
    await sender.close();
  }

  async audit(): Promise<OutputAudit> {
    await this.untilCommitted();
    return auditOutputs({ ...this.#reading, partitions: await this.#partitions() });
  }

  /** Transactions that Kafka took back from the job. */
  writtenAgain(): Promise<WrittenAgain[]> {
    return writtenAgain(this.settings.connection, 1);
  }

  async verify(): Promise<Verification> {
    const partitions = await this.#partitions();
    const link = await RedisLink.open({ urls: [this.settings.plan.redis.url] });
    const shards = partitions.get(this.topics.profiles)!;
    const store = new ProfileStore(link, { project: PROJECT, generation: 1, shards });
    try {
      return await verifyCluster({ ...this.#reading, partitions, store, now: Date.now });
    } finally {
      link.close();
    }
  }

  get #reading() {
    return { connection: this.settings.connection, topics: this.topics };
  }

  #partitions(): Promise<Map<string, number>> {
    return checkTopics(this.settings.connection, needsOf(this.topics));
  }

  /** Replaces the job, through a savepoint. */
  async resubmit(options: { exactlyOnce: boolean }): Promise<void> {
    await this.#unsupervised();
    await stopJob(this.settings, 1);
    await untilRunning(this.flink, await submitJob(this.settings, { generation: 1, ...options }));
    this.#supervisor = this.#supervised();
  }

  #supervised(): Supervision {
    const stop = new AbortController();
    return { stop, done: supervise(this.settings, this.parts, { stopped: stop.signal, say: this.#say }) };
  }

  /** From now on nothing is started. */
  async #unsupervised(): Promise<void> {
    this.#supervisor.stop.abort();
    await this.#supervisor.done;
  }

  async stop(): Promise<void> {
    await this.#senders?.stop();
    await this.#unsupervised();
    const { servers, installations } = this.parts;
    await Promise.all(servers.map((part) => part.kill()));
    await Promise.all(installations.map((part) => part.kill()));
  }
}
