// Mutated requests by the thousand, and a tenth as many WebSocket connections: `npm run fuzz -- [RUNS] [SEED]`. Prints what
// the answers were, part by part; fails on the first that breaks the rule (server/http/fuzz.ts, server/live/fuzz.ts), with
// the seed that shows it again. Each part has a node of its own: routes that read the whole log would take all the time.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fuzz } from "../server/http/fuzz.ts";
import { fuzzSockets } from "../server/live/fuzz.ts";
import { wholeNumber } from "./arguments.ts";

const PART_RUNS = 20_000;

const [runsText = "20000", seedText = "1"] = process.argv.slice(2);
const runs = wholeNumber("fuzz: RUNS", runsText);
const first = wholeNumber("fuzz: SEED", seedText);
setFlagsFromString("--expose-gc");
globalThis.gc = runInNewContext("gc") as NodeJS.GCFunction;
const print = (report: object): boolean => process.stdout.write(`${JSON.stringify(report)}\n`);
for (let done = 0, seed = first; done < runs; done += PART_RUNS, seed++) {
  const part = Math.min(PART_RUNS, runs - done);
  print({ seed, ...(await fuzz({ runs: part, seed })) });
  print({ seed, ...(await fuzzSockets({ runs: Math.ceil(part / 10), seed })) });
}
