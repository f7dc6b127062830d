// `npm run bench -- NAME …`: measures the embedded node against the bare baseline, in turns on the same machine, so
// that the ratios hold where absolute figures do not. Every bench is bounded in count and time and ends what it
// started.
import { abuse } from "./abuse.ts";
import { bandit } from "./bandit.ts";
import { clusterCosts } from "./cluster-costs.ts";
import { clusterFreshness } from "./cluster-freshness.ts";
import { clusterParity } from "./cluster-parity.ts";
import { clusterRedis } from "./cluster-redis.ts";
import { experiments } from "./experiments.ts";
import { flink } from "./flink.ts";
import { freshness } from "./freshness.ts";
import { growth } from "./growth.ts";
import { importBench } from "./import.ts";
import { intake, singles } from "./intake.ts";
import { latency } from "./latency.ts";
import { modelMemory } from "./model-memory.ts";
import { protections } from "./protections.ts";
import { recommend } from "./recommend.ts";
import { scaling } from "./scaling.ts";
import { shares } from "./shares.ts";

const BENCHES: Record<string, () => Promise<void>> = {
  intake,
  singles,
  latency,
  recommend,
  freshness,
  flink,
  import: importBench,
  shares,
  growth,
  protections,
  "model-memory": modelMemory,
  experiments,
  bandit,
  abuse,
  "cluster-freshness": clusterFreshness,
  "cluster-costs": clusterCosts,
  "cluster-parity": clusterParity,
  scaling,
  "cluster-redis": clusterRedis,
};

const names = process.argv.slice(2);
const chosen = names.length === 0 ? Object.keys(BENCHES) : names;
const unknown = chosen.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no bench ${unknown.join(", ")}; one of ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}
for (const name of chosen) {
  console.log(`\n## ${name}`);
  await BENCHES[name]!();
}
