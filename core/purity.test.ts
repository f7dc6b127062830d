// The core is pure: what every file of it may not name, checked on the syntax that runs, not by memory.
import { deepEqual, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { transformSync } from "esbuild";

const CORE = new URL("./", import.meta.url);
/** The one dependency, and where it may be. */
const ALLOWED_IMPORTS: Record<string, RegExp> = { "@marcbachmann/cel-js": /^program\// };

const FORBIDDEN: [what: string, pattern: RegExp][] = [
  ["a clock", /\bDate\b|\bperformance\b/],
  ["randomness", /\bMath\.random\b|\bcrypto\b/],
  ["functions whose last bit engines disagree on", /\bMath\.(pow|exp|expm1|log|log1p|log2|log10|sin|cos|tan|sinh|cosh|tanh|asin|acos|atan|atan2|asinh|acosh|atanh|cbrt|hypot)\b/],
  ["`**`", /\*\*/],
  // `document` and `window` are words of ours too; tsc, without the DOM's types, finds the browser's.
  ["the host", /(?<!\.)\b(process|console|globalThis|require|Buffer|fetch|navigator)\b\s*[.([]/],
  ["timers", /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ["locale", /\bIntl\b|\.toLocale\w*|\.localeCompare\b|\.normalize\(/],
  ["what a bare engine lacks", /\b(TextEncoder|TextDecoder|structuredClone|URL|WebAssembly|SharedArrayBuffer)\b\s*[.(]/],
  ["asynchrony", /\basync\b|\bawait\b|\bPromise\b/],
];

function sources(): string[] {
  return readdirSync(CORE, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.startsWith("testing/"));
}

/** What of a source runs: no types, no comments; contents of strings and regular expressions are left out too. */
function runningCode(source: string): string {
  const { code } = transformSync(source, { loader: "ts", legalComments: "none", minifyWhitespace: true, target: "esnext" });
  return code.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}

function offences(code: string): string[] {
  return FORBIDDEN.filter(([, pattern]) => pattern.test(code)).map(([what]) => what);
}

test("no file of the core names a clock, randomness, the host, locale, or inexact functions", () => {
  const files = sources();
  ok(files.length > 20);
  const found = files.flatMap((path) => offences(runningCode(readFileSync(new URL(path, CORE), "utf8"))).map((what) => `core/${path}: ${what}`));
  deepEqual(found, []);
});

test("imports stay within the core", () => {
  const found: string[] = [];
  for (const path of sources()) {
    const depth = path.split("/").length - 1;
    for (const [, from] of readFileSync(new URL(path, CORE), "utf8").matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";/gms)) {
      const up = from!.split("/").filter((part) => part === "..").length;
      const inside = from!.startsWith(".") && up <= depth;
      if (!inside && !ALLOWED_IMPORTS[from!]?.test(path)) found.push(`core/${path}: ${from}`);
    }
  }
  deepEqual(found, []);
});

test("the check sees what it forbids", () => {
  deepEqual(offences(runningCode("const t: number = Date.now();")), ["a clock"]);
  deepEqual(offences(runningCode("let x = 2 ** y + Math.pow(2, y);")), ["functions whose last bit engines disagree on", "`**`"]);
  deepEqual(offences(runningCode("// Date.now()\nconst s = 'Math.random()';")), []);
  deepEqual(offences(runningCode("setTimeout(f, 1); process.exit(); a.localeCompare(b);")), ["the host", "timers", "locale"]);
});
