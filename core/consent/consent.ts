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

/**
 * Whether an event may be kept. `refused_on_device`: by what was said on the device before it was the user's. That goes for
 * the user from now on, so the log has to say whose the device is, without the event.
 */
export type ConsentVerdict = "kept" | "refused" | "refused_on_device";

/**
 * What the person's word on analytics makes of his event. A user who has said nothing (`own`) takes over what was said on a
 * device (`onDevice`) that the event makes his, as his profile does; where nobody has said anything, `otherwise` holds. Marked
 * traffic makes no device his: a yes that was said there is not his, but a no is heard all the same.
 */
export function verdictOf({ own, onDevice, otherwise, isMarked }: {
  own: Consent["analytics"] | undefined;
  onDevice: Consent["analytics"] | undefined;
  otherwise: ConsentDefault;
  isMarked: boolean;
}): ConsentVerdict {
  const heard = isMarked && onDevice === "granted" ? undefined : onDevice;
  if ((own ?? heard ?? otherwise) === "granted") return "kept";
  return own === undefined && heard !== undefined && !isMarked ? "refused_on_device" : "refused";
}

/** The same consent for every purpose, as it holds before anybody was asked. */
export function consentOfDefault(otherwise: ConsentDefault): Consent {
  return { personalization: otherwise, analytics: otherwise, profiling: otherwise };
}
