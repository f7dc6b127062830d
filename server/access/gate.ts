// The gate before every route: who asks, and whether he may. The HTTP shell, the live connections and gRPC share it.
import { Problem } from "../http/problem.ts";
import type { KeyRing } from "./key-ring.ts";
import { openPrincipal, principalOf, TokenCache, type AccessFault, type Credentials, type Principal } from "./principal.ts";
import { type Need, rolesWith } from "./roles.ts";
import type { Sessions } from "./sessions.ts";

export interface Gate {
  /** No key was ever made: everything is open. */
  readonly isOpen: boolean;
  /** Whoever comes while it is. */
  readonly open: Principal;
  /** Who shows these, for the project that he names. At once but for a new user token. @throws Problem 401 or 403. */
  identify(shown: Credentials, named: string | undefined): Principal | Promise<Principal>;
}

/** What to do about it, by fault. */
const ADVICE: Readonly<Record<AccessFault, string>> = {
  key_missing: "Send a key as `Authorization: Bearer KEY`.",
  key_invalid: "The key is unknown, revoked or expired.",
  key_in_url: "A secret key must not stand in a URL; send it as `Authorization: Bearer KEY`.",
  origin_not_allowed: "The key is not for pages of this origin.",
  token_invalid: "The user token is not one of this project's: an HS256 JWT with sub and exp, signed with `attune keys secret`.",
  token_expired: "The user token has expired.",
  wrong_project: "The key is another project's.",
  forbidden: "The key does not allow this.",
};

/**
 * @param ring - missing: a node that knows no keys.
 * @param isClosed - closed although no key was made yet: people log in with an identity provider.
 */
export function createGate(
  ring: KeyRing | undefined, sessions: Sessions | undefined, now: () => number, { isClosed = false } = {},
): Gate {
  const open = openPrincipal(ring);
  if (ring === undefined) return { isOpen: true, open, identify: () => open };
  const known = { ring, sessions, now, tokens: new TokenCache(ring), isClosed };
  return {
    get isOpen() {
      return ring.isEmpty && !isClosed;
    },
    open,
    identify(shown, named) {
      const found = principalOf(shown, named, known);
      return found instanceof Promise ? found.then(welcome) : welcome(found);
    },
  };
}

/** @throws Problem: `key_missing` where nobody is known, `forbidden` where it is not allowed. */
export function requireNeed(principal: Principal, need: Need): void {
  if (principal.may(need)) return;
  if (principal.kind === "nobody") throw refusal("key_missing");
  throw new Problem("forbidden", `The key does not allow this: it takes \`${need}\`, of the roles ${rolesWith(need).join(", ")}.`);
}

/** For whoever may read one visitor only, and asks for another. It does not say whether there is one. */
export function notTheirs(): Problem {
  const who = "a write key reads a user with that user's token, and visitors who are nobody known";
  return new Problem("forbidden", `The key does not allow this: ${who}.`);
}

export function refusal(fault: AccessFault): Problem {
  return new Problem(fault, ADVICE[fault]);
}

function welcome(found: Principal | AccessFault): Principal {
  if (typeof found === "string") throw refusal(found);
  return found;
}
