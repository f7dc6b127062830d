// Experiments of a document: who takes part, what each variant changes, what is measured and what stops it.
import { hash64 } from "../math/hash.ts";
import { BUILT_IN_FEATURES, builtinValue, featureValue, type BuiltInFeature } from "../profile/reading.ts";
import { didYouMean, type FeatureName } from "./cel/names.ts";
import type { Parts } from "./parts.ts";
import type {
  CompiledExperiment,
  CompiledMetric,
  CompiledPlacement,
  CompiledSlot,
  CompiledVariant,
} from "./compiled.ts";
import { durationMs } from "./duration.ts";
import { readEventFilter } from "./event-filter.ts";
import { at, type JsonObject } from "./faults.ts";
import { canonicalJson } from "./canonical-json.ts";
import { readTypes } from "./features.ts";
import { EXPERIMENT_CHANGES_MAX, EXPERIMENT_VARIANTS_MAX, EXPERIMENTS_MAX, GUARDS_MAX, MEASURED_MAX, METRICS_MAX } from "./limits.ts";
import type { MetricKind } from "./program.ts";

const KEYS = [
  "description",
  "when",
  "share",
  "seed",
  "variants",
  "control",
  "metrics",
  "primary",
  "window",
  "covariate",
  "guards",
  "holdout",
  "interleave",
];
const KINDS: readonly MetricKind[] = [
  "conversion",
  "count",
  "revenue",
  "engagement",
  "time_on_site",
  "bounce",
  "retention",
];
/** Kinds that count events of some types; the others look at all. */
const OF_EVENTS: readonly MetricKind[] = ["conversion", "count", "revenue"];
export const WINDOW = "7d";
export const RETENTION_AFTER = "1d";
const COVARIATE = "engagement";
export const HOLDOUT_VARIANT = "holdout";
const PERSONALIZED_VARIANT = "personalized";

interface Known {
  readonly slots: ReadonlyMap<string, CompiledSlot>;
  readonly placements: ReadonlyMap<string, CompiledPlacement>;
  readonly features: ReadonlyMap<string, FeatureName>;
}

export function readExperiments(part: unknown, parts: Parts, known: Known): CompiledExperiment[] {
  const { faults } = parts;
  const experiments: CompiledExperiment[] = [];
  const changed = new Map<string, string>();
  for (const [name, value] of faults.entries(part, "/experiments", { name: "experiments", max: EXPERIMENTS_MAX })) {
    const path = at("/experiments", name);
    const document = faults.object(value, path, KEYS);
    if (document === undefined) continue;
    const experiment = readExperiment(name, document, parts, known);
    if (experiment === undefined) continue;
    for (const change of changesOf(experiment)) {
      const other = changed.get(change);
      if (other !== undefined && other !== name) {
        const message = `\`${other}\` changes ${change} too: two experiments cannot; put the variants into one`;
        faults.add(path, "conflict", message);
      }
      changed.set(change, name);
    }
    experiments.push(experiment);
  }
  return experiments.sort((a, b) => Number(b.isHoldout) - Number(a.isHoldout));
}

function changesOf({ variants, isHoldout, interleave }: CompiledExperiment): Set<string> {
  if (isHoldout) return new Set(["everything, as a holdout does"]);
  const changes = new Set(interleave === null ? [] : [`the placement ${interleave}`]);
  for (const { slots, placements } of variants) {
    for (const slot of slots.keys()) changes.add(`the slot ${slot}`);
    for (const placement of placements.keys()) changes.add(`the placement ${placement}`);
  }
  return changes;
}

function readExperiment(
  name: string,
  document: JsonObject,
  parts: Parts,
  known: Known,
): CompiledExperiment | undefined {
  const { faults, cel } = parts;
  const path = at("/experiments", name);
  const before = faults.list.length;
  faults.string(document["description"], at(path, "description"), 1_000);
  const holdout = faults.number(document["holdout"], at(path, "holdout"), { min: 0, max: 0.5, above: true });
  const isHoldout = document["holdout"] !== undefined;
  const variants = isHoldout
    ? holdoutVariants(document, path, holdout ?? 0, parts)
    : readVariants(document, path, parts, known);
  const nameOf = <T extends { name: string }>(key: string, among: readonly T[], what: string): number => {
    const wanted = faults.string(document[key], at(path, key), 64);
    const index = among.findIndex((entry) => entry.name === wanted);
    if (wanted === undefined || index >= 0) return Math.max(0, index);
    const near = didYouMean(
      wanted,
      among.map((entry) => entry.name),
    );
    faults.add(at(path, key), `unknown_${what}`, `the experiment has no ${what} \`${wanted}\`${near}`);
    return 0;
  };
  const control = isHoldout ? 1 : nameOf("control", variants, "variant");
  const metrics = readMetrics(document["metrics"], at(path, "metrics"), parts);
  const primary = nameOf("primary", metrics, "metric");
  const covariateName = faults.string(document["covariate"], at(path, "covariate"), 64) ?? COVARIATE;
  const covariate = covariateOf(covariateName, at(path, "covariate"), parts, known);
  const share = faults.number(document["share"], at(path, "share"), { min: 0, max: 1, above: true });
  const seed = faults.string(document["seed"], at(path, "seed"), 64);
  const windowMs = faults.duration(document["window"], at(path, "window"));
  const when = document["when"] === undefined ? undefined : cel(document["when"], at(path, "when"), "slot");
  const guards = readGuards(document["guards"], at(path, "guards"), metrics, parts);
  const interleave = readInterleave(document, path, variants, parts, known);
  if (faults.list.length > before) return undefined;
  const { hi, lo } = hash64(`${name}\n${canonicalJson(meaningOf(document))}`);
  return {
    name,
    run: hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0"),
    seed: seed ?? name,
    when: when?.rule ?? null,
    share: share ?? 1,
    variants,
    control,
    metrics,
    primary,
    windowMs: windowMs ?? durationMs(WINDOW)!,
    covariate,
    covariateName,
    guards,
    isHoldout,
    interleave,
  };
}

/** What makes numbers those of this experiment: all but words and guards. */
function meaningOf({ description: _, guards: __, ...document }: JsonObject): JsonObject {
  const meaning: Record<string, unknown> = { ...document };
  for (const part of ["variants", "metrics"]) {
    const named = document[part];
    if (named === undefined) continue;
    meaning[part] = Object.fromEntries(
      Object.entries(named as Record<string, JsonObject>).map(([name, { description: ___, ...rest }]) => [name, rest]),
    );
  }
  return meaning;
}

function holdoutVariants(document: JsonObject, path: string, share: number, { faults }: Parts): CompiledVariant[] {
  for (const key of ["variants", "control", "share", "interleave"]) {
    if (document[key] === undefined) continue;
    faults.add(
      at(path, key),
      "not_used",
      `a holdout compares ${PERSONALIZED_VARIANT} with ${HOLDOUT_VARIANT}: leave \`${key}\` out`,
    );
  }
  const nothing = { slots: new Map(), placements: new Map() };
  return [
    { name: PERSONALIZED_VARIANT, share: 1 - share, ...nothing },
    { name: HOLDOUT_VARIANT, share, ...nothing },
  ];
}

function readVariants(document: JsonObject, path: string, { faults }: Parts, known: Known): CompiledVariant[] {
  const place = at(path, "variants");
  const drafts: (Omit<CompiledVariant, "share"> & { weight: number })[] = [];
  faults.required(document["variants"], place, "the variants (or `holdout`)");
  for (const [name, value] of faults.entries(document["variants"], place, {
    name: "variants",
    max: EXPERIMENT_VARIANTS_MAX,
  })) {
    const own = at(place, name);
    const variant = faults.object(value, own, ["description", "weight", "slots", "placements"]);
    if (variant === undefined) continue;
    faults.string(variant["description"], at(own, "description"), 1_000);
    const weight = faults.number(variant["weight"], at(own, "weight"), { min: 0, max: 1_000, above: true }) ?? 1;
    const slots: CompiledVariant["slots"] = readSlotChanges(variant["slots"], at(own, "slots"), faults, known);
    const placements = new Map<string, string>();
    const limit = { name: "placements", max: EXPERIMENT_CHANGES_MAX };
    for (const [placement, other] of faults.entries(variant["placements"], at(own, "placements"), limit)) {
      const there = at(at(own, "placements"), placement);
      nameIn(placement, known.placements, { path: there, what: "placement" }, faults);
      const instead = faults.string(other, there, 64);
      if (instead !== undefined) nameIn(instead, known.placements, { path: there, what: "placement" }, faults);
      placements.set(placement, instead ?? placement);
    }
    drafts.push({ name, weight, slots, placements });
  }
  if (document["variants"] !== undefined && drafts.length < 2)
    faults.add(place, "missing", "an experiment compares at least two variants");
  const total = drafts.reduce((sum, { weight }) => sum + weight, 0);
  return drafts.map(({ weight, ...variant }) => ({ ...variant, share: weight / total }));
}

function readSlotChanges(
  value: unknown,
  path: string,
  faults: Parts["faults"],
  { slots }: Known,
): Map<string, { variant: string } | { like: string }> {
  const changes = new Map<string, { variant: string } | { like: string }>();
  for (const [name, change] of faults.entries(value, path, { name: "slots", max: EXPERIMENT_CHANGES_MAX })) {
    const place = at(path, name);
    const slot = nameIn(name, slots, { path: place, what: "slot" }, faults);
    if (typeof change === "string") {
      if (slot !== undefined) nameIn(change, slot.variants, { path: place, what: "variant" }, faults);
      changes.set(name, { variant: change });
      continue;
    }
    const document = faults.object(change, place, ["like"]);
    if (document === undefined) continue;
    faults.required(document["like"], at(place, "like"), "the slot that decides instead");
    const like = faults.string(document["like"], at(place, "like"), 64);
    if (like === undefined) continue;
    nameIn(like, slots, { path: at(place, "like"), what: "slot" }, faults);
    changes.set(name, { like });
  }
  return changes;
}

function readMetrics(value: unknown, path: string, parts: Parts): CompiledMetric[] {
  const { faults, eventTypes } = parts;
  const metrics: CompiledMetric[] = [];
  faults.required(value, path, "what is measured");
  for (const [name, entry] of faults.entries(value, path, { name: "metrics", max: METRICS_MAX })) {
    const place = at(path, name);
    const document = faults.object(entry, place, ["description", "kind", "event", "where", "after", "max", "better"]);
    if (document === undefined) continue;
    faults.string(document["description"], at(place, "description"), 1_000);
    faults.required(document["kind"], at(place, "kind"), `the kind (${KINDS.join(", ")})`);
    const kind = faults.oneOf(document["kind"], at(place, "kind"), KINDS);
    const types = readTypes(document["event"], at(place, "event"), eventTypes, faults);
    const afterMs = faults.duration(document["after"], at(place, "after"));
    const max = faults.number(document["max"], at(place, "max"), { min: 0, max: MEASURED_MAX, above: true });
    const better = faults.oneOf(document["better"], at(place, "better"), ["higher", "lower"]);
    const where = readEventFilter(document["where"], at(place, "where"), parts);
    if (kind === undefined) continue;
    if (types === null && (kind === "conversion" || kind === "count"))
      faults.required(document["event"], at(place, "event"), `the event type that a ${kind} counts`);
    for (const key of ["event", "where"]) {
      if (document[key] === undefined || OF_EVENTS.includes(kind)) continue;
      faults.add(at(place, key), "not_used", `${kind} looks at every event: leave \`${key}\` out`);
    }
    if (kind !== "retention" && document["after"] !== undefined)
      faults.add(at(place, "after"), "not_used", `only retention has \`after\``);
    metrics.push({
      name,
      kind,
      types: types === null ? (kind === "revenue" ? new Set(["purchase"]) : null) : new Set(types),
      where,
      afterMs: afterMs ?? durationMs(RETENTION_AFTER)!,
      max: max ?? Infinity,
      better: better ?? (kind === "bounce" ? "lower" : "higher"),
    });
  }
  if (value !== undefined && metrics.length === 0) faults.add(path, "missing", "name at least one metric");
  return metrics;
}

function readGuards(
  value: unknown,
  path: string,
  metrics: readonly CompiledMetric[],
  { faults }: Parts,
): CompiledExperiment["guards"] {
  const guards: CompiledExperiment["guards"][number][] = [];
  faults.array(value, path, GUARDS_MAX)?.forEach((entry, i) => {
    const place = at(path, i);
    const document = faults.object(entry, place, ["metric", "worse_by"]);
    if (document === undefined) return;
    faults.required(document["metric"], at(place, "metric"), "the metric");
    const name = faults.string(document["metric"], at(place, "metric"), 64);
    const worseBy = faults.number(document["worse_by"], at(place, "worse_by"), { min: 0, max: 1 }) ?? 0;
    const metric = metrics.findIndex((one) => one.name === name);
    if (metric >= 0) guards.push({ metric, worseBy });
    else if (name !== undefined)
      faults.add(at(place, "metric"), "unknown_metric", `the experiment has no metric \`${name}\``);
  });
  return guards;
}

function readInterleave(
  document: JsonObject,
  path: string,
  variants: readonly CompiledVariant[],
  { faults }: Parts,
  known: Known,
): string | null {
  const placement = faults.string(document["interleave"], at(path, "interleave"), 64);
  if (placement === undefined) return null;
  const place = at(path, "interleave");
  nameIn(placement, known.placements, { path: place, what: "placement" }, faults);
  const isPair =
    variants.length === 2 &&
    variants.every(
      ({ slots, placements }) => slots.size === 0 && [...placements.keys()].every((name) => name === placement),
    );
  const differ = variants[0]?.placements.get(placement) !== variants[1]?.placements.get(placement);
  if (!isPair || !differ) {
    faults.add(
      place,
      "bad_interleave",
      `interleaving mixes two variants that change \`${placement}\`, each another way, and nothing else`,
    );
  }
  return placement;
}

function covariateOf(
  name: string,
  path: string,
  { faults }: Parts,
  { features }: Known,
): CompiledExperiment["covariate"] {
  if ((BUILT_IN_FEATURES as readonly string[]).includes(name)) {
    return (person, nowMs) => finite(builtinValue(person, name as BuiltInFeature, nowMs));
  }
  const feature = features.get(name);
  if (feature === undefined) {
    const near = didYouMean(name, [...BUILT_IN_FEATURES, ...features.keys()]);
    faults.add(path, "unknown_feature", `the program has no feature \`${name}\`${near}`);
    return () => 0;
  }
  if (feature.kind === "last") faults.add(path, "bad_choice", `\`${name}\` is no number: name another feature`);
  return (person, nowMs) => finite(Number(featureValue(person, feature.index, nowMs)));
}

/** `recency_s` of somebody new is infinite; a sum of broken prices may be anything. */
function finite(value: number): number {
  return Number.isFinite(value) ? Math.max(-MEASURED_MAX, Math.min(MEASURED_MAX, value)) : 0;
}

function nameIn<T>(
  name: string,
  among: ReadonlyMap<string, T>,
  fault: { path: string; what: string },
  faults: Parts["faults"],
): T | undefined {
  const found = among.get(name);
  if (found === undefined && !among.has(name)) {
    const message = `there is no ${fault.what} \`${name}\`${didYouMean(name, among.keys())}`;
    faults.add(fault.path, `unknown_${fault.what}`, message);
  }
  return found;
}
