// More connections than the process may have files open: the node goes on writing.
import { deepEqual, equal } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { connectionsWithin } from "./open-files.ts";

const MAIN = resolve(import.meta.dirname, "../cli/main.ts");
const FILES_MAX = 256;
const isWindows = process.platform === "win32";

test("as many connections as are wanted, unless the process may open too few files", () => {
  const limits = [Infinity, 65_536, 30_000, 20_000, 1_024, 256, 1];
  deepEqual(
    limits.map((files) => [connectionsWithin(20_000, files), connectionsWithin(2_000, files)]),
    [[20_000, 2_000], [20_000, 2_000], [20_000, 2_000], [13_333, 1_333], [682, 68], [170, 17], [1, 1]],
  );
});

test("connections leave the node files of its own", { skip: isWindows && "Windows has no such limit" }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "attune-open-files-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const start = `ulimit -n ${FILES_MAX} && exec "$0" "$1" start --port 0 --grpc-port off --data "$2"`;
  const node = spawn("sh", ["-c", start, process.execPath, MAIN, join(folder, "data")], { stdio: ["ignore", "pipe", "ignore"] });
  after(() => node.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: node.stdout }), "line")) as [string];
  const url = line.replace("attune listening on ", "");
  const { port } = new URL(url);

  const first = await opened(Number(port));
  const others = await Promise.all(Array.from({ length: FILES_MAX }, () => opened(Number(port))));
  after(() => [first, ...others].forEach((socket) => socket.destroy()));
  const body = JSON.stringify({ role: "admin", name: "ops" });
  const head = ["POST /v1/keys HTTP/1.1", "host: localhost", "content-type: application/json", `content-length: ${body.length}`];
  first.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  const [answer] = (await once(first, "data")) as [Buffer];
  equal(answer.toString().split("\r\n", 1)[0], "HTTP/1.1 201 Created");
});

/** A connection that the kernel has taken; the node may end it. */
async function opened(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  return socket;
}
