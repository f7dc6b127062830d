// Builds the operator's bundle: one script without imports, because bare V8 has no modules to load.
import { join, resolve } from "node:path";
import { build } from "esbuild";

const ROOT = resolve(import.meta.dirname, "../..");

/** The script; it defines the global `attune` with what main.ts exports. `entry`: another file, for tests. */
export async function buildOperator(entry = "cluster/operator/main.ts"): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    minify: true,
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    platform: "neutral",
    mainFields: ["module", "main"],
    format: "iife",
    globalName: "attune",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}
