// Erasure of a person, and what came of it.
import { pathPerson, pathText } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { type Answer, type Call, ok, type Route } from "../http/route.ts";

export function erasureRoutes(): Route[] {
  return [
    { method: "DELETE", path: "/v1/privacy/users/{user_id}", access: "admin", handle: erase },
    { method: "DELETE", path: "/v1/privacy/visitors/{anonymous_id}", access: "admin", handle: erase },
    { method: "GET", path: "/v1/privacy/jobs/{job_id}", access: "admin", handle: job },
  ];
}

async function erase(call: Call): Promise<Answer> {
  const started = await call.project.erasePerson(await pathPerson(call));
  return { status: 202, json: started, audit: { job_id: started.job_id } };
}

async function job(call: Call): Promise<Answer> {
  const found = await call.project.erasure(pathText(call, "job_id"));
  if (found === undefined) throw new Problem("unknown_job", "There is no such job; a done one is kept with the project.");
  return ok(found);
}
