// The log under real faults: processes killed, disks full, syncs that fail. Whatever was acknowledged is there, once.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { rngFrom } from "../../core/math/rng.ts";
import type { LogFault } from "./log.ts";
import { RecordBatch } from "./record-batch.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-file.ts";
import { openLog } from "./segment-log.ts";
import { mountSmallDisk, unmountSmallDisk, withoutSmallDisk } from "./testing/small-disk.ts";

const WRITER = fileURLToPath(new URL("./testing/log-writer.ts", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "attune-log-faults-"));
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

/** Why a tool cannot be used here; undefined where it can. */
function unusable(command: string, ...args: string[]): string | undefined {
  const done = spawnSync(command, args, { stdio: "ignore" });
  if (done.error !== undefined) return `${command} is not installed`;
  return done.status === 0 ? undefined : `${command} is not allowed here`;
}
/** A call that does not come in this time does not come. */
const PATIENCE_MS = 15_000;
const withoutStrace = unusable("strace", "-f", "-qq", "-o", "/dev/null", "true");

class Writer {
  readonly child: ChildProcess;
  /** The writer's own, where the child is strace. */
  pid = 0;
  acked = 0;
  readonly said = new Set<string>();
  readonly exited: Promise<number | null>;
  #wake: (() => void) | undefined;

  constructor(folder: string, options: { recordsABatch: number; wrap?: readonly string[] }) {
    const quiet = "--disable-warning=ExperimentalWarning";
    const node = [process.execPath, quiet, WRITER, folder, `${options.recordsABatch}`];
    const [command, ...args] = [...(options.wrap ?? []), ...node];
    this.child = spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"] });
    children.add(this.child);
    createInterface(this.child.stdout!).on("line", (line) => {
      if (line.startsWith("ack ")) this.acked = Number(line.slice(4));
      else if (line.startsWith("pid ")) this.pid = Number(line.slice(4));
      else this.said.add(line);
      this.#wake?.();
    });
    this.exited = new Promise((resolve) => this.child.once("close", (code) => (resolve(code), this.#wake?.())));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      assert.ok(this.child.exitCode === null && this.child.signalCode === null, "the writer runs");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }
}

/** Every acknowledged record is there, in order, once; nothing but a torn tail is amiss. Returns how many there are. */
async function check(folder: string, acked: number): Promise<number> {
  const faults: LogFault[] = [];
  const log = await openLog(folder, { reserveBytes: 64 * 1024, onFault: (fault) => faults.push(fault) });
  assert.deepEqual(
    faults.filter((fault) => fault.kind !== "torn_tail"),
    [],
  );
  let count = 0;
  for (const entry of log.read(0)) assert.equal(Number(entry.payload.toString("latin1", 0, 12)), count++);
  assert.ok(count >= acked, `${acked - count} acknowledged records are lost`);
  await log.abandon();
  return count;
}

test("kill -9 at random moments loses nothing", async () => {
  const folder = join(root, "kill");
  const rng = rngFrom(1);
  let total = 0;
  for (let round = 0; round < 8; round++) {
    const writer = new Writer(folder, { recordsABatch: rng.between(1, 200) });
    const goal = total + rng.between(1, 20) * 200;
    await writer.until(() => writer.acked >= goal);
    await writer.kill();
    total = await check(folder, writer.acked);
  }
});

test("kill -9 at each kind of write loses nothing", { skip: withoutStrace }, async () => {
  const rng = rngFrom(2);
  // The program's own files are opened too; of openat a thread makes so many before the log opens its own.
  for (const [call, from, to] of [
    ["pwrite64", 1, 12],
    // Batches are synced as they are written; these are of the reserve and of a new segment.
    ["fdatasync", 1, 1],
    ["fsync", 1, 3],
    ["openat", 1, 60],
  ] as const) {
    const folder = join(root, `at-${call}`);
    for (let round = 0; round < 2; round++) {
      // Not with --seccomp-bpf: strace 6.1 then injects no signal.
      const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${rng.between(from, to)}`];
      const wrap = ["strace", "-f", "-qq", "-o", "/dev/null", ...inject];
      const writer = new Writer(folder, { recordsABatch: rng.between(50, 150), wrap });
      let isLate = false;
      const patience = setTimeout(() => {
        isLate = true;
        process.kill(writer.pid, "SIGKILL");
      }, PATIENCE_MS);
      await writer.exited;
      clearTimeout(patience);
      assert.ok(!isLate, `${call} has ended the writer`);
      assert.equal(writer.child.signalCode, "SIGKILL");
      await check(folder, writer.acked);
    }
  }
});

test("after a failed synced write nothing more is acknowledged, and a new start goes on", { skip: withoutStrace }, async () => {
  const folder = join(root, "eio");
  const inject = ["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EIO:when=4"];
  const wrap = ["strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", ...inject];
  const writer = new Writer(folder, { recordsABatch: 10, wrap });
  // Opening takes up to three of them, and strace counts for each thread.
  const tooLong = setInterval(() => writer.acked > 5_000 && process.kill(writer.pid, "SIGKILL"), 20);
  const code = await writer.exited;
  clearInterval(tooLong);
  assert.equal(code, 3, "the writer's log has failed");
  assert.deepEqual([...writer.said], ["failed"]);
  await check(folder, writer.acked);
  const next = new Writer(folder, { recordsABatch: 10 });
  await next.until(() => next.acked > writer.acked + 100);
  await next.kill();
  await check(folder, next.acked);
});

test("a full disk refuses, keeps what it has, goes on when there is space", { skip: withoutSmallDisk }, async (t) => {
  const folder = join(root, "full");
  const refused = mountSmallDisk(folder);
  if (refused !== undefined) return t.skip(refused); // Without a disk to fill there is nothing to test.
  try {
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, Buffer.alloc(512 * 1024));
    const writer = new Writer(folder, { recordsABatch: 40 });
    await writer.until(() => writer.said.has("full"));
    const atFull = writer.acked;
    assert.ok(statfsSync(folder).bavail > 0, "the reserve was given up");
    rmSync(ballast);
    await writer.until(() => writer.acked > atFull + 400);
    await writer.kill();
    await check(folder, writer.acked);
    const next = new Writer(folder, { recordsABatch: 40 });
    await next.until(() => next.said.has("full"));
    await next.kill();
    await check(folder, next.acked);
    await fillInProcess(folder);
  } finally {
    unmountSmallDisk(folder);
  }
});

/** A refused append leaves nothing behind, and a small one is not let in before the reserve is whole again. */
async function fillInProcess(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  const reserveBytes = 128 * 1024;
  const log = await openLog(folder, { reserveBytes, onFault: () => {} });
  const [small, big] = [new RecordBatch(), new RecordBatch()];
  small.add(1, "small");
  for (let i = 0; i < 20; i++) big.add(1, "b".repeat(100_000));
  await log.append(small);
  await assert.rejects(log.append(big), { code: "storage_full" });
  const [segment] = readdirSync(folder).filter((name) => name.endsWith(".seg"));
  assert.deepEqual([log.state, statSync(join(folder, segment!)).size], ["full", SEGMENT_HEADER_BYTES + log.end]);
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(join(folder, "ballast"), Buffer.alloc(bavail * bsize - reserveBytes / 2));
  await assert.rejects(log.append(small), { code: "storage_full" });
  rmSync(join(folder, "ballast"));
  await log.append(small);
  assert.deepEqual([log.state, [...log.read(0)].length], ["open", 2]);
  await log.close();
}

test("a file that may not grow is a full disk", { skip: process.platform === "win32" }, async () => {
  const folder = join(root, "limit");
  // In blocks of 512 bytes: less than a segment.
  const wrap = ["/bin/sh", "-c", `trap "" XFSZ; ulimit -f 200; exec "$@"`, "sh"];
  const writer = new Writer(folder, { recordsABatch: 4_000, wrap });
  await writer.until(() => writer.said.has("full"));
  await writer.kill();
  await check(folder, writer.acked);
});
