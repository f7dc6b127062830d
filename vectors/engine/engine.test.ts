import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import { vectors } from "../../core/testing/vectors.ts";
import { engineCases } from "./cases.ts";
import { runEngineVectors, type EngineVector } from "./run.ts";

const cases = vectors<EngineVector>("engine/engine.json");

test("every engine vector comes out bit for bit", () => {
  deepEqual(runEngineVectors(cases), []);
});

test("the file holds the engine's cases as they are written down", () => {
  deepEqual(
    cases.map(({ title, steps }) => ({ title, steps })),
    JSON.parse(JSON.stringify(engineCases)),
  );
});

test("another outcome of the engine is seen", () => {
  const [, first] = cases;
  ok(first !== undefined);
  equal(runEngineVectors([{ ...first, nextCheckMs: 1, memberships: [["x", 1]] }]).length, 2);
});

test("every engine vector comes out bit for bit in an empty context, the CEL library included", async () => {
  const bundle = await build({
    entryPoints: [new URL("run.ts", import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "attune",
    target: "es2022",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import"],
  });
  const context = vm.createContext(Object.create(null));
  vm.runInContext(
    `for (const name of ["Date", "Intl", "WebAssembly", "SharedArrayBuffer", "Atomics", "console", "structuredClone"]) delete globalThis[name];
     for (const name of ["random", "pow", "exp", "log", "log2", "sin", "cos", "tan", "sqrt"]) delete Math[name];`,
    context,
  );
  vm.runInContext(bundle.outputFiles[0]!.text, context);
  const file = readFileSync(new URL("engine.json", import.meta.url), "utf8");
  const failures = vm.runInContext(
    "(file) => JSON.stringify(attune.runEngineVectors(JSON.parse(file).cases))",
    context,
  )(file);
  deepEqual(JSON.parse(failures), []);
});
