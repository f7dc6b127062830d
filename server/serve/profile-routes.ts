// Profiles of users and of anonymous visitors; one handler for both, by the path.
import { isObject, parseObject } from "../http/body.ts";
import { pathPerson } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { requireJson } from "../http/media-type.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";

const ATTRIBUTES_MAX = 64;
const ATTRIBUTE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const ATTRIBUTE_CHARS_MAX = 1_024;
const ATTRIBUTE_LIST_MAX = 100;

export function profileRoutes(): Route[] {
  return ["/v1/users/{user_id}/profile", "/v1/visitors/{anonymous_id}/profile"].flatMap((path): Route[] => [
    { method: "GET", path, handle: readProfile },
    { method: "PATCH", path, handle: patchProfile },
  ]);
}

async function readProfile(call: Call): Promise<Answer> {
  const profile = await call.project.profile(pathPerson(call));
  if (profile === undefined) throw new Problem("unknown_person", "Nobody is known by this id.");
  return ok(profile);
}

async function patchProfile(call: Call): Promise<Answer> {
  requireJson(call);
  const ref = pathPerson(call);
  const { attributes } = parseObject(call.body);
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
  return ok(await call.project.setAttributes(ref, attributes));
}

function isAttributeValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length <= ATTRIBUTE_LIST_MAX && value.every(isScalar);
  return value === null || typeof value === "boolean" || isScalar(value);
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" ? value.length <= ATTRIBUTE_CHARS_MAX : Number.isFinite(value);
}

function bad(pointer: string, message: string): Problem {
  return new Problem("bad_parameter", message, { parameter: "attributes", pointer: `/attributes${pointer}` });
}
