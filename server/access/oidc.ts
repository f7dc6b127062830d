// Login with an identity provider: OpenID Connect's authorization code flow with PKCE, state and nonce. What must be
// remembered between leaving and coming back lies encrypted in a cookie, so a flood of logins costs no memory.
import { randomBytes } from "node:crypto";
import { EncryptJWT, jwtDecrypt, type JWTPayload } from "jose";
import * as client from "openid-client";
import type { Logger } from "pino";
import { CALLBACK_PATH, hasRoleClaim, isThisMachine, type OidcConfig, roleOfClaims } from "./oidc-settings.ts";
import type { Session } from "./sessions.ts";

/** Why a login failed; the console has words for each. */
export type LoginFault = "login_denied" | "login_expired" | "login_no_role" | "login_failed";

export class LoginError extends Error {
  override readonly name = "LoginError";
  readonly code: LoginFault;
  constructor(code: LoginFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface Departure {
  /** The provider's page, to which the browser goes. */
  readonly url: string;
  /** Value of the cookie that must come back with it. */
  readonly cookie: string;
}

export interface IdentityProvider {
  readonly name: string;
  /** Whether browsers reach this node encrypted. */
  readonly isSecure: boolean;
  begin(project: string): Promise<Departure>;
  /** Reads what the browser brings back. @throws LoginError. */
  finish(search: URLSearchParams, cookie: string | undefined): Promise<{ session: Omit<Session, "expiresAtMs">; project: string }>;
  /** The provider's page that ends its own session as well; undefined where it has none, or a key opened this one. */
  logoutUrl(session: Session): Promise<string | undefined>;
}

/** How long somebody may take at the provider. */
export const LOGIN_S = 600;
const TIMEOUT_S = 10;
const SCOPES = ["openid", "profile", "email"];

export function openIdentityProvider(config: OidcConfig, logger: Logger): IdentityProvider {
  // Lives as long as the process: a restart ends logins that are under way, as it ends sessions.
  const key = randomBytes(32);
  const base = config.publicUrl.replace(/\/+$/, "");
  const redirectUri = `${base}${CALLBACK_PATH}`;
  let known: Promise<client.Configuration> | undefined;

  /** Asked for at start, so that its log says what is wrong; what failed is tried again by the next login. */
  function discovered(): Promise<client.Configuration> {
    known ??= discover(config).catch((cause: unknown) => {
      known = undefined;
      throw new LoginError("login_failed", `the identity provider ${config.issuer} cannot be asked`, cause);
    });
    return known;
  }
  discovered().catch((error: unknown) => logger.error({ err: error }, "nobody can log in with the identity provider yet"));

  async function begin(project: string): Promise<Departure> {
    const provider = await discovered();
    const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
    const url = client.buildAuthorizationUrl(provider, {
      redirect_uri: redirectUri,
      scope: (config.scopes ?? SCOPES).join(" "),
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    const cookie = await new EncryptJWT({ verifier, state, nonce, project })
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .setExpirationTime(`${LOGIN_S}s`)
      .encrypt(key);
    return { url: url.href, cookie };
  }

  async function finish(search: URLSearchParams, cookie: string | undefined) {
    const begun = await readCookie(cookie, key);
    const provider = await discovered();
    const tokens = await granted(provider, new URL(`${redirectUri}?${search}`), begun);
    const idClaims = tokens.claims();
    if (idClaims === undefined) throw new LoginError("login_failed", "the provider sent no ID token");
    let claims: Readonly<Record<string, unknown>> = idClaims;
    if (!hasRoleClaim(config, claims) && provider.serverMetadata().userinfo_endpoint !== undefined) {
      claims = await client.fetchUserInfo(provider, tokens.access_token, idClaims.sub).catch((cause: unknown) => {
        throw new LoginError("login_failed", "the provider's userinfo cannot be read", cause);
      });
    }
    const grant = roleOfClaims(config, claims, begun.project);
    if (grant === undefined) throw new LoginError("login_no_role", "none of the person's groups has a role here");
    const session = { ...grant, subject: `oidc:${idClaims.sub}`, keyId: undefined };
    return { session, project: begun.project };
  }

  async function logoutUrl({ keyId }: Session): Promise<string | undefined> {
    if (keyId !== undefined) return undefined;
    const provider = await discovered().catch(() => undefined);
    if (provider?.serverMetadata().end_session_endpoint === undefined) return undefined;
    return client.buildEndSessionUrl(provider, { post_logout_redirect_uri: `${base}/console/` }).href;
  }

  const name = config.name ?? new URL(config.issuer).host;
  return { name, isSecure: base.startsWith("https:"), begin, finish, logoutUrl };
}

function discover({ issuer, clientId, clientSecret }: OidcConfig): Promise<client.Configuration> {
  const url = new URL(issuer);
  const isPlain = url.protocol === "http:" && isThisMachine(url.hostname);
  const authentication = clientSecret === undefined ? client.None() : undefined;
  return client.discovery(url, clientId, clientSecret, authentication, {
    timeout: TIMEOUT_S,
    ...(isPlain && { execute: [client.allowInsecureRequests] }),
  });
}

interface Begun {
  verifier: string;
  state: string;
  nonce: string;
  project: string;
}

async function readCookie(cookie: string | undefined, key: Uint8Array): Promise<Begun> {
  if (cookie === undefined) throw new LoginError("login_expired", "the browser brought no login back");
  try {
    const { payload } = await jwtDecrypt<JWTPayload & Begun>(cookie, key);
    return payload;
  } catch (cause) {
    throw new LoginError("login_expired", "the login took too long, or was begun before a restart", cause);
  }
}

/** Exchanges the code; the library checks state, issuer, nonce, signature and audience. */
async function granted(provider: client.Configuration, url: URL, { verifier, state, nonce }: Begun) {
  if (url.searchParams.get("state") !== state) throw new LoginError("login_expired", "the login is another one's");
  try {
    return await client.authorizationCodeGrant(provider, url, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
  } catch (cause) {
    if (cause instanceof client.AuthorizationResponseError) {
      throw new LoginError("login_denied", `the provider said ${cause.error}`, cause);
    }
    throw new LoginError("login_failed", "the provider's answer cannot be used", cause);
  }
}
