// A second opinion on the OpenAPI document: schemathesis makes requests from it and checks the answers against it.
// `ST=venv/bin/st npm run schemathesis -- [EXAMPLES] [SEED]`; to install it: `python3 -m venv venv && venv/bin/pip install
// schemathesis`. Endless streams are left out, because it would wait for their end, and built pages, which the node here
// does not carry.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startNode } from "../server/http/testing.ts";

const LEFT_OUT = ["/v1/live", "/v1/events/stream", "/console/", "/sdk/attune.js"];
/** What of its checks hold here; the others are about headers that it takes for required, and about made-up methods. */
const CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"];

const [examples = "50", seed = "1"] = process.argv.slice(2);
const node = await startNode();
// With a key of its own: the first that it makes by chance would close the node to all that comes after.
const { key } = node.keys.issue({ project: "default", name: "schemathesis", role: "admin" });
const args = [
  ...["run", `${node.url}/docs/openapi.json`, "--url", node.url, "--max-examples", examples, "--seed", seed],
  ...["--checks", CHECKS.join(","), "--phases", "examples,coverage,fuzzing", "--request-timeout", "10"],
  ...["--no-color", "--continue-on-failure", "--no-shrink", "--generation-database", "none"],
  ...["--header", `Authorization: Bearer ${key}`],
  ...LEFT_OUT.flatMap((path) => ["--exclude-path", path]),
];
const child = spawn(process.env["ST"] ?? "st", args, { stdio: "inherit" });
child.on("error", (error) => process.stderr.write(`schemathesis: ${error.message}; set ST to its \`st\`\n`));
const [code] = (await once(child, "close")) as [number | null];
const { status } = await fetch(`${node.url}/readyz`);
await node.close();
process.exitCode = code === 0 && status === 200 ? 0 : 1;
