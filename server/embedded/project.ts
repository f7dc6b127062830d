// One project in one process: a log, the fold of it, checkpoints and timers behind the port that the handlers speak to.
import type { LoggedEvent } from "../../core/event/event.ts";
import { refOfKey } from "../../core/identity/identity.ts";
import type { Item } from "../../core/item/item.ts";
import { learnedDocument, withLearned } from "../../core/program/clusters.ts";
import { inOrderOfRuns } from "../../core/program/order.ts";
import type { CompiledProgram } from "../../core/program/compiled.ts";
import { checkProgram, compileProgram } from "../../core/program/compile.ts";
import { profileView, type ProfileView } from "../../core/profile/view.ts";
import type { Consent, DeadLetter, LogRecord, PersonRef } from "../../core/record.ts";
import { modelConfig } from "../../core/model/config.ts";
import { consentOfDefault } from "../../core/consent/consent.ts";
import {
  answerList,
  answerSimilar,
  answerSlot,
  answerTrending,
  type Sources,
  type Visitor,
} from "../hosting/answers.ts";
import { answerPreview } from "../hosting/preview.ts";
import { programTag } from "../hosting/program-tag.ts";
import { GuardWatch } from "../hosting/guard-watch.ts";
import { experimentViews, slotViews } from "../hosting/views.ts";
import { logSteps } from "../background/log-steps.ts";
import { earlierModel } from "../background/earlier-model.ts";
import { FamilyTrainer } from "../background/family-trainer.ts";
import { BackgroundTrainer } from "../background/trainer.ts";
import { segmentSummaries } from "../hosting/segment-summaries.ts";
import { EVENT_BYTES } from "../hosting/sizes.ts";
import { IdIndexDamagedError } from "../log/id-index.ts";
import type { SegmentLog } from "../log/log.ts";
import {
  type Decision,
  type EventOutcome,
  HostError,
  type HostStats,
  type PersonChange,
  type PreviewAnswer,
  type PreviewRequest,
  type Project,
  type RecommendationList,
  type RecommendRequest,
  type Submission,
} from "../ports.ts";
import { saidOf } from "../privacy/erased-body.ts";
import { Erasures } from "../privacy/erasures.ts";
import { DEFAULT_RETENTION, type RetentionPolicy, type RetentionReport } from "../privacy/retention.ts";
import { StateCorruptError, StateFile } from "../state/state-file.ts";
import type { BasePlace } from "./base.ts";
import { Committer, type Group, type Work } from "./committer.ts";
import { DecisionLog } from "./decision-log.ts";
import { Derived, DIRTY_PERSONS_MAX, RECORDS_A_CHECKPOINT_MAX, stateFolder, type DerivedFiles } from "./derived.ts";
import type { KeyedRecord } from "./event-keys.ts";
import { letterOf, type Fold } from "./fold.ts";
import { Forgetting } from "./forgetting.ts";
import { CLOCK_AHEAD_MAX_MS, ledgerOf, openParts, placeOf, type OpenedParts, type ProjectOptions } from "./opening.ts";
import { personExport } from "./person-export.ts";
import { recordsOf } from "./submission.ts";
import { Timers } from "./timers.ts";

const CHECKPOINT_EVERY_MS = 10_000;
const PERSONS_CACHED_MAX = 12_000;

export class EmbeddedProject implements Project {
  readonly name: string;
  readonly log: SegmentLog;
  readonly #options: ProjectOptions;
  readonly #ledger: Erasures;
  readonly #committer: Committer;
  readonly #decisions: DecisionLog;
  readonly guards: GuardWatch;
  readonly #trainer: BackgroundTrainer;
  readonly #families: FamilyTrainer;
  readonly #forgetting: Forgetting;
  readonly #listeners = new Set<(change: PersonChange) => void>();
  #derived: Derived;
  #timers: Timers;
  #checkpointTimer: NodeJS.Timeout | null = null;
  #checkpointDue = false;
  /** Processing time, which never goes back. */
  #clockMs = 0;
  #recordsSinceCheckpoint = 0;
  #accepted = 0;
  #duplicates = 0;
  #closed = false;

  private constructor(options: ProjectOptions, parts: Omit<OpenedParts, "proofs">) {
    const { files, log, ledger } = parts;
    this.name = options.name;
    this.#options = options;
    this.log = log;
    this.#ledger = ledger;
    this.#derived = this.#derive(files);
    this.#clockMs = files.meta?.clockMs ?? 0;
    this.#committer = new Committer({
      log,
      fold: (record, next) => this.#apply(record, next),
      folded: (end) => (this.#derived.position = end),
      clock: () => (this.#clockMs = Math.max(this.#clockMs, this.fold.lastAtMs, options.now())),
    });
    this.#decisions = new DecisionLog(this.#committer, (decision, madeAtMs) =>
      ledger.covers(this.fold.keyNow(decision), madeAtMs),
    );
    this.#trainer = new BackgroundTrainer({
      config: () => modelConfig(this.fold.programs.current.models).background,
      steps: () => logSteps(this.log, () => this.fold),
      write: (part, asOf) =>
        this.#writeAll(1, ({ atMs }) => (ledger.newest === asOf ? [{ kind: "background", at: atMs, ...part }] : [])),
      erasure: () => ({ newest: ledger.newest, isRunning: ledger.running().length > 0 }),
      personsTotal: () => this.fold.persons.total,
      health: () => this.fold.recommender.driftSigns(),
      earlier: () => earlierModel(this.log),
      onFailed: (error) => this.#options.onTrainingFailed?.(error),
    });
    this.#families = new FamilyTrainer({
      program: () => this.fold.programs.current,
      walk: () => this.fold.persons.walk(),
      person: (key) => this.fold.persons.peek(key),
      personsTotal: () => this.fold.persons.total,
      nowMs: () => this.#nowMs(),
      write: async (name, family) => {
        await this.#putDocument(({ document }) => learnedDocument(document, name, family));
      },
      onFailed: (error) => this.#options.onTrainingFailed?.(error),
    });
    this.guards = new GuardWatch({
      harmful: () => this.fold.decisions.experiments.harmful(),
      write: (stop) => this.#write(({ atMs }) => ({ kind: "experiment_stop", at: atMs, stop })),
    });
    this.#timers = this.#timersOf(this.#derived);
    this.#forgetting = new Forgetting({
      place: placeOf(options),
      isClosed: this.isClosed,
      log,
      ledger,
      policy: this.retentionPolicy,
      nowMs: () => this.#nowMs(),
      machineMs: () => options.now(),
      isStopped: () => this.#closed,
      derived: () => this.#derived,
      derive: (files) => this.#derive(files),
      replace: (next) => this.#replace(next),
      exclusive: (work) => this.#committer.exclusive(work),
      write: (records, prepare) => this.#writeAll(records, ({ atMs }) => prepare(atMs), { isFirst: true }),
      checkpoint: () => this.checkpoint(),
      acted: (action, details) => options.onOwnAct?.({ project: this.name, action, details }),
      onErasureFailed: (error) => options.onErasureFailed?.(error),
      onRetentionFailed: (error) => options.onRetentionFailed?.(error),
    });
  }

  /** Opens the folder, brings the state to the end of the log, and starts timers and checkpoints. */
  static async open(options: ProjectOptions): Promise<EmbeddedProject> {
    try {
      return await EmbeddedProject.#open(options);
    } catch (error) {
      if (!(error instanceof StateCorruptError || error instanceof IdIndexDamagedError)) throw error;
      // State is a fold of the log: what is damaged is thrown away and built anew.
      options.onStateRebuilt?.("damaged");
      StateFile.remove(stateFolder(options.folder, ledgerOf(options).generation));
      return EmbeddedProject.#open(options);
    }
  }

  static async #open(options: ProjectOptions): Promise<EmbeddedProject> {
    const { proofs, ...parts } = await openParts(options);
    const { files, log } = parts;
    let project: EmbeddedProject | undefined;
    try {
      project = new EmbeddedProject(options, parts);
      const records = await project.#recover(files.meta?.personsPosition ?? files.meta?.position ?? log.start);
      if (proofs !== undefined) await project.#forgetting.finish(proofs, records);
      return project;
    } catch (error) {
      if (project !== undefined) await project.#rest();
      await log.abandon();
      await files.file.close();
      throw error;
    }
  }

  get fold(): Fold {
    return this.#derived.fold;
  }

  /** Processing time, Unix ms: never goes back, also where the machine's clock does. */
  get clockMs(): number {
    return this.#nowMs();
  }

  get eventTypes(): ReadonlySet<string> {
    return this.fold.programs.current.eventTypes;
  }

  get honoursGpc(): boolean {
    return this.fold.programs.current.honoursGpc;
  }

  get isFull(): boolean {
    return this.#committer.isFull;
  }

  async submit(submission: Submission): Promise<EventOutcome[]> {
    const outcomes: EventOutcome[] = [];
    // An event may carry the id of a decision that is not in the log yet: that one comes first.
    this.#decisions.flush();
    await this.#committer.submit({
      records: submission.events.length + submission.deadLetters.length,
      sizeBytes: (submission.events.length + submission.deadLetters.length) * EVENT_BYTES,
      prepare: (group) => recordsOf(submission, group, { fold: this.fold, outcomes, erasures: this.#ledger }),
    });
    for (const outcome of outcomes) {
      if (outcome === "accepted") this.#accepted++;
      else if (outcome === "duplicate") this.#duplicates++;
    }
    return outcomes;
  }

  async profile(ref: PersonRef): Promise<ProfileView | undefined> {
    const nowMs = this.#nowMs();
    const { person } = this.#visitor(ref, nowMs);
    return person === undefined ? undefined : profileView(person, this.fold.programs.current.plan, nowMs);
  }

  async setAttributes(ref: PersonRef, attributes: Record<string, unknown>): Promise<ProfileView> {
    await this.#say({ ref, attributes });
    return (await this.profile(ref))!;
  }

  wasErased(ref: PersonRef, atMs: number): boolean {
    return this.#ledger.covers(saidOf(ref), atMs);
  }

  async consent(ref: PersonRef): ReturnType<Project["consent"]> {
    const said = this.fold.persons.get(this.fold.keyNow(ref))?.consent;
    return { consent: said ?? consentOfDefault(this.fold.programs.current.consentDefault), said: said !== undefined };
  }

  setConsent(ref: PersonRef, consent: Consent): Promise<void> {
    return this.#say({ ref, attributes: {}, consent });
  }

  exportPerson(ref: PersonRef): ReturnType<Project["exportPerson"]> {
    this.#decisions.flush();
    return personExport(ref, { fold: () => this.fold, log: this.log, nowMs: () => this.#nowMs() });
  }

  async erasePerson(ref: PersonRef): ReturnType<Project["erasePerson"]> {
    return this.#forgetting.erase(ref);
  }

  async erasure(jobId: string): ReturnType<Project["erasure"]> {
    return this.#forgetting.status(jobId);
  }

  /** What stands for the log's head; undefined where the log is whole. */
  get base(): BasePlace | undefined {
    return this.#forgetting.base;
  }

  /** Whether log and state are closed with keys. */
  get isClosed(): boolean {
    return this.#options.vault !== undefined;
  }

  get retentionPolicy(): RetentionPolicy {
    return this.#options.retention ?? DEFAULT_RETENTION;
  }

  async retention(): ReturnType<Project["retention"]> {
    return { policy: this.retentionPolicy, last: this.#forgetting.retained };
  }

  /** Applies retention now; undefined where the host goes down. A call while one runs waits for that. */
  retain(): Promise<RetentionReport | undefined> {
    return this.#forgetting.retain();
  }

  /** Every link is in memory. */
  resolve(): void {}

  personKey(ref: PersonRef): string {
    return this.fold.keyNow(ref);
  }

  async searchPersons(prefix: string, limit: number): Promise<PersonRef[]> {
    const keys = await this.fold.persons.search([`u:${prefix}`, `a:${prefix}`], limit);
    return keys.slice(0, limit).map(refOfKey);
  }

  async recommend(request: RecommendRequest): Promise<RecommendationList | undefined> {
    const sources = this.#sources();
    const answered = answerList(request, this.#visitor(request.ref, sources.nowMs), sources);
    if (answered !== undefined) this.#decisions.add(answered.decision, this.#nowMs());
    return answered?.answer;
  }

  async preview(request: PreviewRequest): Promise<PreviewAnswer | undefined> {
    const sources = this.#sources();
    const visitor = request.ref === undefined ? undefined : this.#visitor(request.ref, sources.nowMs);
    return answerPreview(request, visitor, { ...sources, programs: this.fold.programs });
  }

  async similar(itemId: string, limit: number): Promise<RecommendationList> {
    return answerSimilar(itemId, limit, this.#sources());
  }

  async trending(limit: number, filter?: string): Promise<RecommendationList> {
    return answerTrending(limit, filter, this.#sources());
  }

  async decide(ref: PersonRef, slot: string, context?: LoggedEvent["context"]): Promise<Decision | undefined> {
    const sources = this.#sources();
    const answered = answerSlot(slot, context, this.#visitor(ref, sources.nowMs), sources);
    if (answered !== undefined) this.#decisions.add(answered.decision, this.#nowMs());
    return answered?.answer;
  }

  async slots(): ReturnType<Project["slots"]> {
    return slotViews(this.fold.programs.current, this.fold.decisions);
  }

  async experiments(): ReturnType<Project["experiments"]> {
    return experimentViews(this.fold.programs.current, this.fold.decisions, this.fold.lastAtMs);
  }

  async experiment(name: string): ReturnType<Project["experiment"]> {
    return (await this.experiments()).find((one) => one.name === name);
  }

  async segments(): ReturnType<Project["segments"]> {
    return segmentSummaries(this.fold.programs.current, (name) => this.fold.members.sizes.get(name) ?? 0);
  }

  async segmentUsers(name: string, page: { limit: number; after?: string }): ReturnType<Project["segmentUsers"]> {
    if (!this.fold.programs.current.segments.some((segment) => segment.name === name)) return undefined;
    const found = this.fold.members.page(name, page);
    if (found === undefined) {
      throw new HostError("page_expired", "an erasure has put the list in another order: begin with its first page", { retryAfterS: 0 });
    }
    const { keys, ...next } = found;
    return { users: keys.map(refOfKey), total: this.fold.members.sizes.get(name) ?? 0, ...next };
  }

  async putItems(items: readonly Item[]): Promise<void> {
    await this.#writeAll(items.length, ({ atMs }) => items.map((item) => ({ kind: "item_put", at: atMs, item })));
  }

  async item(itemId: string): Promise<Item | undefined> {
    return this.fold.recommender.item(itemId);
  }

  async searchItems(text: string, limit: number): Promise<Item[]> {
    return this.fold.recommender.findItems(text, limit);
  }

  async deleteItem(itemId: string): Promise<boolean> {
    let isThere = false;
    await this.#writeAll(1, ({ atMs }) => {
      isThere = this.fold.recommender.item(itemId) !== undefined;
      return isThere ? [{ kind: "item_delete", at: atMs, item_id: itemId }] : [];
    });
    return isThere;
  }

  async program(version?: number): ReturnType<Project["program"]> {
    const { entries } = this.fold.programs;
    const entry = version === undefined ? entries.at(-1) : entries.find((known) => known.version === version);
    return entry === undefined ? undefined : { version: entry.version, at: entry.at, document: entry.program.document };
  }

  async programVersions(): ReturnType<Project["programVersions"]> {
    return this.fold.programs.entries.map(({ version, at }) => ({ version, at }));
  }

  async checkProgram(document: unknown): ReturnType<Project["checkProgram"]> {
    return checkProgram(document);
  }

  async putProgram(document: unknown, base?: readonly string[]): ReturnType<Project["putProgram"]> {
    const compiled = compileProgram(document, 1);
    if ("faults" in compiled) return { faults: compiled.faults };
    const version = await this.#putDocument((inForce) => withLearned(inOrderOfRuns(compiled.program, this.fold.programs), inForce), base);
    return version === undefined ? { changedTo: this.fold.programs.current.version } : { version };
  }

  async #putDocument(
    documentOf: (inForce: CompiledProgram) => unknown, base?: readonly string[],
  ): Promise<number | undefined> {
    let version: number | undefined;
    await this.#writeAll(1, (group) => {
      const { current } = this.fold.programs;
      const isNewest = current.version >= group.programVersion;
      if (base !== undefined && !(isNewest && base.includes(programTag(current.document)))) return [];
      version = Math.max(current.version, group.programVersion) + 1;
      group.programVersion = version;
      return [{ kind: "program", at: group.atMs, version, document: documentOf(current) }];
    });
    if (version !== undefined) this.#derived.sweep.start(this.fold.programs.current.version);
    return version;
  }

  async rollbackProgram(version: number, base?: readonly string[]): ReturnType<Project["rollbackProgram"]> {
    const earlier = await this.program(version);
    if (earlier === undefined) return undefined;
    const put = await this.putProgram(earlier.document, base);
    return "faults" in put ? undefined : put;
  }

  async deadLetters(page: { limit: number; before?: string }): ReturnType<Project["deadLetters"]> {
    const before = page.before === undefined ? {} : { after: page.before };
    const rows = this.fold.letters.page({ ...before, limit: page.limit, reverse: true });
    return { letters: rows.map(([, bytes]) => letterOf(bytes)), total: this.fold.counts.deadLetters };
  }

  async deadLetter(id: string): Promise<DeadLetter | undefined> {
    const bytes = this.fold.letters.get(id);
    return bytes === undefined ? undefined : letterOf(bytes);
  }

  async resolveDeadLetter(id: string): Promise<void> {
    await this.#writeAll(1, ({ atMs }) => {
      const bytes = this.fold.letters.get(id);
      if (bytes === undefined) return [];
      return [{ kind: "dead_letter", at: atMs, letter: { ...letterOf(bytes), body: null, resolved: true } }];
    });
  }

  /** Trains the background model now, beside the serving; false where there is too little to learn from. */
  trainBackground(): Promise<boolean> {
    return this.#trainer.train();
  }

  async models(): ReturnType<Project["models"]> {
    return this.fold.recommender.health();
  }

  /** Looks now whether the background model must be trained anew, or rolled back. */
  lookAfterBackground(): ReturnType<BackgroundTrainer["look"]> {
    return this.#trainer.look();
  }

  /** Learns all families of segments now, beside the serving; the number of those that changed. */
  trainSegments(): Promise<number> {
    return this.#families.train("all");
  }

  onChange(listener: (change: PersonChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stats(): HostStats {
    const { persons, counts, recommender } = this.fold;
    return {
      ready: !this.#closed && !this.#committer.hasFailed,
      acceptedTotal: this.#accepted,
      duplicatesTotal: this.#duplicates,
      deadLettersTotal: counts.deadLetters,
      markedTrafficTotal: counts.marked.bot + counts.marked.suspicious + counts.marked.no_consent,
      queuedEvents: this.#committer.queuedRecords,
      queuedBytes: this.#committer.queuedBytes,
      logPosition: this.log.end,
      logSizeBytes: this.log.sizeBytes,
      checkpointPosition: this.#derived.checkpointer.position,
      checkpointAgeMs: performance.now() - this.#derived.checkpointer.takenAt,
      personsTotal: persons.total,
      personsCached: persons.cached,
      itemsTotal: recommender.itemCount,
      decisionsDroppedTotal: this.#decisions.dropped,
      clockAheadMs: this.#clockAheadMs(),
      storageFull: this.#committer.storageFull,
      storageFailed: this.#committer.hasFailed,
    };
  }

  /** Takes a checkpoint now; resolves when it is durable. */
  async checkpoint(): Promise<void> {
    this.#recordsSinceCheckpoint = 0;
    await this.#derived.checkpointer.take();
    this.#timers.checkpointed();
  }

  /** Writes what waits, takes a last checkpoint and lets go of the files. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#decisions.flush();
    this.#closed = true;
    await this.#rest();
    await this.#committer.close();
    try {
      await this.checkpoint();
    } catch (error) {
      this.#options.onCheckpointFailed?.(error as Error);
    }
    await this.log.close();
    await this.#derived.close();
  }

  /** Ends what it does by itself. */
  async #rest(): Promise<void> {
    this.#timers.stop();
    this.guards.stop();
    await this.#trainer.stop();
    await this.#families.stop();
    this.#derived.sweep.stop();
    await this.#forgetting.stop();
    if (this.#checkpointTimer !== null) clearInterval(this.#checkpointTimer);
  }

  /** Folds the log from `from` on: the position from which persons may lack something. */
  async #recover(from: number): Promise<number> {
    this.#derived.load();
    await this.#derived.rememberEarlier(this.log);
    const records = await this.#derived.replay(this.log, from, { onCorrupt: this.#options.onFault ?? (() => {}) });
    if (this.fold.programs.entries.length === 0) await this.#create();
    const aheadMs = this.#clockAheadMs();
    if (aheadMs > CLOCK_AHEAD_MAX_MS) this.#options.onClockAhead?.(aheadMs);
    this.#timers.start();
    this.guards.start();
    this.#derived.sweep.start(this.fold.programs.current.version);
    const everyMs = this.#options.checkpointEveryMs ?? CHECKPOINT_EVERY_MS;
    this.#checkpointTimer = setInterval(() => this.#checkpointSoon(), everyMs);
    this.#checkpointTimer.unref();
    this.#forgetting.rollOld();
    if (this.#options.isBatch === true) return records;
    this.fold.recommender.settle();
    this.#trainer.start();
    this.#families.start();
    this.#forgetting.start();
    return records;
  }

  #derive(files: DerivedFiles): Derived {
    return new Derived(files, {
      personsCachedMax: this.#options.personsCachedMax ?? PERSONS_CACHED_MAX,
      checkpointSlice: this.#options.checkpointSlice,
      logStart: this.log.start,
      clockMs: () => this.#clockMs,
      look: (key) => this.#look(key, this.#nowMs()),
    });
  }

  #timersOf({ fold: { persons } }: Derived): Timers {
    return new Timers({ persons, now: () => this.#nowMs(), look: (key, nowMs) => this.#look(key, nowMs) });
  }

  #replace(next: Derived): void {
    this.#timers.stop();
    this.#derived.sweep.stop();
    this.#derived = next;
    this.#timers = this.#timersOf(next);
    this.#timers.start();
  }

  /** A new project's log begins with its program, so that the log alone says how it is to be read. */
  #create(): Promise<void> {
    const document = this.#options.firstProgram;
    return this.#write(({ atMs }) => ({ kind: "program", at: atMs, version: 1, document }));
  }

  #apply(record: KeyedRecord, next: number): void {
    const change = this.fold.apply(record, next);
    if (change !== undefined) this.#tell(change);
    const isDue =
      ++this.#recordsSinceCheckpoint > RECORDS_A_CHECKPOINT_MAX || this.fold.persons.dirtyCount > DIRTY_PERSONS_MAX;
    if (isDue) this.#checkpointAfterGroup();
  }

  /** What is "now" for whatever reads or brings a person on. */
  #nowMs(): number {
    return this.#committer.lookTimeMs();
  }

  #sources(): Sources {
    const { programs, recommender, decisions } = this.fold;
    return { program: programs.current, recommender, nowMs: this.#nowMs(), decisions };
  }

  #clockAheadMs(): number {
    return Math.max(0, Math.max(this.#clockMs, this.fold.lastAtMs) - this.#options.now());
  }

  /** The person of a ref, brought to `nowMs`. */
  #visitor(ref: PersonRef, nowMs: number): Visitor {
    const key = this.fold.keyNow(ref);
    this.#look(key, nowMs);
    return { ref, key, person: this.fold.persons.get(key) };
  }

  #look(key: string, nowMs: number): void {
    const change = this.fold.look(key, nowMs);
    if (change !== undefined) this.#tell(change);
  }

  #tell(change: PersonChange): void {
    const person = this.fold.persons.get(change.key);
    if (person !== undefined && person.nextCheckMs !== Infinity) this.#timers.set(change.key, person.nextCheckMs);
    for (const listener of this.#listeners) listener(change);
  }

  #say(said: Omit<Extract<LogRecord, { kind: "attributes" }>, "kind" | "at">): Promise<void> {
    return this.#write(({ atMs, links }) => {
      this.fold.willSay(said, links);
      return { kind: "attributes", at: atMs, ...said };
    });
  }

  #write(record: (group: Group) => LogRecord): Promise<void> {
    return this.#writeAll(1, (group) => [record(group)]);
  }

  #writeAll(records: number, prepare: (group: Group) => LogRecord[], options: Pick<Work, "isFirst"> = {}): Promise<void> {
    return this.#committer.submit({ records, sizeBytes: records * EVENT_BYTES, prepare, ...options });
  }

  /** Not within a group: a checkpoint that holds half of it would let recovery fold that half twice. */
  #checkpointAfterGroup(): void {
    if (this.#checkpointDue) return;
    this.#checkpointDue = true;
    setImmediate(() => {
      this.#checkpointDue = false;
      this.#checkpointSoon();
    });
  }

  #checkpointSoon(): void {
    if (this.#closed) return;
    this.checkpoint().catch((error: unknown) => this.#options.onCheckpointFailed?.(error as Error));
  }
}
