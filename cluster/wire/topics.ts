// The names of everything that is shared through Kafka. One project's topics start with its own prefix, so that access
// rights, quotas and deletion can be given by it.

const PREFIX = "attune";

/** Event families, for sites that want to keep or scale kinds of events apart. */
export const FAMILIES = ["page", "engage", "commerce"] as const;
export type Family = (typeof FAMILIES)[number];

/** `one`: topic `events`; a person's bytes are the fold of it. `families`: three topics; his numbers agree to 1e-9. */
export type EventTopics = "one" | "families";

const PAGE_TYPES: ReadonlySet<string> = new Set(["page_view", "view", "impression", "search"]);
const COMMERCE_TYPES: ReadonlySet<string> = new Set(["add_to_cart", "remove_from_cart", "purchase"]);

/** The family of an event type; a type of a program's own is `engage`. */
export function familyOf(eventType: string): Family {
  if (PAGE_TYPES.has(eventType)) return "page";
  return COMMERCE_TYPES.has(eventType) ? "commerce" : "engage";
}

export interface ProjectTopics {
  /** What persons did: the log. With families, records that are no event lie in `engage`. */
  readonly events: Readonly<Record<Family, string>>;
  /** Each name of `events` once. */
  readonly log: readonly string[];
  readonly handover: string;
  readonly profiles: string;
  readonly steps: string;
  readonly outcomes: string;
  readonly decision: string;
  readonly item: string;
  readonly control: string;
  readonly deadLetters: string;
  readonly quarantine: string;
  readonly erasures: string;
}

/**
 * The topics of one project. What the job writes belongs to a generation (a backfill fills the next one beside the
 * running one); generation 1 has no suffix, so that a small site never sees one.
 */
export function projectTopics(
  project: string,
  options: { events?: EventTopics; generation?: number } = {},
): ProjectTopics {
  const { events = "one", generation = 1 } = options;
  const name = (topic: string): string => `${PREFIX}.${project}.${topic}`;
  const ours = (topic: string): string => name(generation === 1 ? topic : `${topic}.g${generation}`);
  const one = name("events");
  const byFamily =
    events === "one"
      ? { page: one, engage: one, commerce: one }
      : { page: name("page"), engage: name("engage"), commerce: name("commerce") };
  return {
    events: byFamily,
    log: [...new Set(Object.values(byFamily))],
    handover: ours("handover"),
    profiles: ours("profiles"),
    steps: ours("steps"),
    outcomes: ours("outcomes"),
    decision: name("decision"),
    item: name("item"),
    control: name("control"),
    deadLetters: name("dead-letters"),
    quarantine: ours("quarantine"),
    erasures: name("erasures"),
  };
}

/** What the servers of a cluster share beyond projects; a project's name has no dot, so nothing is called the same. */
export function sharedTopics(): { access: string; audit: string; settings: TopicSettings } {
  const settings: TopicSettings = { cleanup: "delete", logAppendTime: true, partitions: "one" };
  return { access: `${PREFIX}.access`, audit: `${PREFIX}.audit`, settings };
}

/** How a topic must be set up; brokers that differ are refused at start. */
export interface TopicSettings {
  readonly cleanup: "delete" | "compact";
  /** Undefined: kept for ever. */
  readonly retentionMs?: number;
  /** The broker's clock is the log's clock. */
  readonly logAppendTime: boolean;
  /** One partition where order across keys matters or where there is little. */
  readonly partitions: "many" | "one";
  /** What a newer value replaces is gone from the disk within so long, about. */
  readonly compactedWithinMs?: number;
  /** Each record has a key of its own (record-key.ts), where this release made the topic. */
  readonly ownKeys?: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const TOPIC_SETTINGS: Readonly<Record<keyof Omit<ProjectTopics, "log">, TopicSettings>> = {
  events: { cleanup: "delete", retentionMs: 400 * DAY_MS, logAppendTime: true, partitions: "many", ownKeys: true },
  handover: { cleanup: "delete", retentionMs: 7 * DAY_MS, logAppendTime: true, partitions: "many", ownKeys: true },
  profiles: { cleanup: "compact", logAppendTime: false, partitions: "many" },
  steps: { cleanup: "delete", retentionMs: 90 * DAY_MS, logAppendTime: false, partitions: "many", ownKeys: true },
  outcomes: { cleanup: "delete", retentionMs: 90 * DAY_MS, logAppendTime: false, partitions: "many", ownKeys: true },
  decision: { cleanup: "delete", retentionMs: 90 * DAY_MS, logAppendTime: true, partitions: "many", ownKeys: true },
  item: { cleanup: "compact", logAppendTime: true, partitions: "one" },
  control: { cleanup: "delete", logAppendTime: true, partitions: "one" },
  deadLetters: { cleanup: "delete", retentionMs: 90 * DAY_MS, logAppendTime: true, partitions: "one" },
  quarantine: { cleanup: "delete", retentionMs: 90 * DAY_MS, logAppendTime: true, partitions: "one" },
  erasures: { cleanup: "compact", logAppendTime: true, partitions: "one", compactedWithinMs: HOUR_MS },
};

/** The consumer group that the job of a generation confirms its offsets under. */
export const groupId = (generation: number): string => `attune.g${generation}`;
