// Which page a request comes from, as far as a browser says.
import type { IncomingHttpHeaders } from "node:http";

const READING = new Set(["GET", "HEAD"]);

export function isSameOrigin(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false; // "null", or no URL at all
  }
}

/** Whether a cookie may count: the request comes from a page of this server, or only reads and says nothing else. */
export function isOwnPage(headers: IncomingHttpHeaders, method: string, host: string): boolean {
  const { origin } = headers;
  if (origin !== undefined) return isSameOrigin(origin, host);
  // Browsers say where all but plain reading comes from; a link from elsewhere may lead to a page.
  return READING.has(method) || headers["sec-fetch-site"] === "same-origin";
}
