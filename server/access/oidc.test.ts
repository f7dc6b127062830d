// People who log in with an identity provider: a real one, with its own pages, on loopback.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readSettings } from "../cli/config.ts";
import { ask, startNode, type TestNode } from "../http/testing.ts";
import { freePort } from "../testing/free-port.ts";
import { oidcFault, roleOfClaims, type OidcConfig } from "./oidc-settings.ts";
import { CLIENT, FormBrowser, startProvider, type TestProvider } from "./testing/provider.ts";

const ROLES = { staff: "read", "shop-ops": { role: "operator", project: "default" }, owners: "admin" } as const;
const GOOD: OidcConfig = { issuer: "https://id.example", clientId: "attune", publicUrl: "https://attune.example", roles: ROLES };

describe("a node with an identity provider", () => {
  let provider: TestProvider;
  let node: TestNode;
  before(async () => {
    provider = await startProvider();
    // The provider must know where the node is, and the node where the provider is: the node's port comes first.
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    provider.allow(publicUrl);
    node = await startNode({ config: { port, oidc: { ...CLIENT, issuer: provider.issuer, publicUrl, name: "Acme", roles: ROLES } } });
    provider.groups.set("ada", ["staff", "owners"]);
    provider.groups.set("grace", ["staff"]);
    provider.groups.set("ivan", ["guests"]);
  });
  after(async () => {
    await node.close();
    await provider.close();
  });

  const logIn = async (login: string, project = "default"): Promise<{ browser: FormBrowser; url: URL }> => {
    const browser = new FormBrowser();
    const { url } = await browser.logIn(`${node.url}/v1/session/oidc?project=${project}`, login);
    return { browser, url: new URL(url) };
  };
  const cookieHeader = (browser: FormBrowser) => ({
    headers: { cookie: `attune_session=${browser.cookie(node.url, "attune_session")}`, "sec-fetch-site": "same-origin" },
  });

  test("is closed from the start, and says with whom to log in", async () => {
    equal((await ask(node, "GET /v1/stats")).status, 401);
    const { json } = await ask(node, "GET /v1/session");
    deepEqual([json.kind, json.provider], ["nobody", "Acme"]);
  });

  test("gives each the highest role of his groups, in a session like that of a key", async () => {
    const { browser, url } = await logIn("ada");
    equal(url.hash, "#/default/overview");
    const session = cookieHeader(browser);
    const { json } = await ask(node, "GET /v1/session", undefined, session);
    deepEqual([json.kind, json.id, json.role, json.project], ["session", "oidc:ada", "admin", null]);
    equal((await ask(node, "POST /v1/keys", { role: "read", name: "made by ada" }, session)).status, 201);
    const reader = cookieHeader((await logIn("grace")).browser);
    equal((await ask(node, "GET /v1/stats", undefined, reader)).status, 200);
    equal((await ask(node, "GET /v1/keys", undefined, reader)).json.code, "forbidden");
    const trail = await ask(node, "GET /v1/audit", undefined, session);
    ok(trail.json.entries.some((entry: { actor: string }) => entry.actor === "oidc:ada"));
  });

  test("a cookie of the session is no script's, and another site cannot use it", async () => {
    const { browser } = await logIn("ada");
    const { headers } = cookieHeader(browser);
    const stranger = { headers: { ...headers, "sec-fetch-site": "cross-site" } };
    equal((await ask(node, "POST /v1/keys", { role: "read", name: "forged" }, stranger)).status, 401);
  });

  test("turns away whose groups have no role, and who is refused by the provider", async () => {
    equal((await logIn("ivan")).url.searchParams.get("login_fault"), "login_no_role");
    equal((await logIn("nobody-knows")).url.searchParams.get("login_fault"), "login_no_role");
    const browser = new FormBrowser();
    const page = await browser.go(`${node.url}/v1/session/oidc`);
    const abort = /href="([^"]+\/abort)"/.exec(await page.response.text())![1]!;
    const { url } = await browser.go(new URL(abort, page.url).href);
    equal(new URL(url).searchParams.get("login_fault"), "login_denied");
  });

  test("believes no answer that this browser did not ask for", async () => {
    const callback = `${node.url}/v1/session/oidc/callback`;
    const fault = async (browser: FormBrowser, query: string): Promise<string | null> =>
      new URL((await browser.go(`${callback}?${query}`)).url).searchParams.get("login_fault");
    equal(await fault(new FormBrowser(), "code=x&state=y"), "login_expired");
    const browser = new FormBrowser();
    await browser.go(`${node.url}/v1/session/oidc`);
    equal(await fault(browser, "code=x&state=of-somebody-else"), "login_expired");
    equal(await fault(browser, "state=a&state=b"), "login_expired");
    equal(browser.cookie(node.url, "attune_session"), undefined);
  });

  test("a code of another login is worth nothing: the verifier is this login's", async () => {
    const [attacker, victim] = [new FormBrowser(), new FormBrowser()];
    for (const browser of [attacker, victim]) browser.stopBefore = "/v1/session/oidc/callback";
    const stolen = new URL((await attacker.logIn(`${node.url}/v1/session/oidc`, "ada")).url).searchParams;
    const answer = new URL((await victim.logIn(`${node.url}/v1/session/oidc`, "grace")).url);
    answer.searchParams.set("code", stolen.get("code")!);
    victim.stopBefore = "/console/";
    const { url } = await victim.go(answer.href);
    equal(new URL(url).searchParams.get("login_fault"), "login_failed");
    equal(victim.cookie(node.url, "attune_session"), undefined);
  });

  test("asks for a code, and shows of the verifier its hash only", async () => {
    const { headers } = await ask(node, "GET /v1/session/oidc");
    const asked = new URL(headers.get("location")!).searchParams;
    deepEqual(["response_type", "code_challenge_method"].map((name) => asked.get(name)), ["code", "S256"]);
    match(asked.get("code_challenge") ?? "", /^[\w-]{43}$/);
    match(headers.get("set-cookie")!, /^attune_login=eyJ[^;]+; Path=\/v1\/session\/oidc; HttpOnly; SameSite=Lax; Max-Age=600$/);
  });

  test("logging out ends both sessions", async () => {
    const { browser } = await logIn("grace");
    const session = cookieHeader(browser);
    const { status, json } = await ask(node, "DELETE /v1/session", undefined, session);
    equal(status, 200);
    match(json.logout_url, new RegExp(`^${provider.issuer}/session/end\\?.*client_id=attune`));
    equal((await ask(node, "GET /v1/stats", undefined, session)).status, 401);
  });

  test("without a project of that name nobody is sent anywhere", async () => {
    equal((await ask(node, "GET /v1/session/oidc?project=none")).json.code, "unknown_project");
  });
});

test("a provider that is away keeps nobody from starting, and is found when it is back", async () => {
  const first = await startProvider();
  await first.close();
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const node = await startNode({ config: { port, oidc: { ...CLIENT, issuer: first.issuer, publicUrl, roles: ROLES } } });
  try {
    const away = await ask(node, "GET /v1/session/oidc");
    deepEqual([away.status, away.headers.get("location")], [302, "/console/?login_fault=login_failed"]);
    const back = await startProvider(Number(new URL(first.issuer).port));
    try {
      back.allow(publicUrl);
      back.groups.set("ada", "owners");
      const { url } = await new FormBrowser().logIn(`${node.url}/v1/session/oidc`, "ada");
      equal(new URL(url).hash, "#/default/overview");
    } finally {
      await back.close();
    }
  } finally {
    await node.close();
  }
});

test("settings that cannot work are refused with words before the node starts", async () => {
  const faults: [Partial<Record<keyof OidcConfig, unknown>>, RegExp][] = [
    [{ issuer: "http://id.example" }, /oidc.issuer is "http:\/\/id.example": https/],
    [{ publicUrl: "attune" }, /oidc.publicUrl is no URL/],
    [{ clientId: "" }, /clientId is missing/],
    [{ clientSecret: "" }, /public client/],
    [{ scopes: ["profile"] }, /must hold `openid`/],
    [{ roles: {} }, /nobody could log in/],
    [{ roles: { all: "write" } }, /is none of read, operator, admin/],
    [{ roles: { all: { role: "owner", project: "x" } } }, /is none of read/],
  ];
  equal(oidcFault(GOOD), undefined);
  equal(oidcFault({ ...GOOD, issuer: "http://127.0.0.1:9000" }), undefined);
  for (const [part, words] of faults) match(oidcFault({ ...GOOD, ...part } as OidcConfig) ?? "fine", words);
  await readSettings({}, { ATTUNE_OIDC_CLIENT_SECRET: "x" }).then(
    () => ok(false),
    (error: Error) => match(error.message, /no `oidc` in attune.config.ts/),
  );
});

test("roles come from a claim by name, inside others, as text or list; only the person's own project counts", () => {
  const role = (claims: Record<string, unknown>, roleClaim?: string, project = "default") =>
    roleOfClaims({ ...GOOD, ...(roleClaim !== undefined && { roleClaim }) }, claims, project)?.role;
  equal(role({ groups: "staff" }), "read");
  equal(role({ groups: ["shop-ops", "staff"] }), "operator");
  equal(role({ groups: ["shop-ops", "staff"] }, undefined, "news"), "read");
  equal(role({ "https://acme/roles": ["owners"] }, "https://acme/roles"), "admin");
  equal(role({ realm_access: { roles: ["owners"] } }, "realm_access.roles"), "admin");
  equal(role({ groups: ["__proto__", "constructor", 7, null] }), undefined);
  equal(role({}), undefined);
});
