// The same events give the same bytes in the JVM's V8 as anywhere else.
import { deepEqual } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ensureJars } from "../install/jars.ts";
import { clusterMissing, javaProgram } from "../install/tools.ts";
import { buildOperator } from "../operator/build.ts";

const ROOT = join(import.meta.dirname, "../..");
const TIMEOUT_MS = 120_000;

test("every golden vector comes out bit for bit in the JVM's V8", { skip: clusterMissing() ?? false }, async () => {
  const jars = await ensureJars("flink");
  const folder = mkdtempSync(join(tmpdir(), "attune-vectors-"));
  try {
    const bundle = join(folder, "vectors.js");
    writeFileSync(bundle, await buildOperator("cluster/flink/testing/vectors-entry.ts"));
    const source = join(import.meta.dirname, "testing/Vectors.java");
    const files = ["vectors/person.json", "vectors/engine/engine.json"].map((path) => join(ROOT, path));
    const args = ["-Xmx256m", "-cp", join(jars, "*"), source, bundle, ...files];
    const { stdout } = await promisify(execFile)(javaProgram(), args, { timeout: TIMEOUT_MS });
    deepEqual(JSON.parse(stdout.trim().split("\n").at(-1)!), []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
