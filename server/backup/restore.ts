// A data folder out of a backup, as it was at a point in time, without anybody who was erased since: the newest ledger that
// can be found is worked off before anything is served.
import { createSecretKey, randomUUID, type KeyObject } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseEntry } from "../audit/chain.ts";
import { linesOf } from "../audit/trail-file.ts";
import { replaceFile } from "../disk/durable-file.ts";
import { openBase } from "../embedded/base.ts";
import { LEDGER_FILE, ledgerCopyOf } from "../embedded/opening.ts";
import { beginRestore, endRestore, refuseUnfinished } from "../embedded/restoring.ts";
import type { StoredErasures } from "../privacy/erasures.ts";
import { stateKeys } from "../vault/state-keys.ts";
import { defaultKekFolder, fileBesideKek, openVault, type Vault } from "../vault/vault.ts";
import { openBox } from "./box.ts";
import { cutLog, type PointInTime } from "./cut.ts";
import { BackupError, boxKey, boxPath, type BackupFolder, type Manifest, openBackup } from "./place.ts";

export interface RestoreOptions {
  from: string;
  backupKeys: string | undefined;
  /** Empty or not there yet. */
  dataFolder: string;
  kekFolder: string | undefined;
  /** Everything where it is missing. */
  point?: PointInTime | undefined;
  /** Ledgers (`erasures.json`) of a project that are newer than the backup's, by project. */
  ledgers?: Readonly<Record<string, string>>;
}

export interface RestoredProject {
  readonly name: string;
  /** Where its log ends. */
  readonly position: number;
  /** Jobs to be worked off when it is opened: persons who were erased after the backup. */
  readonly erasures: number;
}

/** Puts the files in their place; the state is built from them, and erasures are worked off, when a host opens the folder. */
export async function restoreBackup(options: RestoreOptions): Promise<{ at: string; projects: RestoredProject[] }> {
  const { from, backupKeys, dataFolder, kekFolder, point } = options;
  refuseUnfinished(dataFolder);
  if (existsSync(dataFolder) && readdirSync(dataFolder).length > 0) {
    throw new BackupError(`${dataFolder} is not empty: restore into a new folder`);
  }
  const backup = await openBackup(from, backupKeys, "read");
  const manifest = backup.manifest!;
  beginRestore(dataFolder);
  await unpack(backup, manifest, dataFolder);
  const vault = manifest.source === undefined ? undefined : adopted(manifest, { dataFolder, kekFolder });
  const projects: RestoredProject[] = [];
  for (const name of projectsOf(manifest)) {
    const folder = join(dataFolder, "projects", name);
    const find = (base: number, generation: number): KeyObject | undefined => vault?.find(`log/${name}/${base}/${generation}`);
    const position = cutLog(join(folder, "log"), point ?? { position: Infinity }, find);
    const copy = manifest.source === undefined ? undefined : fileBesideKek(kekFolder, manifest.source, ledgerCopyOf(name));
    const newer = [options.ledgers?.[name], copy].filter((path) => path !== undefined && existsSync(path)) as string[];
    const { erasures, base } = await mergeLedgers(join(folder, LEDGER_FILE), newer, position);
    if (base > 0) await refuseBeforeBase({ folder, name, vault, base, position, isCut: point !== undefined });
    projects.push({ name, position, erasures });
  }
  renameAudit(dataFolder, kekFolder);
  endRestore(dataFolder);
  return { at: manifest.at, projects };
}

async function unpack(backup: BackupFolder, { files }: Manifest, dataFolder: string): Promise<void> {
  for (const { name, box } of files) {
    if (name.split(/[/\\]/).includes("..")) throw new BackupError(`the manifest names ${name}`);
    const path = join(dataFolder, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "w", 0o600);
    try {
      for await (const chunk of openBox(boxPath(backup, box), boxKey(backup, box))) await file.appendFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** The data keys of the backup in a new vault: the old one's key-encryption key is not needed. */
function adopted({ keys }: Manifest, place: { dataFolder: string; kekFolder: string | undefined }): Vault {
  const vault = openVault(place);
  vault.adopt(new Map(Object.entries(keys).map(([name, key]) => [name, createSecretKey(Buffer.from(key, "base64"))])));
  return vault;
}

function projectsOf({ files }: Manifest): string[] {
  const names = files.map(({ name }) => /^projects[/\\]([^/\\]+)[/\\]/.exec(name)?.[1]).filter((name) => name !== undefined);
  return [...new Set(names)];
}

/** Jobs that the backup does not know as done are to be done again on what it holds, whatever came of them elsewhere. */
async function mergeLedgers(path: string, newer: readonly string[], end: number): Promise<{ erasures: number; base: number }> {
  const held = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as StoredErasures) : undefined;
  const ledgers = newer.map((file) => JSON.parse(readFileSync(file, "utf8")) as StoredErasures);
  const jobs = new Map(held?.jobs.map((job) => [job.job_id, job]));
  for (const { jobs: theirs } of ledgers) {
    for (const { proof: _, ...job } of theirs) {
      if (jobs.get(job.job_id)?.status !== "done") jobs.set(job.job_id, { ...job, status: "running" });
    }
  }
  // What is behind the cut is written anew by others.
  for (const job of jobs.values()) job.before = Math.min(job.before, end);
  const pepper = held?.pepper ?? ledgers[0]?.pepper;
  if (pepper === undefined) return { erasures: 0, base: 0 };
  const merged: StoredErasures = {
    format: 1,
    pepper,
    generation: 1,
    ...(held?.base !== undefined && { base: held.base }),
    ...(held?.lettersErasedTo !== undefined && { lettersErasedTo: Math.min(held.lettersErasedTo, end) }),
    jobs: [...jobs.values()],
  };
  replaceFile(path, JSON.stringify(merged));
  return { erasures: merged.jobs.filter(({ status }) => status === "running").length, base: merged.base ?? 0 };
}

async function refuseBeforeBase(of: {
  folder: string;
  name: string;
  vault: Vault | undefined;
  base: number;
  position: number;
  isCut: boolean;
}): Promise<void> {
  const { folder, name, vault, base, position, isCut } = of;
  const keys = vault === undefined ? undefined : stateKeys(vault, name);
  const { file, meta } = await openBase({ folder, keys, generation: base });
  await file.close();
  // A log that was cut down to its first position may have been cut in the part that is no more.
  if (meta !== undefined && (isCut ? meta.position < position : meta.position <= position)) return;
  throw new BackupError(`retention has taken away what ${name} was then: the earliest position is ${meta?.position}`);
}

/** The trail goes on from where the backup has it, under a name and an anchor of its own: the old anchor knows more. */
function renameAudit(dataFolder: string, kekFolder = defaultKekFolder()): void {
  const idFile = join(dataFolder, "audit", "id");
  if (!existsSync(idFile)) return;
  const pepper = join(kekFolder, `audit-${readFileSync(idFile, "utf8")}.json.pepper`);
  const id = randomUUID();
  rmSync(idFile);
  replaceFile(idFile, id);
  const trail = join(dataFolder, "audit", "audit.ndjson");
  let [firstLine, lastLine] = ["", ""];
  for (const { text, isWhole } of linesOf(trail)) {
    if (!isWhole) break;
    firstLine ||= text;
    lastLine = text;
  }
  const [first, last] = [parseEntry(firstLine), parseEntry(lastLine)];
  if (first !== undefined && last !== undefined && first.seq > 1) {
    // Retention has cut the trail: the new anchor says behind what.
    const cut = { seq: first.seq - 1, hash: first.previous };
    replaceFile(join(kekFolder, `audit-${id}.json`), JSON.stringify({ seq: last.seq, hash: last.hash, cut }));
  }
  if (existsSync(pepper)) copyFileSync(pepper, join(kekFolder, `audit-${id}.json.pepper`));
}
