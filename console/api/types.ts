// The shapes that the node answers with, as the contract names them. Times are ISO 8601 unless the name ends in a unit.

export interface PersonRef {
  user_id?: string;
  anonymous_id?: string;
}

export interface Item {
  item_id: string;
  title?: string;
  categories: string[];
  tags: string[];
  price?: number;
  image_url?: string;
  url?: string;
  available?: boolean;
  published_at?: string | number;
  attributes?: Record<string, unknown>;
}

export interface RecentItem {
  item_id: string;
  event_type: string;
  timestamp: string | number;
  value?: number;
}

export interface Profile {
  user_id: string | null;
  anonymous_ids?: string[];
  version: number;
  updated_at: string | null;
  attributes: Record<string, unknown>;
  /** Shares of the positive interest in categories, 0-1. */
  interests: Record<string, number>;
  /** The same by tag. */
  interest_tags?: Record<string, number>;
  /** Interactions by UTC day, oldest first. */
  activity?: { date: string; interactions: number }[];
  recent: RecentItem[];
  features: Record<string, number | string | null>;
  session: Record<string, unknown> | null;
  segments: string[];
  context: Record<string, unknown>;
  consent: unknown;
}

export interface Reason {
  source: string;
  because: string[];
  weight: number;
}

export interface RecommendedItem {
  item_id: string;
  score: number;
  rank: number;
  reasons?: Reason[];
  item?: Item;
}

export interface RecommendationList extends PersonRef {
  decision_id: string;
  profile_version: number;
  placement: string;
  strategy: string;
  items: RecommendedItem[];
  took_ms?: number;
}

export interface Segment {
  name: string;
  description?: string;
  when: string;
  size: number;
  /** Of one that a training found. */
  learned?: {
    family: string;
    method: "kmeans" | "dbscan";
    trained_at: string | null;
    persons: number;
    distinctions: readonly Distinction[];
  };
}

export interface Distinction {
  column: string;
  mean: number;
  of_all: number;
}

export interface SegmentUsers {
  segment: string;
  users: PersonRef[];
  total: number;
  next: string | null;
}

export interface ProgramFault {
  path: string;
  code: string;
  message: string;
}

export interface ProgramVersions {
  current: number;
  versions: { version: number; created_at: string }[];
}

/** The document itself; `version` and `created_at` are the node's. */
export interface Program {
  version: number;
  created_at?: string;
  events?: Record<string, { weight: number }>;
  interests?: { half_life?: string };
  placements?: Record<string, unknown>;
  experiments?: Record<string, unknown>;
  [part: string]: unknown;
}

export interface DeadLetter {
  id: string;
  at: string | number;
  code: string;
  path: string;
  message: string;
  source: string;
  body: unknown;
}

export interface DeadLetters {
  dead_letters: DeadLetter[];
  total: number;
  next: string | null;
}

/** What `POST /v1/events` and a retry answer. */
export interface IntakeAnswer {
  accepted: number;
  duplicates: number;
  rejected: { index: number; event_id?: string; code: string; path: string; message: string }[];
}

export interface StreamedEvent extends PersonRef {
  event_id: string;
  session_id?: string;
  event_type: string;
  timestamp: string | number;
  received_at: string | number;
  page_url?: string;
  item_id?: string;
  value?: number;
  context?: Record<string, string>;
  additional_data?: Record<string, unknown>;
  traffic?: "bot" | "suspicious";
}

export interface StreamStatus {
  per_s: number;
  shown: number;
  skipped: number;
}

/** One value a step; null where nothing was measured. */
export type Measured = (number | null)[];

export interface StatsSeries {
  step_s: number;
  at: string[];
  accepted_per_s: Measured;
  rejected_per_s: Measured;
  marked_per_s: Measured;
  requests_per_s: Measured;
  intake_p50_ms: Measured;
  intake_p99_ms: Measured;
  commit_p50_ms: Measured;
  commit_p99_ms: Measured;
  recommend_p50_ms: Measured;
  recommend_p99_ms: Measured;
  queue_bytes: Measured;
  checkpoint_age_s: Measured;
  event_loop_p99_ms: Measured;
  rss_bytes: Measured;
  segments: Record<string, Measured>;
}

export interface RouteLatency {
  route: string;
  count: number;
  per_s: number;
  p50_ms: number | null;
  p99_ms: number | null;
  max_ms: number | null;
}

export interface Stats {
  project: string;
  at: string;
  started_at: string;
  uptime_s: number;
  ready: boolean;
  storage_full: boolean;
  totals: {
    accepted: number;
    duplicates: number;
    rejected: number;
    dead_letters: number;
    marked_traffic: number;
    persons: number;
    persons_cached: number;
    items: number;
    /** Refused beyond the quota since the start: counted, not kept. */
    dead_letters_dropped?: number;
  };
  rates: { accepted_per_s: number; requests_per_s: number };
  queue: { events: number; bytes: number; bytes_max: number };
  log: { position: number; size_bytes: number };
  checkpoint: { position: number; age_s: number };
  live: { sockets: number; streams: number; subscriptions: number; sent: number; dropped: number };
  webhooks: { queued: number; delivered: number; retried: number; failed: number };
  process: { rss_bytes: number; heap_used_bytes: number; cpu_share: number; event_loop_p99_ms: number };
  latency: RouteLatency[];
  series: StatsSeries;
}

export interface SearchAnswer {
  persons: PersonRef[];
  items: Item[];
  segments: string[];
}

export interface Interval {
  low: number;
  high: number;
}

export interface ValueEstimate extends Interval {
  value: number;
}

/** What always choosing one thing would have brought, from the log; refused where the log says too little. */
export interface OffPolicy {
  choices: number;
  effective_sample_size: number;
  refused: { code: string; reason: string } | null;
  ips: ValueEstimate | null;
  snips: ValueEstimate | null;
  doubly_robust: ValueEstimate | null;
}

export interface SlotArm {
  variant: string;
  shown: number;
  reward: number;
  mean: number | null;
  share: number;
  off_policy: OffPolicy;
}

export interface Slot {
  name: string;
  description?: string;
  policy: string;
  rules: number;
  default: string | null;
  shadow: boolean;
  variants: string[];
  learning: {
    reward_max: number;
    window_s: number;
    exploration: number;
    shown: number;
    reward: number;
    left_out: number;
    updated_at: string | null;
  } | null;
  arms: SlotArm[];
}

export interface MetricResult {
  mean: number;
  interval: Interval | null;
  total: number;
  lift: number | null;
  lift_interval: Interval | null;
  difference: number | null;
  difference_interval: Interval | null;
  explained: number;
}

export interface ExperimentVariant {
  name: string;
  control: boolean;
  share: number;
  assigned: number;
  users: number;
  exposures: number;
  conversions: number | null;
  lift: number | null;
  interval: Interval | null;
  /** The interval is null where control's mean was too near 0 for a lift. */
  stopped: { at: string; metric: string; interval: Interval | null } | null;
  metrics: Record<string, MetricResult>;
  off_policy: OffPolicy;
}

export interface Experiment {
  name: string;
  run: string;
  started_at: string;
  updated_at: string;
  primary: string;
  control: string;
  window_s: number;
  covariate: string;
  holdout: boolean;
  interleave: string | null;
  confidence: number;
  users: number;
  sample_ratio: { ok: boolean; p_value: number };
  mixed: number;
  left_out: number;
  guards: { metric: string; worse_by: number }[];
  metrics: { name: string; kind: string; better: string }[];
  variants: ExperimentVariant[];
  interleaving: { wins: Record<string, number>; ties: number; share: number | null; interval: Interval } | null;
  /** Each list is by variant. */
  history: { at: string; users: number[]; means: number[]; lows: (number | null)[]; highs: (number | null)[] }[];
}

/** Who looks at the console; `open`: the node has no keys, `nobody`: it has, and they have shown none. */
export interface Session {
  kind: "open" | "key" | "session" | "nobody";
  id: string;
  role: string | null;
  project: string | null;
  /** The identity provider that people log in with as well; null where there is none. */
  provider: string | null;
}

export const KEY_ROLES = ["write", "read", "operator", "admin"] as const;

export interface Key {
  key_id: string;
  role: (typeof KEY_ROLES)[number];
  name: string;
  state: "in_force" | "expired" | "revoked";
  created_at: string;
  expires_at: string | null;
  origins?: string[];
}

/** The only time that the key itself is seen. */
export interface IssuedKey extends Key {
  key: string;
}

export interface KeyRequest {
  role: string;
  name: string;
  origins?: string[];
}

export interface AuditEntry {
  seq: number;
  at: string;
  actor: string;
  action: string;
  subject?: string;
  details?: Record<string, string | number | boolean>;
}

export const PURPOSES = ["analytics", "profiling", "personalization"] as const;
export type Purpose = (typeof PURPOSES)[number];

export type Consent = Record<Purpose, "granted" | "denied"> & { source?: string; policy_version?: string };

export interface ErasureJob {
  job_id: string;
  status: "running" | "done";
  proof?: {
    log: { records_erased: number; segments_rewritten: number; keys_destroyed: boolean };
    scan: { records_read: number; records_found: number };
  };
}

export interface RetentionRun {
  at: string;
  profiles_expired: number;
  visitors_expired: number;
  dead_letters_expired: number;
}

export interface Retention {
  policy: { kind: string; age: string; about: string }[];
  last_run: RetentionRun | null;
}

export interface InventoryField {
  field: string;
  class: string;
  purpose: string;
  kept: string;
  in_export: boolean;
  encrypted: boolean | "hashed";
}

export interface InventoryKind {
  kind: string;
  title: string;
  where: string;
  fields: InventoryField[];
}

export interface AuditPage {
  entries: AuditEntry[];
  next: number | null;
}

/** `GET /v1/models`. */
export interface ModelHealth {
  hours: string[];
  steps: number[];
  models: { name: string; state: "on" | "off"; hit_rate: number | null; series: (number | null)[] }[];
  calibration: {
    promised: number | null;
    came: number | null;
    series: { promised: number | null; came: number | null }[];
  };
  background: {
    since: string | null;
    verdict: "worse" | "good" | "unknown";
    now: { steps: number; hit_rate: number | null };
    before: { steps: number; hit_rate: number | null };
  };
  watched: { metric: string; mean: number; steps: number }[];
  alarms: { metric: string; at: string; before: number; after: number }[];
}
