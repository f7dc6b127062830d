// What the package promises: its size, its entry, its types.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import ts from "typescript";
import { buildRoom } from "../scripts/build.ts";
import { SCHEMAS, type Schema } from "../server/http/openapi-schemas.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SIZE_GZIPPED_MAX = 10_000;

before(() => buildRoom("sdk"));

test("the script tag and the npm entry are at most 10 kB gzipped", () => {
  for (const name of ["attune.js", "index.js"]) {
    const size = gzipSync(readFileSync(resolve(ROOT, "dist/sdk", name)), { level: 9 }).length;
    assert.ok(size <= SIZE_GZIPPED_MAX, `${name}: ${size} bytes`);
  }
});

test("the npm entry loads where there is no page, e.g. while a server renders", async () => {
  // Not a literal, so that the type checker does not need the build.
  const entry = "attune/sdk";
  const { createAttune } = (await import(entry)) as { createAttune: unknown };
  assert.equal(typeof createAttune, "function");
});

test("what was built is a package of its own, which needs no other", async () => {
  const site = await mkdtemp(join(tmpdir(), "attune-site-"));
  try {
    await cp(resolve(ROOT, "dist/sdk"), join(site, "node_modules/attune"), { recursive: true });
    await writeFile(join(site, "site.mjs"), 'export { createAttune } from "attune/sdk";');
    const { createAttune } = (await import(pathToFileURL(join(site, "site.mjs")).href)) as { createAttune: unknown };
    assert.equal(typeof createAttune, "function");
    const { exports, dependencies } = JSON.parse(readFileSync(join(site, "node_modules/attune/package.json"), "utf8"));
    assert.equal(dependencies, undefined);
    assert.ok(existsSync(join(site, "node_modules/attune", exports["./sdk"].types)));
  } finally {
    await rm(site, { recursive: true });
  }
});

/** The compiler's complaints about a site's code that uses the package. */
function complaints(source: string): string[] {
  const file = resolve(ROOT, "site.ts");
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, target, ...rest) =>
    name === file ? ts.createSourceFile(name, source, target) : getSourceFile(name, target, ...rest);
  host.fileExists = (name) => name === file || fileExists(name);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

test("a site's TypeScript is checked against the package's declarations", () => {
  const start = 'import { createAttune, type RecommendationList } from "attune/sdk";\nconst attune = createAttune({ auto: { hover: false } });\n';
  assert.deepEqual(
    complaints(`${start}attune.on("recommendations", (list: RecommendationList) => list.items[0]?.reasons?.[0]?.because);
      const id: string | undefined = attune.track("purchase", { item_id: "lamp-1", value: 49 });
      export { id };`),
    [],
  );
  assert.equal(complaints(`${start}attune.on("recomendations", () => {});`).length, 1);
  assert.equal(complaints(`${start}attune.track("purchase", { value: "49" });`).length, 1);
});

test("the types name whatever an answer has", () => {
  const fieldsOf = (schema: Schema): string[] => Object.keys(schema["properties"] as object);
  const itemsOf = (schema: Schema, field: string): Schema =>
    (schema["properties"] as Record<string, Schema>)[field]!["items"] as Schema;
  const list = SCHEMAS["RecommendationList"]!;
  const item = itemsOf(list, "items");
  const answers = {
    Profile: fieldsOf(SCHEMAS["Profile"]!),
    Decision: fieldsOf(SCHEMAS["Decision"]!),
    RecommendationList: fieldsOf(list).filter((field) => field !== "why_not"), // for secret keys alone
    RecommendedItem: fieldsOf(item),
    Reason: fieldsOf(itemsOf(item, "reasons")),
  };
  const readers = Object.entries(answers).map(
    ([type, fields]) => `export const read${type} = (it: sdk.${type}): unknown[] => [${fields.map((field) => `it.${field}`).join()}];`,
  );
  assert.deepEqual(complaints(`import type * as sdk from "attune/sdk";\n${readers.join("\n")}`), []);
});

test("the guide's code for bundlers compiles", () => {
  const guide = readFileSync(resolve(ROOT, "docs/guides/site-developer.md"), "utf8");
  const snippets = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
  assert.equal(snippets.length, 2);
  for (const snippet of snippets) assert.deepEqual(complaints(snippet), []);
});
