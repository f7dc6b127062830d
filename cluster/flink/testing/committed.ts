// What a topic holds under `read_committed`, by Kafka's own consumer: an independent witness of exactly-once.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureJars } from "../../install/jars.ts";
import { javaProgram } from "../../install/tools.ts";

const QUIET_MS = 8_000;
const TIMEOUT_MS = 120_000;
const OUTPUT_BYTES_MAX = 256 << 20;

/** The committed values of a topic of JSON, in the order in which they came; waits until none has come for a while. */
export async function committedJson(bootstrap: string, topic: string): Promise<string[]> {
  const jars = await ensureJars("kafka");
  const options = ["--bootstrap-server", bootstrap, "--topic", topic, "--from-beginning"];
  const { stdout } = await promisify(execFile)(
    javaProgram(),
    [
      ...["-Xmx256m", "-cp", join(jars, "*"), "org.apache.kafka.tools.consumer.ConsoleConsumer", ...options],
      ...["--isolation-level", "read_committed", "--timeout-ms", String(QUIET_MS)],
    ],
    { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX },
  );
  // It says on the same output that it has waited long enough.
  return stdout.split("\n").filter((line) => line.startsWith("{"));
}
