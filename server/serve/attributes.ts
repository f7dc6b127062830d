// What an attribute of a profile may be: names and sizes, for every way in that sets some.
import { isObject } from "../http/body.ts";
import { Problem } from "../http/problem.ts";

export const ATTRIBUTES_MAX = 64;
/** `__proto__` is none: JSON bodies refuse it everywhere, other forms bring it as a name like any other. */
export const ATTRIBUTE_NAME = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const ATTRIBUTE_CHARS_MAX = 1_024;
const ATTRIBUTE_LIST_MAX = 100;

/** The attributes of a request. @throws Problem (bad_parameter) with a pointer to the one at fault. */
export function readAttributes(attributes: unknown): Record<string, unknown> {
  if (!isObject(attributes)) throw bad("", "`attributes` must be an object.");
  const entries = Object.entries(attributes);
  if (entries.length > ATTRIBUTES_MAX) throw bad("", `At most ${ATTRIBUTES_MAX} attributes can be set at once.`);
  for (const [name, value] of entries) {
    if (!ATTRIBUTE_NAME.test(name)) throw bad("", "An attribute's name has 1 to 64 letters, digits and underscores.");
    if (!isAttributeValue(value)) {
      throw bad(
        `/${name}`,
        "An attribute is null, a boolean, a finite number, a string, or a list of strings or numbers.",
      );
    }
  }
  return attributes;
}

/** Null (which removes it), a boolean, a finite number, a string of at most 1,024 characters, or a list of such. */
export function isAttributeValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length <= ATTRIBUTE_LIST_MAX && value.every(isScalar);
  return value === null || typeof value === "boolean" || isScalar(value);
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" ? value.length <= ATTRIBUTE_CHARS_MAX : Number.isFinite(value);
}

function bad(pointer: string, message: string): Problem {
  return new Problem("bad_parameter", message, { parameter: "attributes", pointer: `/attributes${pointer}` });
}
