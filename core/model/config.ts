// Bounds and half-lives of the online models. A program sets what a site may want to change; the rest is fixed here.
import { parseDuration } from "../event/duration.ts";
import type { LearningDocument, ModelsDocument } from "../program/program.ts";
import { LEAST_MAX } from "./sketches.ts";

export const TRAIL_MAX = 20; // Items of a session that models see; longer ones add nothing measurable.
export const LIST_MAX = 50; // Candidates per model. 100 hold the target a little more often and cost twice (docs/decisions/models.md).
export const SHORT_LIST_MAX = 20;
export const HISTORY_MAX = 50;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface ModelConfig {
  readonly popularityHalfLifeMs: number;
  readonly rulesHalfLifeMs: number;
  readonly rulesRowMax: number;
  readonly cosineHalfLifeMs: number;
  readonly cosineRowMax: number;
  readonly knnHalfLifeMs: number;
  readonly knnNeighbours: number;
  readonly knnSessionsPerItem: number;
  readonly knnSessionTtlMs: number;
  /** Models that the program has switched off, by name. */
  readonly off: ReadonlySet<string>;
  /** Undefined where the program does not want the background model. */
  readonly background: { readonly everyMs: number; readonly ridge: number; readonly minPersons: number } | undefined;
  readonly crowd: CrowdConfig;
  readonly catalogueOnly: boolean;
  readonly itemTtlMs: number;
}

/** What one source may move, and what of the crowd others may be shown (`crowd.ts`). */
export interface CrowdConfig {
  readonly minPersons: number;
  /** Below 1: most that one source may hold of an item's popularity. */
  readonly maxShare: number;
  /** Whoever is known for less time counts `youngWeight`. */
  readonly youngMs: number;
  readonly youngWeight: number;
}

export interface LearningConfig {
  readonly share: number;
  readonly maxPerSecond: number;
}

/** Every model, by the name that reasons and programs give it. */
export const SWITCHED_MODELS = [
  "popularity", "context", "rules", "cosine", "knn", "repeats", "content", "trend", "steady", "next", "recent", "background", "factors", "walk", "daypart",
] as const;

/** `fallback` where the text is no duration (the program's check has said so already). */
function durationMs(text: string | undefined, fallback: number): number {
  return (text === undefined ? undefined : parseDuration(text)) ?? fallback;
}

function clamp(value: number | undefined, low: number, high: number, fallback: number): number {
  return value === undefined ? fallback : Math.max(low, Math.min(value, high));
}

/** Defaults are those of a shop. */
export function modelConfig(models: ModelsDocument | undefined): ModelConfig {
  const rulesHalfLifeMs = durationMs(models?.rules?.half_life, 30 * DAY_MS);
  const knnHalfLifeMs = durationMs(models?.knn?.half_life, 60 * DAY_MS);
  const minPersons = Math.floor(clamp(models?.crowd?.min_persons, 1, LEAST_MAX, 1));
  return {
    popularityHalfLifeMs: durationMs(models?.popularity?.half_life, 3 * DAY_MS),
    rulesHalfLifeMs,
    rulesRowMax: clamp(models?.rules?.row_max, 8, 128, 64),
    cosineHalfLifeMs: durationMs(models?.cosine?.half_life, rulesHalfLifeMs),
    cosineRowMax: clamp(models?.cosine?.row_max, 8, 128, 64),
    knnHalfLifeMs,
    knnNeighbours: clamp(models?.knn?.neighbours, 1, 500, 200),
    knnSessionsPerItem: clamp(models?.knn?.sessions_per_item, 8, 1000, 200),
    knnSessionTtlMs: durationMs(models?.knn?.session_ttl, 10 * knnHalfLifeMs),
    off: new Set(SWITCHED_MODELS.filter((name) => models?.[name]?.enabled === false)),
    background:
      models?.background?.enabled === false
        ? undefined
        : {
            everyMs: durationMs(models?.background?.every, DAY_MS),
            ridge: clamp(models?.background?.ridge, 1, 100_000, 200),
            minPersons,
          },
    crowd: {
      minPersons,
      maxShare: clamp(models?.crowd?.max_share, 0.001, 1, 1),
      youngMs: durationMs(models?.crowd?.young, 10 * MINUTE_MS),
      youngWeight: clamp(models?.crowd?.young_weight, 0, 1, 1),
    },
    catalogueOnly: models?.catalogue_only ?? false,
    itemTtlMs: durationMs(models?.item_ttl, 90 * DAY_MS),
  };
}

export function learningConfig(learning: LearningDocument | undefined): LearningConfig {
  return { share: clamp(learning?.share, 0, 1, 0.25), maxPerSecond: clamp(learning?.max_per_second, 0, 100_000, 200) };
}
