// Where an event goes under a plan: which windows, features and sequences it touches. Worked out once a plan and type,
// so that folding an event does no look-up for what it does not touch.
import { hash32 } from "../math/hash.ts";
import type { FoldPlan } from "./plan.ts";

/**
 * What a visitor does deliberately. `impression`, `mouse_move`, `hover`, `scroll` and `dwell` are measured while he does
 * it: they have weights, windows and features like any other, but are no interactions. Types that a program declares are.
 */
const NOT_INTERACTIONS: ReadonlySet<string> = new Set(["impression", "mouse_move", "hover", "scroll", "dwell"]);

export function isInteraction(eventType: string): boolean {
  return !NOT_INTERACTIONS.has(eventType);
}

/** Routes kept for one plan; more types than a program can declare. */
const ROUTES_MAX = 1024;

export interface Route {
  readonly weight: number;
  readonly interaction: boolean;
  /** Indices into the plan's windows, features and sequences. */
  readonly windows: readonly number[];
  readonly features: readonly number[];
  readonly firsts: readonly number[];
  readonly seconds: readonly number[];
}

export interface PlanLayout {
  readonly plan: FoldPlan;
  readonly routes: Map<string, Route>;
  /** Hashes of the keys by which bytes find their windows, features and sequences again. */
  readonly windowHashes: readonly number[];
  readonly featureHashes: readonly number[];
  readonly earlierFeatureHashes: readonly number[];
  readonly sequenceHashes: readonly number[];
}

const layouts = new WeakMap<FoldPlan, PlanLayout>();

export function layoutOf(plan: FoldPlan): PlanLayout {
  let layout = layouts.get(plan);
  if (layout === undefined) {
    layout = {
      plan,
      routes: new Map(),
      windowHashes: plan.windows.map((window) => hash32(window.key)),
      featureHashes: plan.features.map((feature) => hash32(feature.key)),
      earlierFeatureHashes: plan.features.map((feature) => hash32(feature.earlierKey)),
      sequenceHashes: plan.sequences.map((sequence) => hash32(sequence.key)),
    };
    layouts.set(plan, layout);
  }
  return layout;
}

export function routeOf(layout: PlanLayout, eventType: string): Route {
  const known = layout.routes.get(eventType);
  if (known !== undefined) return known;
  const { plan } = layout;
  const interaction = isInteraction(eventType);
  const counts = (types: readonly string[] | null): boolean =>
    types === null ? interaction : types.includes(eventType);
  const indices = <T>(list: readonly T[], touched: (entry: T) => boolean): number[] =>
    list.flatMap((entry, index) => (touched(entry) ? [index] : []));
  const route: Route = {
    weight: plan.weights.get(eventType) ?? 0,
    interaction,
    windows: indices(plan.windows, (window) => counts(window.types)),
    features: indices(plan.features, (feature) => counts(feature.types)),
    firsts: indices(plan.sequences, (sequence) => sequence.first === eventType),
    seconds: indices(plan.sequences, (sequence) => sequence.second === eventType),
  };
  if (layout.routes.size < ROUTES_MAX) layout.routes.set(eventType, route);
  return route;
}
