import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { parseFlags } from "./flags.ts";

const options = { port: { type: "string" }, "grpc-port": { type: "string" }, whole: { type: "boolean" } } as const;

test("of an option that there is not the message says which was meant, or which there are", () => {
  const bad: [args: string[], message: string][] = [
    [["--prot", "1"], "there is no option --prot; did you mean `--port`?"],
    [["--grcp-port=off"], "there is no option --grcp-port; did you mean `--grpc-port`?"],
    [["--colour"], "there is no option --colour; there are --port, --grpc-port, --whole"],
    [["--help"], "there is no option --help; there are --port, --grpc-port, --whole"],
    [["-p", "1"], "there is no option -p; there are --port, --grpc-port, --whole"],
  ];
  for (const [args, message] of bad) {
    throws(() => parseFlags({ args, options, allowPositionals: true }), { name: "UsageError", message }, args[0]);
  }
});

test("what else is wrong is said as it was, and what is right is read", () => {
  throws(() => parseFlags({ args: ["--port"], options }), { code: "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" });
  throws(() => parseFlags({ args: ["8080"], options }), { code: "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL" });
  const { values, positionals } = parseFlags({ args: ["--port", "1", "a"], options, allowPositionals: true });
  equal(values.port, "1");
  deepEqual(positionals, ["a"]);
});
