// Keeps webhooks from reaching into the operator's own network: the address that was looked at is the one that is
// connected to (no second resolution, so no DNS rebinding), and redirects are not followed.
import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

export class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";
  readonly code = "FORBIDDEN_ADDRESS";
}

/** True for addresses of the open internet; loopback, private, link-local, translated and reserved ranges are not. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";
}

export function isLoopbackAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

/** For the `lookup` option of a request: resolves, and fails with ForbiddenAddressError unless every answer `isAllowed`. */
export function guardedLookup(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      if (addresses.length === 0 || !addresses.every(({ address }) => isAllowed(address))) {
        return callback(new ForbiddenAddressError("the host resolves to an address that is not allowed"), "");
      }
      if (options.all === true) return callback(null, addresses);
      callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}

/** For the `lookup` option of a request: resolves, and fails with ForbiddenAddressError unless every answer is public. */
export const publicLookup: LookupFunction = guardedLookup(isPublicAddress);
const loopbackLookup = guardedLookup(isLoopbackAddress);

/** Whom a webhook may reach: its host where that is an address, and what its name resolves to. */
export interface Reach {
  allows(address: string): boolean;
  readonly lookup?: LookupFunction;
}

export const EVERYWHERE: Reach = { allows: () => true };
export const PUBLIC: Reach = { allows: isPublicAddress, lookup: publicLookup };
export const THIS_MACHINE: Reach = { allows: isLoopbackAddress, lookup: loopbackLookup };

/** Whether the URL names this machine: a loopback address, or `localhost`. */
export function namesThisMachine(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return host === "localhost" || isLoopbackAddress(host);
}
