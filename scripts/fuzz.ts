// Mutated requests by the thousand: `node scripts/fuzz.ts [RUNS] [SEED]`. Prints what the answers were; fails on the first
// that breaks the rule (server/http/fuzz.ts), with the seed that shows it again.
import { fuzz } from "../server/http/fuzz.ts";

const [runs = "20000", seed = "1"] = process.argv.slice(2);
const report = await fuzz({ runs: Number(runs), seed: Number(seed) });
process.stdout.write(`${JSON.stringify({ seed: Number(seed), ...report })}\n`);
