// The cluster's command line as a user calls it, where it needs no cluster.
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { CLUSTER_FLAGS } from "./settings.ts";

function run(...args: string[]) {
  const path = join(import.meta.dirname, "main.ts");
  const words = ["--disable-warning=ExperimentalWarning", path, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8", timeout: 30_000 });
  return { code: status, out: stdout, error: stderr };
}

test("help names every setting", () => {
  const { code, out } = run("help");
  equal(code, 0);
  deepEqual(Object.keys(CLUSTER_FLAGS).filter((flag) => !new RegExp(`--${flag}(?![\\w-])`).test(out)), []);
});

test("whoever asks for help gets it", () => {
  for (const args of [["--help"], ["-h"], ["up", "--help"], ["up", "-h"], ["logs", "server-1", "-h"]]) {
    const { code, out, error } = run(...args);
    match(out, /^attune cluster <command>/, args.join(" "));
    deepEqual([code, error], [0, ""]);
  }
  for (const args of [["keys", "help"], ["keys", "--help"], ["keys", "create", "-h"]]) {
    const { code, out, error } = run(...args);
    match(out, /^attune keys create --role/, args.join(" "));
    deepEqual([code, error], [0, ""]);
  }
});

test("what is no command is refused in a line", () => {
  for (const name of ["dance", "constructor"]) {
    const { code, error } = run(name);
    match(error, new RegExp(`^attune: "cluster ${name}" is no command; one of up, .*\\n$`));
    equal(code, 2);
  }
});
