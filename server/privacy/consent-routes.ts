// What a person allows: read and set, for users and for anonymous visitors.
import { readObject } from "../http/json-body.ts";
import { changedPerson, pathPerson } from "../http/parameters.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { readConsent } from "./consent-body.ts";

export function consentRoutes(): Route[] {
  return ["/v1/privacy/users/{user_id}/consent", "/v1/privacy/visitors/{anonymous_id}/consent"].flatMap(
    (path): Route[] => [
      { method: "GET", path, access: "own", handle: getConsent },
      { method: "PUT", path, access: "collect", isChange: true, crossOrigin: true, handle: putConsent },
    ],
  );
}

async function getConsent(call: Call): Promise<Answer> {
  const ref = await pathPerson(call);
  const { consent, said } = await call.project.consent(ref);
  return ok({ ...ref, ...consent, ...(said ? {} : { source: "default" }) });
}

async function putConsent(call: Call): Promise<Answer> {
  const ref = await changedPerson(call);
  const consent = await readConsent(await readObject(call), async () => (await call.project.consent(ref)).consent);
  await call.project.setConsent(ref, consent);
  return ok({ ...ref, ...consent });
}
