// What is known of a visitor before he has done anything, beside where and when he comes: his language, and what
// attributes say (age group, gender …). Each facet has a crowd, whose favourites are a first list.
import type { EventContext } from "../event/event.ts";

/** By where, with what and when somebody comes: each value has a crowd too. */
export const CONTEXT_KINDS = ["country", "device", "weather", "daypart"] as const;
export type ContextKind = (typeof CONTEXT_KINDS)[number];
export type CrowdKind = ContextKind | "facet";
/** Crowds that are kept at once. */
export const CONTEXTS_MAX = 512;

/** Attributes that make crowds where the program names none. */
const DEMOGRAPHICS: readonly string[] = ["age_group", "gender"];
const OWN_FACETS: ReadonlySet<string> = new Set([...CONTEXT_KINDS, "language"]);
const VALUE_CHARS_MAX = 64;

export interface FacetSources {
  readonly context?: Pick<EventContext, "locale"> | undefined;
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
  /** Names of the attributes that make crowds. */
  readonly demographics?: readonly string[] | undefined;
}

/** `language:no`, `age_group:25-34`: each names a crowd. */
export function facetsOf({ context, attributes, demographics = DEMOGRAPHICS }: FacetSources): string[] {
  const facets: string[] = [];
  const spoken = attributes?.["language"] ?? context?.locale;
  const language = typeof spoken === "string" ? /^[A-Za-z]{2,3}(?![A-Za-z])/.exec(spoken)?.[0] : undefined;
  if (language !== undefined) facets.push(`language:${language.toLowerCase()}`);
  if (attributes === undefined) return facets;
  for (const name of demographics) {
    const value = attributes[name];
    if (OWN_FACETS.has(name)) continue; // Crowds of another kind have these names.
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") continue;
    const text = String(value);
    if (text !== "" && text.length <= VALUE_CHARS_MAX) facets.push(`${name}:${text}`);
  }
  return facets;
}

/** Whether a crowd is one of people alike, not of a place, a time, a device or a language. */
export function isDemographic(facet: string): boolean {
  return !OWN_FACETS.has(facet.slice(0, facet.indexOf(":")));
}
