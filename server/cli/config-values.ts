// What each setting of `attune.config.ts` must be. Types are taken out of the file unchecked, and a value of another kind does
// not fail by itself: `checkpointEveryMs: "10s"` took a checkpoint every millisecond, `demo: "0"` was on.
import ipaddr from "ipaddr.js";

/** What it must be, in words that end "… must be", and whether a value is that. */
type Kind = readonly [words: string, fits: (value: unknown) => boolean];

/** A kind for every name of T: a setting without one does not compile. */
export type Kinds<T> = Readonly<Record<keyof T, Kind>>;

/** The longest that a timer of Node waits; beyond it fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isSection = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isRange = (text: unknown): boolean =>
  isText(text) && ipaddr.isValidCIDR(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
const listOf = (fits: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(fits);
const wholeFrom = (low: number, high = Number.MAX_SAFE_INTEGER): Kind => [
  high === Number.MAX_SAFE_INTEGER ? `a whole number from ${low} on` : `a whole number from ${low} to ${high}`,
  (value) => Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high,
];

export const TEXT: Kind = ["a text that is not empty", isText];
export const FLAG: Kind = ["true or false", (value) => typeof value === "boolean"];
export const SECTION: Kind = ["an object", isSection];
export const COUNT: Kind = wholeFrom(1);
export const TIMER_MS: Kind = wholeFrom(100, TIMER_MS_MAX);
export const RATE: Kind = ["a number above 0", (value) => Number.isFinite(value) && (value as number) > 0];
export const TEXTS: Kind = ["a list of texts", listOf(isText)];
export const RANGES: Kind = ["a list of addresses or CIDR ranges, such as 10.0.0.0/8", listOf(isRange)];
export const TEXT_BY_NAME: Kind = ["an object of texts", (value) => isSection(value) && Object.values(value).every((one) => typeof one === "string")];
/** Checked where it is read, with words of its own. */
export const ANYTHING: Kind = ["anything", () => true];

/** The first fault of a section, as a sentence without its file; `prefix` ends with a dot, or is empty. */
export function sectionFault(prefix: string, section: object | undefined, kinds: Readonly<Record<string, Kind>>): string | undefined {
  for (const [name, value] of Object.entries(section ?? {})) {
    if (!Object.hasOwn(kinds, name)) {
      const names = Object.keys(kinds).map((known) => prefix + known);
      // A mistyped name would be no setting at all: a node with `odic` would stand open.
      return `there is no setting ${prefix}${name}; there are ${names.join(", ")}`;
    }
    const [words, fits] = kinds[name]!;
    if (value !== undefined && !fits(value)) return `${prefix}${name} must be ${words}, and is ${JSON.stringify(value)}`;
  }
  return undefined;
}
