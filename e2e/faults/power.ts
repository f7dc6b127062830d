// Power cuts: the data lies on an ext4 in a loop image; the file system's shutdown call drops everything that was not
// flushed, the node dies, the image is mounted again and the journal recovers. What xfstests does (godown).
// It tears no sectors and models no disk that lies about its flush.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Rng, rngFrom } from "../../core/math/rng.ts";
import { auditLog, compareState } from "./kills.ts";
import { FAULTS_PROGRAM, type FaultTally, Ledger, newTally } from "./ledger.ts";
import { settle, startLoad } from "./load.ts";
import { putProgram, readyNode } from "./node.ts";

const IMAGE_BYTES = 256 * 1024 * 1024;
/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: the journal too stays as it is on disk. */
const SHUTDOWN = `
  open(my $folder, "<", $ARGV[0]) or die "open: $!";
  ioctl($folder, 0x8004587d, my $flags = pack("L", 2)) or die "ioctl: $!";`;
const PERSONS_A_ROUND = 12;
const SENDERS = 3;
const LOAD_MS_MIN = 100;
const LOAD_MS_MAX = 900;

export interface PowerOptions {
  /** Takes the image and the mount point. */
  folder: string;
  cuts: number;
  seed: number;
  /** After so many cuts log and state are compared whole, and the next ones begin with an empty disk. */
  cutsALife: number;
  /** The negative control: the log is not synced, so the rig must find losses. */
  unsafe?: boolean;
  onRound?: (tally: FaultTally) => void;
}

/** Why no power can be cut here; undefined where it can. Tries it once on a small image. */
export function powerRigMissing(folder: string): string | undefined {
  if (process.platform !== "linux") return "the rig needs Linux";
  if (process.getuid?.() !== 0) return "mounting an image needs root";
  try {
    const disk = makeDisk(join(folder, "probe"), 16 * 1024 * 1024);
    disk.cutPower();
    disk.unmount();
    return undefined;
  } catch (error) {
    return `the ext4 rig does not work here: ${(error as Error).message}`;
  }
}

/** With `unsafe` the tally says what was lost; without it, each life ends with an audit of the whole log. */
export async function powerCuts(options: PowerOptions): Promise<FaultTally> {
  const rng = rngFrom(options.seed);
  const tally = newTally();
  while (tally.rounds < options.cuts) {
    const disk = makeDisk(options.folder, IMAGE_BYTES);
    const cuts = Math.min(options.cutsALife, options.cuts - tally.rounds);
    try {
      await oneLife({ disk, cuts, rng, tally, unsafe: options.unsafe ?? false, onRound: options.onRound });
    } finally {
      disk.unmount();
    }
  }
  return tally;
}

interface Life {
  disk: Disk;
  cuts: number;
  rng: Rng;
  tally: FaultTally;
  unsafe: boolean;
  onRound: ((tally: FaultTally) => void) | undefined;
}

async function oneLife({ disk, cuts, rng, tally, unsafe, onRound }: Life): Promise<void> {
  const ledger = new Ledger();
  const before = { ...tally };
  const environment: Record<string, string> = unsafe ? { ATTUNE_UNSAFE_NO_FSYNC: "1" } : {};
  const options = { dataFolder: join(disk.mountPoint, "data"), environment };
  let node = await readyNode(options);
  await putProgram(node.url, FAULTS_PROGRAM);
  for (let cut = 1; cut <= cuts; cut++) {
    ledger.newPersons(PERSONS_A_ROUND);
    const load = startLoad(node.url, ledger, rng, SENDERS);
    await setTimeout(rng.between(LOAD_MS_MIN, LOAD_MS_MAX));
    // A sync that runs while ext4 shuts down may report success without it: on unwritten extents, measured once in 30
    // cuts. A machine without power would not live to pass that on, so answers end before the cut.
    load.cutOff();
    disk.cutPower();
    await node.kill();
    await load.stop();
    disk.unmount();
    disk.mount();
    node = await readyNode(options);
    await compareState(node.url, ledger, tally);
    if (!unsafe) {
      await settle(node.url, ledger, rng);
      await compareState(node.url, ledger, tally);
    }
    tally.rounds++;
    tally.sent = before.sent + ledger.sentCount;
    tally.acked = before.acked + ledger.ackedCount;
    onRound?.(tally);
  }
  await node.stop();
  if (!unsafe) await auditLog(options.dataFolder, ledger, tally);
}

interface Disk {
  readonly mountPoint: string;
  mount(): void;
  unmount(): void;
  cutPower(): void;
}

function makeDisk(folder: string, sizeBytes: number): Disk {
  const image = join(folder, "image");
  const mountPoint = join(folder, "disk");
  mkdirSync(mountPoint, { recursive: true });
  writeFileSync(image, "");
  truncateSync(image, sizeBytes);
  run("mkfs.ext4", "-q", "-F", "-m", "0", image);
  let isMounted = false;
  const disk: Disk = {
    mountPoint,
    mount() {
      run("mount", "-o", "loop", image, mountPoint);
      isMounted = true;
    },
    unmount() {
      if (isMounted) run("umount", mountPoint);
      isMounted = false;
    },
    cutPower: () => run("perl", "-e", SHUTDOWN, mountPoint),
  };
  disk.mount();
  return disk;
}

function run(command: string, ...args: string[]): void {
  const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  assert.ok(error === undefined, `${command} is not installed`);
  assert.equal(status, 0, `${command}: ${stderr.trim()}`);
}
