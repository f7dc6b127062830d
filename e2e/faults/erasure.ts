// Erasure at size: persons with a canary in every field of everything, some of them erased, and every byte searched that is
// left anywhere: data, backups, copies that somebody took. What must be found before must be gone after, all others must
// be there, and nobody may come back, whatever arrives late.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readyNode, type RunningNode } from "./node.ts";
import { auditedJobs, FIELDS, type FoundTally, knownOf, missing, newScan, plant, proofsOf, requestErasures, sendLate } from "./plant.ts";
import { type Scan, scanBackup, scanData, type ScanTally, scanRaw } from "./scan.ts";

const MAIN = fileURLToPath(new URL("../../server/cli/main.ts", import.meta.url));

export interface ErasureTally extends FoundTally {
  /** Fingerprints of the erased persons' event ids in indexes of ids, before and after. */
  readonly fingerprintsBefore: number;
  readonly fingerprintsAfter: number;
  readonly scanned: ScanTally;
}

interface Rig {
  readonly data: string;
  readonly kek: string;
  readonly backup: string;
  readonly backupKeys: string;
  readonly copies: string;
  readonly environment: Record<string, string>;
}

export async function erasureScan(options: { folder: string; persons: number; erased: number }): Promise<ErasureTally> {
  const { folder, persons, erased } = options;
  const rig = rigIn(folder);
  let node = await readyNode({ dataFolder: rig.data, environment: rig.environment });
  await plant(node.url, { persons, exported: persons });
  await attune(rig, ["backup", "--to", rig.backup]);
  await node.stop();

  const before = newScan(persons, erased);
  await scanAll(rig, before.scan);
  // What somebody took: the folder, the wrapped keys, a backup with the keys to it.
  cpSync(rig.data, join(rig.copies, "data"), { recursive: true });
  cpSync(rig.backup, join(rig.copies, "backup"), { recursive: true });
  // And a backup that was put away with its keys: it opens, and must not bring anybody back.
  cpSync(rig.backup, join(folder, "put-away/backup"), { recursive: true });
  cpSync(rig.backupKeys, join(folder, "put-away/keys"), { recursive: true });

  node = await readyNode({ dataFolder: rig.data, environment: rig.environment });
  const startMs = performance.now();
  await erase(node.url, erased);
  const jobsMs = performance.now() - startMs;
  await attune(rig, ["backup", "--to", rig.backup]);
  await node.stop();

  const after = newScan(persons, erased);
  await scanAll(rig, after.scan);
  scanRaw(rig.copies, after.scan);
  await scanData(join(rig.copies, "data"), rig.kek, after.scan);
  await scanBackup(join(rig.copies, "backup"), rig.backupKeys, after.scan);

  const recreated = await resurrect(rig, erased);
  const restored = newScan(persons, erased);
  scanRaw(join(folder, "restored"), restored.scan);
  await scanData(join(folder, "restored"), rig.kek, restored.scan);
  return {
    persons,
    erased,
    fields: FIELDS.length,
    planted: erased * FIELDS.length,
    foundBefore: before.erased.size,
    foundAfter: after.erased.size + restored.erased.size,
    left: [...after.erased, ...restored.erased].slice(0, 10),
    othersLost: [before, after, restored].reduce((sum, { others }) => sum + missing(others, persons - erased), 0),
    fingerprintsBefore: before.fingerprints.size,
    fingerprintsAfter: after.fingerprints.size + restored.fingerprints.size,
    recreated,
    jobsMs,
    scanned: after.scan.tally,
  };
}

function rigIn(folder: string): Rig {
  const [data, kek, backup, backupKeys, copies] = ["data", "kek", "backup", "backup-keys", "copies"].map((name) => join(folder, name)) as
    [string, string, string, string, string];
  mkdirSync(copies, { recursive: true });
  return { data, kek, backup, backupKeys, copies, environment: { ATTUNE_KEK_FOLDER: kek, ATTUNE_BACKUP_KEYS: backupKeys } };
}

async function scanAll(rig: Rig, scan: Scan): Promise<void> {
  for (const folder of [rig.data, rig.kek, rig.backup, rig.backupKeys]) scanRaw(folder, scan);
  await scanData(rig.data, rig.kek, scan);
  await scanBackup(rig.backup, rig.backupKeys, scan);
}

async function erase(url: string, erased: number): Promise<void> {
  const jobs = await requestErasures(url, erased);
  for (const proof of await proofsOf(url, jobs)) assert.equal(proof.scan.records_found, 0);
  const audited = await auditedJobs(url);
  for (const id of jobs) assert.equal(audited.get(id)?.records_found, 0, `the proof of ${id} is in the audit trail`);
}

/** Late events, retries of refused events, a fold of the whole log, and the backup from before: who of them has a profile? */
async function resurrect(rig: Rig, erased: number): Promise<number> {
  const back = new Set<number>();
  const tryAll = async ({ url }: RunningNode): Promise<void> => {
    for (const person of await sendLate(url, erased)) back.add(person);
    for (const person of await knownOf(url, erased)) back.add(person);
  };
  const node = await readyNode({ dataFolder: rig.data, environment: rig.environment });
  await tryAll(node);
  await node.stop();
  assert.match(await attune(rig, ["verify"]), /^0 differences$/m);

  const [backup, keys, restored] = ["put-away/backup", "put-away/keys", "restored"].map((name) => join(rig.copies, "..", name)) as
    [string, string, string];
  const output = await attune(rig, ["restore", "--from", backup, "--data", restored], { ATTUNE_BACKUP_KEYS: keys });
  assert.match(output, new RegExp(`${erased} erasures replayed`));
  const second = await readyNode({ dataFolder: restored, environment: rig.environment });
  await tryAll(second);
  await second.stop();
  return back.size;
}

/** A command of the command line; its output. */
async function attune(rig: Rig, args: string[], environment: Record<string, string> = {}): Promise<string> {
  const env = { ...process.env, ATTUNE_DATA: rig.data, ...rig.environment, ...environment };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? -1)));
  assert.equal(code, 0, `attune ${args.join(" ")}: ${output}`);
  return output;
}
