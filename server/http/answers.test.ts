// Every operation, asked well and badly: each answer has a status, a problem code, a content type and a body that the
// OpenAPI document says. Seeded; `SEED=7` replays one.
import { deepEqual, equal, ok } from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { forEachSeedAsync } from "../../core/testing/seeds.ts";
import type { Rng } from "../../core/math/rng.ts";
import { matrixFolders, SAMPLES } from "../access/testing/matrix.ts";
import { BODY_BYTES_MAX, JSON_DEPTH_MAX } from "./body.ts";
import { openApiDocument } from "./openapi.ts";
import type { Operation } from "./openapi-parts.ts";
import { ask, silent, startNode, type TestAnswer } from "./testing.ts";

const SEEDS = 6;
const { folders, remove } = matrixFolders();
const unlimited = { keyPerS: 1e6, addressPerS: 1e6, personPerS: 1e6 };
const node = await startNode({ config: { demo: true, limits: unlimited }, folders, logger: silent });
const { key } = node.keys.issue({ project: "default", role: "admin", name: "asks everything" });
const authorization = `Bearer ${key}`;
after(async () => {
  await node.close();
  remove();
});
before(async () => {
  const now = new Date().toISOString();
  const item = { item_id: "lamp", title: "Lamp", categories: ["light"], tags: ["new"], price: 5, published_at: "2026-01-31" };
  equal((await send("PUT /v1/items", { body: { items: [item] } })).status, 200);
  const events = ["view", "add_to_cart", "purchase"].map((event_type) => ({
    ...{ user_id: "ada", anonymous_id: "laptop", event_type, item_id: "lamp", timestamp: now },
    context: { device: "mobile", country: "NO", timezone: "+02:00" },
  }));
  equal((await send("POST /v1/events", { body: [...events, { user_id: "ada" }] })).json.accepted, 3);
  equal((await send("PUT /v1/privacy/users/{user_id}/consent", { id: "ada", body: { profiling: "granted" } })).status, 200);
});

/** Endless, or bound to change what the next answers are. */
const LEFT_OUT = ["GET /v1/live", "GET /v1/events/stream", "POST /v1/keys", "PUT /v1/program"];
const OPERATIONS = Object.entries(openApiDocument.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
);
const ASKED = OPERATIONS.filter(({ name }) => !LEFT_OUT.includes(name));

interface Asked {
  /** In the place of each name in the path. */
  id?: string;
  query?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Asks, and holds the answer to the document. */
async function send(name: string, { id = "ada", query = "", body, headers = {} }: Asked): Promise<TestAnswer> {
  const [method, pattern] = name.split(" ") as [string, string];
  const route = `${method} ${pattern.replaceAll(/\{\w+\}/g, encodeURIComponent(id))}${query === "" ? "" : `?${query}`}`;
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const answer = await ask(node, route, body, { headers: { authorization, ...type, ...headers } });
  deepEqual(differences(openApiDocument.paths[pattern]![method.toLowerCase()]!, answer), [], `${route} ${JSON.stringify(headers)}`);
  return answer;
}

const require = createRequire(import.meta.url);
const ajv = new (require("ajv/dist/2020.js").default)({ strict: false });
require("ajv-formats").default(ajv);
ajv.addSchema({ $id: "openapi", components: openApiDocument.components });
const validators = new Map<object, (value: unknown) => boolean>();

function validatorOf(schema: object): (value: unknown) => boolean {
  const found = validators.get(schema);
  if (found !== undefined) return found;
  const named = JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#', '"$ref":"openapi#'));
  const made = ajv.compile(named) as (value: unknown) => boolean;
  validators.set(schema, made);
  return made;
}

/** What of an answer the document does not say. */
function differences({ responses }: Operation, { status, headers, json, text }: TestAnswer): string[] {
  const response = responses[status];
  if (response === undefined) return [`status ${status} is not documented: ${text.slice(0, 200)}`];
  const wrong: string[] = [];
  const type = headers.get("content-type")?.split(";", 1)[0] ?? "";
  const content = response["content"] as Record<string, { schema: object }> | undefined;
  if (type === "application/problem+json") {
    if (!String(response["description"]).includes(`\`${json.code}\``)) wrong.push(`code ${json.code} is not documented`);
    if (json.status !== status) wrong.push(`the document says ${json.status}`);
    if (json.code === "bad_parameter" && json.parameter === undefined) wrong.push("no parameter is named");
  }
  if (content === undefined) return text === "" ? wrong : [...wrong, `a body of ${type} is not documented`];
  if (content[type] === undefined) return [...wrong, `content type ${type} is not documented`];
  if (json === undefined) return wrong;
  const isValid = validatorOf(content[type].schema);
  if (!isValid(json)) wrong.push(ajv.errorsText((isValid as unknown as { errors: unknown }).errors));
  return [...wrong, ...strays(content[type].schema, json)];
}

interface AnySchema {
  $ref?: string;
  anyOf?: AnySchema[];
  allOf?: AnySchema[];
  properties?: Record<string, AnySchema>;
  additionalProperties?: AnySchema | boolean;
  items?: AnySchema;
}

/** Fields of an answer that its schema allows only by not naming them. */
function strays(schema: AnySchema, value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  const parts = partsOf(schema, value);
  if (Array.isArray(value)) {
    return value.flatMap((entry) => parts.flatMap(({ items = {} }) => strays(items, entry, `${path}/*`)));
  }
  if (!parts.some(({ properties }) => properties !== undefined)) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const named = parts.flatMap(({ properties, additionalProperties: others }) => properties?.[name] ?? (others ? [others] : []));
    if (named.length === 0) return [`${path}/${name} is not documented`];
    return named.flatMap((one) => (one === true ? [] : strays(one as AnySchema, field, `${path}/${name}`)));
  });
}

/** The schemas that hold together for the value: references followed, of alternatives the one that it fits. */
function partsOf(schema: AnySchema, value: unknown): AnySchema[] {
  if (schema.$ref !== undefined) {
    return partsOf((openApiDocument.components.schemas as Record<string, AnySchema>)[schema.$ref.split("/").at(-1)!]!, value);
  }
  const fitting = schema.anyOf?.filter((one) => validatorOf(one)(value)).slice(0, 1) ?? [];
  return [schema, ...[...fitting, ...(schema.allOf ?? [])].flatMap((one) => partsOf(one, value))];
}

const BODIES: readonly (string | Uint8Array)[] = [
  ...["", "{", "[]", "null", "{}", '{"__proto__":{}}', '{"user_id":"a\\u0000b"}', '{"user_id":"\\ud800"}', '{"limit":201}'],
  "[".repeat(JSON_DEPTH_MAX + 1),
  " ".repeat(BODY_BYTES_MAX + 1),
  Uint8Array.of(0x7b, 0xff, 0x7d),
];
const TYPES = ["application/json; charset=utf-8", "text/plain", "application/xml", "application/vnd.x+json", ";;;"];
const IDS = ["ada", "a/b", "50%", "a#b", "a b", "ä😀", "..%2f", "__proto__", "x".repeat(128), "x".repeat(129), "a\nb"];
const VALUES = ["", "0", "1", "-1", "201", "1001", "99999999999999999999", "x".repeat(129), "x".repeat(4_097), "%00", ",", "%ff"];

const oneOf = <T>(rng: Rng, list: readonly T[]): T => list[rng.between(0, list.length - 1)]!;

function* requestsOf(rng: Rng, operation: Operation): Generator<Asked> {
  const id = oneOf(rng, IDS);
  const asked = operation.requestBody === undefined ? {} : { body: "{}" };
  yield { ...asked, id };
  yield { ...asked, query: `project=${oneOf(rng, ["nobody", "", "default&project=default"])}` };
  for (const parameter of operation.parameters ?? []) {
    if (parameter["in"] !== "query") continue;
    const value = oneOf(rng, VALUES);
    yield { ...asked, query: `user_id=ada&${String(parameter["name"])}=${value}` };
  }
  if (operation.requestBody === undefined) return;
  yield { id, body: oneOf(rng, BODIES) };
  yield { body: "{}", headers: { "content-type": oneOf(rng, TYPES) } };
  const encoding = oneOf(rng, ["gzip", "zstd", "br", "GZIP", "identity", "gzip, gzip"]);
  yield { body: oneOf(rng, [gzipSync, brotliCompressSync])("{}"), headers: { "content-encoding": encoding } };
}

test("what is asked as it should be is answered as the document says", async () => {
  for (const { name } of ASKED) {
    const { body, path } = SAMPLES[name]!;
    const id = name.startsWith("DELETE") ? "somebody" : "ada";
    const query = path?.split("?")[1] ?? "user_id=ada&explain=1";
    await send(name, { id, query, ...(body !== undefined && { body: { ...(body as object), user_id: "ada", explain: true } }) });
  }
  ok((await send("GET /v1/recommendations", { query: "user_id=ada&explain=1" })).json.items[0].reasons.length > 0);
  equal((await send("GET /v1/dead-letters", {})).json.total > 0, true);
  const faulty = { body: { segments: { keen: { when: "1 +" } } } };
  equal((await send("POST /v1/program/check", faulty)).json.faults[0].position, 3);
  equal((await send("GET /readyz", {})).status, 200);
});

test("what is asked otherwise is, too", async () => {
  await forEachSeedAsync(SEEDS, async (rng) => {
    for (const { name, operation } of ASKED) {
      for (const asked of requestsOf(rng, operation)) await send(name, asked);
    }
  });
});

test("without a key, with one in the URL and for another project as well", async () => {
  const { key: other } = node.keys.issue({ project: "news", role: "admin", name: "theirs" });
  for (const { name } of ASKED) {
    await send(name, { headers: { authorization: "" } });
    await send(name, { headers: { authorization: "" }, query: `key=${key}` });
    await send(name, { headers: { authorization: `Bearer ${other}`, "attune-project": "default" } });
    await send(name, { headers: { origin: "https://stranger.example" } });
  }
});

/** Public: nothing is unpacked for somebody who is nobody yet. */
const AS_IT_IS = "POST /v1/session";

test("whatever takes JSON takes it as gzip and as zstd", async () => {
  for (const { name, operation } of OPERATIONS) {
    if (operation.requestBody === undefined) continue;
    const { body } = SAMPLES[name]!;
    const json = JSON.stringify({ ...((body ?? {}) as object), user_id: "ada" });
    const { status, text } = await send(name, { body: json });
    for (const [encoding, bytes] of [["gzip", gzipSync(json)], ["zstd", zstdCompressSync(json)]] as const) {
      const packed = await send(name, { body: bytes, headers: { "content-encoding": encoding } });
      equal(packed.status, name === AS_IT_IS ? 415 : status, `${name} ${encoding}: ${text} ${packed.text}`);
    }
  }
});

test("a person is named by an id that an event may carry, wherever something is said or asked of them", async () => {
  for (const id of ["a\nb", "\0", "\x7f"]) {
    for (const person of ["users/{user_id}", "visitors/{anonymous_id}"]) {
      const said = await send(`PATCH /v1/${person}/profile`, { id, body: { attributes: { plan: "pro" } } });
      const chosen = await send(`PUT /v1/privacy/${person}/consent`, { id, body: { analytics: "granted" } });
      deepEqual([said.json.code, chosen.json.code], ["bad_parameter", "bad_parameter"]);
      equal((await send(`GET /v1/${person}/profile`, { id })).json.code, "unknown_person");
      equal((await send(`DELETE /v1/privacy/${person}`, { id })).status, 202, "who got in before can be erased");
    }
    const query = `user_id=${encodeURIComponent(id)}`;
    equal((await send("GET /v1/recommendations", { query })).json.code, "bad_parameter");
  }
  for (const name of ["POST /v1/recommendations", "POST /v1/decide"]) {
    const { json } = await send(name, { body: '{"user_id":"\\ud800","slot":"hero"}' });
    deepEqual([json.code, json.pointer], ["bad_parameter", "/user_id"]);
  }
});
