// The core in an engine with nothing around it: no process, console, timers, Intl, TextEncoder, URL, Date or Math.pow.
import { deepEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { build } from "esbuild";

test("every vector comes out bit for bit in an empty context, without clock, randomness and transcendental functions", async () => {
  const bundle = await build({
    entryPoints: [new URL("run.ts", import.meta.url).pathname], bundle: true, write: false, format: "iife", globalName: "attune", target: "es2022",
    platform: "neutral",
  });
  const context = vm.createContext(Object.create(null));
  vm.runInContext(
    `for (const name of ["Date", "Intl", "WebAssembly", "SharedArrayBuffer", "Atomics", "console", "structuredClone"]) delete globalThis[name];
     for (const name of ["random", "pow", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh",
       "tanh", "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "cbrt", "hypot", "sqrt"]) delete Math[name];`,
    context,
  );
  vm.runInContext(bundle.outputFiles[0]!.text, context);
  const file = readFileSync(new URL("person.json", import.meta.url), "utf8");
  const failures = vm.runInContext(`(file) => JSON.stringify(attune.runVectors([{ name: "person.json", cases: JSON.parse(file).cases }]))`, context)(file);
  deepEqual(JSON.parse(failures), []);
});
