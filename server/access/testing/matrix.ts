// Every operation of the OpenAPI document as every kind of principal: who is let in, and with what code he is refused. The
// rows and columns of the matrix, for whichever host is behind the door.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StaticFolders } from "../../http/static-routes.ts";
import type { Project } from "../../ports.ts";
import { openApiDocument } from "../../http/openapi.ts";
import type { KeyRing } from "../key-ring.ts";
import type { Need } from "../roles.ts";
import { signUserToken } from "../user-token.ts";

/** Pages to be served, each one letter; `remove` takes them away. */
export function matrixFolders(): { folders: StaticFolders; remove: () => void } {
  const files = mkdtempSync(join(tmpdir(), "attune-matrix-"));
  for (const name of ["console", "demo", "sdk"]) mkdirSync(join(files, name));
  for (const name of ["console/index.html", "demo/index.html", "sdk/attune.js"]) writeFileSync(join(files, name), "x");
  const folders = { console: join(files, "console"), demo: join(files, "demo"), sdk: join(files, "sdk") };
  return { folders, remove: () => rmSync(files, { recursive: true, force: true }) };
}

/** Stands for the address of the server that is asked. */
const OWN_ORIGIN = "own origin";
const SHOP = "https://shop.example";
const STRANGER = "https://stranger.example";

/** Whom a request is about: nobody, an anonymous visitor, the user ada, or a visitor who is linked to her. */
type About = "nobody" | "visitor" | "ada" | "linked";
const IDS: Readonly<Record<About, Record<string, string>>> = {
  nobody: {},
  visitor: { anonymous_id: "passer-by" },
  ada: { user_id: "ada" },
  linked: { anonymous_id: "adas-laptop" },
};
const PERSONS: readonly About[] = ["visitor", "ada", "linked"];

interface Sample {
  /** What who is let in is answered; the request need not succeed, only get past the gate. */
  ok: number;
  about?: readonly About[];
  path?: string;
  body?: unknown;
  /** Other origins may ask. */
  cross?: true;
  /** Kept open: only its beginning is read. */
  stream?: true;
}

const message = { userId: "ada", event: "Product Viewed", type: "track", properties: { product_id: "x" } };
const segment = (body: object): Sample => ({ ok: 200, body, cross: true });
/** One row for each operation; `about` by hand where the person is in the query or the body. */
export const SAMPLES: Readonly<Record<string, Sample>> = {
  "POST /v1/events": { ok: 202, body: { events: [] }, cross: true },
  "POST /v1/batch": segment({ batch: [message] }),
  "POST /v1/b": segment({ batch: [] }),
  "POST /v1/import": segment({ batch: [] }),
  "POST /v1/track": segment(message),
  "POST /v1/t": segment(message),
  "POST /v1/page": segment({ userId: "ada" }),
  "POST /v1/p": segment({ userId: "ada" }),
  "POST /v1/screen": segment({ userId: "ada" }),
  "POST /v1/s": segment({ userId: "ada" }),
  "POST /v1/identify": segment({ userId: "ada", traits: {} }),
  "POST /v1/i": segment({ userId: "ada", traits: {} }),
  "POST /v1/alias": segment({ userId: "ada", previousId: "old" }),
  "POST /v1/a": segment({ userId: "ada", previousId: "old" }),
  "POST /v1/group": segment({ userId: "ada", groupId: "g" }),
  "POST /v1/g": segment({ userId: "ada", groupId: "g" }),
  "GET /v1/projects/{write_key}/settings": { ok: 200, path: "/v1/projects/pk_x/settings", cross: true },
  "GET /v1/users/{user_id}/profile": { ok: 200, about: ["ada"] },
  "PATCH /v1/users/{user_id}/profile": { ok: 200, about: ["ada"], body: { attributes: { plan: "pro" } } },
  "GET /v1/visitors/{anonymous_id}/profile": { ok: 200, about: ["visitor", "linked"] },
  "PATCH /v1/visitors/{anonymous_id}/profile": {
    ok: 200,
    about: ["visitor", "linked"],
    body: { attributes: { plan: "pro" } },
  },
  "GET /v1/privacy/users/{user_id}/consent": { ok: 200, about: ["ada"] },
  "PUT /v1/privacy/users/{user_id}/consent": { ok: 200, about: ["ada"], body: {}, cross: true },
  "GET /v1/privacy/visitors/{anonymous_id}/consent": { ok: 200, about: ["visitor", "linked"] },
  "PUT /v1/privacy/visitors/{anonymous_id}/consent": { ok: 200, about: ["visitor", "linked"], body: {}, cross: true },
  "GET /v1/recommendations": { ok: 200, about: PERSONS, cross: true },
  "POST /v1/recommendations": { ok: 200, about: PERSONS, body: {}, cross: true },
  "POST /v1/recommendations/preview": { ok: 200, about: PERSONS, body: {} },
  "POST /v1/decide": { ok: 404, about: PERSONS, body: { slot: "none" }, cross: true },
  "GET /v1/live": { ok: 200, about: PERSONS, cross: true, stream: true },
  "GET /v1/items/{item_id}/similar": { ok: 200, path: "/v1/items/x/similar", cross: true },
  "GET /v1/trending": { ok: 200, cross: true },
  "GET /v1/items": { ok: 200, path: "/v1/items?ids=x" },
  "GET /v1/items/{item_id}": { ok: 404, path: "/v1/items/none" },
  "PUT /v1/items": { ok: 200, body: { items: [] } },
  "DELETE /v1/items/{item_id}": { ok: 404, path: "/v1/items/none" },
  "GET /v1/events/stream": { ok: 200, stream: true },
  "GET /v1/segments": { ok: 200 },
  "GET /v1/segments/{name}/users": { ok: 404, path: "/v1/segments/none/users" },
  "GET /v1/search": { ok: 200, path: "/v1/search?q=a" },
  "GET /v1/experiments": { ok: 200 },
  "GET /v1/experiments/{name}": { ok: 404, path: "/v1/experiments/none" },
  "GET /v1/slots": { ok: 200 },
  "GET /v1/models": { ok: 200 },
  "GET /v1/program": { ok: 200 },
  "PUT /v1/program": { ok: 422, body: { segments: 1 } },
  "POST /v1/program/check": { ok: 200, body: {} },
  "POST /v1/program/rollback": { ok: 404, body: { version: 999 } },
  "GET /v1/program/versions": { ok: 200 },
  "GET /v1/dead-letters": { ok: 200 },
  "POST /v1/dead-letters/{id}/retry": { ok: 404, path: "/v1/dead-letters/none/retry" },
  "GET /v1/stats": { ok: 200 },
  "GET /v1/projects": { ok: 200 },
  "GET /v1/keys": { ok: 200 },
  "POST /v1/keys": { ok: 201, body: { role: "write", name: "one more" } },
  "POST /v1/keys/{key_id}/rotate": { ok: 404, path: "/v1/keys/none/rotate", body: {} },
  "DELETE /v1/keys/{key_id}": { ok: 404, path: "/v1/keys/none" },
  "POST /v1/token-secrets": { ok: 201, body: { overlap_s: 3_600 } },
  "POST /v1/user-tokens": { ok: 201, body: { user_id: "ada" } },
  "GET /v1/audit": { ok: 200 },
  "GET /v1/privacy/users/{user_id}/export": { ok: 200, about: ["ada"] },
  "GET /v1/privacy/visitors/{anonymous_id}/export": { ok: 200, about: ["visitor", "linked"] },
  "DELETE /v1/privacy/users/{user_id}": { ok: 202, path: "/v1/privacy/users/somebody-else" },
  "DELETE /v1/privacy/visitors/{anonymous_id}": { ok: 202, path: "/v1/privacy/visitors/somebody-else" },
  "GET /v1/privacy/inventory": { ok: 200 },
  "GET /v1/privacy/retention": { ok: 200 },
  "GET /v1/privacy/jobs/{job_id}": { ok: 404, path: "/v1/privacy/jobs/none" },
  "GET /v1/session": { ok: 200 },
  "POST /v1/session": { ok: 401, body: { key: "sk_unknown" } },
  "DELETE /v1/session": { ok: 204 },
  "GET /v1/session/oidc": { ok: 404 },
  "GET /v1/session/oidc/callback": { ok: 404 },
  "GET /healthz": { ok: 200 },
  "GET /readyz": { ok: 200 },
  "GET /metrics": { ok: 200 },
  "GET /console/": { ok: 200 },
  "GET /demo/": { ok: 200 },
  "GET /sdk/attune.js": { ok: 200, cross: true },
  "GET /docs/": { ok: 200 },
  "GET /docs/proto/attune/v1/events.proto": { ok: 200, cross: true },
};

interface Who {
  headers: Record<string, string>;
  query?: Record<string, string>;
  /** What who has this much is refused with, or undefined where he is let in. */
  refused(need: Need, about: About, sample: Sample): string | undefined;
}

const LISTED: Readonly<Record<string, readonly Need[]>> = {
  write: ["collect", "own", "browse"],
  read: ["own", "browse", "read"],
  operator: ["collect", "own", "browse", "read", "operate"],
  admin: ["collect", "own", "browse", "read", "operate", "admin"],
};
const always = (code: string) => (need: Need) => (need === "public" ? undefined : code);
const byRole = (role: string) => (need: Need) =>
  need === "public" || LISTED[role]!.includes(need) ? undefined : "forbidden";
/** A public key: within its role, a visitor whom nobody knows, and the user whom its token names. */
const byPublicKey = (user: string | undefined) => (need: Need, about: About) => {
  if (byRole("write")(need) !== undefined) return "forbidden";
  return about === "nobody" || about === "visitor" || user === "ada" ? undefined : "forbidden";
};

/** What of a node is asked; several servers of one cluster are asked in turn. */
export interface MatrixNode {
  readonly urls: readonly string[];
  readonly project: Pick<Project, "setAttributes">;
  readonly keys: KeyRing;
}

/** Without a key until then; afterwards the node is closed. */
async function principalsOf({ project: node, keys, urls }: MatrixNode): Promise<Record<string, Who>> {
  const who: Record<string, Who> = {};
  for (const anonymousId of ["adas-laptop"]) {
    await node.setAttributes({ user_id: "ada", anonymous_id: anonymousId }, { plan: "pro" });
  }
  await node.setAttributes({ anonymous_id: "passer-by" }, { plan: "none" });
  const make = (role: "write" | "read" | "operator" | "admin", extras: object = {}) =>
    keys.issue({ project: "default", role, name: role, ...extras });
  const bearer = (key: string, more: object = {}) => ({ authorization: `Bearer ${key}`, ...more });
  const secret = await keys.rotateSecret("default", 0);
  const token = (user: string, lifeS = 900, atMs = Date.now()) => signUserToken(user, secret, atMs, lifeS);
  const { key: write } = await make("write");
  const { key: bound } = await make("write", { origins: [SHOP] });
  const revoked = await make("admin");
  await keys.revoke(revoked.stored.id);
  const { key: admin } = await make("admin");
  const login = await fetch(`${urls[0]}/v1/session`, {
    method: "POST",
    body: JSON.stringify({ key: admin }),
    headers: { "content-type": "application/json" },
  });
  const cookie = login.headers.get("set-cookie")!.split(";", 1)[0]!;
  const user = async (name: string) => ({ "attune-user-token": await token(name) });

  who["nobody"] = { headers: {}, refused: always("key_missing") };
  who["an unknown key"] = { headers: bearer("sk_guess"), refused: always("key_invalid") };
  who["a revoked admin key"] = { headers: bearer(revoked.key), refused: always("key_invalid") };
  const { key: expired } = await make("admin", { expiresAtMs: Date.now() - 1 });
  who["an expired admin key"] = { headers: bearer(expired), refused: always("key_invalid") };
  const { key: others } = await keys.issue({ project: "news", role: "admin", name: "theirs" });
  const project = { "attune-project": "default" };
  who["another project's admin key"] = { headers: bearer(others, project), refused: always("wrong_project") };
  who["a write key"] = { headers: bearer(write), refused: byPublicKey(undefined) };
  who["a write key in the URL"] = { headers: {}, query: { key: write }, refused: byPublicKey(undefined) };
  who["an admin key in the URL"] = { headers: {}, query: { key: admin }, refused: always("key_in_url") };
  who["a write key, ada's token"] = { headers: bearer(write, await user("ada")), refused: byPublicKey("ada") };
  who["a write key, bob's token"] = { headers: bearer(write, await user("bob")), refused: byPublicKey("bob") };
  const old = { "attune-user-token": await token("ada", 60, Date.now() - 3_600_000) };
  who["a write key, an expired token"] = { headers: bearer(write, old), refused: always("token_expired") };
  const forged = { "attune-user-token": `${(await token("bob")).slice(0, -8)}AAAAAAAA` };
  who["a write key, a forged token"] = { headers: bearer(write, forged), refused: always("token_invalid") };
  const crossOnly = (inner: Who["refused"]): Who["refused"] => {
    return (need, about, sample) => (sample.cross === true ? inner(need, about, sample) : "cross_origin");
  };
  who["a write key on its shop's page"] = {
    headers: bearer(bound, { origin: SHOP }),
    refused: crossOnly(byPublicKey(undefined)),
  };
  who["a write key on another page"] = {
    headers: bearer(bound, { origin: STRANGER }),
    refused: crossOnly(always("origin_not_allowed")),
  };
  for (const role of ["read", "operator"] as const) {
    who[`a key to ${role}`] = { headers: bearer((await make(role)).key), refused: byRole(role) };
  }
  who["an admin key"] = { headers: bearer(admin), refused: byRole("admin") };
  const { key: browse } = await make("admin", { scopes: ["browse"] });
  who["an admin key scoped to browse"] = {
    headers: bearer(browse),
    refused: (need) => (need === "public" || need === "browse" ? undefined : "forbidden"),
  };
  who["the console, logged in"] = { headers: { cookie, origin: OWN_ORIGIN }, refused: byRole("admin") };
  who["another page with the console's cookie"] = {
    headers: { cookie, origin: STRANGER },
    refused: crossOnly(always("key_missing")),
  };
  return who;
}

/** The one that ends the console's session comes last. */
export const OPERATIONS = Object.entries(openApiDocument.paths)
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      method: method.toUpperCase(),
      need: operation["x-access"]!,
    })),
  )
  .sort((a, b) => Number(a.name === "DELETE /v1/session") - Number(b.name === "DELETE /v1/session"));

export interface MatrixResult {
  readonly cells: number;
  /** A line for each cell that is not as it should be. */
  readonly wrong: readonly string[];
}

export interface MatrixOptions {
  /** By default all. */
  readonly principals?: readonly string[];
  /** Operations that this host does not have. */
  readonly without?: readonly string[];
  /** Statuses of operations that this host answers otherwise. */
  readonly statuses?: Readonly<Record<string, number>>;
}

/** Asks every operation as every principal; each cell of the next server. */
export async function askMatrix(node: MatrixNode, options: MatrixOptions = {}): Promise<MatrixResult> {
  const who = Object.entries(await principalsOf(node)).filter(([name]) => options.principals?.includes(name) ?? true);
  let cells = 0;
  const wrong: string[] = [];
  for (const { name, path, method, need } of OPERATIONS) {
    if (options.without?.includes(name) === true) continue;
    const sample = SAMPLES[name]!;
    const status = options.statuses?.[name] ?? sample.ok;
    for (const about of sample.about ?? (["nobody"] as const)) {
      for (const [principal, { headers, query, refused }] of who) {
        const expected = refused(need, about, sample);
        const url = node.urls[cells % node.urls.length]!;
        const asked = await askFor({ node: url, method, path, headers, query, about, sample });
        cells++;
        const got = asked.code ?? asked.status;
        const isRight = expected === undefined ? asked.status === status : asked.code === expected;
        if (!isRight) wrong.push(`${name} about ${about} as ${principal}: ${got}, not ${expected ?? status}`);
      }
    }
  }
  return { cells, wrong };
}

/** GET /v1/live and other streams are cut as soon as they have begun. */
async function askFor(request: {
  node: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  query: Record<string, string> | undefined;
  about: About;
  sample: Sample;
}): Promise<{ status: number; code?: string }> {
  const { node, method, path, query = {}, about, sample } = request;
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, value === OWN_ORIGIN ? node : value]),
  );
  const ids = IDS[about];
  const inPath = /\{(user|anonymous)_id\}/.test(path);
  const filled = (sample.path ?? path).replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? "none");
  const url = new URL(filled, node);
  const inQuery = method === "GET" && !inPath ? { ...ids, ...query } : query;
  for (const [key, value] of Object.entries(inQuery)) url.searchParams.set(key, value);
  const isObject = sample.body !== undefined;
  const stop = new AbortController();
  const response = await fetch(url, {
    method,
    signal: stop.signal,
    headers: { ...headers, ...(isObject && { "content-type": "application/json" }) },
    ...(isObject && { body: JSON.stringify(inPath ? sample.body : { ...(sample.body as object), ...ids }) }),
  });
  if (sample.stream === true && response.ok) {
    stop.abort();
    return { status: response.status };
  }
  const text = await response.text();
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
  const code = isProblem ? (JSON.parse(text) as { code: string }).code : undefined;
  return { status: response.status, ...(code !== undefined && code !== "events_rejected" && { code }) };
}
