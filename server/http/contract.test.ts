import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createRequire } from "node:module";
import { CONTRACT_EVENT_TYPES, CONTRACT_FIELDS, CONTRACT_ROUTES, MISSING } from "./contract.ts";
import { openApiDocument } from "./openapi.ts";
import { SCHEMAS } from "./openapi-schemas.ts";
import { PROBLEMS } from "./problem.ts";
import { startNode } from "./testing.ts";

const files = mkdtempSync(join(tmpdir(), "attune-files-"));
for (const name of ["console", "demo", "sdk"]) mkdirSync(join(files, name));
writeFileSync(join(files, "sdk", "attune.js"), "");
const folders = { console: join(files, "console"), demo: join(files, "demo"), sdk: join(files, "sdk") };
const node = await startNode({ config: { demo: true }, folders });
after(async () => {
  await node.close();
  rmSync(files, { recursive: true, force: true });
});

/** Files are registered by folder; the contract and the document name the pages. */
const PAGES: Readonly<Record<string, string>> = {
  "/console/*": "/console/",
  "/demo/*": "/demo/",
  "/sdk/*": "/sdk/attune.js",
  "/docs/proto/*": "/docs/proto/attune/v1/events.proto",
};
/** Where a browser is led, and what the reference page loads: no part of the interface. */
const UNDOCUMENTED = [
  "GET /",
  "GET /console",
  "GET /demo",
  "GET /demo/news",
  "GET /docs",
  "GET /docs/docs.css",
  "GET /docs/*",
  "GET /docs/openapi.json",
];

const registered = node.server.routes.map(({ method, path }) => `${method} ${PAGES[path] ?? path}`);
const documented = Object.entries(openApiDocument.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
);

test("what is registered is documented, and the other way round", () => {
  deepEqual(registered.filter((route) => !UNDOCUMENTED.includes(route)).sort(), [...documented].sort());
});

test("every route needs what the document says", () => {
  const enforced = node.server.routes.filter(({ method, path }) => !UNDOCUMENTED.includes(`${method} ${path}`));
  for (const { method, path, access } of enforced) {
    const named = PAGES[path] ?? path;
    equal(access, openApiDocument.paths[named]![method.toLowerCase()]!["x-access"], `${method} ${named}`);
  }
});

test("every route of the contract is there, or listed as missing", () => {
  const absent = CONTRACT_ROUTES.filter((route) => !registered.includes(route));
  deepEqual(
    absent,
    MISSING.filter((entry) => /^[A-Z]+ \//.test(entry)),
  );
});

test("what is missing only shrinks", () => {
  ok(MISSING.length === 0, "an entry was added: build it instead");
  equal(new Set(MISSING).size, MISSING.length);
});

test("every content type of events is documented, or listed as missing", () => {
  const content = openApiDocument.paths["/v1/events"]!["post"]!.requestBody!["content"] as object;
  for (const type of CONTRACT_EVENT_TYPES) equal(type in content, !MISSING.includes(type), type);
});

test("every field of the contract is documented", () => {
  for (const [schema, fields] of Object.entries(CONTRACT_FIELDS)) {
    const properties = Object.keys(SCHEMAS[schema]!["properties"] as object);
    for (const field of fields) ok(properties.includes(field), `${schema}.${field}`);
  }
});

test("the document is a valid OpenAPI 3.1 document as far as references, parameters and schemas go", () => {
  const Ajv = createRequire(import.meta.url)("ajv/dist/2020.js").default;
  const addFormats = createRequire(import.meta.url)("ajv-formats").default;
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addSchema({ $id: "openapi", components: openApiDocument.components });
  for (const name of Object.keys(SCHEMAS)) ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
  for (const [path, methods] of Object.entries(openApiDocument.paths)) {
    for (const operation of Object.values(methods)) {
      const named = (operation.parameters ?? []).filter(({ in: place }) => place === "path").map(({ name }) => name);
      deepEqual(
        named,
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
        path,
      );
    }
  }
});

test("an enumeration is of one type: generators of typed clients leave out a schema with any other", () => {
  const mixed = (part: unknown, path: string): string[] => {
    if (typeof part !== "object" || part === null) return [];
    const values: unknown[] = "enum" in part && Array.isArray(part.enum) ? part.enum : [];
    const types = new Set(values.filter((value) => value !== null).map((value) => typeof value));
    return [...(types.size > 1 ? [path] : []), ...Object.entries(part).flatMap(([name, each]) => mixed(each, `${path}/${name}`))];
  };
  deepEqual(mixed(openApiDocument, ""), []);
});

test("an alternative is no `const`: the generator of Python clients takes no value then but that one", () => {
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    for (const name of ["anyOf", "oneOf"]) {
      const alternatives = (value as Record<string, unknown>)[name];
      if (Array.isArray(alternatives)) ok(alternatives.every((one) => !Object.hasOwn(one, "const")), `${path}/${name}`);
    }
    for (const [key, entry] of Object.entries(value)) walk(entry, `${path}/${key}`);
  };
  walk(openApiDocument, "");
});

test("every problem code has an entry on the reference page", async () => {
  const page = await (await fetch(`${node.url}/docs/`)).text();
  for (const code of Object.keys(PROBLEMS)) ok(page.includes(`id="problem-${code}"`), code);
  equal(/<script|https?:\/\/(?!www\.w3)/.test(page), false);
});
