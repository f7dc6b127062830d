// Profiles of users and of anonymous visitors; one handler for both, by the path.
import { readObject } from "../http/json-body.ts";
import { changedPerson, pathPerson } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { readAttributes } from "./attributes.ts";

export function profileRoutes(): Route[] {
  return ["/v1/users/{user_id}/profile", "/v1/visitors/{anonymous_id}/profile"].flatMap((path): Route[] => [
    { method: "GET", path, access: "own", handle: readProfile },
    { method: "PATCH", path, access: "collect", handle: patchProfile },
  ]);
}

async function readProfile(call: Call): Promise<Answer> {
  const profile = await call.project.profile(await pathPerson(call));
  if (profile === undefined) throw new Problem("unknown_person", "Nobody is known by this id.");
  return ok(profile);
}

async function patchProfile(call: Call): Promise<Answer> {
  const ref = await changedPerson(call);
  const attributes = readAttributes((await readObject(call))["attributes"]);
  return ok(await call.project.setAttributes(ref, attributes));
}
