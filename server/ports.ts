// What the protocol handlers (intake, serve, live, admin) need from a host. The embedded host (server/embedded)
// answers from its own memory, the cluster's servers from Kafka and Redis; handlers know neither.
import type { SlotView } from "../core/decide/view.ts";
import type { LoggedEvent } from "../core/event/event.ts";
import type { ExperimentView } from "../core/experiment/view.ts";
import type { Item } from "../core/item/item.ts";
import type { FiredTrigger } from "../core/segment/triggers.ts";
import type { HealthView } from "../core/model/health-view.ts";
import type { ProfileView } from "../core/profile/view.ts";
import type { ProgramDocument, ProgramFault } from "../core/program/program.ts";
import type { Consent, DeadLetter, PersonRef } from "../core/record.ts";
import type { RetentionPolicy, RetentionReport } from "./privacy/retention.ts";

/** A fault of operation, with a stable code that the HTTP and gRPC tables map to a status. */
export type HostErrorCode =
  | "overloaded"
  | "storage_full"
  | "storage_failed"
  | "shutting_down"
  | "unavailable"
  | "page_expired"
  | "not_supported_here";

export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: HostErrorCode;
  /** Seconds after which the sender should try again; goes out as `Retry-After`. */
  readonly retryAfterS: number;
  constructor(code: HostErrorCode, message: string, options: { retryAfterS: number; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfterS = options.retryAfterS;
  }
}

/** An event as intake hands it over: validated and enriched, but for the item's facts, which the host adds. */
export interface Submission {
  readonly events: readonly LoggedEvent[];
  /** Refused events to be kept; ids are the host's. */
  readonly deadLetters: readonly Omit<DeadLetter, "id" | "at">[];
}

/**
 * `refused`: the person does not allow that his events are kept; `erased`: he was erased after it had happened. Nothing of
 * either is kept.
 */
export type EventOutcome = "accepted" | "duplicate" | "refused" | "erased";

export interface ErasureStatus {
  readonly job_id: string;
  readonly status: "running" | "done";
  /** What was erased where and when, and what looking for it again found; only where it is done. */
  readonly proof?: Readonly<Record<string, unknown>>;
}

/** Something that the host did by itself and the audit trail tells of. */
export interface OwnAct {
  readonly project: string;
  /** `retention`: a run has ended; `erasure done`: a job has ended in its proof. */
  readonly action: "retention" | "erasure done";
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

export interface RecommendRequest {
  ref: PersonRef;
  placement: string;
  /** The placement's own where it is missing. */
  limit?: number;
  itemId?: string;
  exclude?: readonly string[];
  /** CEL over the item. */
  filter?: string;
  /** A placement's form without its description and limit, added to what the placement says; checked by the host. */
  rules?: unknown;
  explain?: boolean;
  context?: LoggedEvent["context"];
  /** The list is to follow nobody: the browser asks for it. */
  impersonal?: boolean;
  /** Items about which it is asked why they are not in the list. */
  whyNot?: readonly string[];
}

export interface RecommendedItem {
  item_id: string;
  score: number;
  rank: number;
  reasons?: { source: string; because: string[]; weight: number; crowds?: string[] }[];
  /** The reasons in one short sentence for whoever reads the list. */
  reason_text?: string;
  item?: Item;
}

/** What an event of a question "what if" says. */
export interface SupposedEvent {
  event_type: string;
  item_id?: string;
  value?: number;
}

/** How the list of a preview is to differ from the one there is. */
export interface PreviewChange {
  /** A placement's document, in the place of the program's. */
  placement?: unknown;
  /** As a request's. */
  rules?: unknown;
  context?: LoggedEvent["context"];
  attributes?: Record<string, unknown>;
  /** Had he done this as well, in this order, just now. */
  events?: readonly SupposedEvent[];
  /** Had he never met these items. */
  without?: readonly string[];
}

export interface PreviewRequest {
  /** Missing: a new visitor. */
  ref?: PersonRef;
  placement: string;
  /** The placement's own where it is missing. */
  limit?: number;
  itemId?: string;
  exclude?: readonly string[];
  filter?: string;
  context?: LoggedEvent["context"];
  change: PreviewChange;
  /** Items about which it is asked why they are not in the list. */
  whyNot: readonly string[];
}

export interface PreviewItem extends RecommendedItem {
  /** What put it where it is: models, factors, a pin. */
  account: Record<string, unknown>;
}

export interface PreviewList {
  strategy: string;
  /** The ranker that serves: `mix`, `calibrated`, or a model's name. */
  ranker: string;
  items: PreviewItem[];
}

export interface PreviewMove {
  item_id: string;
  /** Ranks from 1; null where it is not in the list. */
  from: number | null;
  to: number | null;
  why: string;
}

export interface WhyNot {
  status: string;
  /** In words. */
  text: string;
  [detail: string]: unknown;
}

export interface ListedWhyNot extends WhyNot {
  item_id: string;
  item?: Item;
}

export interface PreviewAnswer {
  user_id?: string;
  anonymous_id?: string;
  placement: string;
  /** False where the visitor does not allow that lists follow him: both are what everybody gets. */
  personalized: boolean;
  before: PreviewList;
  after: PreviewList;
  moves: PreviewMove[];
  why_not: { item_id: string; item?: Item; before: WhyNot; after: WhyNot }[];
  degraded?: true;
}

export interface RecommendationList {
  decision_id: string;
  user_id?: string;
  anonymous_id?: string;
  profile_version: number;
  placement: string;
  /** How the list came about: `blend`, `popular`, `similar`, `trending` … */
  strategy: string;
  items: RecommendedItem[];
  /** Of what the request asks for in `whyNot`. */
  why_not?: ListedWhyNot[];
  /** The visitor's variant of each experiment that the list carries out. */
  experiments?: Record<string, string>;
  /** The visitor could not be found because a part of the cluster is away: this is what everybody gets. */
  degraded?: true;
}

/** A profile; `degraded` where a part of the cluster is away, and it may be older than it should be, or empty. */
export type ProfileAnswer = ProfileView & { degraded?: true };

export interface Decision {
  decision_id: string;
  slot: string;
  variant: string | null;
  payload: unknown;
  propensity: number;
  /** Who decided: `rule:INDEX`, `default`, a policy, `shadow:POLICY`, `experiment:NAME` or `holdout`. */
  reason: string;
  /** The visitor's variant of each experiment that the decision carries out. */
  experiments?: Record<string, string>;
  /** The visitor could not be found because a part of the cluster is away: this is what is decided for somebody unknown. */
  degraded?: true;
}

/** One line of an export; `record` says its kind, as the dictionary in the first line explains it. */
export type ExportLine = { readonly record: string } & Readonly<Record<string, unknown>>;

/** What changed about one person, after it was durable. */
export interface PersonChange {
  /** The person's canonical key; equal for all of his ids. */
  key: string;
  ref: PersonRef;
  version: number;
  atMs: number;
  /** The event behind the change; undefined when time alone changed a segment. */
  event?: LoggedEvent;
  entered: readonly string[];
  left: readonly string[];
  triggers: readonly FiredTrigger[];
  /** Set when this change made two persons one: the key that is no more. */
  mergedFrom?: string;
  /** Set when attributes, not an event, gave this anonymous id to the person. */
  linkedAnonymousId?: string;
}

export interface SegmentSummary {
  name: string;
  description?: string;
  when: string;
  size: number;
  /** Of a segment that a training found: the whole family, or one group of it. */
  learned?: {
    family: string;
    method: "kmeans" | "dbscan";
    /** ISO 8601; null before the first training. */
    trained_at: string | null;
    /** Of the sample, in the group or in all. */
    persons: number;
    /** What tells the group from everybody, strongest first. */
    distinctions: readonly { column: string; mean: number; of_all: number }[];
  };
}

export interface ProgramVersion {
  version: number;
  at: number;
  document: ProgramDocument;
}

export interface PartStats {
  readonly ready: boolean;
  readonly [figure: string]: number | boolean;
}

/** Figures for `/metrics`, `/readyz` and the console. Counts are since the process started. */
export interface HostStats {
  ready: boolean;
  acceptedTotal: number;
  duplicatesTotal: number;
  deadLettersTotal: number;
  markedTrafficTotal: number;
  queuedEvents: number;
  queuedBytes: number;
  logPosition: number;
  logSizeBytes: number;
  checkpointPosition: number;
  checkpointAgeMs: number;
  personsTotal: number;
  personsCached: number;
  itemsTotal: number;
  /** Decisions that could not be logged because too many waited. */
  decisionsDroppedTotal: number;
  /** How far the data's own time, which never goes back, is ahead of the machine's clock: until then time stands still. */
  clockAheadMs: number;
  storageFull: boolean;
  /** The log cannot be written any more, until the process starts anew; what it holds is still answered. */
  storageFailed: boolean;
  /** What the host depends on, by name, with figures. The host answers without a part too, but not as well. */
  parts?: Readonly<Record<string, PartStats>>;
}

/** One project (tenant). Everything a handler may ask of it. */
export interface Project {
  readonly name: string;
  /** Event types that the current program accepts. */
  readonly eventTypes: ReadonlySet<string>;
  /** Whether a browser that asks not to be profiled is obeyed. */
  readonly honoursGpc: boolean;
  /** Whether so much waits to be written that `submit` would be refused (overloaded): no work need be put into what comes. */
  readonly isFull: boolean;

  /**
   * Resolves when every new event is on disk, counted once, and in the profile, the segments and the models; outcomes
   * are in the order of `events`. Rejects with HostError where nothing of it was taken.
   */
  submit(submission: Submission): Promise<EventOutcome[]>;

  profile(ref: PersonRef): Promise<ProfileAnswer | undefined>;
  /** A ref with both ids links them, whatever the attributes. */
  setAttributes(ref: PersonRef, attributes: Record<string, unknown>): Promise<ProfileAnswer>;
  /** Whether what was said of them then was erased since: then it must not be taken. */
  wasErased(ref: PersonRef, atMs: number): boolean;
  /** What holds for the person; `said` is false where it is the program's default. Rejects with HostError where nobody knows. */
  consent(ref: PersonRef): Promise<{ consent: Consent; said: boolean }>;
  /** From the next event and the next answer on. */
  setConsent(ref: PersonRef, consent: Consent): Promise<void>;
  /** Everything held on the person, the data dictionary first; also for one never seen. Others are served meanwhile. */
  exportPerson(ref: PersonRef): AsyncGenerator<ExportLine>;
  /** Resolves when he is forgotten for whoever asks and the job is durable: it takes his bytes out of everything. */
  erasePerson(ref: PersonRef): Promise<ErasureStatus>;
  /** How long what is kept, and what the last run of retention did; undefined before the first. */
  retention(): Promise<{ policy: RetentionPolicy; last: RetentionReport | undefined }>;
  /** Undefined: no such job. */
  erasure(jobId: string): Promise<ErasureStatus | undefined>;
  /** Finds out whom the ref's anonymous id belongs to, where that is not in memory: `personKey` says it then. */
  resolve(ref: PersonRef): void | Promise<void>;
  /** The person's canonical key, also for one never seen: live subscriptions are kept by it. */
  personKey(ref: PersonRef): string;
  /** Ids of persons that start with `prefix`, at most `limit`. */
  searchPersons(prefix: string, limit: number): Promise<PersonRef[]>;

  /** Rejects with FilterError where `filter` is not a CEL expression over the item. Undefined: no such placement. */
  recommend(request: RecommendRequest): Promise<RecommendationList | undefined>;
  /**
   * The list as it is and as it would be, and why; nothing is logged, nothing changes. Rejects with FilterError and
   * RulesError. Undefined: no such placement.
   */
  preview(request: PreviewRequest): Promise<PreviewAnswer | undefined>;
  similar(itemId: string, limit: number): Promise<RecommendationList>;
  trending(limit: number, filter?: string): Promise<RecommendationList>;
  /** Undefined: no such slot. */
  decide(ref: PersonRef, slot: string, context?: LoggedEvent["context"]): Promise<Decision | undefined>;

  /** How each model does over time, and what has changed. */
  models(): Promise<HealthView>;
  /** Slots of the program in its order, with what those that learn have learnt. */
  slots(): Promise<SlotView[]>;
  /** Experiments of the program, the holdout first. */
  experiments(): Promise<ExperimentView[]>;
  /** Undefined: the program has no such experiment. */
  experiment(name: string): Promise<ExperimentView | undefined>;

  segments(): Promise<SegmentSummary[]>;
  /** Undefined: no such segment. `after` is the `next` of the page before. Rejects with HostError (`page_expired`) where that leads nowhere. */
  segmentUsers(
    name: string,
    page: { limit: number; after?: string },
  ): Promise<{ users: PersonRef[]; total: number; next?: string } | undefined>;

  putItems(items: readonly Item[]): Promise<void>;
  item(itemId: string): Promise<Item | undefined>;
  /** Items whose id, or a word of whose title, begins with `text`, at most `limit`. */
  searchItems(text: string, limit: number): Promise<Item[]>;
  deleteItem(itemId: string): Promise<boolean>;

  program(version?: number): Promise<ProgramVersion | undefined>;
  programVersions(): Promise<{ version: number; at: number }[]>;
  /** @param base - tags (server/hosting/program-tag.ts) of which the program in force must have one; else nothing changes. */
  putProgram(
    document: unknown, base?: readonly string[],
  ): Promise<{ version: number } | { faults: ProgramFault[] } | { changedTo: number }>;
  checkProgram(document: unknown): Promise<ProgramFault[]>;
  /** @param base - as of `putProgram`. */
  rollbackProgram(version: number, base?: readonly string[]): Promise<{ version: number } | { changedTo: number } | undefined>;

  /** Newest first; `before` is the id of the last one of the page before. */
  deadLetters(page: { limit: number; before?: string }): Promise<{ letters: DeadLetter[]; total: number }>;
  deadLetter(id: string): Promise<DeadLetter | undefined>;
  /** Marks a letter as dealt with, after its event was accepted. */
  resolveDeadLetter(id: string): Promise<void>;

  /** Called after durability, in log order. Returns how to stop listening. Listeners must not throw or block. */
  onChange(listener: (change: PersonChange) => void): () => void;
  stats(): HostStats;
}

/** Rules of a list, or a draft of them, with faults: each with its path. */
export class RulesError extends Error {
  override readonly name = "RulesError";
  readonly code = "bad_rules";
  readonly faults: readonly ProgramFault[];
  constructor(faults: readonly ProgramFault[]) {
    super(`${faults.length} ${faults.length === 1 ? "fault" : "faults"} in the rules of the list.`);
    this.faults = faults;
  }
}

/** A filter that is not a CEL expression over the item, with the position in its text. */
export class FilterError extends Error {
  override readonly name = "FilterError";
  readonly code = "bad_filter";
}
