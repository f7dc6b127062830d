// A program after compilation: what the engine, the models and the serving layer run. Nothing here is serialised;
// it is rebuilt from the document wherever it is needed.
import type { LearnedFamily } from "../cluster/learned.ts";
import type { ConsentDefault } from "../consent/consent.ts";
import type { LoggedEvent } from "../event/event.ts";
import type { Item } from "../item/item.ts";
import type { FoldPlan } from "../profile/plan.ts";
import type { PersonState } from "../profile/state.ts";
import type { NamesOfProgram } from "./cel/names.ts";
import type { RequestRules } from "./request-rules.ts";
import type { ReadSet, Rule } from "./rule.ts";
import type { RuleScope, Visit } from "./scope.ts";
import type {
  ExcludeKind, LearningDocument, MetricKind, ModelsDocument, ProgramDocument, SlotContextFeature, SlotPolicy,
} from "./program.ts";

/** True where the item passes. Never throws: an expression that fails (an item without `price`, say) is false. */
export type ItemTest = (item: Item) => boolean;

/** What a condition over items asks of each item of a visit; NO_ITEM where the visitor alone rules all items out. */
export type ItemPredicate = (visit: Visit) => ItemTest;

export interface CompiledSegment {
  readonly name: string;
  readonly when: string;
  readonly description: string | undefined;
  readonly rule: Rule;
  /** What the rule reads, with all that the segments it reads by `in_segment` read. */
  readonly reads: ReadSet;
  /** Of a learned segment: its family, and which group of it, 0 for any. */
  readonly family?: CompiledFamily;
  readonly number?: number;
}

/** What a training of learned segments looks at, and what the last one found. */
export interface CompiledFamily {
  readonly name: string;
  /** Equal for definitions that mean the same. */
  readonly key: string;
  readonly method: "kmeans" | "dbscan";
  readonly interests: boolean;
  /** Columns. */
  readonly features: readonly string[];
  readonly groupsMax: number;
  readonly leastShare: number;
  readonly reach: number | undefined;
  readonly everyMs: number;
  readonly learned: LearnedFamily | undefined;
}

export interface CompiledTrigger {
  readonly name: string;
  readonly rule: Rule;
  /** Event types that the rule asks for (`event.event_type == "dwell" && …`); null where it may fire on any. */
  readonly eventTypes: ReadonlySet<string> | null;
  readonly oncePer: "session" | number | null;
  readonly push: boolean;
  readonly webhook: string | undefined;
}

export interface CompiledPlacement {
  readonly name: string;
  readonly limit: number;
  readonly diversity: number;
  readonly exclude: readonly ExcludeKind[];
  readonly filter?: ItemPredicate;
  /** Of a request that brings one along. */
  readonly alsoFilter?: ItemPredicate;
  readonly boosts: readonly { readonly when: ItemPredicate; readonly by: number }[];
  /** In order of position, no two at the same one. */
  readonly pins: readonly CompiledPin[];
  readonly caps: readonly CapRule[];
  readonly frequency?: FrequencyRule;
  readonly freshness?: FreshnessRule;
  readonly purchasedForMs?: number;
}

export type CompiledPin =
  | { readonly at: number; readonly itemId: string; readonly when?: undefined }
  | { readonly at: number; readonly when: ItemPredicate; readonly itemId?: undefined };

/** `by`: `category` (an item's first), `categories`, `tags` or `attributes.NAME`. */
export interface CapRule {
  readonly by: string;
  readonly max: number;
}

export interface FrequencyRule {
  readonly shows: number;
  readonly windowMs: number;
  /** Factor on the score; 0 leaves the item out. */
  readonly by: number;
}

export interface FreshnessRule {
  readonly weight: number;
  readonly halfLifeMs: number;
}

export interface CompiledSlot {
  readonly name: string;
  readonly variants: ReadonlyMap<string, unknown>;
  readonly rules: readonly { readonly rule: Rule; readonly variant: string }[];
  /** The variant where no rule holds and no policy decides; null where the program names none. */
  readonly fallback: string | null;
  /** How it learns which variant is best; null where rules alone decide. */
  readonly bandit: CompiledBandit | null;
}

/** True where the event counts. Never throws. */
export type EventPredicate = (event: LoggedEvent) => boolean;

export interface CompiledBandit {
  readonly policy: Exclude<SlotPolicy, "rules">;
  readonly reward: CompiledReward;
  /** Variants that the policy chooses between, in the program's order. */
  readonly among: readonly string[];
  readonly exploration: number;
  readonly halfLifeMs: number;
  readonly features: readonly SlotContextFeature[];
  readonly shadow: boolean;
}

export interface CompiledReward {
  readonly weights: ReadonlyMap<string, number>;
  readonly when: EventPredicate | null;
  readonly max: number;
  readonly windowMs: number;
  /** Equal for rewards that mean the same: what was learnt under another one means nothing here. */
  readonly key: string;
}

export interface CompiledMetric {
  readonly name: string;
  readonly kind: MetricKind;
  /** null: every event that is not an impression. */
  readonly types: ReadonlySet<string> | null;
  readonly where: EventPredicate | null;
  readonly afterMs: number;
  readonly max: number;
  readonly better: "higher" | "lower";
}

export interface CompiledVariant {
  readonly name: string;
  /** Share of those who take part; the shares of all variants sum to 1. */
  readonly share: number;
  readonly slots: ReadonlyMap<string, { readonly variant: string } | { readonly like: string }>;
  readonly placements: ReadonlyMap<string, string>;
}

export interface CompiledExperiment {
  readonly name: string;
  /** Equal for definitions whose results can be added up; another one starts from nothing. */
  readonly run: string;
  readonly seed: string;
  readonly when: Rule | null;
  readonly share: number;
  readonly variants: readonly CompiledVariant[];
  /** Index of the variant that others are compared with. */
  readonly control: number;
  readonly metrics: readonly CompiledMetric[];
  readonly primary: number;
  readonly windowMs: number;
  /** Reads what is known of a person before he is exposed. */
  readonly covariate: (person: PersonState, nowMs: number) => number;
  readonly covariateName: string;
  readonly guards: readonly { readonly metric: number; readonly worseBy: number }[];
  readonly isHoldout: boolean;
  readonly interleave: string | null;
}

export interface CompiledProgram {
  readonly version: number;
  readonly document: ProgramDocument;
  readonly plan: FoldPlan;
  /** Built-in types and those that the program declares. */
  readonly eventTypes: ReadonlySet<string>;
  /** In an order in which a segment comes after those it reads. */
  readonly segments: readonly CompiledSegment[];
  readonly triggers: readonly CompiledTrigger[];
  readonly placements: ReadonlyMap<string, CompiledPlacement>;
  readonly slots: ReadonlyMap<string, CompiledSlot>;
  /** The holdout first: who is in it takes part in nothing else. */
  readonly experiments: readonly CompiledExperiment[];
  /** What holds for people who were not asked yet. */
  readonly consentDefault: ConsentDefault;
  /** Whether a browser that asks not to be profiled (Global Privacy Control) is obeyed. */
  readonly honoursGpc: boolean;
  readonly models: ModelsDocument | undefined;
  readonly learning: LearningDocument | undefined;
  /** What the program's expressions are evaluated over; not to be used from within an evaluation. */
  readonly scope: RuleScope;
  /** What a filter that comes with a request may name. */
  readonly names: NamesOfProgram;
  /** Filters of requests, compiled; the oldest goes when it is full. */
  readonly filters: Map<string, ItemPredicate>;
  /** Rules of requests, the same way, by their JSON. */
  readonly requestRules: Map<string, RequestRules>;
}
