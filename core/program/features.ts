// `features`: what the fold keeps for a person beyond the built-in numbers.
import { canonicalJson } from "./canonical-json.ts";
import type { LoggedEvent } from "../event/event.ts";
import type { FeaturePlan } from "../profile/plan.ts";
import { BUILT_IN_FEATURES } from "../profile/reading.ts";
import { CONTEXT_FIELDS } from "../profile/state.ts";
import { at, type Faults } from "./faults.ts";
import { FEATURES_MAX } from "./limits.ts";
import { didYouMean } from "./cel/names.ts";
import type { FeatureKind } from "./program.ts";

const KINDS: readonly FeatureKind[] = ["count", "sum", "mean", "max", "distinct", "last", "decayed"];
const KEYS = ["kind", "event", "of", "window", "half_life", "where", "description"];
const OF_FORM =
  "write value, item_id, page_url, item.price, item.category (the first one), additional_data.NAME or context.NAME";
const EVENT_LIST_MAX = 32;

export interface FeatureDraft {
  name: string;
  path: string;
  plan: Omit<FeaturePlan, "where">;
  where: unknown;
}

/** Reads the part; conditions (`where`) are left to the compiler. */
export function readFeatures(part: unknown, eventTypes: ReadonlySet<string>, faults: Faults): FeatureDraft[] {
  const drafts: FeatureDraft[] = [];
  for (const [name, value] of faults.entries(part, "/features", { name: "features", max: FEATURES_MAX })) {
    const path = at("/features", name);
    if ((BUILT_IN_FEATURES as readonly string[]).includes(name)) {
      faults.add(path, "reserved_name", `\`${name}\` is a built-in feature: choose another name`);
      continue;
    }
    const document = faults.object(value, path, KEYS);
    if (document === undefined) continue;
    const draft = readFeature(name, document, path, eventTypes, faults);
    if (draft !== undefined) drafts.push(draft);
  }
  return drafts;
}

function readFeature(
  name: string,
  document: Readonly<Record<string, unknown>>,
  path: string,
  eventTypes: ReadonlySet<string>,
  faults: Faults,
): FeatureDraft | undefined {
  faults.string(document["description"], at(path, "description"), 1_000);
  const types = readTypes(document["event"], at(path, "event"), eventTypes, faults);
  const windowMs = faults.duration(document["window"], at(path, "window"));
  const halfLifeMs = faults.duration(document["half_life"], at(path, "half_life"));
  const read = readOf(document["of"], at(path, "of"), faults);
  if (!faults.required(document["kind"], at(path, "kind"), "the kind of feature")) return undefined;
  const kind = faults.oneOf(document["kind"], at(path, "kind"), KINDS);
  if (kind === undefined) return undefined;
  if (kind === "decayed" && document["half_life"] === undefined) {
    faults.add(at(path, "half_life"), "missing", "a decayed feature needs its half_life, e.g. 7d");
  }
  if (kind !== "decayed" && document["half_life"] !== undefined) {
    faults.add(
      at(path, "half_life"),
      "not_used",
      `only a decayed feature has a half_life: write window, or kind decayed instead of ${kind}`,
    );
  }
  if (kind === "decayed" && document["window"] !== undefined) {
    faults.add(at(path, "window"), "not_used", "a decayed feature has a half_life instead of a window");
  }
  const { where, description: _, ...identity } = document;
  const plan = {
    name,
    key: `${name}|${canonicalJson({ ...identity, where })}`,
    earlierKey: `${name}|${canonicalJson(document)}`,
    kind,
    types,
    read: read ?? null,
    windowMs: windowMs ?? null,
    halfLifeMs: halfLifeMs ?? null,
  };
  return { name, path, plan, where };
}

export function readTypes(value: unknown, path: string, known: ReadonlySet<string>, faults: Faults): readonly string[] | null {
  if (value === undefined) return null;
  const list = typeof value === "string" ? [value] : faults.array(value, path, EVENT_LIST_MAX);
  if (list === undefined) return null;
  if (list.length === 0)
    faults.add(path, "missing", "name at least one event type, or leave `event` out to take every interaction");
  const types = new Set<string>();
  list.forEach((entry, i) => {
    const place = typeof value === "string" ? path : at(path, i);
    if (typeof entry !== "string") faults.add(place, "bad_type", "this must be the name of an event type");
    else if (!known.has(entry)) {
      const near = didYouMean(entry, known);
      faults.add(
        place,
        "unknown_event_type",
        `unknown event type \`${entry}\`${near === "" ? "; declare it under `events`" : near}`,
      );
    } else if (types.has(entry)) faults.add(place, "duplicate", `\`${entry}\` is there already: leave it out`);
    else types.add(entry);
  });
  return [...types];
}

type ReadEvent = (event: LoggedEvent) => number | string | undefined;

const CONTEXT_NAMES: ReadonlySet<string> = new Set(CONTEXT_FIELDS);

function readOf(value: unknown, path: string, faults: Faults): ReadEvent | undefined {
  const of = faults.string(value, path, 200);
  if (of === undefined) return undefined;
  switch (of) {
    case "value":
      return (event) => event.value;
    case "item_id":
      return (event) => event.item_id;
    case "page_url":
      return (event) => event.page_url;
    case "item.price":
      return (event) => event.item?.price;
    case "item.category":
      return (event) => event.item?.categories[0];
  }
  const [root, field, ...more] = of.split(".");
  if (root === "context" && field !== undefined && more.length === 0 && CONTEXT_NAMES.has(field)) {
    return (event) => event.context?.[field as "device"];
  }
  if (root === "additional_data" && field !== undefined && field !== "" && more.length === 0) {
    return (event) => {
      const data = event.additional_data;
      const found = data !== undefined && Object.hasOwn(data, field) ? data[field] : undefined;
      return typeof found === "string" || (typeof found === "number" && Number.isFinite(found)) ? found : undefined;
    };
  }
  faults.add(path, "bad_choice", `a feature cannot be of \`${of.slice(0, 40)}\`: ${OF_FORM}`);
  return undefined;
}
