// One project on one of the cluster's servers: what is written goes to Kafka, persons come from Redis, everything else is
// in memory. It keeps nothing of its own, so any number of servers may stand beside it.
import { slotView } from "../../core/decide/view.ts";
import { consentOfDefault } from "../../core/consent/consent.ts";
import { applyAttributes, lookAgain } from "../../core/engine.ts";
import { emptyRun } from "../../core/experiment/run.ts";
import { experimentView } from "../../core/experiment/view.ts";
import { refOfKey } from "../../core/identity/identity.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";
import { emptyPerson, type PersonState } from "../../core/profile/person.ts";
import { profileView } from "../../core/profile/view.ts";
import { checkProgram, compileProgram } from "../../core/program/compile.ts";
import type { Consent, DecisionRecord, PersonRef } from "../../core/record.ts";
import { answerList, answerSimilar, answerSlot, answerTrending, listRules, type Sources } from "../../server/hosting/answers.ts";
import {
  HostError,
  type Decision,
  type EventOutcome,
  type HostStats,
  type PersonChange,
  type ProfileAnswer,
  type Project,
  type RecommendationList,
  type RecommendRequest,
  type Submission,
} from "../../server/ports.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { partitionOf } from "../kafka/partition.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import { checkTopics, needsOf } from "../kafka/topics.ts";
import { personOf } from "../operator/key-state.ts";
import type { RedisLink } from "../redis/link.ts";
import { ProfileStore } from "../redis/profile-store.ts";
import { encodeDocument } from "../wire/documents.ts";
import { projectTopics, type EventTopics, type ProjectTopics } from "../wire/topics.ts";
import { Changes } from "./changes.ts";
import { DeadLetterIndex } from "./dead-letters.ts";
import { Filler } from "./filler.ts";
import { ClusterIntake } from "./intake.ts";
import { Learner } from "./learner.ts";
import { Membership } from "./membership.ts";
import { ModelSnapshots } from "./model-snapshots.ts";
import { People } from "./people.ts";
import { profilesTarget } from "./profiles-target.ts";
import { ProgramWriter } from "./program-writer.ts";

export interface ClusterProjectOptions {
  readonly name: string;
  readonly connection: KafkaConnection;
  readonly sender: KafkaSender;
  readonly link: RedisLink;
  /** This server's name; no two servers have the same one. */
  readonly server: string;
  /** The program of a new project. */
  readonly firstProgram: unknown;
  readonly events?: EventTopics;
  /** Of the job's topics. */
  readonly generation?: number;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** Something that is left out, e.g. a record that cannot be read. */
  readonly onFault: (error: Error) => void;
}

const TICK_EVERY_MS = 1_000;
const SIZES_EVERY_MS = 1_000;
/** Steps behind which the models count as current. */
const LAG_READY_MAX = 1_000;

interface Parts {
  readonly topics: ProjectTopics;
  readonly partitions: ReadonlyMap<string, number>;
  readonly store: ProfileStore;
  readonly learner: Learner;
}

export class ClusterProject implements Project {
  readonly name: string;
  readonly learner: Learner;
  readonly snapshots: ModelSnapshots;
  readonly #options: ClusterProjectOptions;
  readonly #topics: ProjectTopics;
  readonly #partitions: ReadonlyMap<string, number>;
  readonly #store: ProfileStore;
  readonly #people: People;
  readonly #intake: ClusterIntake;
  readonly #letters: DeadLetterIndex;
  readonly #programs: ProgramWriter;
  readonly #membership: Membership;
  readonly #fillers: readonly Filler[];
  readonly #changes: Changes;
  readonly #listeners = new Set<(change: PersonChange) => void>();
  readonly #timers: readonly NodeJS.Timeout[];
  #sizes: ReadonlyMap<string, number> = new Map();
  #personsTotal = 0;
  #decisionsDropped = 0;
  /** The models have seen everything once. */
  #hasLearnt = false;
  #closed = false;

  private constructor(options: ClusterProjectOptions, { topics, partitions, store, learner }: Parts) {
    const { connection, sender, link, server, now } = options;
    this.name = options.name;
    this.#options = options;
    this.#topics = topics;
    this.#partitions = partitions;
    this.#store = store;
    this.learner = learner;
    this.#people = new People(store, (anonKey, userKey) => this.#tellLink(anonKey, userKey));
    const itemOf = (itemId: string): Item | undefined => learner.recommender.item(itemId);
    this.#intake = new ClusterIntake({ topics, partitions, sender, people: this.#people, itemOf, now });
    this.#letters = new DeadLetterIndex(link, options.name);
    this.#programs = new ProgramWriter({ topic: topics.control, sender, learner, now });
    // Servers of another generation fill other topics.
    const { name, generation = 1 } = options;
    this.#membership = new Membership(link, { project: `${name}.g${generation}`, server });
    const profilesTopic = topics.profiles;
    this.#changes = new Changes({
      connection,
      profilesTopic,
      store,
      people: this.#people,
      server,
      tell: (change) => this.#tell(change),
    });
    const targets = [
      profilesTarget({
        topic: topics.profiles,
        store,
        server,
        onTaken: (message) => this.#changes.hear(message),
        onCorrupt: options.onFault,
      }),
      this.#letters.target("deadLetters", topics.deadLetters),
      this.#letters.target("quarantine", topics.quarantine),
    ];
    const { onFault } = options;
    const membership = this.#membership;
    this.snapshots = new ModelSnapshots({ link, learner, membership, project: name, generation, onFault });
    this.#fillers = targets.map((target) => new Filler({ connection, target, membership: this.#membership }));
    this.#timers = [
      setInterval(() => void this.#intake.tick().catch(() => undefined), TICK_EVERY_MS),
      setInterval(() => void this.#count(), SIZES_EVERY_MS),
    ];
  }

  /**
   * Ready to answer when it resolves: programs and catalogue are read, models are learning.
   * @throws TopicError where a topic is missing or not set up as the promises need it.
   */
  static async open(options: ClusterProjectOptions): Promise<ClusterProject> {
    const { name, connection, events = "one", generation = 1, now, onFault } = options;
    const topics = projectTopics(name, { events, generation });
    const partitions = await checkTopics(connection, needsOf(topics));
    const store = new ProfileStore(options.link, { project: name, generation, shards: partitions.get(topics.profiles)! });
    const learner = new Learner({ connection, topics, partitions, now, onCorrupt: onFault });
    await learner.start();
    const project = new ClusterProject(options, { topics, partitions, store, learner });
    try {
      if (learner.programs.entries.length === 0) {
        await project.#programs.first(options.firstProgram);
      }
      await project.#changes.start();
      await project.snapshots.restore();
    } catch (error) {
      await project.close();
      throw error;
    }
    project.snapshots.start();
    void learner.hasLearnt().then(() => (project.#hasLearnt = true));
    return project;
  }

  get eventTypes(): ReadonlySet<string> {
    return this.learner.program.eventTypes;
  }

  get honoursGpc(): boolean {
    return this.learner.program.honoursGpc;
  }

  submit(submission: Submission): Promise<EventOutcome[]> {
    return this.#intake.submit(submission);
  }

  async profile(ref: PersonRef): Promise<ProfileAnswer | undefined> {
    const { person, isDegraded } = await this.#visitor(ref);
    if (person === undefined && !isDegraded) return undefined;
    return this.#view(person ?? emptyPerson(this.learner.program.plan), isDegraded);
  }

  async setAttributes(ref: PersonRef, attributes: Record<string, unknown>): Promise<ProfileAnswer> {
    const key = await this.#intake.say(ref, { attributes });
    // What the log has, the job will do; the answer does the same to a copy.
    const { person = this.#nobody(key), isDegraded } = await this.#visitor(refOfKey(key));
    applyAttributes(person, attributes, Math.max(this.#options.now(), person.asOf), this.learner.programs);
    return this.#view(person, isDegraded);
  }

  async consent(ref: PersonRef): ReturnType<Project["consent"]> {
    const said = (await this.#visitor(ref)).person?.consent;
    return { consent: said ?? consentOfDefault(this.learner.program.consentDefault), said: said !== undefined };
  }

  async setConsent(ref: PersonRef, consent: Consent): Promise<void> {
    await this.#intake.say(ref, { attributes: {}, consent });
  }

  exportPerson(): never {
    throw notHere("export");
  }

  erasePerson(): Promise<never> {
    return Promise.reject(notHere("erasure"));
  }

  async erasure(): Promise<undefined> {}

  retention(): Promise<never> {
    return Promise.reject(notHere("retention"));
  }

  personKey(ref: PersonRef): string {
    return this.#people.keyNow(ref);
  }

  async searchPersons(prefix: string, limit: number): Promise<PersonRef[]> {
    const found = await Promise.all(["u:", "a:"].map((kind) => this.#store.search(kind + prefix, limit))).catch(away);
    return found.flat().slice(0, limit).map(refOfKey);
  }

  async recommend(request: RecommendRequest): Promise<RecommendationList | undefined> {
    if (listRules(request, this.learner.program) === undefined) return undefined;
    const visitor = await this.#visitor(request.ref);
    const answered = answerList(request, visitor, this.#sources());
    if (answered === undefined) return undefined;
    this.#log(visitor.key, answered.decision);
    return visitor.isDegraded ? { ...answered.answer, degraded: true } : answered.answer;
  }

  async similar(itemId: string, limit: number): Promise<RecommendationList> {
    return answerSimilar(itemId, limit, this.#sources());
  }

  async trending(limit: number, filter?: string): Promise<RecommendationList> {
    return answerTrending(limit, filter, this.#sources());
  }

  async decide(ref: PersonRef, slot: string, context?: LoggedEvent["context"]): Promise<Decision | undefined> {
    const visitor = await this.#visitor(ref);
    const answered = answerSlot(slot, context, visitor, this.#sources());
    if (answered !== undefined) this.#log(visitor.key, answered.decision);
    return answered?.answer;
  }

  async slots(): ReturnType<Project["slots"]> {
    const { document, slots } = this.learner.program;
    return [...slots.values()].map((slot) => slotView(slot, undefined, document.slots?.[slot.name]?.description));
  }

  async experiments(): ReturnType<Project["experiments"]> {
    const { program } = this.learner;
    return program.experiments.map((experiment) => experimentView(experiment, emptyRun(experiment, this.#options.now())));
  }

  async experiment(name: string): ReturnType<Project["experiment"]> {
    return (await this.experiments()).find((one) => one.name === name);
  }

  async segments(): ReturnType<Project["segments"]> {
    return this.learner.program.segments.map(({ name, when, description }) => ({
      name,
      when,
      ...(description === undefined ? {} : { description }),
      size: this.#sizes.get(name) ?? 0,
    }));
  }

  async segmentUsers(name: string, page: { limit: number; after?: string }): ReturnType<Project["segmentUsers"]> {
    if (!this.learner.program.segments.some((segment) => segment.name === name)) return undefined;
    const [keys, sizes] = await Promise.all([this.#store.members(name, page), this.#store.sizes([name])]).catch(away);
    const next = keys.length < page.limit ? {} : { next: keys.at(-1)! };
    return { users: keys.map(refOfKey), total: sizes.get(name)!, ...next };
  }

  async putItems(items: readonly Item[]): Promise<void> {
    const at = this.#options.now();
    await this.#options.sender.send(
      items.map((item) => ({
        topic: this.#topics.item,
        partition: 0,
        key: Buffer.from(item.item_id),
        value: encodeDocument("item", { item, at }),
      })),
    );
    for (const item of items) this.learner.recommender.putItem(item, at);
  }

  async item(itemId: string): Promise<Item | undefined> {
    return this.learner.recommender.item(itemId);
  }

  async deleteItem(itemId: string): Promise<boolean> {
    if (this.learner.recommender.item(itemId) === undefined) return false;
    const tombstone = { topic: this.#topics.item, partition: 0, key: Buffer.from(itemId), value: null };
    await this.#options.sender.send([tombstone]);
    return this.learner.recommender.deleteItem(itemId);
  }

  async program(version?: number): ReturnType<Project["program"]> {
    const { entries } = this.learner.programs;
    const entry = version === undefined ? entries.at(-1) : entries.find((known) => known.version === version);
    return entry === undefined ? undefined : { version: entry.version, at: entry.at, document: entry.program.document };
  }

  async programVersions(): ReturnType<Project["programVersions"]> {
    return this.learner.programs.entries.map(({ version, at }) => ({ version, at }));
  }

  async checkProgram(document: unknown): ReturnType<Project["checkProgram"]> {
    return checkProgram(document);
  }

  async putProgram(document: unknown): ReturnType<Project["putProgram"]> {
    const compiled = compileProgram(document, 1);
    if ("faults" in compiled) return { faults: compiled.faults };
    return { version: await this.#programs.next(document) };
  }

  async rollbackProgram(version: number): ReturnType<Project["rollbackProgram"]> {
    const earlier = await this.program(version);
    if (earlier === undefined) return undefined;
    const put = await this.putProgram(earlier.document);
    return "version" in put ? put : undefined;
  }

  deadLetters(page: { limit: number; before?: string }): ReturnType<Project["deadLetters"]> {
    return this.#letters.page(page);
  }

  deadLetter(id: string): ReturnType<Project["deadLetter"]> {
    return this.#letters.get(id);
  }

  async resolveDeadLetter(id: string): Promise<void> {
    const letter = await this.#letters.get(id);
    if (letter !== undefined) await this.#intake.sendLetter({ ...letter, body: null, resolved: true });
  }

  onChange(listener: (change: PersonChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stats(): HostStats {
    const { sender, link } = this.#options;
    const { counts } = this.#intake;
    const [profiles] = this.#fillers;
    const modelsLag = figure(this.learner.lag);
    return {
      ready: this.#hasLearnt && !this.#closed,
      acceptedTotal: counts.accepted,
      duplicatesTotal: counts.duplicates,
      deadLettersTotal: this.#letters.total,
      markedTrafficTotal: counts.marked,
      queuedEvents: sender.queuedRecords,
      queuedBytes: sender.queuedBytes,
      logPosition: sender.sentTotal,
      logSizeBytes: 0,
      checkpointPosition: 0,
      checkpointAgeMs: 0,
      personsTotal: this.#personsTotal,
      personsCached: this.#people.cached,
      itemsTotal: this.learner.recommender.itemCount,
      decisionsDroppedTotal: this.#decisionsDropped,
      storageFull: false,
      parts: {
        kafka: { ready: !sender.isAway, queued_records: sender.queuedRecords, queued_bytes: sender.queuedBytes },
        redis: { ready: link.isUp, faults: link.faultsTotal },
        models: {
          ready: this.#hasLearnt && modelsLag <= LAG_READY_MAX,
          lag: modelsLag,
          steps: this.learner.stepsTotal,
          snapshots: this.snapshots.takenTotal,
        },
        filler: {
          ready: profiles!.isWhole && figure(profiles!.lag) <= LAG_READY_MAX,
          lag: figure(profiles!.lag),
          partitions: profiles!.shares,
          records: profiles!.recordsTotal,
          servers: this.#membership.servers.length,
        },
      },
    };
  }

  /** Stops taking part. What was accepted is in Kafka already. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.snapshots.close();
    await this.#membership.close();
    await Promise.all(this.#fillers.map((filler) => filler.close()));
    await this.#changes.close();
    await this.learner.close();
  }

  /** The person of a ref on a copy of his own, brought to now. */
  async #visitor(ref: PersonRef): Promise<{
    ref: PersonRef;
    key: string;
    person: PersonState | undefined;
    isDegraded: boolean;
  }> {
    const { key, profile, isDegraded } = await this.#people.find(ref);
    if (profile === undefined || profile.signpost !== undefined) return { ref, key, person: undefined, isDegraded };
    const person = personOf(profile.person, profile.programVersion, this.learner.programs);
    lookAgain(person, this.#options.now(), this.learner.programs);
    return { ref, key, person, isDegraded };
  }

  #nobody(key: string): PersonState {
    const person = emptyPerson(this.learner.program.plan);
    if (key.startsWith("u:")) person.userId = key.slice(2);
    else person.anonymousIds.push(key.slice(2));
    return person;
  }

  #view(person: PersonState, isDegraded: boolean): ProfileAnswer {
    const nowMs = Math.max(this.#options.now(), person.asOf);
    const view = profileView(person, this.learner.program.plan, nowMs);
    return isDegraded ? { ...view, degraded: true } : view;
  }

  #sources(): Sources {
    return { program: this.learner.program, recommender: this.learner.recommender, nowMs: this.#options.now() };
  }

  /** Never waited for: a decision that Kafka does not take is counted. */
  #log(key: string, decision: DecisionRecord): void {
    const topic = this.#topics.decision;
    const partition = partitionOf(key, this.#partitions.get(topic)!);
    const value = encodeDocument("decision", { ...decision, at: this.#options.now() });
    this.#options.sender.send([{ topic, partition, key: Buffer.from(key), value }]).catch(() => this.#decisionsDropped++);
  }

  #tell(change: PersonChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Whoever watches the anonymous id watches the user from now on, also where this server hears of it late. */
  #tellLink(anonKey: string, userKey: string): void {
    const { now } = this.#options;
    this.#tell({
      key: userKey,
      ref: refOfKey(userKey),
      version: 0,
      atMs: now(),
      entered: [],
      left: [],
      triggers: [],
      mergedFrom: anonKey,
    });
  }

  async #count(): Promise<void> {
    if (!this.#options.link.isUp) return;
    try {
      this.#sizes = await this.#store.sizes(this.learner.program.segments.map(({ name }) => name));
      this.#personsTotal = await this.#store.count();
      await this.#letters.count();
    } catch {
      // The figures stay as they were; the link counts the fault.
    }
  }
}

/** For what cannot be answered at all without Redis. */
function away(cause: unknown): never {
  throw new HostError("unavailable", "This cannot be looked up while Redis is away.", { retryAfterS: 2, cause });
}

/** Lag before the first answer is not a number that JSON has. */
function figure(lag: number): number {
  return Number.isFinite(lag) ? lag : Number.MAX_SAFE_INTEGER;
}

function notHere(what: string): HostError {
  const message = `the cluster has no ${what} of one person yet; see docs/decisions/privacy.md`;
  return new HostError("not_supported_here", message, { retryAfterS: 0 });
}
