// Placements of a document: what may be in a list, what lifts or lowers it, and what has its place in it.
import type { CompileCel } from "./parts.ts";
import type { CompiledPlacement, FrequencyRule, FreshnessRule, ItemPredicate } from "./compiled.ts";
import { DEFAULT_PLACEMENT_LIMIT } from "./defaults.ts";
import { at, type Faults, type JsonObject } from "./faults.ts";
import { itemPredicate } from "./item-filter.ts";
import { BOOSTS_MAX, CAPS_MAX, PINS_MAX, PLACEMENT_LIMIT_MAX, PLACEMENTS_MAX, SHOWS_MAX } from "./limits.ts";
import { EXCLUDE_KINDS } from "./program.ts";

/** What a placement is made of besides its name: the rules of one list. */
export type ListRules = Omit<CompiledPlacement, "name" | "limit" | "alsoFilter">;

/** Keys of the rules that a request may bring along, too. */
export const RULE_KEYS = [
  "filter",
  "boost",
  "pin",
  "cap",
  "frequency",
  "freshness",
  "diversity",
  "exclude",
  "purchased_for",
] as const;

interface Reading {
  readonly faults: Faults;
  readonly cel: CompileCel;
}

export function readPlacements(part: unknown, reading: Reading): Map<string, CompiledPlacement> {
  const placements = new Map<string, CompiledPlacement>();
  const { faults } = reading;
  for (const [name, value] of faults.entries(part, "/placements", { name: "placements", max: PLACEMENTS_MAX })) {
    const path = at("/placements", name);
    const document = faults.object(value, path, ["limit", "description", ...RULE_KEYS]);
    if (document === undefined) continue;
    faults.string(document["description"], at(path, "description"), 1_000);
    const limit = faults.number(document["limit"], at(path, "limit"), {
      min: 1,
      max: PLACEMENT_LIMIT_MAX,
      whole: true,
    });
    placements.set(name, { name, limit: limit ?? DEFAULT_PLACEMENT_LIMIT, ...readRules(document, path, reading) });
  }
  return placements;
}

/** The rules of one list; `document` has been looked at for keys that are none. */
export function readRules(document: JsonObject, path: string, { faults, cel }: Reading): ListRules {
  const predicate = (text: unknown, place: string): ItemPredicate | undefined => {
    const compiled = cel(text, place, "item");
    return compiled === undefined ? undefined : itemPredicate(compiled);
  };
  const filter = document["filter"] === undefined ? undefined : predicate(document["filter"], at(path, "filter"));
  const boosts: ListRules["boosts"][number][] = [];
  faults.array(document["boost"], at(path, "boost"), BOOSTS_MAX)?.forEach((entry, i) => {
    const place = at(at(path, "boost"), i);
    const boost = faults.object(entry, place, ["when", "by"]);
    if (boost === undefined) return;
    faults.required(boost["by"], at(place, "by"), "the factor");
    const by = faults.number(boost["by"], at(place, "by"), { min: 0, max: 100 });
    const when = predicate(boost["when"], at(place, "when"));
    if (when !== undefined && by !== undefined) boosts.push({ when, by });
  });
  const frequency = readFrequency(document["frequency"], at(path, "frequency"), faults);
  const freshness = readFreshness(document["freshness"], at(path, "freshness"), faults);
  const purchasedForMs = faults.duration(document["purchased_for"], at(path, "purchased_for"));
  return {
    diversity: faults.number(document["diversity"], at(path, "diversity"), { min: 0, max: 1 }) ?? 0,
    exclude: faults.choices(document["exclude"], at(path, "exclude"), EXCLUDE_KINDS) ?? [],
    boosts,
    pins: readPins(document["pin"], at(path, "pin"), faults, predicate),
    caps: readCaps(document["cap"], at(path, "cap"), faults),
    ...(filter === undefined ? {} : { filter }),
    ...(frequency === undefined ? {} : { frequency }),
    ...(freshness === undefined ? {} : { freshness }),
    ...(purchasedForMs === undefined ? {} : { purchasedForMs }),
  };
}

function readPins(
  part: unknown,
  path: string,
  faults: Faults,
  predicate: (text: unknown, place: string) => ItemPredicate | undefined,
): ListRules["pins"] {
  const pins: ListRules["pins"][number][] = [];
  const taken = new Set<number>();
  faults.array(part, path, PINS_MAX)?.forEach((entry, i) => {
    const place = at(path, i);
    const pin = faults.object(entry, place, ["item", "when", "at"]);
    if (pin === undefined) return;
    faults.required(pin["at"], at(place, "at"), "the position, from 1,");
    const position = faults.number(pin["at"], at(place, "at"), { min: 1, max: PLACEMENT_LIMIT_MAX, whole: true });
    if (position !== undefined && taken.has(position)) {
      faults.add(at(place, "at"), "duplicate", `position ${position} is taken by another pin: write another one`);
    }
    if (position !== undefined) taken.add(position);
    if ((pin["item"] === undefined) === (pin["when"] === undefined)) {
      const isBoth = pin["item"] !== undefined;
      const message = "a pin names an `item`, or says `when` an item may stand there: write one of the two";
      faults.add(place, isBoth ? "not_used" : "missing", message);
      return;
    }
    if (pin["when"] !== undefined) {
      const when = predicate(pin["when"], at(place, "when"));
      if (when !== undefined && position !== undefined) pins.push({ at: position, when });
      return;
    }
    const itemId = faults.string(pin["item"], at(place, "item"), 128);
    if (itemId === "") faults.add(at(place, "item"), "missing", "the item's id is empty");
    else if (itemId !== undefined && position !== undefined) pins.push({ at: position, itemId });
  });
  return pins.sort((a, b) => a.at - b.at);
}

const CAP_ATTRIBUTE = /^attributes\.([A-Za-z_][A-Za-z0-9_]{0,63})$/;

function readCaps(part: unknown, path: string, faults: Faults): ListRules["caps"] {
  const caps: ListRules["caps"][number][] = [];
  faults.array(part, path, CAPS_MAX)?.forEach((entry, i) => {
    const place = at(path, i);
    const cap = faults.object(entry, place, ["by", "max"]);
    if (cap === undefined) return;
    faults.required(cap["by"], at(place, "by"), "what items are counted by (category, tags, attributes.NAME …)");
    faults.required(cap["max"], at(place, "max"), "how many items of one kind may be in the list");
    const max = faults.number(cap["max"], at(place, "max"), { min: 1, max: PLACEMENT_LIMIT_MAX, whole: true });
    const by = faults.string(cap["by"], at(place, "by"), 80);
    if (by === undefined) return;
    if (by !== "category" && by !== "categories" && by !== "tags" && !CAP_ATTRIBUTE.test(by)) {
      const message = `\`${by.slice(0, 40)}\` is none of category, categories, tags, attributes.NAME`;
      faults.add(at(place, "by"), "bad_choice", message);
    } else if (caps.some((other) => other.by === by)) {
      faults.add(at(place, "by"), "duplicate", `\`${by}\` is capped already: leave one of the two out`);
    } else if (max !== undefined) {
      caps.push({ by, max });
    }
  });
  return caps;
}

function readFrequency(part: unknown, path: string, faults: Faults): FrequencyRule | undefined {
  const document = part === undefined ? undefined : faults.object(part, path, ["shows", "window", "by"]);
  if (document === undefined) return undefined;
  faults.required(document["shows"], at(path, "shows"), "how often an item may be shown");
  faults.required(document["window"], at(path, "window"), "the window");
  const shows = faults.number(document["shows"], at(path, "shows"), { min: 1, max: SHOWS_MAX, whole: true });
  const windowMs = faults.duration(document["window"], at(path, "window"));
  const by = faults.number(document["by"], at(path, "by"), { min: 0, max: 1 }) ?? 0;
  return shows === undefined || windowMs === undefined ? undefined : { shows, windowMs, by };
}

function readFreshness(part: unknown, path: string, faults: Faults): FreshnessRule | undefined {
  const document = part === undefined ? undefined : faults.object(part, path, ["weight", "half_life"]);
  if (document === undefined) return undefined;
  faults.required(document["weight"], at(path, "weight"), "the weight");
  faults.required(document["half_life"], at(path, "half_life"), "the half-life");
  const weight = faults.number(document["weight"], at(path, "weight"), { min: 0, max: 1 });
  const halfLifeMs = faults.duration(document["half_life"], at(path, "half_life"));
  return weight === undefined || halfLifeMs === undefined ? undefined : { weight, halfLifeMs };
}
