// A job on real servers for tests and measurements: a broker, a session cluster, one project, the log written as servers
// write it, and the job's outputs read as they come.
import { setTimeout } from "node:timers/promises";
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from "@platformatic/kafka";
import { ensureJobJar } from "../../install/job.ts";
import { FlinkRest, isLiving } from "../../jobs/flink-rest.ts";
import { untilRunning } from "../../jobs/submit.ts";
import type { PersonAges } from "../../../server/privacy/retention.ts";
import { partitionOf } from "../../kafka/partition.ts";
import { setPersonAges } from "../../kafka/person-ages.ts";
import { KafkaReader } from "../../kafka/reader.ts";
import { KafkaSender, type OutgoingRecord } from "../../kafka/sender.ts";
import { ErasureBook } from "../../erasure/book.ts";
import { createTopics, needsOf, withAdmin } from "../../kafka/topics.ts";
import type { LogEntry, ProgramInForce } from "../../operator/testing/log-reference.ts";
import {
  startFlink,
  startKafka,
  type FlinkTestOptions,
  type TestFlink,
  type TestKafka,
} from "../../testing/servers.ts";
import { decodeDocument, encodeDocument, type QuarantineValue } from "../../wire/documents.ts";
import { encodeErasure, ERASURE_DELAY_MS } from "../../wire/erasure.ts";
import { decodeProfile, type ProfileValue } from "../../wire/profile.ts";
import { type ClusterRecord, encodeClusterRecord } from "../../wire/record.ts";
import { personKeyOf } from "../../wire/record-key.ts";
import { decodeStep, type StepValue } from "../../wire/step.ts";
import { projectTopics, type EventTopics, type ProjectTopics } from "../../wire/topics.ts";

const PROJECT = "shop";
const TICK_MS = 500;
const POLL_MS = 50;
const PATIENCE_MS = 120_000;

export interface RigOptions extends FlinkTestOptions {
  partitions?: number;
  /** The log and every output are read and kept in memory; without, for measurements, nothing is. */
  keepsOutputs?: boolean;
  /** Every value of a person that was ever published, too; default. */
  keepsVersions?: boolean;
  events?: EventTopics;
}

export interface SubmitOptions {
  parallelism?: number;
  /** As `cluster/flink` takes them, without dashes. */
  args?: Readonly<Record<string, string | number>>;
  settings?: Readonly<Record<string, string>>;
  from?: string;
}

/** What the job has written, as it is before transactions commit. */
export class Outputs {
  readonly log: LogEntry[] = [];
  /** Newest value of each key by (sequence, asOf). */
  readonly profiles = new Map<string, ProfileValue>();
  /** Every value that was written, by key, sequence and time. */
  readonly bytesByVersion = new Map<string, string>();
  /** Keys and versions that were written with two different contents. */
  readonly contradictions: string[] = [];
  readonly steps: StepValue[] = [];
  readonly quarantine: QuarantineValue[] = [];
}

export class Rig {
  readonly kafka: TestKafka;
  readonly flink: TestFlink;
  readonly rest: FlinkRest;
  readonly topics: ProjectTopics;
  readonly outputs = new Outputs();
  readonly programs: ProgramInForce[] = [];
  readonly #options: RigOptions;
  readonly #partitions: number;
  /** That somebody added since. */
  #added = 0;
  readonly #sender: KafkaSender;
  readonly #reader: KafkaReader;
  #ticking: NodeJS.Timeout | undefined;
  #jar: string | undefined;

  private constructor(kafka: TestKafka, flink: TestFlink, options: RigOptions) {
    this.kafka = kafka;
    this.flink = flink;
    this.rest = new FlinkRest(flink.url);
    this.#options = options;
    this.topics = projectTopics(PROJECT, this.#named);
    this.#partitions = options.partitions ?? 4;
    const connection = { brokers: [kafka.bootstrap] };
    this.#sender = new KafkaSender(connection, { queueBytesMax: 256 << 20, deadlineMs: PATIENCE_MS });
    this.#reader = new KafkaReader({ connection, onBatch: ({ topic, records }) => this.#take(topic, records) });
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const [kafka, flink] = await Promise.all([startKafka(), startFlink(options)]);
    const rig = new Rig(kafka, flink, options);
    await createTopics({ brokers: [kafka.bootstrap] }, needsOf(rig.topics), {
      partitions: rig.#partitions,
      replicas: 1,
    });
    const { log, profiles, steps, quarantine } = rig.topics;
    if (options.keepsOutputs === false) return rig;
    for (const topic of [...log, profiles, steps])
      for (let partition = 0; partition < rig.#partitions; partition++) rig.#reader.read(topic, partition, "earliest");
    rig.#reader.read(quarantine, 0, "earliest");
    return rig;
  }

  /** Servers write a tick to each partition so that time goes on without events. */
  startTicking(): void {
    const bytes = encodeClusterRecord({ kind: "tick" });
    this.#ticking = setInterval(() => {
      const each = Array.from({ length: this.#partitions + this.#added }, (_, partition) => partition);
      const ticks = this.topics.log.flatMap((topic) =>
        each.map((partition) => ({ topic, partition, key: null, value: bytes })),
      );
      // A broker that is away gets its ticks later.
      this.#sender.send(ticks).catch(() => undefined);
    }, TICK_MS);
  }

  async putProgram(program: ProgramInForce): Promise<void> {
    this.programs.push(program);
    const value = encodeDocument("control", { kind: "program", ...program });
    await this.#sender.send([{ topic: this.topics.control, partition: 0, key: null, value }]);
  }

  /** For how long persons are kept from now on. */
  setAges(ages: PersonAges): Promise<void> {
    return setPersonAges({ brokers: [this.kafka.bootstrap] }, this.topics.control, ages);
  }

  /** As somebody who wants more of them; resolves to their topics, and the numbers of those that were added. */
  async addPartitions(count: number): Promise<{ topic: string; partition: number }[]> {
    const { log, profiles, steps, outcomes } = this.topics;
    const topics = [...log, profiles, steps, outcomes];
    const all = this.#partitions + count;
    await withAdmin({ brokers: [this.kafka.bootstrap] }, (admin) => admin.createPartitions({ topics: topics.map((name) => ({ name, count: all })) }));
    this.#added = count;
    return topics.flatMap((topic) => Array.from({ length: count }, (_, i) => ({ topic, partition: this.#partitions + i })));
  }

  /** Largest batch of records that a topic takes. */
  async setMessageBytes(topic: string, bytes: number): Promise<void> {
    const configs = [{ name: "max.message.bytes", configOperation: IncrementalAlterConfigOperationTypes.SET, value: String(bytes) }];
    const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }];
    await withAdmin({ brokers: [this.kafka.bootstrap] }, (admin) => admin.incrementalAlterConfigs({ resources }));
  }

  /** Writes an erasure to the ledger, as servers do; resolves to the log time up to which it holds. */
  async erase(keys: readonly string[]): Promise<number> {
    const at = Date.now() + ERASURE_DELAY_MS;
    const salt = encodeErasure({ kind: "salt", salt: "c2FsdA" });
    const job = encodeErasure({ kind: "erasure", job_id: `erasure ${at}`, status: "running", at, keys: [...keys] });
    const common = { topic: this.topics.erasures, partition: 0 };
    await this.#sender.send([
      { ...common, key: Buffer.from("salt"), value: salt },
      { ...common, key: Buffer.from(`erasure ${at}`), value: job },
    ]);
    return at;
  }

  /** The ledger's last word: from now on it names hashes only. */
  async finishErasure(at: number, keys: readonly string[]): Promise<void> {
    const book = new ErasureBook();
    book.take(encodeErasure({ kind: "salt", salt: "c2FsdA" }));
    const hashes = keys.map((key) => book.hashOf(key));
    const proof = { erased_at: "", done_at: "" };
    const value = encodeErasure({ kind: "erasure", job_id: `erasure ${at}`, status: "done", at, hashes, proof });
    await this.#sender.send([{ topic: this.topics.erasures, partition: 0, key: Buffer.from(`erasure ${at}`), value }]);
  }

  /** Writes records to the log, in order. */
  async write(records: readonly { key: string; record: ClusterRecord }[]): Promise<void> {
    await this.#sender.send(records.map(({ key, record }) => this.#outgoing(key, encodeClusterRecord(record))));
  }

  /** Makes the topics of another generation, which a job with `generation` then fills. */
  async addGeneration(generation: number): Promise<void> {
    const topics = projectTopics(PROJECT, { generation, ...this.#named });
    await createTopics({ brokers: [this.kafka.bootstrap] }, needsOf(topics), {
      partitions: this.#partitions,
      replicas: 1,
    });
  }

  /** Writes bytes that may be no record. */
  async writeRaw(key: string, value: Uint8Array): Promise<void> {
    await this.#sender.send([this.#outgoing(key, value)]);
  }

  /** As somebody else who may write to a topic that has other values than the log. */
  async writeForeign(topic: "handover" | "erasures" | "control", value: Uint8Array): Promise<void> {
    await this.#sender.send([{ topic: this.topics[topic], partition: 0, key: Buffer.from("u:foreign"), value }]);
  }

  async submit({ parallelism = 1, args = {}, settings, from }: SubmitOptions = {}): Promise<string> {
    this.#jar ??= await this.rest.uploadJar((await ensureJobJar()).path);
    const given = {
      brokers: this.kafka.bootstrap,
      projects: PROJECT,
      partitions: this.#partitions,
      "transaction-timeout-ms": 60_000,
      ...this.#named,
      ...args,
    };
    const jobId = await this.rest.run(this.#jar, {
      args: Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]),
      parallelism,
      ...(settings === undefined ? {} : { settings }),
      ...(from === undefined ? {} : { from: { path: from, isOurs: false } }),
    });
    await untilRunning(this.rest, jobId);
    return jobId;
  }

  /** Has a checkpoint written, beside those of the job's own interval. */
  async checkpoint(jobId: string): Promise<void> {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.flink.url}/jobs/${jobId}/checkpoints`, { method: "POST", headers, body: "{}" });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** The number that the newest savepoint has among the job's checkpoints. */
  async savepointNumber(jobId: string): Promise<number> {
    const answer = await fetch(`${this.flink.url}/jobs/${jobId}/checkpoints`);
    return ((await answer.json()) as { latest: { savepoint: { id: number } } }).latest.savepoint.id;
  }

  async cancel(jobId: string): Promise<void> {
    await this.rest.cancel(jobId);
    await this.until(
      () => "the job has ended",
      async () => !(await this.rest.jobs()).some((job) => job.jid === jobId && isLiving(job)),
    );
  }

  /** Polls until `condition` holds; rejects with `what` where it does not come to that. */
  async until(
    what: () => string,
    condition: () => boolean | Promise<boolean>,
    patienceMs = PATIENCE_MS,
  ): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what()}`);
      await setTimeout(POLL_MS);
    }
  }

  /** One of the job's own counters, summed over subtasks. */
  async counter(jobId: string, name: string): Promise<number> {
    const persons = (await this.rest.vertices(jobId)).find((vertex) => vertex.name.includes("persons"))!;
    const names = await this.rest.metricNames(jobId, persons.id);
    const full = names.find((candidate) => candidate.endsWith(`attune.${name}`));
    if (full === undefined) return 0;
    return (await this.rest.metricSums(jobId, persons.id, [full])).get(full) ?? 0;
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticking);
    await this.#sender.close().catch(() => undefined);
    await this.#reader.close();
    await Promise.all([this.flink.stop(), this.kafka.stop()]);
  }

  get #named(): { events?: EventTopics } {
    const { events } = this.#options;
    return events === undefined ? {} : { events };
  }

  #outgoing(key: string, value: Uint8Array): OutgoingRecord {
    const topic = this.topics.log[0]!;
    return { topic, partition: partitionOf(key, this.#partitions), key: Buffer.from(key), value };
  }

  #take(topic: string, records: readonly { timestampMs: number; key: Buffer | null; value: Buffer | null }[]): void {
    const { outputs, topics } = this;
    for (const { key, value, timestampMs } of records) {
      if (value === null) {
        if (topic === topics.profiles) outputs.profiles.delete(String(key));
        continue;
      }
      if (topic === topics.profiles) this.#takeProfile(String(key), decodeProfile(value));
      else if (topic === topics.steps) outputs.steps.push(decodeStep(value));
      else if (topic === topics.quarantine) outputs.quarantine.push(decodeDocument("quarantine", value));
      else if (key !== null && personKeyOf(key) !== "") outputs.log.push({ key: personKeyOf(key), atMs: timestampMs, value });
    }
  }

  #takeProfile(key: string, value: ProfileValue): void {
    if (this.#options.keepsVersions !== false) noteVersion(this.outputs, key, value);
    const known = this.outputs.profiles.get(key);
    const isNewer =
      known === undefined ||
      value.sequence > known.sequence ||
      (value.sequence === known.sequence && value.asOfMs >= known.asOfMs);
    if (isNewer) this.outputs.profiles.set(key, value);
  }
}

function noteVersion(outputs: Outputs, key: string, value: ProfileValue): void {
  const name = `${key} ${value.sequence} ${value.asOfMs}`;
  const hex = Buffer.from(value.person).toString("hex");
  const before = outputs.bytesByVersion.get(name);
  if (before !== undefined && before !== hex) outputs.contradictions.push(name);
  outputs.bytesByVersion.set(name, hex);
}
