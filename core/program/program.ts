// The personalization program: the versioned JSON document of CONTRACT.md ("The program").

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

export interface SegmentDocument {
  when: Cel;
  description?: string;
}

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
  boost?: { when: Cel; by: number }[];
  diversity?: number;
  exclude?: ("purchased" | "seen" | "dismissed")[];
}

export interface SlotDocument {
  description?: string;
  variants: Record<string, unknown>;
  policy: "rules";
  rules?: { when: Cel; variant: string }[];
  default?: string;
}

/** Half-lives and bounds of the online models; each default is in core/model/config.ts. */
export interface ModelsDocument {
  popularity?: { half_life?: Duration };
  rules?: { half_life?: Duration; row_max?: number };
  cosine?: { half_life?: Duration; row_max?: number };
  knn?: { half_life?: Duration; neighbours?: number; sessions_per_item?: number; session_ttl?: Duration };
  repeats?: { enabled?: boolean };
  content?: { enabled?: boolean };
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
  models?: ModelsDocument;
  learning?: LearningDocument;
}

/** One fault of a program: where it is and what to do. `path` is a JSON pointer. */
export interface ProgramFault {
  path: string;
  code: string;
  message: string;
  /** In a CEL expression: offset of the fault in its text, from 0. */
  position?: number;
}
