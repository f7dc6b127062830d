// What a person allows, purpose by purpose, and what follows from it.
import type { Consent } from "../record.ts";

/**
 * `analytics`: events are kept. `profiling`: they shape the profile, segments and models. `personalization`: lists and slots
 * follow the profile.
 */
export const PURPOSES = ["personalization", "analytics", "profiling"] as const;
export type Purpose = (typeof PURPOSES)[number];

/** What holds for somebody who has not said anything; the program's `consent.default`. */
export type ConsentDefault = "granted" | "denied";

export function isGranted(consent: Consent | undefined, purpose: Purpose, otherwise: ConsentDefault): boolean {
  return (consent === undefined ? otherwise : consent[purpose]) === "granted";
}

/** The same consent for every purpose, as it holds before anybody was asked. */
export function consentOfDefault(otherwise: ConsentDefault): Consent {
  return { personalization: otherwise, analytics: otherwise, profiling: otherwise };
}
