// What a site sends when somebody has chosen: each purpose in words, or the string of an IAB TCF consent platform.
import { TCString } from "@iabtcf/core";
import { PURPOSES, type Purpose } from "../../core/consent/consent.ts";
import type { Consent } from "../../core/record.ts";
import { Problem } from "../http/problem.ts";

const TEXT_CHARS_MAX = 256;
const TCF_CHARS_MAX = 8_192;
const MEMBERS = new Set<string>([...PURPOSES, "source", "policy_version", "tcf"]);

/**
 * Which purposes of the TCF (v2.2, appendix A) each of ours needs, all of them. 1: store on the device; 5, 6: a profile for
 * personalised content, and its use; 7, 8: measure; 9: understand audiences.
 */
const TCF_PURPOSES: Readonly<Record<Purpose, readonly number[]>> = {
  analytics: [1, 8, 9],
  profiling: [1, 5],
  personalization: [1, 6],
};

const NOTHING: Consent = { personalization: "denied", analytics: "denied", profiling: "denied" };

/** `held` is asked what holds for purposes that the body does not name. Rejects with a Problem (bad_parameter). */
export async function readConsent(body: Record<string, unknown>, held: () => Promise<Consent>): Promise<Consent> {
  for (const name of Object.keys(body)) {
    if (!MEMBERS.has(name)) throw bad(name, `There is no purpose \`${name}\`: one of ${PURPOSES.join(", ")}.`);
  }
  const named: Partial<Consent> = {};
  for (const purpose of PURPOSES) {
    const value = body[purpose];
    if (value === undefined) continue;
    if (value !== "granted" && value !== "denied") throw bad(purpose, `\`${purpose}\` is "granted" or "denied".`);
    named[purpose] = value;
  }
  const texts = textsOf(body);
  const isWhole = PURPOSES.every((purpose) => named[purpose] !== undefined);
  const others = body["tcf"] !== undefined ? readTcf(body["tcf"]) : isWhole ? NOTHING : purposesOf(await held());
  return { ...others, ...named, ...texts };
}

function textsOf(body: Record<string, unknown>): Pick<Consent, "source" | "policy_version"> {
  const texts: Pick<Consent, "source" | "policy_version"> = {};
  for (const name of ["source", "policy_version"] as const) {
    const value = body[name];
    if (value === undefined) continue;
    if (typeof value !== "string" || value.length === 0 || value.length > TEXT_CHARS_MAX) {
      throw bad(name, `\`${name}\` is a text of 1 to ${TEXT_CHARS_MAX} characters.`);
    }
    texts[name] = value;
  }
  return texts;
}

function purposesOf({ personalization, analytics, profiling }: Consent): Consent {
  return { personalization, analytics, profiling };
}

function readTcf(value: unknown): Consent {
  if (typeof value !== "string" || value.length > TCF_CHARS_MAX) throw bad("tcf", "`tcf` is a TC string.");
  let given: (purpose: number) => boolean;
  try {
    const { purposeConsents } = TCString.decode(value);
    given = (purpose) => purposeConsents.has(purpose);
  } catch {
    throw bad("tcf", "`tcf` is no TC string of the IAB's Transparency and Consent Framework, version 2.");
  }
  const said = (purpose: Purpose): "granted" | "denied" => (TCF_PURPOSES[purpose].every(given) ? "granted" : "denied");
  return {
    personalization: said("personalization"),
    analytics: said("analytics"),
    profiling: said("profiling"),
    source: "tcf",
  };
}

function bad(name: string, message: string): Problem {
  return new Problem("bad_parameter", message, { parameter: name, pointer: `/${name}` });
}
