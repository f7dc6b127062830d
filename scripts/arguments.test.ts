// Long runs that test nothing must not end well.
import { equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const CALLS: readonly [script: string, args: string[], message: RegExp][] = [
  ["fuzz.ts", ["abc"], /^fuzz: RUNS is "abc": a whole number\n$/],
  ["fuzz.ts", ["-5"], /^fuzz: RUNS is "-5": a whole number\n$/],
  ["fuzz.ts", ["10", "first"], /^fuzz: SEED is "first": a whole number\n$/],
  ["faults.ts", ["--help"], /^faults: there is no option --help; there are --[a-z-]+(, --[a-z-]+)+\n$/],
  ["test-cluster.ts", ["again"], /^test:cluster: Unexpected argument 'again'\. .*\n$/],
  ["../sim/main.ts", ["--sedes", "10"], /^sim: there is no option --sedes; did you mean `--seeds`\?\n$/],
  ["../sim/main.ts", ["--seeds", "-"], /^sim: --seeds is "-": a whole number\n$/],
  ["faults.ts", ["--seed", "x"], /^faults: --seed is "x": a whole number\n$/],
  ["test-cluster.ts", ["--only", "broker killed,broker pausd"], /^test:cluster: --only "broker pausd" .*, broker paused\n$/],
  ["test-cluster.ts", ["--rounds", "x"], /^test:cluster: --rounds is "x": a number above 0\n$/],
  ["test-cluster.ts", ["--rounds", "0"], /^test:cluster: --rounds is "0": a number above 0\n$/],
  ["test-cluster.ts", ["--seed", "x"], /^test:cluster: --seed is "x": a whole number\n$/],
];

for (const [script, args, message] of CALLS) {
  test(`${script} ${args.join(" ")} is refused`, () => {
    const path = join(import.meta.dirname, script);
    const { status, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: "utf8", timeout: 30_000 });
    match(stderr, message);
    equal(status, 2);
  });
}
