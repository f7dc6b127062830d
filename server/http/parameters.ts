// Reads and checks what a request says in its path, its query and its JSON, with one clear problem for each fault.
import type { EventContext } from "../../core/event/event.ts";
import { fitsIn, isShortText } from "../../core/event/text.ts";
import { readContext } from "../../core/event/validate.ts";
import type { PersonRef } from "../../core/record.ts";
import { readable, type Reader } from "../access/reader.ts";
import { Problem } from "./problem.ts";
import type { Call, Query } from "./route.ts";

export const ID_CHARS_MAX = 128;
export const LIST_LIMIT_MAX = 200;
const EXCLUDE_MAX = 1_000;
const FILTER_CHARS_MAX = 4_096;
const NO_ID = "must have no control characters and no lone surrogates.";

/** Where parameters come from: the query of a GET or the JSON of a POST, read by the same code. */
export interface Source {
  get(name: string): unknown;
  fault(name: string, message: string): Problem;
  /** A list may be written with commas; in JSON it is an array, because ids may hold commas. */
  readonly commas: boolean;
}

export function fromQuery(query: Query): Source {
  return {
    get(name) {
      const value = query[name];
      return value === "" ? undefined : value;
    },
    fault: (parameter, message) => new Problem("bad_parameter", message, { parameter }),
    commas: true,
  };
}

export function fromJson(body: Record<string, unknown>): Source {
  return {
    get: (name) => (Object.hasOwn(body, name) && body[name] !== null ? body[name] : undefined),
    fault: (name, message) => new Problem("bad_parameter", message, { parameter: name, pointer: `/${name}` }),
    commas: false,
  };
}

export function optionalText(source: Source, name: string, charsMax: number): string | undefined {
  const value = source.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw source.fault(name, `\`${name}\` must be one string.`);
  if (value.length === 0 || !fitsIn(value, charsMax)) {
    throw source.fault(name, `\`${name}\` must have 1 to ${charsMax} characters.`);
  }
  return value;
}

export function requiredText(source: Source, name: string, charsMax: number): string {
  const value = optionalText(source, name, charsMax);
  if (value === undefined) throw source.fault(name, `\`${name}\` is required.`);
  return value;
}

/** How long a list of a placement may be; undefined where the placement is to say. */
export function listLimit(source: Source): number | undefined {
  const limit = integer(source, "limit", { low: 1, high: LIST_LIMIT_MAX, otherwise: 0 });
  return limit === 0 ? undefined : limit;
}

/** An integer in [low, high]; `otherwise` where the parameter is missing. */
export function integer(source: Source, name: string, range: { low: number; high: number; otherwise: number }): number {
  const value = source.get(name);
  if (value === undefined) return range.otherwise;
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < range.low || number > range.high) {
    throw source.fault(name, `\`${name}\` must be a whole number from ${range.low} to ${range.high}.`);
  }
  return number;
}

export function flag(source: Source, name: string): boolean {
  const value = source.get(name);
  if (value === undefined || value === "0" || value === "false" || value === 0 || value === false) return false;
  if (value === "1" || value === "true" || value === 1 || value === true) return true;
  throw source.fault(name, `\`${name}\` must be 0 or 1.`);
}

/** Repeated or comma-separated in a query, an array in JSON. */
export function texts(source: Source, name: string, limits: { countMax: number; charsMax: number }): string[] {
  const value = source.get(name);
  if (value === undefined) return [];
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  const list = source.commas ? entries.flatMap((entry) => String(entry).split(",")) : entries;
  if (list.length > limits.countMax) throw source.fault(name, `\`${name}\` takes at most ${limits.countMax} values.`);
  for (const entry of list) {
    if (typeof entry !== "string" || entry.length === 0 || !fitsIn(entry, limits.charsMax)) {
      throw source.fault(name, `Each of \`${name}\` must be a string of 1 to ${limits.charsMax} characters.`);
    }
  }
  return list as string[];
}

/**
 * The person that a request is about; `user_id` or `anonymous_id`, both are fine. Here and in `pathPerson`, and nowhere
 * else, a request comes by a person, so here it is checked that the reader may.
 * Rejects with a Problem (bad_parameter, forbidden).
 */
export async function personRef(source: Source, reader: Reader): Promise<PersonRef> {
  const userId = personId(source, "user_id");
  const anonymousId = personId(source, "anonymous_id");
  if (userId === undefined && anonymousId === undefined) {
    throw source.fault("user_id", "`user_id` or `anonymous_id` is required.");
  }
  const ref = {
    ...(userId !== undefined && { user_id: userId }),
    ...(anonymousId !== undefined && { anonymous_id: anonymousId }),
  };
  return readable(ref, reader);
}

/** Held to the same as an event's: who can send none would be somebody of whom only lists and attributes know. */
function personId(source: Source, name: string): string | undefined {
  const id = optionalText(source, name, ID_CHARS_MAX);
  if (id !== undefined && !isShortText(id, ID_CHARS_MAX)) throw source.fault(name, `\`${name}\` ${NO_ID}`);
  return id;
}

/** A path parameter of 1 to 128 characters. */
export function pathText(call: Call, name: string): string {
  const value = call.params[name] ?? "";
  if (value.length === 0 || !fitsIn(value, ID_CHARS_MAX)) {
    throw new Problem("bad_parameter", `\`${name}\` must have 1 to ${ID_CHARS_MAX} characters.`, { parameter: name });
  }
  return value;
}

/** The person of a path `…/users/{user_id}/…` or `…/visitors/{anonymous_id}/…`. Rejects as `personRef`. */
export async function pathPerson(call: Call): Promise<PersonRef> {
  const ref =
    call.params["user_id"] !== undefined
      ? { user_id: pathText(call, "user_id") }
      : { anonymous_id: pathText(call, "anonymous_id") };
  return readable(ref, call);
}

/** The person of a path of whom the request says something. Rejects as `personRef`. */
export async function changedPerson(call: Call): Promise<PersonRef> {
  const ref = await pathPerson(call);
  for (const [name, id] of Object.entries(ref)) {
    if (!isShortText(id, ID_CHARS_MAX)) throw new Problem("bad_parameter", `\`${name}\` ${NO_ID}`, { parameter: name });
  }
  return ref;
}

export function excluded(source: Source): string[] {
  return texts(source, "exclude", { countMax: EXCLUDE_MAX, charsMax: ID_CHARS_MAX });
}

export function filterText(source: Source): string | undefined {
  return optionalText(source, "filter", FILTER_CHARS_MAX);
}

/** The `context` of a request body, held to the same as an event's. */
export function contextOf(source: Source): EventContext | undefined {
  const context = readContext(source.get("context"));
  if (context === undefined || !("code" in context)) return context;
  throw source.fault("context", `\`${context.path.slice(1).replace("/", ".")}\`: ${context.message}.`);
}
