// A disk that fills up under load, on a small tmpfs: refusals that say when to come again, reads that go on, and
// work resumed by itself when there is space.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { rngFrom } from "../../core/math/rng.ts";
import { auditLog, compareState } from "./kills.ts";
import { FAULTS_PROGRAM, type FaultTally, Ledger, newTally } from "./ledger.ts";
import { settle, startLoad } from "./load.ts";
import { putProgram, readyNode } from "./node.ts";

const DISK_BYTES = 24 * 1024 * 1024;
const PERSONS = 20;
const SENDERS = 3;
const FILLS = 2;
const REFUSALS_WANTED = 20;
const WAIT_MS_MAX = 20_000;
const POLL_MS = 10;

/** Why no small disk can be made here; undefined where it can. */
export function smallDiskMissing(folder: string): string | undefined {
  if (process.platform !== "linux") return "a tmpfs of a given size needs Linux";
  if (process.getuid?.() !== 0) return "mounting a tmpfs needs root";
  try {
    mountTmpfs(join(folder, "probe"))();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Fills the disk twice while events come in. */
export async function fillDisk(options: { folder: string; seed: number }): Promise<FaultTally> {
  const mountPoint = join(options.folder, "small");
  const unmount = mountTmpfs(mountPoint);
  const dataFolder = join(mountPoint, "data");
  const ballast = join(mountPoint, "ballast");
  const rng = rngFrom(options.seed);
  const ledger = new Ledger();
  const tally = newTally();
  try {
    const node = await readyNode({ dataFolder });
    await putProgram(node.url, FAULTS_PROGRAM);
    ledger.newPersons(PERSONS);
    const load = startLoad(node.url, ledger, rng, SENDERS);
    const refused = (): number => (load.refusals.get(507) ?? 0) + (load.refusals.get(503) ?? 0);
    for (; tally.rounds < FILLS; tally.rounds++) {
      fillUp(mountPoint, ballast);
      const before = refused();
      await until(() => refused() >= before + REFUSALS_WANTED, "the full disk refuses");
      await compareState(node.url, ledger, tally);
      const list = await fetch(`${node.url}/v1/recommendations?user_id=${ledger.userIds()[0]}`);
      assert.equal(list.status, 200, "reads go on while the disk is full");
      rmSync(ballast);
      const acked = ledger.ackedCount;
      await until(() => ledger.ackedCount > acked, "events are taken again when there is space");
    }
    await load.stop();
    await settle(node.url, ledger, rng);
    await compareState(node.url, ledger, tally);
    for (const [status, count] of load.refusals) tally.by[status] = count;
    await node.stop();
    await auditLog(dataFolder, ledger, tally);
    return { ...tally, sent: ledger.sentCount, acked: ledger.ackedCount };
  } finally {
    unmount();
  }
}

/** Leaves half a megabyte, or nothing where the node was quicker to take it. */
function fillUp(mountPoint: string, ballast: string): void {
  const { bavail, bsize } = statfsSync(mountPoint);
  try {
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 512 * 1024)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - start < WAIT_MS_MAX, `${what} within ${WAIT_MS_MAX} ms`);
    await setTimeout(POLL_MS);
  }
}

function mountTmpfs(mountPoint: string): () => void {
  mkdirSync(mountPoint, { recursive: true });
  const args = ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", mountPoint];
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  assert.equal(status, 0, `mount: ${stderr.trim()}`);
  return () => void spawnSync("umount", ["-l", mountPoint]);
}
