// One project on one of the cluster's servers: what is written goes to Kafka, persons come from Redis, everything else is
// in memory. It keeps nothing of its own, so any number of servers may stand beside it.
import { consentOfDefault } from "../../core/consent/consent.ts";
import { applyAttributes } from "../../core/engine.ts";
import { anonymousKeyOf, refOfKey } from "../../core/identity/identity.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";
import { emptyPerson } from "../../core/profile/person.ts";
import { withLearned } from "../../core/program/clusters.ts";
import { inOrderOfRuns } from "../../core/program/order.ts";
import { checkProgram, compileProgram } from "../../core/program/compile.ts";
import type { Consent, PersonRef } from "../../core/record.ts";
import { answerList, answerSimilar, answerSlot, answerTrending, listRules, type Sources } from "../../server/hosting/answers.ts";
import { answerPreview } from "../../server/hosting/preview.ts";
import { experimentViews, slotViews } from "../../server/hosting/views.ts";
import { segmentSummaries } from "../../server/hosting/segment-summaries.ts";
import {
  HostError,
  type Decision,
  type ErasureStatus,
  type EventOutcome,
  type HostStats,
  type OwnAct,
  type PersonChange,
  type PreviewAnswer,
  type PreviewRequest,
  type ProfileAnswer,
  type Project,
  type RecommendationList,
  type RecommendRequest,
  type Submission,
} from "../../server/ports.ts";
import { saidOf } from "../../server/privacy/erased-body.ts";
import type { ErasureBook, ErasureJob } from "../erasure/book.ts";
import { keepLedgerCopy } from "../erasure/ledger-copy.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import { checkTopics, needsOf, topicsWithOwnKeys } from "../kafka/topics.ts";
import { topicRetention } from "../kafka/topic-retention.ts";
import type { RedisLink } from "../redis/link.ts";
import { ProfileStore } from "../redis/profile-store.ts";
import { projectTopics, type EventTopics, type ProjectTopics } from "../wire/topics.ts";
import { Catalogue } from "./catalogue.ts";
import { Changes } from "./changes.ts";
import { Consents } from "./consents.ts";
import { DeadLetterIndex } from "./dead-letters.ts";
import { Erasing } from "./erasing.ts";
import { Erasures } from "./erasures.ts";
import { Decisions } from "./decisions.ts";
import { Filler } from "./filler.ts";
import { ClusterIntake } from "./intake.ts";
import { JobWatch } from "./job-watch.ts";
import { Learner } from "./learner.ts";
import { Membership } from "./membership.ts";
import { ModelSnapshots } from "./model-snapshots.ts";
import { OutputsWatch } from "./outputs-watch.ts";
import { People } from "./people.ts";
import { personExport } from "./person-export.ts";
import { profilesTarget } from "./profiles-target.ts";
import { ProgramWriter } from "./program-writer.ts";
import { Sizes } from "./sizes.ts";
import { statsOf } from "./stats.ts";
import { Visitors } from "./visitors.ts";

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
  /** How many partitions the topics were made with; default: as many as they have. */
  readonly partitions?: number;
  /** Of the job's topics. */
  readonly generation?: number;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** Something that is left out, e.g. a record that cannot be read. */
  readonly onFault: (error: Error) => void;
  /** For the audit trail. */
  readonly onOwnAct?: (act: OwnAct) => void;
  /** A folder of this machine in which a copy of the ledger of erasures is kept, for a restore where Kafka was lost. */
  readonly ledgerFolder?: string;
}

const TICK_EVERY_MS = 1_000;

interface Parts {
  readonly topics: ProjectTopics;
  readonly partitions: ReadonlyMap<string, number>;
  readonly ownKeys: ReadonlySet<string>;
  readonly store: ProfileStore;
  readonly learner: Learner;
  readonly erasures: Erasures;
}

export class ClusterProject implements Project {
  readonly name: string;
  readonly learner: Learner;
  readonly snapshots: ModelSnapshots;
  readonly #options: ClusterProjectOptions;
  readonly #topics: Pick<Parts, "topics" | "partitions">;
  readonly #store: ProfileStore;
  readonly #people: People;
  readonly #visitors: Visitors;
  readonly #catalogue: Catalogue;
  readonly #decisions: Decisions;
  readonly #intake: ClusterIntake;
  readonly #letters: DeadLetterIndex;
  readonly #erasures: Erasures;
  readonly #erasing: Erasing;
  readonly #programs: ProgramWriter;
  readonly #membership: Membership;
  readonly #fillers: readonly Filler[];
  readonly #changes: Changes;
  readonly #job: JobWatch;
  readonly #outputs: OutputsWatch;
  readonly #listeners = new Set<(change: PersonChange) => void>();
  readonly #sizes: Sizes;
  readonly #ticks: NodeJS.Timeout;
  /** The models have seen everything once. */
  #hasLearnt = false;
  #closed = false;

  private constructor(options: ClusterProjectOptions, { topics, partitions, ownKeys, store, learner, erasures }: Parts) {
    const { connection, sender, link, server, now } = options;
    this.name = options.name;
    this.#options = options;
    this.#topics = { topics, partitions };
    this.#store = store;
    this.learner = learner;
    this.#erasures = erasures;
    this.#people = new People(store, erasures, (anonKey, userKey) => this.#tellLink(anonKey, userKey));
    this.#visitors = new Visitors({ people: this.#people, learner, now });
    const catalogue = new Catalogue({ topic: topics.item, sender, learner, now });
    this.#catalogue = catalogue;
    const itemOf = (itemId: string): Item | undefined => catalogue.get(itemId);
    const consents = new Consents({
      people: this.#people,
      otherwise: () => learner.program.consentDefault,
      mayRefuse: () => this.#sizes.mayRefuse || this.#people.mayRefuse,
    });
    this.#intake = new ClusterIntake({ topics, partitions, ownKeys, sender, people: this.#people, consents, erasures, itemOf, now });
    this.#letters = new DeadLetterIndex({ link, project: options.name, erasures: erasures.book, onCorrupt: options.onFault });
    this.#programs = new ProgramWriter({ topic: topics.control, sender, learner, now });
    // Servers of another generation fill other topics.
    const { name, generation = 1 } = options;
    this.#membership = new Membership(link, { project: `${name}.g${generation}`, server, now });
    this.#decisions = new Decisions({ topics, partitions, ownKeys, sender, learner, erasures, membership: this.#membership, now });
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
        erasures: erasures.book,
        server,
        onTaken: (message) => this.#changes.hear(message),
        onCorrupt: options.onFault,
      }),
      this.#letters.target("deadLetters", topics.deadLetters),
      this.#letters.target("quarantine", topics.quarantine),
    ];
    const { onFault } = options;
    const membership = this.#membership;
    const erasedAtMs = (): number => erasures.book.newestAtMs;
    this.snapshots = new ModelSnapshots({ link, learner, membership, project: name, generation, onFault, erasedAtMs });
    const { snapshots } = this;
    this.#erasing = new Erasing({
      ...{ connection, sender, topics, partitions, erasures, store, letters: this.#letters, snapshots, membership, now, onFault },
      onDone: (details) => options.onOwnAct?.({ project: name, action: "erasure done", details }),
    });
    erasures.onJob((job) => this.#erased(job));
    this.#fillers = targets.map((target) => new Filler({ connection, link, target, membership: this.#membership }));
    this.#job = new JobWatch({ connection, generation, log: topics.log });
    this.#outputs = new OutputsWatch({ connection, generation });
    this.#sizes = new Sizes({ link, store, letters: this.#letters, learner });
    this.#ticks = setInterval(() => void this.#intake.tick(this.#job.partitions).catch(() => undefined), TICK_EVERY_MS);
  }

  /**
   * Ready to answer when it resolves: programs and catalogue are read, models are learning.
   * @throws TopicError where a topic is missing or not set up as the promises need it.
   */
  static async open(options: ClusterProjectOptions): Promise<ClusterProject> {
    const { name, connection, events = "one", generation = 1, now, onFault } = options;
    const topics = projectTopics(name, { events, generation });
    const partitions = await checkTopics(connection, needsOf(topics), options.partitions);
    const ownKeys = await topicsWithOwnKeys(connection, [...topics.log, topics.decision]);
    const store = new ProfileStore(options.link, { project: name, generation, shards: partitions.get(topics.profiles)! });
    const { sender } = options;
    const keepCopy = (book: ErasureBook): void => {
      try {
        if (options.ledgerFolder !== undefined) keepLedgerCopy(options.ledgerFolder, name, book);
      } catch (cause) {
        onFault(new Error(`the copy of the ledger of erasures in ${options.ledgerFolder} could not be written`, { cause }));
      }
    };
    const erasures = await Erasures.open({ connection, sender, topic: topics.erasures, now, onCorrupt: onFault, keepCopy });
    const isErased = (key: string, atMs: number): boolean => erasures.covers(key, atMs);
    const learner = new Learner({ connection, topics, partitions, now, onCorrupt: onFault, isErased });
    await learner.start();
    const project = new ClusterProject(options, { topics, partitions, ownKeys, store, learner, erasures });
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
    project.#decisions.guards.start();
    void learner.hasLearnt().then(() => (project.#hasLearnt = true));
    return project;
  }

  get eventTypes(): ReadonlySet<string> {
    return this.learner.program.eventTypes;
  }

  get honoursGpc(): boolean {
    return this.learner.program.honoursGpc;
  }

  get isFull(): boolean {
    return this.#options.sender.isFull;
  }

  submit(submission: Submission): Promise<EventOutcome[]> {
    return this.#intake.submit(submission);
  }

  async profile(ref: PersonRef): Promise<ProfileAnswer | undefined> {
    const { person, isDegraded } = await this.#visitors.find(ref);
    if (person === undefined && !isDegraded) return undefined;
    return this.#visitors.view(person ?? emptyPerson(this.learner.program.plan), isDegraded);
  }

  async setAttributes(ref: PersonRef, attributes: Record<string, unknown>): Promise<ProfileAnswer> {
    const key = await this.#intake.say(ref, { attributes });
    // What the log has, the job will do; the answer does the same to a copy.
    const { person = this.#visitors.nobody(key), isDegraded } = await this.#visitors.find(refOfKey(key));
    applyAttributes(person, attributes, Math.max(this.#options.now(), person.asOf), this.learner.programs);
    return this.#visitors.view(person, isDegraded);
  }

  wasErased(ref: PersonRef, atMs: number): boolean {
    return this.#erasures.covers(saidOf(ref), atMs);
  }

  async consent(ref: PersonRef): ReturnType<Project["consent"]> {
    const { key, person, isDegraded } = await this.#visitors.find(ref);
    const said = this.#people.saidNow(key) ?? person?.consent;
    // He may have said no: the default is nobody's word for it.
    if (said === undefined && person === undefined && isDegraded) away(undefined);
    return { consent: said ?? consentOfDefault(this.learner.program.consentDefault), said: said !== undefined };
  }

  async setConsent(ref: PersonRef, consent: Consent): Promise<void> {
    const key = await this.#intake.say(ref, { attributes: {}, consent });
    this.#people.say(key, consent);
    this.#store.tellConsent({ key, consent });
  }

  async *exportPerson(ref: PersonRef): ReturnType<Project["exportPerson"]> {
    const { connection, now, onFault: onCorrupt } = this.#options;
    const visitor = await this.#visitors.find(ref);
    yield* personExport(ref, visitor, { connection, ...this.#topics, learner: this.learner, now, onCorrupt });
  }

  /** @throws HostError `unavailable` where it cannot be known which devices are his. */
  async erasePerson(ref: PersonRef): ReturnType<Project["erasePerson"]> {
    const { key, person, isDegraded } = await this.#visitors.find(ref);
    if (isDegraded) away(undefined);
    const ids = new Set([...(person?.anonymousIds ?? []), ...(ref.anonymous_id === undefined ? [] : [ref.anonymous_id])]);
    const owners = await Promise.all([...ids].map(async (id) => [anonymousKeyOf(id), await this.#people.userOf(id)] as const));
    const devices = owners.flatMap(([device, owner]) => (owner === key && device !== key ? [device] : []));
    return erasureStatus(await this.#erasures.begin([key, ...devices]));
  }

  async erasure(jobId: string): ReturnType<Project["erasure"]> {
    const job = this.#erasures.book.job(jobId);
    return job === undefined ? undefined : erasureStatus(job);
  }

  async retention(): ReturnType<Project["retention"]> {
    const { topics } = this.#topics;
    const policy = await topicRetention(this.#options.connection, topics, this.learner.personAges).catch((cause: unknown) => {
      const message = "How long what is kept cannot be looked up while Kafka is away.";
      throw new HostError("unavailable", message, { retryAfterS: 2, cause });
    });
    return { policy, last: undefined };
  }

  async resolve(ref: PersonRef): Promise<void> {
    if (ref.anonymous_id !== undefined) await this.#people.userOf(ref.anonymous_id);
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
    const visitor = await this.#visitors.find(request.ref);
    const answered = answerList(request, visitor, this.#sources());
    if (answered === undefined) return undefined;
    await this.#decisions.log(visitor.key, answered.decision);
    return visitor.isDegraded ? { ...answered.answer, degraded: true } : answered.answer;
  }

  async preview(request: PreviewRequest): Promise<PreviewAnswer | undefined> {
    const visitor = request.ref === undefined ? undefined : await this.#visitors.find(request.ref);
    const answer = answerPreview(request, visitor, { ...this.#sources(), programs: this.learner.programs });
    return answer !== undefined && visitor?.isDegraded === true ? { ...answer, degraded: true } : answer;
  }

  async similar(itemId: string, limit: number): Promise<RecommendationList> {
    return answerSimilar(itemId, limit, this.#sources());
  }

  async trending(limit: number, filter?: string): Promise<RecommendationList> {
    return answerTrending(limit, filter, this.#sources());
  }

  async decide(ref: PersonRef, slot: string, context?: LoggedEvent["context"]): Promise<Decision | undefined> {
    const visitor = await this.#visitors.find(ref);
    const answered = answerSlot(slot, context, visitor, this.#sources());
    if (answered === undefined) return undefined;
    await this.#decisions.log(visitor.key, answered.decision);
    return visitor.isDegraded ? { ...answered.answer, degraded: true } : answered.answer;
  }

  async models(): ReturnType<Project["models"]> {
    return this.learner.recommender.health();
  }

  async slots(): ReturnType<Project["slots"]> {
    return slotViews(this.learner.program, this.learner.learnt.decisions.state);
  }

  async experiments(): ReturnType<Project["experiments"]> {
    return experimentViews(this.learner.program, this.learner.learnt.decisions.state, this.#options.now());
  }

  async experiment(name: string): ReturnType<Project["experiment"]> {
    return (await this.experiments()).find((one) => one.name === name);
  }

  async segments(): ReturnType<Project["segments"]> {
    return segmentSummaries(this.learner.program, (name) => this.#sizes.segments.get(name) ?? 0);
  }

  async segmentUsers(name: string, page: { limit: number; after?: string }): ReturnType<Project["segmentUsers"]> {
    if (!this.learner.program.segments.some((segment) => segment.name === name)) return undefined;
    const [keys, sizes] = await Promise.all([this.#store.members(name, page), this.#store.sizes([name])]).catch(away);
    const next = keys.length < page.limit ? {} : { next: keys.at(-1)! };
    return { users: keys.map(refOfKey), total: sizes.get(name)!, ...next };
  }

  async putItems(items: readonly Item[]): Promise<void> {
    await this.#catalogue.put(items);
  }

  async item(itemId: string): Promise<Item | undefined> {
    return this.#catalogue.get(itemId);
  }

  async searchItems(text: string, limit: number): Promise<Item[]> {
    return this.learner.recommender.findItems(text, limit);
  }

  deleteItem(itemId: string): Promise<boolean> {
    return this.#catalogue.delete(itemId);
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

  async putProgram(document: unknown, base?: readonly string[]): ReturnType<Project["putProgram"]> {
    const compiled = compileProgram(document, 1);
    if ("faults" in compiled) return { faults: compiled.faults };
    const version = await this.#programs.next(withLearned(inOrderOfRuns(compiled.program, this.learner.programs), this.learner.program), base);
    return version === undefined ? { changedTo: this.learner.programs.entries.at(-1)!.version } : { version };
  }

  async rollbackProgram(version: number, base?: readonly string[]): ReturnType<Project["rollbackProgram"]> {
    const earlier = await this.program(version);
    if (earlier === undefined) return undefined;
    const put = await this.putProgram(earlier.document, base);
    return "faults" in put ? undefined : put;
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
    return statsOf({
      sender,
      link,
      counts: this.#intake.counts,
      letters: this.#letters,
      sizes: this.#sizes,
      people: this.#people,
      learner: this.learner,
      snapshots: this.snapshots,
      decisions: this.#decisions,
      filler: this.#fillers[0]!,
      membership: this.#membership,
      job: this.#job,
      outputs: this.#outputs,
      refusesReads: [...this.#fillers, this.learner, this.#erasures].some(({ isRefused }) => isRefused),
      hasLearnt: this.#hasLearnt,
      isClosed: this.#closed,
    });
  }

  /** Stops taking part. What was accepted is in Kafka already. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ticks);
    this.#sizes.stop();
    this.#job.stop();
    this.#outputs.stop();
    this.snapshots.close();
    this.#decisions.guards.stop();
    this.#erasing.close();
    await this.#erasures.close();
    await this.#membership.close();
    await Promise.all(this.#fillers.map((filler) => filler.close()));
    await this.#changes.close();
    await this.learner.close();
  }

  /** He is forgotten here before whoever asked for it is answered; his rows follow, and what was learnt of him. */
  #erased(job: ErasureJob): void {
    if (job.status === "done") return;
    this.#people.erase(job.keys);
    for (const key of job.keys) this.#store.erase(key, job.at).catch(() => undefined);
    void this.snapshots.turn();
  }

  #sources(): Sources {
    const { program, recommender, learnt } = this.learner;
    return { program, recommender, nowMs: this.#options.now(), decisions: learnt.decisions.state };
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
}

/** For what cannot be answered at all without Redis. */
function away(cause: unknown): never {
  throw new HostError("unavailable", "This cannot be looked up while Redis is away.", { retryAfterS: 2, cause });
}

function erasureStatus(job: ErasureJob): ErasureStatus {
  const { job_id, status } = job;
  return { job_id, status, ...(job.status === "done" ? { proof: { ...job.proof } } : {}) };
}
