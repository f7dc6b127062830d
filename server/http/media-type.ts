// Routes that change something take JSON by its name only: a page of another origin can then not send it without being
// asked first (CORS), as a form or a beacon with `text/plain` could.
import { Problem } from "./problem.ts";
import type { Call } from "./route.ts";

/** JSON by its name, or as `navigator.sendBeacon` and simple requests send it; for routes that any page may call. */
export function isJsonBody(mediaType: string | undefined): boolean {
  return mediaType === undefined || /^(application\/json|text\/plain|application\/[\w.-]+\+json)\s*(;|$)/i.test(mediaType);
}

/** @throws Problem (unsupported_media_type). */
export function requireJsonType(call: Call): void {
  const type = call.headers["content-type"];
  if (type === undefined || !/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) {
    throw new Problem("unsupported_media_type", "Send the body with Content-Type: application/json.");
  }
}

/** Also refuses a content encoding: nothing is unpacked for somebody who is nobody yet. @throws Problem (unsupported_…). */
export function requireJson(call: Call): void {
  requireJsonType(call);
  const encoding = call.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new Problem("unsupported_encoding", "This route takes the body as it is, without a content encoding.");
  }
}
