// Who is asking. Reads the key, the session and the user token of a request, and says what they may do.
import type { IncomingHttpHeaders } from "node:http";
import type { StoredKey } from "./key-file.ts";
import type { KeyRing } from "./key-ring.ts";
import { grants, type Need, type Role } from "./roles.ts";
import type { Session, Sessions } from "./sessions.ts";
import { verifyUserToken, type TokenFault, type UserToken } from "./user-token.ts";

export interface Principal {
  /** `open`: a loopback node without keys, where everybody may do everything. */
  readonly kind: "open" | "key" | "session" | "nobody";
  /** For the audit trail: a key's id, who has logged in, or the kind. */
  readonly id: string;
  /** The only project that it opens; undefined where any. */
  readonly project?: string | undefined;
  readonly role?: Role | undefined;
  /** The known person whom a user token speaks for. */
  readonly userId?: string | undefined;
  /** The key is for pages of some origins only: answers go to the one that asked. */
  readonly isOriginBound?: boolean;
  may(need: Need): boolean;
  /** Whether it still is what it was: no key revoked, no token expired, no first key made. For connections that stay open. */
  holds(): boolean;
}

/** Why a request was turned away; codes of the problem documents. */
export type AccessFault =
  | "key_missing"
  | "key_invalid"
  | "key_in_url"
  | "origin_not_allowed"
  | TokenFault
  | "wrong_project"
  | "forbidden";

export interface Credentials {
  key?: string | undefined;
  /** Whether the key stood in the URL, where only public keys may stand. */
  isInUrl?: boolean;
  userToken?: string | undefined;
  origin?: string | undefined;
  /** The console's session, where the request comes from a page of this server. */
  session?: string | undefined;
}

export interface Knowledge {
  ring: KeyRing;
  sessions?: Sessions | undefined;
  now: () => number;
  /** User tokens that were verified before. */
  tokens?: TokenCache;
  /** Closed although no key was made yet: people log in with an identity provider. */
  isClosed?: boolean;
}

const always = (): boolean => true;
/** Everybody, as long as no key was made; without a ring none ever is. */
export function openPrincipal(ring?: Pick<KeyRing, "isEmpty">): Principal {
  return { kind: "open", id: "open", may: always, holds: () => ring === undefined || ring.isEmpty };
}
export const NOBODY: Principal = { kind: "nobody", id: "nobody", may: (need) => need === "public", holds: always };

/** The cookie of a console session. */
export const SESSION_COOKIE = "attune_session";

/**
 * What a request shows: `Authorization: Bearer KEY`, Basic with the key as user name (as the Segment libraries send it),
 * or `?key=` where a browser can set no header; a user token in `attune-user-token` or `?user_token=`; the console's
 * session in a cookie, which counts only with `isOwnPage`: a page of another origin cannot use it.
 */
export function credentialsOf(
  headers: IncomingHttpHeaders,
  query: Readonly<Record<string, string | string[] | undefined>>,
  isOwnPage = false,
): Credentials {
  const token = headers["attune-user-token"] ?? query["user_token"];
  const shown = keyOfHeader(headers.authorization);
  const inUrl = shown === undefined && typeof query["key"] === "string" ? query["key"] : undefined;
  const key = shown ?? inUrl;
  return {
    key,
    isInUrl: inUrl !== undefined,
    userToken: typeof token === "string" ? token : undefined,
    origin: headers.origin,
    session: key === undefined && isOwnPage ? cookieOf(headers.cookie, SESSION_COOKIE) : undefined,
  };
}

/**
 * Who shows these credentials, for the project that he names (undefined: the key's own). A ring without keys lets
 * everybody in: loopback only, the node sees to it. At once, but for a user token that was not seen before.
 */
export function principalOf(
  shown: Credentials,
  named: string | undefined,
  known: Knowledge,
): Principal | AccessFault | Promise<Principal | AccessFault> {
  const { ring, sessions, now } = known;
  if (ring.isEmpty && known.isClosed !== true) return openPrincipal(ring);
  if (shown.key === undefined) {
    const session = shown.session === undefined ? undefined : sessions?.find(shown.session);
    return session === undefined ? NOBODY : principalOfSession(session, named, known);
  }
  const key = ring.find(shown.key);
  if (key === undefined) return "key_invalid";
  if (shown.isInUrl === true && key.role !== "write") return "key_in_url";
  if (named !== undefined && key.project !== named) return "wrong_project";
  if (key.origins !== undefined && shown.origin !== undefined && !key.origins.includes(shown.origin)) {
    return "origin_not_allowed";
  }
  if (shown.userToken === undefined) return principalOfKey(key, known);
  const cached = known.tokens?.find(key.project, shown.userToken, now());
  if (cached !== undefined) return principalOfKey(key, known, cached);
  return withToken(key, shown.userToken, known);
}

async function withToken(key: StoredKey, token: string, known: Knowledge): Promise<Principal | AccessFault> {
  const { ring, now, tokens } = known;
  const read = await verifyUserToken(token, key.project, ring.secrets(key.project), now());
  if (typeof read === "string") return read;
  tokens?.keep(key.project, token, read);
  return principalOfKey(key, known, read);
}

function principalOfKey(key: StoredKey, { ring, now }: Knowledge, token?: UserToken): Principal {
  const { id, project, role, scopes } = key;
  return {
    kind: "key",
    id,
    project,
    role,
    userId: token?.userId,
    isOriginBound: key.origins !== undefined,
    may: (need) => grants(role, need, scopes),
    holds: () => ring.isInForce(id) && (token === undefined || (token.isSignedBy(ring) && now() < token.expiresAtMs)),
  };
}

function principalOfSession(session: Session, named: string | undefined, known: Knowledge): Principal | AccessFault {
  const { project, role, keyId, subject } = session;
  if (named !== undefined && project !== undefined && project !== named) return "wrong_project";
  const scopes = known.ring.list().find(({ id }) => id === keyId)?.scopes;
  const { sessions } = known;
  return {
    kind: "session",
    id: subject ?? keyId ?? "session",
    project,
    role,
    may: (need) => grants(role, need, scopes),
    holds: () => sessions?.isOpen(session) === true,
  };
}

function keyOfHeader(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const [scheme, value] = authorization.split(" ", 2);
  if (value === undefined) return undefined;
  if (/^bearer$/i.test(scheme!)) return value;
  if (!/^basic$/i.test(scheme!)) return undefined;
  return Buffer.from(value, "base64").toString("utf8").split(":", 1)[0];
}

/** The value of the cookie of that name in a `Cookie` header. */
export function cookieOf(header: string | undefined, wanted: string): string | undefined {
  for (const part of (header ?? "").split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === wanted) return value;
  }
  return undefined;
}

const TOKENS_MAX = 10_000;

/** Verified user tokens, so that a page's second request costs no signature check. Bounded: a flood empties it. */
export class TokenCache {
  readonly #tokens = new Map<string, UserToken>();
  readonly #ring: KeyRing;
  constructor(ring: KeyRing) {
    this.#ring = ring;
  }
  find(project: string, text: string, nowMs: number): UserToken | undefined {
    const token = this.#tokens.get(`${project} ${text}`);
    return token !== undefined && nowMs < token.expiresAtMs && token.isSignedBy(this.#ring) ? token : undefined;
  }
  keep(project: string, text: string, token: UserToken): void {
    if (this.#tokens.size >= TOKENS_MAX) this.#tokens.clear();
    this.#tokens.set(`${project} ${text}`, token);
  }
}
