// What code in the JVM's V8 cannot do to its process, which other jobs' tasks share.
import { deepEqual } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ensureJars } from "../install/jars.ts";
import { ensureJobJar } from "../install/job.ts";
import { clusterMissing, javaProgram } from "../install/tools.ts";
import { buildOperator } from "../operator/build.ts";
import { encodeClusterRecord } from "../wire/record.ts";

const TIMEOUT_MS = 120_000;
const start = promisify(execFile);

test("code that takes all of V8's memory fails alone, and the next call goes on", { skip: clusterMissing() ?? false }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "attune-v8-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const classes = [folder, join(await ensureJars("flink"), "*"), (await ensureJobJar()).path].join(delimiter);
  const [bundle, record] = [join(folder, "bundle.js"), join(folder, "record")];
  writeFileSync(bundle, await buildOperator("cluster/flink/testing/poison-entry.ts"));
  const event = { event_id: "1", event_type: "view", timestamp: 1, user_id: "1", item_id: "hoard" };
  writeFileSync(record, encodeClusterRecord({ kind: "event", event }));
  const source = join(import.meta.dirname, "testing/Hoard.java");
  await start(join(dirname(javaProgram()), "javac"), ["-d", folder, "-cp", classes, source], { timeout: TIMEOUT_MS });
  const { stdout } = await start(javaProgram(), ["-Xmx256m", "-cp", classes, "attune.flink.Hoard", bundle, record], { timeout: TIMEOUT_MS });
  const failed = "TOO_LARGE the code ran out of memory";
  deepEqual(stdout.trim().split("\n"), [failed, failed, "done 1"]);
});
