// Keeps webhooks from reaching into the operator's own network: the address that was looked at is the one that is
// connected to (no second resolution, so no DNS rebinding), and redirects are not followed.
import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

export class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";
  readonly code = "FORBIDDEN_ADDRESS";
}

/** All of IPv6 that is given out for the internet (RFC 4291, 2.4). Elsewhere lies `::127.0.0.1`, which is in no range of the library. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** True for addresses of the open internet; loopback, private, link-local, translated and reserved ranges are not. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const read = ipaddr.process(address);
  return read.range() === "unicast" && (read instanceof ipaddr.IPv4 || read.match(GLOBAL_IPV6));
}

/** True for addresses of the machine itself. */
export function isLoopbackAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

/** For the `lookup` option of a request: resolves, and fails with ForbiddenAddressError unless every answer may be reached. */
export function guardedLookup(mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      if (addresses.length === 0 || !addresses.every(({ address }) => mayReach(address))) {
        return callback(new ForbiddenAddressError("the host resolves to an address that is not public"), "");
      }
      if (options.all === true) return callback(null, addresses);
      callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}
