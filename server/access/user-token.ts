// User tokens: a site's own backend says "this browser is Ada" with a short-lived JWT (RFC 7519), signed with the
// project's secret. With it a public write key may read what is Ada's.
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, SignJWT } from "jose";
import { fitsIn } from "../../core/event/text.ts";
import { ID_LENGTH_MAX } from "../../core/event/validate.ts";
import type { TokenSecret } from "./key-file.ts";
import type { KeyRing } from "./key-ring.ts";

const ALGORITHM = "HS256";
/** Longer-lived tokens are refused: a stolen one must die by itself. */
export const TOKEN_AGE_MAX_S = 24 * 3_600;
const CLOCK_TOLERANCE_S = 30;
export const TOKEN_CHARS_MAX = 4_096;

export type TokenFault = "token_invalid" | "token_expired";

export interface UserToken {
  readonly userId: string;
  /** Unix ms. */
  readonly expiresAtMs: number;
  /** Whether the secret that it was verified with is still in force. */
  isSignedBy(ring: KeyRing): boolean;
}

/** Makes a token for one user of the secret's project. */
export function signUserToken(userId: string, secret: TokenSecret, nowMs: number, lifeS: number): Promise<string> {
  const issuedS = Math.floor(nowMs / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: ALGORITHM, typ: "JWT", kid: secret.id })
    .setSubject(userId)
    .setAudience(audienceOf(secret.project))
    .setIssuedAt(issuedS)
    .setExpirationTime(issuedS + Math.min(lifeS, TOKEN_AGE_MAX_S))
    .sign(keyOf(secret));
}

/**
 * Who the token speaks for: signed with one of `secrets`, for this project, not expired, at most a day old. Common JWT
 * libraries take the secret as text and write neither `aud` nor, some, `iat`: both are checked where they are there,
 * and without `iat` the token must end within a day. The secrets are the project's own, so a token without `aud` is too.
 */
export async function verifyUserToken(
  token: string,
  project: string,
  secrets: readonly TokenSecret[],
  nowMs: number,
): Promise<UserToken | TokenFault> {
  if (token.length > TOKEN_CHARS_MAX) return "token_invalid";
  const claims = claimsOf(token);
  if (claims === undefined) return "token_invalid";
  const keys = candidates(claims.kid, secrets).flatMap((secret) => keysOf(secret).map((key) => ({ secret, key })));
  for (const { secret, key } of keys) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        ...(claims.aud === undefined ? {} : { audience: audienceOf(project) }),
        clockTolerance: CLOCK_TOLERANCE_S,
        ...(claims.iat === undefined ? {} : { maxTokenAge: TOKEN_AGE_MAX_S }),
        requiredClaims: ["sub", "exp"],
        currentDate: new Date(nowMs),
      });
      const { sub, exp } = payload;
      if (sub === undefined || exp === undefined || sub.length === 0 || !fitsIn(sub, ID_LENGTH_MAX)) return "token_invalid";
      const latestS = nowMs / 1_000 + TOKEN_AGE_MAX_S + CLOCK_TOLERANCE_S;
      if (claims.iat === undefined && exp > latestS) return "token_invalid";
      // Whoever was verified is remembered, and so are connections: a long `exp` must not carry them over the day.
      const dayEndS = payload.iat === undefined ? exp : payload.iat + TOKEN_AGE_MAX_S;
      return {
        userId: sub,
        expiresAtMs: (Math.min(exp, dayEndS) + CLOCK_TOLERANCE_S) * 1_000,
        isSignedBy: (ring) => ring.secrets(project).some(({ id }) => id === secret.id),
      };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return "token_expired";
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return "token_invalid";
}

/** What the token says of itself, before its signature is looked at; undefined where it is no JWT. */
function claimsOf(token: string): { kid?: string; aud?: unknown; iat?: unknown } | undefined {
  try {
    const { kid } = decodeProtectedHeader(token);
    const { aud, iat } = decodeJwt(token);
    return { ...(kid === undefined ? {} : { kid }), aud, iat };
  } catch {
    return undefined;
  }
}

/** The secret that the token names; all of them where a site's own library named none. */
function candidates(kid: string | undefined, secrets: readonly TokenSecret[]): readonly TokenSecret[] {
  return kid === undefined ? secrets : secrets.filter(({ id }) => id === kid);
}

function audienceOf(project: string): string {
  return `attune:${project}`;
}

function keyOf(secret: TokenSecret): Uint8Array {
  return Buffer.from(secret.secret, "base64url");
}

/** The secret's bytes, and its text as it was shown: what a library makes of a secret that is a string. */
function keysOf(secret: TokenSecret): readonly Uint8Array[] {
  return [keyOf(secret), Buffer.from(secret.secret)];
}
