// Mutated requests by the thousand, and a tenth as many WebSocket connections: `npm run fuzz -- [RUNS] [SEED]`. Prints what
// the answers were; fails on the first that breaks the rule (server/http/fuzz.ts, server/live/fuzz.ts), with the seed that
// shows it again.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fuzz } from "../server/http/fuzz.ts";
import { fuzzSockets } from "../server/live/fuzz.ts";

const [runs = "20000", seed = "1"] = process.argv.slice(2);
setFlagsFromString("--expose-gc");
globalThis.gc = runInNewContext("gc") as NodeJS.GCFunction;
const report = await fuzz({ runs: Number(runs), seed: Number(seed) });
process.stdout.write(`${JSON.stringify({ seed: Number(seed), ...report })}\n`);
const sockets = await fuzzSockets({ runs: Math.ceil(Number(runs) / 10), seed: Number(seed) });
process.stdout.write(`${JSON.stringify({ seed: Number(seed), ...sockets })}\n`);
