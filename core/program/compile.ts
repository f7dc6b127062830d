// From a document to a running program, or to every fault in it.
import type { ConsentDefault } from "../consent/consent.ts";
import { BUILT_IN_EVENT_TYPES } from "../event/event.ts";
import type { FeaturePlan, FoldPlan, SequencePlan, WindowPlan } from "../profile/plan.ts";
import { emptyPerson } from "../profile/person.ts";
import type { LearnedDocument } from "../cluster/learned.ts";
import { checkFamilies, familyNames, familySegments, readFamily, type FamilyDraft } from "./clusters.ts";
import { compileCondition } from "./cel/compile.ts";
import type { FeatureName, NamesOfProgram, Place } from "./cel/names.ts";
import { DOUBLE, DYN } from "./cel/value.ts";
import type { CompiledPlacement, CompiledProgram, CompiledSegment, CompiledSlot, CompiledTrigger } from "./compiled.ts";
import { DEFAULT_INTEREST_HALF_LIFE, DEFAULT_WEIGHTS } from "./defaults.ts";
import { readEventFilter } from "./event-filter.ts";
import { readExperiments } from "./experiments.ts";
import { at, Faults } from "./faults.ts";
import { canonicalJson } from "./canonical-json.ts";
import { readFeatures } from "./features.ts";
import { durationMs } from "./duration.ts";
import { EVENTS_MAX, EXPRESSION_CHARS_MAX, SEGMENTS_MAX, SEQUENCES_MAX, WINDOWS_MAX } from "./limits.ts";
import { readLearning, readModels } from "./models.ts";
import type { CompileCel, Parts } from "./parts.ts";
import { readPlacements } from "./placements.ts";
import type { ProgramDocument, ProgramFault } from "./program.ts";
import { RuleScope } from "./scope.ts";
import { orderSegments } from "./segments.ts";
import { readSlots } from "./slots.ts";
import { readTriggers } from "./triggers.ts";

const KEYS = [
  "name",
  "description",
  "events",
  "interests",
  "features",
  "segments",
  "triggers",
  "placements",
  "slots",
  "experiments",
  "models",
  "learning",
  "catalogue_only",
  "consent",
];
/** Written by tools, answers and trainings around the document; no user's. */
const IGNORED = new Set(["$schema", "version", "created_at", "learned"]);
/** Every fault of a document, each with its path; empty where `compileProgram` takes it. */
export function checkProgram(document: unknown): ProgramFault[] {
  const compiled = compileProgram(document, 0);
  return "faults" in compiled ? compiled.faults : [];
}

/** Compiles a document. Never throws: what is wrong with it is in `faults`, all of it at once. */
export function compileProgram(
  document: unknown,
  version: number,
): { program: CompiledProgram } | { faults: ProgramFault[] } {
  const faults = new Faults();
  const root = faults.object(document, "", null);
  if (root === undefined) return { faults: faults.list };
  const known = Object.fromEntries(Object.entries(root).filter(([key]) => !IGNORED.has(key)));
  faults.object(known, "", KEYS);
  faults.string(root["name"], "/name", 64);
  faults.string(root["description"], "/description", 1_000);

  const weights = readWeights(root["events"], faults);
  const eventTypes: ReadonlySet<string> = new Set([...BUILT_IN_EVENT_TYPES, ...weights.keys()]);
  const interests = readInterests(root["interests"], faults);
  const drafts = readFeatures(root["features"], eventTypes, faults);
  const numbers = new Set(drafts.flatMap(({ name, plan }) => (plan.kind === "last" ? [] : [name])));
  const { segmentDrafts, familyDrafts } = readSegments(root["segments"], numbers, faults);

  const windows: WindowPlan[] = [];
  const sequences: SequencePlan[] = [];
  const features = new Map<string, FeatureName>(
    drafts.map(({ name, plan }, index) => [
      name,
      {
        index,
        type: plan.kind === "last" ? DYN : DOUBLE,
        kind: plan.kind,
        eventTypes: plan.types,
        windowMs: plan.windowMs,
      },
    ]),
  );
  const ruleNames: ReadonlySet<string> = new Set(segmentDrafts.map(({ name }) => name));
  checkFamilies(familyDrafts, ruleNames, faults);
  const segmentNames: ReadonlySet<string> = new Set([
    ...ruleNames,
    ...familyDrafts.flatMap(({ family }) => familyNames(family)),
  ]);
  const namesFor = (place: Place): NamesOfProgram => ({
    place,
    eventTypes,
    features,
    segments: segmentNames,
    closed: false,
    windowIndex: (measure, type, windowMs) =>
      indexOf(windows, `${measure}|${type}|${windowMs}`, WINDOWS_MAX, (key) => ({
        key,
        measure,
        types: [type],
        windowMs,
      })),
    sequenceIndex: (first, second, windowMs) =>
      indexOf(sequences, `${first}|${second}|${windowMs}`, SEQUENCES_MAX, (key) => ({ key, first, second, windowMs })),
  });
  const cel: CompileCel = (value, path, place) => {
    if (!faults.required(value, path, "the condition")) return undefined;
    if (typeof value !== "string") {
      faults.string(value, path, EXPRESSION_CHARS_MAX);
      return undefined;
    }
    const compiled = compileCondition(value, namesFor(place));
    if (!("faults" in compiled)) return compiled;
    for (const { code, message, position } of compiled.faults) faults.add(path, code, message, position);
    return undefined;
  };

  let scope: RuleScope | undefined;
  const parts: Parts = { faults, cel, segments: segmentNames, eventTypes, scope: () => scope! };
  const featurePlans: FeaturePlan[] = drafts.map(({ plan, path, where }) => ({
    ...plan,
    where: readEventFilter(where, at(path, "where"), parts),
  }));
  const learned = (root["learned"] ?? {}) as LearnedDocument;
  const segments = orderSegments(
    [...familyDrafts.flatMap((draft) => familySegments(draft, learned)), ...segmentDrafts.flatMap(({ name, path, when, description }): CompiledSegment[] => {
      const compiled = cel(when, at(path, "when"), "segment");
      return compiled === undefined
        ? []
        : [{ name, when: when as string, description, rule: compiled.rule, reads: compiled.rule.reads }];
    })],
    faults,
  );
  const triggers: CompiledTrigger[] = readTriggers(root["triggers"], parts);
  const placements: ReadonlyMap<string, CompiledPlacement> = readPlacements(root["placements"], parts);
  const slots: ReadonlyMap<string, CompiledSlot> = readSlots(root["slots"], parts);
  const experiments = readExperiments(root["experiments"], parts, { slots, placements, features });
  const models = readModels(root, faults);
  const learning = readLearning(root["learning"], faults);
  const consent = readConsent(root["consent"], faults);
  if (faults.list.length > 0) return { faults: faults.list };

  const listed = [...placements.values()];
  const keeps = {
    shown: listed.some(({ frequency }) => frequency !== undefined),
    bought: listed.some(({ purchasedForMs }) => purchasedForMs !== undefined),
  };
  const plan = planOf({ weights, interests, windows, features: featurePlans, sequences, keeps });
  scope = new RuleScope(emptyPerson(plan));
  const program: CompiledProgram = {
    version,
    document: document as ProgramDocument,
    plan,
    eventTypes,
    segments,
    triggers,
    placements,
    slots,
    experiments,
    models,
    learning,
    ...consent,
    scope,
    names: { ...namesFor("item"), ...closedTo(windows, sequences) },
    filters: new Map(),
    requestRules: new Map(),
  };
  return { program };
}

function readConsent(part: unknown, faults: Faults): Pick<CompiledProgram, "consentDefault" | "honoursGpc"> {
  const document = part === undefined ? undefined : faults.object(part, "/consent", ["default", "gpc"]);
  const read = <T extends string>(name: string, first: T, second: T): T => {
    const value = document?.[name] ?? first;
    if (value === first || value === second) return value as T;
    faults.add(`/consent/${name}`, "bad_value", `it is "${first}" or "${second}"`);
    return first;
  };
  const consentDefault: ConsentDefault = read("default", "granted", "denied");
  return { consentDefault, honoursGpc: read("gpc", "honour", "ignore") === "honour" };
}

interface SegmentDraft {
  name: string;
  path: string;
  when: unknown;
  description: string | undefined;
}

function readSegments(part: unknown, features: ReadonlySet<string>, faults: Faults) {
  const segmentDrafts: SegmentDraft[] = [];
  const familyDrafts: FamilyDraft[] = [];
  for (const [name, value] of faults.entries(part, "/segments", { name: "segments", max: SEGMENTS_MAX })) {
    const path = at("/segments", name);
    if (typeof value === "object" && value !== null && "clusters" in value) {
      const family = readFamily(name, value, features, faults);
      if (family !== undefined) familyDrafts.push(family);
      continue;
    }
    const document = faults.object(value, path, ["when", "description"]);
    if (document === undefined) continue;
    segmentDrafts.push({
      name,
      path,
      when: document["when"],
      description: faults.string(document["description"], at(path, "description"), 1_000),
    });
  }
  return { segmentDrafts, familyDrafts };
}

function readWeights(part: unknown, faults: Faults): Map<string, number> {
  if (part === undefined) return new Map(Object.entries(DEFAULT_WEIGHTS));
  const weights = new Map<string, number>();
  for (const [type, value] of faults.entries(part, "/events", { name: "events", max: EVENTS_MAX })) {
    const path = at("/events", type);
    const document = faults.object(value, path, ["weight", "description"]);
    if (document === undefined) continue;
    faults.string(document["description"], at(path, "description"), 1_000);
    faults.required(document["weight"], at(path, "weight"), "the weight of the event");
    weights.set(type, faults.number(document["weight"], at(path, "weight"), { min: -1_000, max: 1_000 }) ?? 0);
  }
  return weights;
}

function readInterests(part: unknown, faults: Faults): FoldPlan["interests"] {
  const halfLifeMs = durationMs(DEFAULT_INTEREST_HALF_LIFE)!;
  if (part === undefined) return { categories: true, tags: true, halfLifeMs };
  const document = faults.object(part, "/interests", ["by", "half_life"]);
  const by = faults.choices(document?.["by"], "/interests/by", ["categories", "tags"]) ?? ["categories", "tags"];
  return {
    categories: by.includes("categories"),
    tags: by.includes("tags"),
    halfLifeMs: faults.duration(document?.["half_life"], "/interests/half_life") ?? halfLifeMs,
  };
}

function indexOf<T extends { key: string }>(
  list: T[],
  key: string,
  max: number,
  make: (key: string) => T,
): number | undefined {
  const found = list.findIndex((entry) => entry.key === key);
  if (found >= 0) return found;
  if (list.length >= max) return undefined;
  return list.push(make(key)) - 1;
}

/** Names for expressions that come after the plan was made: they read the windows that are there. */
function closedTo(
  windows: readonly WindowPlan[],
  sequences: readonly SequencePlan[],
): Pick<NamesOfProgram, "closed" | "windowIndex" | "sequenceIndex"> {
  const find = (list: readonly { key: string }[], key: string): number | undefined => {
    const index = list.findIndex((entry) => entry.key === key);
    return index < 0 ? undefined : index;
  };
  return {
    closed: true,
    windowIndex: (measure, type, windowMs) => find(windows, `${measure}|${type}|${windowMs}`),
    sequenceIndex: (first, second, windowMs) => find(sequences, `${first}|${second}|${windowMs}`),
  };
}

function planOf(parts: Omit<FoldPlan, "key">): FoldPlan {
  const { weights, interests, windows, features, sequences, keeps } = parts;
  const key = canonicalJson({
    weights: [...weights].sort(([a], [b]) => (a < b ? -1 : 1)),
    interests,
    windows: windows.map((window) => window.key),
    features: features.map((feature) => feature.key),
    sequences: sequences.map((sequence) => sequence.key),
    // Only where it is asked for: programs that do not ask keep the keys they had.
    ...(keeps.shown || keeps.bought ? { keeps } : {}),
  });
  return { key, ...parts };
}
