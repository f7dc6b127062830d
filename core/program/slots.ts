// Slots of a document: their variants, the rules before the policy, and the policy that learns.
import { didYouMean } from "./cel/names.ts";
import type { Parts } from "./parts.ts";
import type { CompiledBandit, CompiledReward, CompiledSlot } from "./compiled.ts";
import { durationMs } from "./duration.ts";
import { readEventFilter } from "./event-filter.ts";
import { at, type JsonObject } from "./faults.ts";
import { canonicalJson } from "./canonical-json.ts";
import { PAYLOAD_CHARS_MAX, REWARD_EVENTS_MAX, SLOT_RULES_MAX, SLOTS_MAX, VARIANTS_MAX } from "./limits.ts";
import type { SlotContextFeature, SlotPolicy } from "./program.ts";

const POLICIES: readonly SlotPolicy[] = ["rules", "epsilon_greedy", "thompson", "squarecb", "linucb"];
/** Policies that look at the visitor. */
export const CONTEXTUAL: ReadonlySet<SlotPolicy> = new Set(["squarecb", "linucb"]);
const CONTEXT_FEATURES: readonly SlotContextFeature[] = ["segments", "device", "country", "hour", "interests"];
/** Keys that only a policy which learns has. */
const BANDIT_KEYS = ["reward", "among", "exploration", "half_life", "features", "shadow"] as const;
/**
 * Greedy needs it to learn at all; the others explore by themselves, and a little more keeps every propensity above 0.
 * LinUCB picks with certainty, so this share is all that an estimate of another policy has to go by.
 */
const EXPLORATION: Readonly<Record<CompiledBandit["policy"], number>> = {
  epsilon_greedy: 0.1,
  thompson: 0.02,
  squarecb: 0.02,
  linucb: 0.05,
};
const HALF_LIFE = "30d";
const REWARD_WINDOW = "1h";
/** What is learnt where the document says nothing: that what was shown is clicked. */
const REWARD = { events: { click: 1 } };

export function readSlots(part: unknown, parts: Parts): Map<string, CompiledSlot> {
  const slots = new Map<string, CompiledSlot>();
  const { faults } = parts;
  for (const [name, value] of faults.entries(part, "/slots", { name: "slots", max: SLOTS_MAX })) {
    const path = at("/slots", name);
    const document = faults.object(value, path, [
      "variants",
      "policy",
      "rules",
      "default",
      "description",
      ...BANDIT_KEYS,
    ]);
    if (document !== undefined) slots.set(name, readSlot(name, document, path, parts));
  }
  return slots;
}

function readSlot(name: string, document: JsonObject, path: string, parts: Parts): CompiledSlot {
  const { faults, cel } = parts;
  faults.string(document["description"], at(path, "description"), 1_000);
  faults.required(document["policy"], at(path, "policy"), `the policy (${POLICIES.join(", ")})`);
  const policy = faults.oneOf(document["policy"], at(path, "policy"), POLICIES);
  const variants = new Map<string, unknown>();
  faults.required(document["variants"], at(path, "variants"), "the variants to decide between");
  for (const [variant, payload] of faults.entries(document["variants"], at(path, "variants"), {
    name: "variants",
    max: VARIANTS_MAX,
  })) {
    variants.set(variant, payload);
    const size = JSON.stringify(payload)?.length ?? 0;
    if (size <= PAYLOAD_CHARS_MAX) continue;
    faults.add(
      at(at(path, "variants"), variant),
      "too_long",
      `the payload has ${size} characters as JSON, at most ${PAYLOAD_CHARS_MAX} are allowed`,
    );
  }
  const knownVariant = (value: unknown, place: string): string | undefined => {
    const variant = faults.string(value, place, 64);
    if (variant === undefined || variants.has(variant)) return variant;
    faults.add(
      place,
      "unknown_variant",
      `the slot has no variant \`${variant}\`${didYouMean(variant, variants.keys())}`,
    );
    return undefined;
  };
  const rules: CompiledSlot["rules"][number][] = [];
  faults.array(document["rules"], at(path, "rules"), SLOT_RULES_MAX)?.forEach((entry, i) => {
    const place = at(at(path, "rules"), i);
    const rule = faults.object(entry, place, ["when", "variant"]);
    if (rule === undefined) return;
    faults.required(rule["variant"], at(place, "variant"), "the variant");
    const variant = knownVariant(rule["variant"], at(place, "variant"));
    const compiled = cel(rule["when"], at(place, "when"), "slot");
    if (compiled !== undefined && variant !== undefined) rules.push({ rule: compiled.rule, variant });
  });
  const fallback = knownVariant(document["default"], at(path, "default")) ?? null;
  const bandit = policy === undefined ? null : readBandit(policy, [...variants.keys()], document, path, parts);
  // Nothing to choose from is nothing to learn. Not a fault: logs hold such programs.
  return { name, variants, rules, fallback, bandit: variants.size === 0 ? null : bandit };
}

function readBandit(
  policy: SlotPolicy,
  variants: readonly string[],
  document: JsonObject,
  path: string,
  parts: Parts,
): CompiledBandit | null {
  const { faults } = parts;
  if (policy === "rules") {
    for (const key of BANDIT_KEYS) {
      if (document[key] === undefined) continue;
      faults.add(at(path, key), "not_used", `rules do not learn: leave \`${key}\` out, or write another policy`);
    }
    return null;
  }
  const shadow = faults.boolean(document["shadow"], at(path, "shadow")) ?? false;
  if (shadow)
    faults.required(document["default"], at(path, "default"), "the variant to be shown while the policy only watches");
  if (!CONTEXTUAL.has(policy) && document["features"] !== undefined) {
    const seeing = [...CONTEXTUAL].join(" or ");
    faults.add(at(path, "features"), "not_used", `${policy} sees no features: leave them out, or write ${seeing}`);
  }
  const reward = readReward(document["reward"] ?? REWARD, at(path, "reward"), parts);
  const among = faults.choices(document["among"], at(path, "among"), variants);
  if (among !== undefined && among.length < 2)
    faults.add(at(path, "among"), "missing", "a policy chooses between at least two variants");
  const exploration = faults.number(document["exploration"], at(path, "exploration"), { min: 0, max: 1 });
  const halfLifeMs = faults.duration(document["half_life"], at(path, "half_life"));
  const features = faults.choices(document["features"], at(path, "features"), CONTEXT_FEATURES);
  if (reward === undefined) return null;
  return {
    policy,
    reward,
    among: among === undefined ? variants : variants.filter((variant) => among.includes(variant)),
    exploration: exploration ?? EXPLORATION[policy],
    halfLifeMs: halfLifeMs ?? durationMs(HALF_LIFE)!,
    features: features ?? CONTEXT_FEATURES,
    shadow,
  };
}

function readReward(value: unknown, path: string, parts: Parts): CompiledReward | undefined {
  const { faults, eventTypes } = parts;
  const document = faults.object(value, path, ["events", "when", "max", "window"]);
  if (document === undefined) return undefined;
  faults.required(document["events"], at(path, "events"), "the event types that count, each with its weight");
  const weights = new Map<string, number>();
  const place = at(path, "events");
  for (const [type, weight] of faults.entries(document["events"], place, {
    name: "event types",
    max: REWARD_EVENTS_MAX,
  })) {
    if (!eventTypes.has(type)) {
      const near = didYouMean(type, eventTypes);
      const message = `unknown event type \`${type}\`${near === "" ? "; declare it under `events`" : near}`;
      faults.add(at(place, type), "unknown_event_type", message);
    }
    const number = faults.number(weight, at(place, type), { min: -1_000, max: 1_000 });
    faults.required(weight, at(place, type), "the weight");
    if (number !== undefined) weights.set(type, number);
  }
  const best = Math.max(0, ...weights.values());
  if (document["events"] !== undefined && best === 0) {
    faults.add(place, "missing", "at least one event type must have a weight above 0");
  }
  const when = readEventFilter(document["when"], at(path, "when"), parts);
  const max = faults.number(document["max"], at(path, "max"), { min: 0, max: 1_000_000, above: true });
  const windowMs = faults.duration(document["window"], at(path, "window"));
  return {
    weights,
    when,
    max: max ?? best,
    windowMs: windowMs ?? durationMs(REWARD_WINDOW)!,
    key: canonicalJson(document),
  };
}
