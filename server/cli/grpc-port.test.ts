// The node's second door, as the command line opens it.
import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { codecOf } from "../protobuf/messages.ts";
import { definitionOf } from "../grpc/call.ts";

const MAIN = resolve(import.meta.dirname, "main.ts");

/** Starts a node, waits until it listens, runs `body`, and stops it; what it wrote comes back. */
async function withNode(
  args: string[],
  body: (log: any[]) => Promise<void>,
): Promise<{ stdout: string[]; code: number }> {
  const data = mkdtempSync(join(tmpdir(), "attune-grpc-"));
  const env = { ...process.env, ATTUNE_DATA: data, ATTUNE_PORT: "0", ATTUNE_DEMO: "0", ATTUNE_LOG_LEVEL: "info" };
  const child = spawn(process.execPath, [MAIN, "start", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const stdout: string[] = [];
  const log: any[] = [];
  const logged = createInterface(child.stderr).on("line", (line) => line.startsWith("{") && log.push(JSON.parse(line)));
  const lines = createInterface(child.stdout).on("line", (line) => stdout.push(line));
  try {
    await Promise.race([once(lines, "line"), once(child, "exit")]);
    if (child.exitCode === null) await body(log);
  } finally {
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
    logged.close();
    rmSync(data, { recursive: true, force: true });
  }
  return { stdout, code: child.exitCode! };
}

test("gRPC is on beside HTTP on loopback; standard output still is one line; SIGTERM ends both", async () => {
  const { stdout, code } = await withNode([], async (log) => {
    while (!log.some(({ msg }) => msg === "listening for gRPC")) await new Promise(setImmediate);
    const { address } = log.find(({ msg }) => msg === "listening for gRPC");
    ok(/^127\.0\.0\.1:\d+$/.test(address));
    const Client = makeGenericClientConstructor(definitionOf("Events"), "Events");
    const client: any = new Client(address, credentials.createInsecure());
    const events = [{ user_id: "ada", event_type: "view", item_id: "lamp", timestamp: Date.now() }];
    const bytes = await new Promise<Buffer>((resolve, reject) =>
      client.Send(codecOf("EventBatch").encode({ events }), (error: unknown, answer: Buffer) =>
        error ? reject(error) : resolve(answer),
      ),
    );
    equal(codecOf("IntakeAnswer").decode(bytes)["accepted"], 1);
  });
  deepEqual([stdout.length, code], [1, 0]);
});

test("off is off", async () => {
  let seen: any[] = [];
  await withNode(["--grpc-port", "off"], async (log) => void (seen = log));
  equal(
    seen.some(({ msg }) => /gRPC/.test(msg)),
    false,
  );
});

test("a port that is none is said so", async () => {
  const { stdout, code } = await withNode(["--grpc-port", "no"], async () => {});
  deepEqual([stdout, code], [[], 2]);
});
