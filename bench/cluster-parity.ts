// Both hosts on the same events, at any size, with so many subtasks of the job:
// `PARITY_NEWS=500000 PARITY_GENERATED=100000 PARITY_PARALLELISM=2 npm run bench -- cluster-parity`.
// A smaller size of it is a part of `npm run test:cluster`.
import { clusterMissing } from "../cluster/testing/servers.ts";
import { parityRuns } from "../e2e/cluster/parity-runs.ts";

const sizeOf = (name: string, size: number): number => Number(process.env[`PARITY_${name}`] ?? size);

export async function clusterParity(): Promise<void> {
  const missing = clusterMissing();
  if (missing !== undefined) return console.log(`skip: ${missing}`);
  const sizes = {
    news: sizeOf("NEWS", 50_000),
    generated: sizeOf("GENERATED", 20_000),
    asked: sizeOf("ASKED", 1_000),
    parallelism: sizeOf("PARALLELISM", 1),
  };
  for await (const line of parityRuns(sizes, (text) => process.stderr.write(`${text}\n`))) {
    if (typeof line === "string") console.log(line);
    else {
      console.log(`${line.isRight ? "ok  " : "FAIL"} ${line.name}: ${line.text}`);
      if (!line.isRight) process.exitCode = 1;
    }
  }
}
