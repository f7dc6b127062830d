// What the person fold must keep for one program. A plan is compiled from a program (core/program) and holds no CEL:
// the fold stays a numeric reducer, and rules read its numbers through core/profile/reading.ts.
import type { LoggedEvent } from "../event/event.ts";
import type { FeatureKind } from "../program/program.ts";

/** A sliding window that a rule or a feature reads: how many events of `types`, or the sum of their values. */
export interface WindowPlan {
  /** Stable identity across program versions, e.g. `count|view|1800000`; state is carried over by it. */
  readonly key: string;
  readonly measure: "count" | "sum";
  /** Event types counted; null counts every interaction. */
  readonly types: readonly string[] | null;
  readonly windowMs: number;
}

/** A feature that the program defines. */
export interface FeaturePlan {
  readonly name: string;
  /** Stable identity: the canonical JSON of the feature's document without its description. */
  readonly key: string;
  /** The key of earlier releases, with the description: bytes that they wrote are found by it. */
  readonly earlierKey: string;
  readonly kind: FeatureKind;
  readonly types: readonly string[] | null;
  /** The number or string that the feature reads from an event (`of`), undefined where the event has none. */
  readonly read: ((event: LoggedEvent) => number | string | undefined) | null;
  readonly windowMs: number | null;
  readonly halfLifeMs: number | null;
  readonly where: ((event: LoggedEvent) => boolean) | null;
}

/** `followed(first, second, window)` of a rule. */
export interface SequencePlan {
  readonly key: string;
  readonly first: string;
  readonly second: string;
  readonly windowMs: number;
}

export interface FoldPlan {
  /** Fingerprint of everything below: two plans with the same key fold the same. */
  readonly key: string;
  /** What an interaction of each type is worth; a type that is not in it weighs 0. */
  readonly weights: ReadonlyMap<string, number>;
  readonly interests: { readonly categories: boolean; readonly tags: boolean; readonly halfLifeMs: number };
  readonly windows: readonly WindowPlan[];
  readonly features: readonly FeaturePlan[];
  readonly sequences: readonly SequencePlan[];
  /** What a placement reads of the past besides: how often items were shown, and all that was bought. */
  readonly keeps: { readonly shown: boolean; readonly bought: boolean };
}
