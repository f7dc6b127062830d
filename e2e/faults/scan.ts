// The scan: every byte under some folders, and everything that the keys which still exist open: segments of logs, state
// files, indexes of ids, boxes of backups and what is in them.
import { createSecretKey, type KeyObject } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openBox } from "../../server/backup/box.ts";
import { boxKey, boxPath, openBackup } from "../../server/backup/place.ts";
import { closedBatches } from "../../server/log/closed-batches.ts";
import { baseOfName, checkSegmentHeader, generationOf, readAt, SEGMENT_HEADER_BYTES } from "../../server/log/segment-file.ts";
import { IdIndexDamagedError } from "../../server/log/id-index.ts";
import { openRun } from "../../server/log/run-file.ts";
import { StateFile } from "../../server/state/state-file.ts";
import { readVault, VaultError } from "../../server/vault/vault.ts";
import { findCanaries, type Found } from "./canaries.ts";

export interface ScanTally {
  files: number;
  bytes: number;
  /** Containers that were opened with keys. */
  opened: number;
  /** Containers for which no key is left. */
  unopened: number;
}

export interface Scan {
  readonly tally: ScanTally;
  readonly found: (canary: Found) => void;
  /** Told of every fingerprint in an index of ids. */
  readonly fingerprint: (hi: number, lo: number) => void;
}

/** Every file, as its bytes lie. */
export function scanRaw(folder: string, scan: Scan): void {
  for (const path of filesUnder(folder)) scanFile({ path, bytes: readFileSync(path) }, scan);
}

export function scanFile({ path, bytes }: { path: string; bytes: Buffer }, { tally, found }: Scan): void {
  tally.files++;
  tally.bytes += bytes.length;
  findCanaries(Buffer.from(path), found);
  findCanaries(bytes, found);
}

/** What the keys of the folder's own vault open. */
export async function scanData(dataFolder: string, kekFolder: string, scan: Scan): Promise<void> {
  const keys = unlessDestroyed(() => readVault({ dataFolder, kekFolder })?.keys);
  await scanContainers(dataFolder, keys ?? new Map(), scan);
}

/** A backup's boxes, and what is in them, with the keys that it brings. */
export async function scanBackup(folder: string, backupKeys: string, scan: Scan): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "attune-scan-"));
  try {
    const backup = await openBackup(folder, backupKeys, "read").catch((error: unknown) => {
      if (error instanceof VaultError) return undefined;
      throw error;
    });
    if (backup === undefined) return void scan.tally.unopened++;
    const { files, keys } = backup.manifest!;
    for (const { name, box } of files) {
      const chunks: Buffer[] = [];
      for await (const chunk of openBox(boxPath(backup, box), boxKey(backup, box))) chunks.push(chunk);
      const path = join(work, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, Buffer.concat(chunks));
      scan.tally.opened++;
    }
    scanRaw(work, scan);
    const opened = new Map(Object.entries(keys).map(([name, key]) => [name, createSecretKey(Buffer.from(key, "base64"))]));
    await scanContainers(work, opened, scan);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function scanContainers(dataFolder: string, keys: ReadonlyMap<string, KeyObject>, scan: Scan): Promise<void> {
  for (const path of filesUnder(dataFolder)) {
    const parts = path.split(/[/\\]/);
    const [project, folder, name] = parts.slice(-3) as [string, string, string];
    const base = baseOfName(name);
    if (base !== undefined) scanSegment({ path, base, project }, keys, scan);
    else if (name === "state.mdb") await scanState(dirname(path), keys.get(`state/${project}/${folder}`), scan);
    else if (name.endsWith(".run")) scanRun(path, keys.get(`state/${project}/${folder}`), scan);
  }
}

function scanSegment(of: { path: string; base: number; project: string }, keys: ReadonlyMap<string, KeyObject>, scan: Scan): void {
  const { path, base, project } = of;
  const fd = openSync(path, "r");
  try {
    const end = base + Math.max(0, statSync(path).size - SEGMENT_HEADER_BYTES);
    const header = readAt(fd, 0, SEGMENT_HEADER_BYTES);
    const generation = checkSegmentHeader(header, base) === "sound" ? generationOf(header) : 0;
    if (generation === 0) return; // open: its bytes have been looked at
    const key = keys.get(`log/${project}/${base}/${generation}`);
    if (key === undefined) return void scan.tally.unopened++;
    scan.tally.opened++;
    const segment = { path, base, end, generation, key };
    for (const { records } of closedBatches(fd, segment, { base, from: base, to: end }, () => {})) {
      findCanaries(Buffer.concat(records.map(({ payload }) => payload)), scan.found);
    }
  } finally {
    closeSync(fd);
  }
}

async function scanState(folder: string, key: KeyObject | undefined, scan: Scan): Promise<void> {
  if (!StateFile.opensWith(folder, key)) return void scan.tally.unopened++;
  const file = StateFile.open(folder, key);
  scan.tally.opened++;
  for (const [name, bytes] of file.all()) findCanaries(Buffer.concat([Buffer.from(`${name}\n`), bytes]), scan.found);
  await file.close();
}

function scanRun(path: string, key: KeyObject | undefined, scan: Scan): void {
  const run = unlessClosed(() => openRun(path, path, key));
  if (run === undefined) return void scan.tally.unopened++;
  scan.tally.opened++;
  for (let block = 0, left = run.count; left > 0; block++) {
    const ids = run.readBlock(block);
    for (let at = 0; at < ids.length; at += 2) scan.fingerprint(ids[at]!, ids[at + 1]!);
    left -= ids.length / 2;
  }
  run.close();
}

function filesUnder(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  return paths.filter((path) => statSync(path).isFile());
}

function unlessClosed<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof IdIndexDamagedError) return undefined;
    throw error;
  }
}

function unlessDestroyed<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}
