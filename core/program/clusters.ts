// Learned segments of a document: a family of groups that trainings find among the profiles. `FAMILY_1` … are its groups, and
// whoever is in one of them is in `FAMILY`. What was learnt stands beside the definitions, under `learned`, which hosts
// write: a training makes a new version of the program, so that persons, replay and other hosts treat it as one.
import { groupOf, type LearnedDocument, type LearnedFamily } from "../cluster/learned.ts";
import { featureColumn, fillPoint } from "../cluster/profile-vector.ts";
import { BUILT_IN_FEATURES } from "../profile/reading.ts";
import type { CompiledFamily, CompiledProgram, CompiledSegment } from "./compiled.ts";
import { at, type Faults } from "./faults.ts";
import { canonicalJson } from "./canonical-json.ts";
import { FAMILIES_MAX, FAMILY_FEATURES_MAX, FAMILY_GROUPS_MAX } from "./limits.ts";
import type { ProgramDocument } from "./program.ts";
import type { ReadSet, Rule } from "./rule.ts";
import type { RuleScope } from "./scope.ts";

const METHODS = ["kmeans", "dbscan"] as const;
const DAY_MS = 86_400_000;
/** An event may move interests and features alike; time moves nothing, because features are read as of the last one. */
const READS: ReadSet = {
  eventTypes: new Set(),
  anyEvent: true,
  interests: true,
  attributes: false,
  context: false,
  segments: new Set(),
  time: false,
};

export interface FamilyDraft {
  readonly name: string;
  readonly description: string | undefined;
  readonly family: CompiledFamily;
}

/** @param features - of the program, by name: those that are numbers. */
export function readFamily(name: string, value: unknown, features: ReadonlySet<string>, faults: Faults): FamilyDraft | undefined {
  const path = at("/segments", name);
  const document = faults.object(value, path, ["clusters", "description"]);
  const clusters = faults.object(document?.["clusters"], at(path, "clusters"), [
    "method", "interests", "features", "max", "min_size", "reach", "every",
  ]);
  if (document === undefined || clusters === undefined) return undefined;
  const place = at(path, "clusters");
  const interests = faults.boolean(clusters["interests"], at(place, "interests")) ?? true;
  const read = faults.array(clusters["features"], at(place, "features"), FAMILY_FEATURES_MAX) ?? [];
  read.forEach((feature, i) => faults.oneOf(feature, at(at(place, "features"), i), [...BUILT_IN_FEATURES, ...features]));
  if (!interests && read.length === 0) faults.add(place, "missing", "nothing is compared: write `features`, or leave `interests` on");
  const method = faults.oneOf(clusters["method"], at(place, "method"), METHODS) ?? "kmeans";
  const reach = faults.number(clusters["reach"], at(place, "reach"), { min: 0, above: true, max: 1_000 });
  if (reach !== undefined && method !== "dbscan") faults.add(at(place, "reach"), "not_used", "only `dbscan` has a reach");
  return {
    name,
    description: faults.string(document["description"], at(path, "description"), 1_000),
    family: {
      name,
      key: canonicalJson(clusters),
      method,
      interests,
      features: (read as string[]).map(featureColumn),
      groupsMax: faults.number(clusters["max"], at(place, "max"), { min: 2, max: FAMILY_GROUPS_MAX, whole: true }) ?? 6,
      leastShare: faults.number(clusters["min_size"], at(place, "min_size"), { min: 0.01, max: 0.5 }) ?? 0.05,
      reach,
      everyMs: faults.duration(clusters["every"], at(place, "every")) ?? DAY_MS,
      learned: undefined,
    },
  };
}

/** The names of a family: its own, then its groups'. */
export function familyNames({ name, groupsMax }: CompiledFamily): string[] {
  return [name, ...Array.from({ length: groupsMax }, (_, i) => `${name}_${i + 1}`)];
}

/** A family's segments, once for all its groups: whoever asks for several at a time has the group worked out once. */
export function familySegments({ family, description }: FamilyDraft, learned: LearnedDocument): CompiledSegment[] {
  const own = Object.hasOwn(learned, family.name) ? learned[family.name] : undefined;
  const current = own?.key === family.key ? own : undefined;
  const numberOf = current === undefined ? () => 0 : numberReader(current);
  const grown = { ...family, learned: current };
  return familyNames(family).map((name, number): CompiledSegment => {
    const holds = number === 0 ? (scope: RuleScope) => numberOf(scope) !== 0 : (scope: RuleScope) => numberOf(scope) === number;
    const rule: Rule = { holds, nextChangeMs: (scope) => ((scope.verdict = holds(scope)), Infinity), reads: READS };
    const when = number === 0 ? `in any group of ${family.name}` : `in group ${number} of ${family.name}`;
    return { name, when, description, rule, reads: READS, family: grown, number };
  });
}

function numberReader(family: LearnedFamily): (scope: RuleScope) => number {
  const point = new Float64Array(family.columns.length);
  let turn = -1;
  let asked: RuleScope | undefined;
  let number = 0;
  return (scope) => {
    if (scope.turn === turn && scope === asked) return number;
    turn = scope.turn;
    asked = scope;
    // Who has done nothing yet is nobody's neighbour.
    number = scope.person.interactions === 0 ? 0 : groupOf(family, fillPoint(scope.person, family.columns, point));
    return number;
  };
}

export function checkFamilies(drafts: readonly FamilyDraft[], names: ReadonlySet<string>, faults: Faults): void {
  if (drafts.length > FAMILIES_MAX) {
    faults.add("/segments", "too_many", `${drafts.length} families of learned segments, at most ${FAMILIES_MAX} are allowed (FAMILIES_MAX)`);
  }
  const taken = new Set(names);
  for (const { name, family } of drafts) {
    for (const group of familyNames(family)) {
      if (taken.has(group)) faults.add(at("/segments", name), "duplicate", `\`${group}\`, a group of it, has a name that is taken`);
      taken.add(group);
    }
  }
}

/** A document with what was learnt for definitions that it shares with the program in force. */
export function withLearned(document: unknown, inForce: CompiledProgram): unknown {
  const given = document as ProgramDocument & { learned?: LearnedDocument };
  const before = (inForce.document as { learned?: LearnedDocument }).learned;
  if (before === undefined) return document;
  const { learned = {}, ...rest } = given;
  const kept = Object.entries({ ...learned, ...before }).filter(([name, { key }]) => {
    const segment = given.segments?.[name];
    return segment !== undefined && "clusters" in segment && canonicalJson(segment.clusters) === key;
  });
  return kept.length === 0 ? rest : { ...rest, learned: Object.fromEntries(kept) };
}

/** The document in force with what a training has learnt of one family. */
export function learnedDocument(inForce: ProgramDocument, name: string, family: LearnedFamily): unknown {
  const { learned } = inForce as { learned?: LearnedDocument };
  return { ...inForce, learned: { ...learned, [name]: family } };
}
