// Marks which events one address sent, without keeping the address: a hash under a salt that lives in memory only and is
// thrown away after a day, so that nobody can tell afterwards whose it was, or that two days' marks are of one address.
import { createHmac, randomBytes } from "node:crypto";

const DAY_MS = 86_400_000;
const MARK_CHARS = 10; // 60 bits.

export type MarkSource = (network: string) => string;

export function markSources(now: () => number = Date.now): MarkSource {
  let salt = randomBytes(32);
  let saltedMs = now();
  return (network) => {
    const ageMs = now() - saltedMs;
    if (ageMs < 0 || ageMs >= DAY_MS) {
      salt = randomBytes(32);
      saltedMs = now();
    }
    return createHmac("sha256", salt).update(network).digest("base64url").slice(0, MARK_CHARS);
  };
}
