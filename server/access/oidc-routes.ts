// The console's login with an identity provider: the browser leaves here and comes back here. Whatever goes wrong leads to
// the console's login, which says it in words.
import type { Logger } from "pino";
import { Problem } from "../http/problem.ts";
import type { Answer, Call, Route } from "../http/route.ts";
import { LOGIN_S, LoginError, type IdentityProvider } from "./oidc.ts";
import { CALLBACK_PATH } from "./oidc-settings.ts";
import { cookieOf } from "./principal.ts";
import { sessionCookie } from "./routes.ts";
import type { Sessions } from "./sessions.ts";

const LOGIN_COOKIE = "attune_login";
const LOGIN_PATH = "/v1/session/oidc";

/** @param provider - missing: a node whose people log in with keys only. */
export function oidcRoutes(provider: IdentityProvider | undefined, sessions: Sessions, logger: Logger): Route[] {
  return [
    { method: "GET", path: LOGIN_PATH, access: "public", handle: leave },
    { method: "GET", path: CALLBACK_PATH, access: "public", handle: comeBack },
  ];

  async function leave(call: Call): Promise<Answer> {
    const { begin, isSecure } = known();
    const { name } = call.project;
    return orConsole(async () => {
      const { url, cookie } = await begin(name);
      const secure = isSecure ? "; Secure" : "";
      const value = `${LOGIN_COOKIE}=${cookie}; Path=${LOGIN_PATH}; HttpOnly; SameSite=Lax; Max-Age=${LOGIN_S}${secure}`;
      return { status: 302, headers: { location: url, "set-cookie": value } };
    });
  }

  async function comeBack({ query, headers }: Call): Promise<Answer> {
    const { finish, isSecure } = known();
    const search = new URLSearchParams();
    for (const [name, values] of Object.entries(query)) {
      for (const value of [values ?? []].flat()) search.append(name, value);
    }
    return orConsole(async () => {
      const { session, project } = await finish(search, cookieOf(headers.cookie, LOGIN_COOKIE));
      const location = `/console/#/${encodeURIComponent(project)}/overview`;
      return { status: 302, headers: { location, "set-cookie": sessionCookie(sessions.open(session), isSecure) } };
    });
  }

  async function orConsole(work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LoginError)) throw error;
      logger.warn({ err: error, code: error.code }, "a login failed");
      return { status: 302, headers: { location: `/console/?login_fault=${error.code}` } };
    }
  }

  function known(): IdentityProvider {
    if (provider !== undefined) return provider;
    throw new Problem("no_identity_provider", "This node has no identity provider: log in with a key.");
  }
}
