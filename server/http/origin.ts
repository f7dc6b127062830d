// Which page a request comes from, as far as a browser says.
import type { IncomingHttpHeaders } from "node:http";
import ipaddr from "ipaddr.js";

const READING = new Set(["GET", "HEAD"]);
/** Ends of names that nobody on the internet is given (RFC 6761, RFC 6762, ICANN's resolution 2024.07.29.06): developers' own. */
const OWN_ENDS = [".localhost", ".test", ".local", ".internal"] as const;

export function isSameOrigin(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false; // "null", or no URL at all
  }
}

/** `none`: somebody has typed the address. */
const OWN_SITES: readonly unknown[] = ["same-origin", "none"];

/** Whether a cookie may count: the request comes from a page of this server, or it only reads and no other page has made it. */
export function isOwnPage(headers: IncomingHttpHeaders, method: string, host: string): boolean {
  const { origin, "sec-fetch-site": site } = headers;
  if (origin !== undefined) return isSameOrigin(origin, host);
  // Without `Origin` a page of another port of this machine could read by a script or a picture: the cookie is of its site, too.
  if (READING.has(method)) return site === undefined || OWN_SITES.includes(site);
  return site === "same-origin";
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

/**
 * Whether a page is one of this machine or of its network, as a site under development is. A page at an address of the internet, in
 * a sandboxed frame or of a file (`null`) may be anybody's.
 */
export function isNearPage(origin: string): boolean {
  let url: URL;
  try {
    url = new URL(origin);
  } catch {
    return false; // "null", or no URL at all
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return false;
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (ipaddr.isValid(name)) return ipaddr.process(name).range() !== "unicast";
  return name !== "" && (!name.includes(".") || OWN_ENDS.some((end) => name.endsWith(end)));
}
