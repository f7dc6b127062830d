// Which page a request comes from, as far as a browser says.
import type { IncomingHttpHeaders } from "node:http";
import ipaddr from "ipaddr.js";

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

/**
 * Whether the host that a request asks for is a name that nobody on the internet gives out: an address, one without a dot
 * (`localhost`, a container's), or none. A page elsewhere may have its own name point to 127.0.0.1 (DNS rebinding): then it is of
 * this server's origin to the browser.
 */
export function isMachineName(host: string | undefined): boolean {
  if (host === undefined || host === "") return true;
  const name = host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return !name.includes(".") || name.endsWith(".localhost") || ipaddr.isValid(name);
}
