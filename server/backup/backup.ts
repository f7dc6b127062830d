// A backup of a data folder, taken beside the node that runs on it. What is copied is the log, which only grows, and the
// little that no log can rebuild; a copy of the log up to any point is the state of that point. Copied again is only what
// has changed; what an erasure has written anew replaces what was there, and its key is destroyed.
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { isThere } from "../disk/is-there.ts";
import { readAt, checkSegmentHeader, baseOfName, generationOf, SEGMENT_HEADER_BYTES } from "../log/segment-file.ts";
import { readVault, type ReadableVault } from "../vault/vault.ts";
import { sealBox } from "./box.ts";
import {
  type BackedUpFile,
  BackupError,
  boxKey,
  boxPath,
  forgetOthers,
  type Manifest,
  nextBox,
  openBackup,
  writeManifest,
} from "./place.ts";

/** An erasure or retention may change segments meanwhile; then what changed is copied again. */
const TRIES_MAX = 20;
const TRAIL = join("audit", "audit.ndjson");

export interface BackupOptions {
  dataFolder: string;
  /** Of the data's key-encryption keys. */
  kekFolder: string | undefined;
  to: string;
  /** Folder of the backup's key-encryption keys. */
  backupKeys: string | undefined;
  /** Copies everything anew. */
  whole?: boolean;
  now: () => number;
}

export interface BackupReport {
  readonly at: string;
  readonly files: number;
  readonly copied: number;
  readonly copied_bytes: number;
  readonly total_bytes: number;
}

export async function takeBackup(options: BackupOptions): Promise<BackupReport> {
  const { dataFolder, to, backupKeys, whole = false } = options;
  if (!isThere(join(dataFolder, "projects"))) throw new BackupError(`${dataFolder} holds no data of attune`);
  if (resolve(to) === resolve(dataFolder)) throw new BackupError(`${to} is the data folder itself: name another folder`);
  const backup = await openBackup(to, backupKeys, "write");
  const at = new Date(options.now()).toISOString();
  const known = new Map(whole ? [] : backup.manifest?.files.map((file) => [file.name, file]));
  let box = nextBox(backup);
  let [copied, copiedBytes] = [0, 0];
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const names = namesIn(dataFolder);
    const files: BackedUpFile[] = [];
    for (const name of names) {
      const before = statOf(dataFolder, name);
      if (before === undefined) continue;
      const same = known.get(name);
      if (same !== undefined && isSame(same, before)) {
        files.push(same);
        continue;
      }
      const path = join(dataFolder, name);
      const { sizeBytes } = before;
      // Small files are replaced as a whole, perhaps at this moment: they are read in one go.
      const source = isLarge(name) ? { path, sizeBytes } : readFileSync(path);
      const file: BackedUpFile = { name, box: box++, ...before, sizeBytes: Buffer.isBuffer(source) ? source.length : sizeBytes };
      await sealBox(source, boxPath(backup, file.box), boxKey(backup, file.box));
      copied++;
      copiedBytes += before.sizeBytes;
      known.set(name, file);
      files.push(file);
    }
    const vault = readVault({ dataFolder, kekFolder: options.kekFolder });
    if (!isConsistent({ dataFolder, files, vault })) continue;
    await writeManifest(backup, manifestOf(at, files, vault));
    forgetOthers(backup, files.map(({ box }) => box));
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return { at, files: files.length, copied, copied_bytes: copiedBytes, total_bytes: totalBytes };
  }
  throw new BackupError("the data changed all the while: try again when no erasure runs");
}

function manifestOf(at: string, files: BackedUpFile[], vault: ReadableVault | undefined): Manifest {
  const keys = [...(vault?.keys ?? [])].map(([name, key]) => [name, key.export().toString("base64")]);
  const source = vault === undefined ? {} : { source: vault.id };
  return { format: 1, at, ...source, keys: Object.fromEntries(keys) as Record<string, string>, files };
}

/** Segments first, the ledger behind them: whoever is erased meanwhile is in it. */
function namesIn(dataFolder: string): string[] {
  const listed = (folder: string): string[] => (existsSync(join(dataFolder, folder)) ? readdirSync(join(dataFolder, folder)) : []);
  const names: string[] = [];
  for (const project of listed("projects")) {
    const folder = join("projects", project);
    const segments = listed(join(folder, "log")).filter((name) => baseOfName(name) !== undefined).sort();
    names.push(...segments.map((name) => join(folder, "log", name)));
    for (const base of listed(folder).filter((name) => /^base-\d+$/.test(name))) {
      names.push(join(folder, base, "closed"), join(folder, base, "state.mdb"));
    }
    names.push(join(folder, "erasures.json"));
  }
  return [...names, "keys.json", join("audit", "id"), TRAIL];
}

type Stat = Pick<BackedUpFile, "sizeBytes" | "ino" | "mtimeMs">;

function statOf(dataFolder: string, name: string): Stat | undefined {
  const path = join(dataFolder, name);
  if (!existsSync(path)) return undefined;
  const { size, ino, mtimeMs } = statSync(path);
  return { sizeBytes: size, ino, mtimeMs };
}

const isSame = (a: Stat, b: Stat): boolean => a.sizeBytes === b.sizeBytes && a.ino === b.ino && a.mtimeMs === b.mtimeMs;

/**
 * Nothing that was copied has been replaced or taken away since (what grew, grew behind what was copied), and every segment
 * has its key.
 */
function isConsistent(of: { dataFolder: string; files: BackedUpFile[]; vault: ReadableVault | undefined }): boolean {
  const { dataFolder, files, vault } = of;
  const copied = new Set(files.map(({ name }) => name));
  const now = namesIn(dataFolder).filter((name) => existsSync(join(dataFolder, name)));
  for (const file of files) {
    const stat = statOf(dataFolder, file.name);
    const isReplaced = stat === undefined || stat.ino !== file.ino;
    if (isReplaced && isLarge(file.name)) return false;
    if (isReplaced) continue;
    if (isBase(file.name) && !isSame(file, stat)) return false;
    if (isSegment(file.name) && !hasKey(join(dataFolder, file.name), vault)) return false;
  }
  // A base that is there now stands for segments that may have gone.
  return now.every((name) => copied.has(name) || !isBase(name));
}

const isSegment = (name: string): boolean => name.endsWith(".seg");
const isBase = (name: string): boolean => /[/\\]base-\d+[/\\]/.test(name);
/** Copied piece by piece: it may be larger than memory. What is added meanwhile lies behind what is copied. */
const isLarge = (name: string): boolean => isSegment(name) || isBase(name) || name === TRAIL;

function hasKey(path: string, vault: ReadableVault | undefined): boolean {
  const [project, , segment] = path.split(/[/\\]/).slice(-3) as [string, string, string];
  const base = baseOfName(segment)!;
  const fd = openSync(path, "r");
  try {
    const header = readAt(fd, 0, SEGMENT_HEADER_BYTES);
    if (checkSegmentHeader(header, base) !== "sound") return true;
    const generation = generationOf(header);
    return generation === 0 || vault?.keys.has(`log/${project}/${base}/${generation}`) === true;
  } finally {
    closeSync(fd);
  }
}
