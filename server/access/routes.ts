// Keys over HTTP: made, rotated and revoked by administrators; user tokens for a site's backend; the console's login.
import { parseObject } from "../http/body.ts";
import { readObject } from "../http/json-body.ts";
import { requireJson } from "../http/media-type.ts";
import { fromJson, ID_CHARS_MAX, integer, pathText, requiredText, texts, type Source } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { refusal } from "./gate.ts";
import { isOrigin, type StoredKey } from "./key-file.ts";
import type { KeyRing } from "./key-ring.ts";
import { TooManyKeysError, type IssuedKey } from "./key-table.ts";
import type { IdentityProvider } from "./oidc.ts";
import { credentialsOf, SESSION_COOKIE } from "./principal.ts";
import { isNeed, isRole, NEEDS, ROLES, rolesWith, type Need, type Role } from "./roles.ts";
import { SESSION_LIFE_S, type Sessions } from "./sessions.ts";
import { signUserToken, TOKEN_AGE_MAX_S } from "./user-token.ts";

const KEY_CHARS_MAX = 128;
const NAME_CHARS_MAX = 64;
const ORIGINS_MAX = 100;
const DAY_S = 86_400;
const OVERLAP_MAX_S = 30 * DAY_S;
const LIFE_MAX_S = 10 * 366 * DAY_S;
const TOKEN_LIFE_S = 900;

/** @param provider - the identity provider that people log in with as well, if there is one. */
export function accessRoutes(ring: KeyRing, sessions: Sessions, provider: IdentityProvider | undefined): Route[] {
  return [
    { method: "GET", path: "/v1/keys", access: "admin", handle: readKeys },
    { method: "POST", path: "/v1/keys", access: "admin", handle: makeKey },
    { method: "POST", path: "/v1/keys/{key_id}/rotate", access: "admin", handle: rotateKey },
    { method: "DELETE", path: "/v1/keys/{key_id}", access: "admin", handle: revokeKey },
    { method: "POST", path: "/v1/token-secrets", access: "admin", handle: rotateSecret },
    { method: "POST", path: "/v1/user-tokens", access: "operate", handle: makeUserToken },
    { method: "GET", path: "/v1/session", access: "public", handle: readSession },
    { method: "POST", path: "/v1/session", access: "public", handle: openSession },
    { method: "DELETE", path: "/v1/session", access: "public", handle: endSession },
  ];

  function readKeys({ project, nowMs }: Call): Answer {
    return ok({ keys: ring.list(project.name).map((key) => wireKey(key, nowMs)) });
  }

  async function makeKey(call: Call): Promise<Answer> {
    const source = await jsonOf(call);
    const role = roleOf(source);
    // Otherwise the node closes, and nobody could open it again from here.
    if (ring.isEmpty && provider === undefined && role !== "admin") {
      throw new Problem("admin_key_first", "The first key closes the node to all who have none: make an admin key first.");
    }
    const lifeS = integer(source, "life_s", { low: 1, high: LIFE_MAX_S, otherwise: 0 });
    const scopes = scopesOf(source);
    const origins = texts(source, "origins", { countMax: ORIGINS_MAX, charsMax: 256 });
    if (!origins.every(isOrigin)) throw source.fault("origins", "An origin is a scheme and a host: https://shop.example");
    const name = requiredText(source, "name", NAME_CHARS_MAX);
    const issued = await atMost(() =>
      ring.issue({
        project: call.project.name,
        role,
        name,
        ...(lifeS > 0 && { expiresAtMs: call.nowMs + lifeS * 1_000 }),
        ...(scopes.length > 0 && { scopes }),
        ...(origins.length > 0 && { origins }),
      }),
    );
    return made(issued, call.nowMs);
  }

  async function rotateKey(call: Call): Promise<Answer> {
    const overlapS = integer(await jsonOf(call), "overlap_s", { low: 0, high: OVERLAP_MAX_S, otherwise: DAY_S });
    const id = ownKey(call);
    const issued = await atMost(() => ring.rotate(id, overlapS * 1_000));
    if (issued === undefined) throw unknownKey();
    return made(issued, call.nowMs);
  }

  async function revokeKey(call: Call): Promise<Answer> {
    if (!(await ring.revoke(ownKey(call)))) throw unknownKey();
    return { status: 204 };
  }

  async function rotateSecret(call: Call): Promise<Answer> {
    const overlapS = integer(await jsonOf(call), "overlap_s", { low: 0, high: OVERLAP_MAX_S, otherwise: DAY_S });
    const { id, secret } = await ring.rotateSecret(call.project.name, overlapS * 1_000);
    return { status: 201, json: { id, secret }, audit: { secret_id: id } };
  }

  async function makeUserToken(call: Call): Promise<Answer> {
    const source = await jsonOf(call);
    const userId = requiredText(source, "user_id", ID_CHARS_MAX);
    const lifeS = integer(source, "life_s", { low: 1, high: TOKEN_AGE_MAX_S, otherwise: TOKEN_LIFE_S });
    const { name } = call.project;
    // Two servers may make the first secret at a time: tokens of the one that came first are to be taken as long as they live.
    const secret = ring.secrets(name)[0] ?? (await ring.rotateSecret(name, TOKEN_AGE_MAX_S * 1_000));
    const token = await signUserToken(userId, secret, call.nowMs, lifeS);
    const json = { user_token: token, expires_at: isoOf(call.nowMs + lifeS * 1_000) };
    // Who has it reads as that user does, which is not taken down.
    return { status: 201, json, about: { user_id: userId } };
  }

  async function readSession(call: Call): Promise<Answer> {
    const { kind, id, role, project } = await call.whoAsks();
    return ok({ kind, id, role: role ?? null, project: project ?? null, provider: provider?.name ?? null });
  }

  /** Opens the console with a key: afterwards the browser holds a cookie that no script can read, and not the key. */
  function openSession(call: Call): Answer {
    requireJson(call);
    const key = ring.find(requiredText(fromJson(parseObject(call.body)), "key", KEY_CHARS_MAX));
    if (key === undefined) throw refusal("key_invalid");
    if (key.role === "write") throw new Problem("forbidden", `A write key stands in pages and opens no console: ${rolesWith("read").join(", ")} do.`);
    const { project, role, id } = key;
    const cookie = sessions.open({ project, role, keyId: id });
    return {
      status: 201,
      json: { kind: "session", id, role, project, provider: provider?.name ?? null },
      headers: { "set-cookie": sessionCookie(cookie, call.isSecure) },
    };
  }

  async function endSession(call: Call): Promise<Answer> {
    const { session: cookie } = credentialsOf(call.headers, {}, true);
    const session = cookie === undefined ? undefined : sessions.find(cookie);
    if (cookie !== undefined) await sessions.end(cookie);
    const url = session === undefined ? undefined : await provider?.logoutUrl(session);
    const headers = { "set-cookie": `${SESSION_COOKIE}=; Path=/; Max-Age=0` };
    return url === undefined ? { status: 204, headers } : { status: 200, json: { logout_url: url }, headers };
  }

  /** An administrator's project has this key, in force or not. */
  function ownKey(call: Call): string {
    const id = pathText(call, "key_id");
    if (!ring.list(call.project.name).some((key) => key.id === id)) throw unknownKey();
    return id;
  }
}

/** No script reads it, and no page of another site can send it along with a change. */
export function sessionCookie(value: string, isSecure: boolean): string {
  const secure = isSecure ? "; Secure" : "";
  return `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_LIFE_S}${secure}`;
}

async function jsonOf(call: Call): Promise<Source> {
  return fromJson(await readObject(call));
}

function roleOf(source: Source): Role {
  const role = requiredText(source, "role", NAME_CHARS_MAX);
  if (!isRole(role)) throw source.fault("role", `\`role\` is one of ${ROLES.join(", ")}.`);
  return role;
}

function scopesOf(source: Source): Need[] {
  return texts(source, "scopes", { countMax: NEEDS.length, charsMax: NAME_CHARS_MAX }).map((scope) => {
    if (!isNeed(scope)) throw source.fault("scopes", `A scope is one of ${NEEDS.join(", ")}.`);
    return scope;
  });
}

function made({ stored, key }: IssuedKey, nowMs: number): Answer {
  return { status: 201, json: { ...wireKey(stored, nowMs), key }, audit: { made_key_id: stored.id, role: stored.role } };
}

/** Everything but the hash. */
function wireKey(key: StoredKey, nowMs: number): Record<string, unknown> {
  const { id, project, role, name, createdAtMs, expiresAtMs, revokedAtMs, scopes, origins } = key;
  return {
    key_id: id,
    project,
    role,
    name,
    state: revokedAtMs !== undefined ? "revoked" : expiresAtMs !== undefined && expiresAtMs <= nowMs ? "expired" : "in_force",
    created_at: isoOf(createdAtMs),
    expires_at: expiresAtMs === undefined ? null : isoOf(expiresAtMs),
    revoked_at: revokedAtMs === undefined ? null : isoOf(revokedAtMs),
    ...(scopes !== undefined && { scopes }),
    ...(origins !== undefined && { origins }),
  };
}

async function atMost<Result>(make: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof TooManyKeysError) throw new Problem("too_many_keys", error.message);
    throw error;
  }
}

function unknownKey(): Problem {
  return new Problem("unknown_key", "The project has no such key in force.", { parameter: "key_id" });
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
