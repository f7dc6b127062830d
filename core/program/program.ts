// The personalization program: the versioned JSON document whose form `program.schema.json` publishes.

/** `30s`, `10m`, `2h`, `3d`: a positive integer and a unit. */
export type Duration = string;
/** A CEL expression; checked against the program's names and types when the program is saved. */
export type Cel = string;

export type FeatureKind = "count" | "sum" | "mean" | "max" | "distinct" | "last" | "decayed";

export interface FeatureDocument {
  description?: string;
  kind: FeatureKind;
  event?: string | string[];
  of?: string;
  window?: Duration;
  half_life?: Duration;
  where?: Cel;
}

export interface RuleSegmentDocument {
  when: Cel;
  description?: string;
}

/** A family of segments that trainings find: its groups are `NAME_1` …, and whoever is in one of them is in `NAME`. */
export interface LearnedSegmentDocument {
  clusters: {
    /** `kmeans` puts everybody somewhere; `dbscan` finds groups of any shape, and leaves out who stands alone. */
    method?: "kmeans" | "dbscan";
    /** Compare shares of interest; true where it is not written. */
    interests?: boolean;
    /** Features to compare, built-in ones or the program's. */
    features?: string[];
    /** Most groups. */
    max?: number;
    /** Smallest group, as a share of the persons that it is learnt from. */
    min_size?: number;
    /** Of `dbscan`: distance within which persons are neighbours. */
    reach?: number;
    /** Time between two trainings. */
    every?: Duration;
  };
  description?: string;
}

export type SegmentDocument = RuleSegmentDocument | LearnedSegmentDocument;

export interface TriggerDocument {
  description?: string;
  when: Cel;
  once_per?: "session" | Duration;
  push?: boolean;
  webhook?: string;
}

export interface PlacementDocument {
  description?: string;
  limit?: number;
  filter?: Cel;
  boost?: BoostDocument[];
  diversity?: number;
  exclude?: ExcludeKind[];
  pin?: PinDocument[];
  cap?: CapDocument[];
  frequency?: FrequencyDocument;
  freshness?: FreshnessDocument;
  /** How long a purchase counts for `exclude`; without it, while it is among the person's last 50 interactions. */
  purchased_for?: Duration;
}

/** Left out of a list: what the visitor has bought, opened, waved away, or opened in this session. */
export const EXCLUDE_KINDS = ["purchased", "seen", "dismissed", "session"] as const;
export type ExcludeKind = (typeof EXCLUDE_KINDS)[number];

/** A factor on the scores of the items for which `when` holds. */
export interface BoostDocument {
  when: Cel;
  by: number;
}

/** An item, or the best one for which `when` holds, stands at position `at` (from 1), whatever its score. */
export interface PinDocument {
  item?: string;
  when?: Cel;
  at: number;
}

/** At most `max` items of a list share a value of `by`. */
export interface CapDocument {
  by: "category" | "categories" | "tags" | `attributes.${string}`;
  max: number;
}

/** An item shown this often within the window, and not opened since, is left out; or its score times `by`. */
export interface FrequencyDocument {
  shows: number;
  window: Duration;
  by?: number;
}

/** The share `weight` of a score halves with each half-life of the item's age. */
export interface FreshnessDocument {
  weight: number;
  half_life: Duration;
}

export type SlotPolicy = "rules" | "epsilon_greedy" | "thompson" | "squarecb" | "linucb";
export type SlotContextFeature = "segments" | "device" | "country" | "hour" | "interests";

/** What a shown variant is worth: the weights of events that carry its `decision_id`, summed up and cut at `max`. */
export interface RewardDocument {
  events: Record<string, number>;
  /** Only events for which this holds. */
  when?: Cel;
  max?: number;
  /** After it was shown. */
  window?: Duration;
}

export interface SlotDocument {
  description?: string;
  variants: Record<string, unknown>;
  policy: SlotPolicy;
  rules?: { when: Cel; variant: string }[];
  default?: string;
  /** Of a policy that learns, and only of one, as what follows. Default: a click is worth 1. */
  reward?: RewardDocument;
  /** Variants that the policy chooses between. Default: all. */
  among?: string[];
  /** Share of choices spread evenly over the variants. */
  exploration?: number;
  /** How fast old outcomes fade. */
  half_life?: Duration;
  /** What a contextual policy sees of the visitor. */
  features?: SlotContextFeature[];
  /** Decide and log, but answer the default. */
  shadow?: boolean;
}

export type MetricKind =
  | "conversion"
  | "count"
  | "revenue"
  | "engagement"
  | "time_on_site"
  | "bounce"
  | "retention";

/** A number per person, from what he does within the experiment's window after his first exposure. */
export interface MetricDocument {
  description?: string;
  kind: MetricKind;
  event?: string | string[];
  /** Only events for which this holds. */
  where?: Cel;
  /** Of retention: how long after the exposure he must come back. */
  after?: Duration;
  /** A person counts with this much at most, paid or paid back. */
  max?: number;
  better?: "higher" | "lower";
}

export interface ExperimentVariantDocument {
  description?: string;
  weight?: number;
  /** Slot to one of its variants, or to another slot that decides in its place. */
  slots?: Record<string, string | { like: string }>;
  /** Placement to another placement whose rules its lists follow. */
  placements?: Record<string, string>;
}

export interface ExperimentDocument {
  description?: string;
  /** Who takes part; once in, a person stays. */
  when?: Cel;
  /** Share of those who take part. */
  share?: number;
  /** Other seeds give other people to each variant. Default: the experiment's name. */
  seed?: string;
  variants?: Record<string, ExperimentVariantDocument>;
  /** The variant that others are compared with. Default: the first. */
  control?: string;
  metrics: Record<string, MetricDocument>;
  /** The metric that decides. Default: the first. */
  primary?: string;
  window?: Duration;
  /** A feature, known before the exposure, that makes the means steadier. Default: engagement. */
  covariate?: string;
  /** Metrics that stop a variant which is worse than control by more than this share. */
  guards?: { metric: string; worse_by?: number }[];
  /** Share of all people who get nothing personal; the only change of such an experiment. */
  holdout?: number;
  /** A placement whose lists mix both variants' rankings; what is clicked decides between them. */
  interleave?: string;
}

/** The model that a worker trains on the log: when, and how strongly it is held back. */
export interface BackgroundDocument {
  enabled?: boolean;
  /** Time between two trainings; 1d where it is not written. */
  every?: Duration;
  ridge?: number;
}

/** Against abuse and for privacy: what one source may move, and what of the crowd others may be shown. */
export interface CrowdDocument {
  /** Lists show others nothing that fewer persons did; 1 where it is not written, 10 is recommended. */
  min_persons?: number;
  /**
   * Most that one person, or one sender's address, may hold of an item's popularity beyond his first event; an address also of
   * what a slot has learnt, and of an experiment's persons. Below 1, what comes from a public address without a secret key
   * teaches models 1 at most, whatever its type weighs.
   */
  max_share?: number;
  /** Whoever is known for less time counts `young_weight`. */
  young?: Duration;
  young_weight?: number;
}

/** Half-lives and bounds of the online models; each default is in core/model/config.ts. */
export interface ModelsDocument {
  popularity?: { half_life?: Duration; enabled?: boolean };
  /** The same by country, device, weather and, while nothing is known of the visitor, by language and these attributes. */
  context?: { enabled?: boolean; attributes?: string[] };
  rules?: { half_life?: Duration; row_max?: number; enabled?: boolean };
  cosine?: { half_life?: Duration; row_max?: number; enabled?: boolean };
  knn?: { half_life?: Duration; neighbours?: number; sessions_per_item?: number; session_ttl?: Duration; enabled?: boolean };
  repeats?: { enabled?: boolean };
  content?: { enabled?: boolean };
  /** Popularity, six times as fast. */
  trend?: { enabled?: boolean };
  /** Popularity, eight times as slow. */
  steady?: { enabled?: boolean };
  /** Rules of the very next step. */
  next?: { enabled?: boolean };
  /** Rules, twelve times as fast. */
  recent?: { enabled?: boolean };
  /** Vectors of items, learnt online by gradient descent. */
  factors?: { enabled?: boolean };
  /** What goes with what goes with the newest items. */
  walk?: { enabled?: boolean };
  /** Popularity by the part of the day. */
  daypart?: { enabled?: boolean };
  /** EASE over whole histories, trained aside. */
  background?: BackgroundDocument;
  crowd?: CrowdDocument;
  /** Who is told when a model or what comes in has changed. */
  alerts?: { webhook?: string };
  /** Items that only events know are never recommended. */
  catalogue_only?: boolean;
  /** Items without an event for this long leave the models. */
  item_ttl?: Duration;
}

/** The share of events that the blend learns from (a hash picks them), and its bound in event time. */
export interface LearningDocument {
  share?: number;
  max_per_second?: number;
}

export interface ProgramDocument {
  name?: string;
  description?: string;
  events?: Record<string, { weight: number; description?: string }>;
  interests?: { by?: ("categories" | "tags")[]; half_life?: Duration };
  features?: Record<string, FeatureDocument>;
  segments?: Record<string, SegmentDocument>;
  triggers?: Record<string, TriggerDocument>;
  placements?: Record<string, PlacementDocument>;
  slots?: Record<string, SlotDocument>;
  experiments?: Record<string, ExperimentDocument>;
  models?: ModelsDocument;
  learning?: LearningDocument;
  /** `models.catalogue_only`, where that is not written. */
  catalogue_only?: boolean;
  /** What holds for people who were not asked yet, `granted` where it is not written; `gpc` is honoured unless it says no. */
  consent?: { default?: "granted" | "denied"; gpc?: "honour" | "ignore" };
}

/** One fault of a program: where it is and what to do. `path` is a JSON pointer. */
export interface ProgramFault {
  path: string;
  code: string;
  message: string;
  /** In a CEL expression: offset of the fault in its text, from 0. */
  position?: number;
}
