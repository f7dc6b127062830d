// The base: everything derived from the part of the log that retention has taken away, as of one position. It stands for
// that part: a state is built anew, and `verify` starts, from the base and the log behind its position.
//
// It is a state file like any other, brought forward by folding the log up to the next position, so each record is folded
// once more in its life. Nothing else writes to it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { givingWay } from "../giving-way.ts";
import { LogHeadDamagedError, type SegmentLog } from "../log/log.ts";
import type { ErasureJob, Erasures } from "../privacy/erasures.ts";
import { textsOf } from "../privacy/belonging.ts";
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import { StateFile } from "../state/state-file.ts";
import { VaultError } from "../vault/vault.ts";
import { type CheckpointMeta, META_KEY } from "./checkpointer.ts";
import { Derived, type DerivedFiles, openFiles, type ProjectFolder, removeFolders } from "./derived.ts";

/** Rows copied between two commits: bounds what the writer holds. */
const ROWS_A_COMMIT = 20_000;
const PERSONS_CACHED_MAX = 4_000;

/** Which of the folder's files is in force is the ledger's word (`Erasures.base`); 0: there is no base. */
export interface BasePlace extends ProjectFolder {
  readonly generation: number;
}

/**
 * Unlike a state it cannot be built anew, so it is never thrown away. One of an earlier form is opened as it is.
 * @throws VaultError where its key is missing, LogHeadDamagedError where it was found damaged.
 */
export async function openBase({ folder, keys, generation }: BasePlace): Promise<DerivedFiles> {
  const state = `base-${generation}`;
  const path = join(folder, state);
  const ids = `base-ids-${generation}`;
  if (!existsSync(join(path, "state.mdb"))) return openFiles({ folder, keys, state, ids });
  if (StateFile.isDamaged(path)) throw new LogHeadDamagedError(path);
  const file = StateFile.openAsItLies(path, keys?.find(state));
  if (file === undefined) {
    throw new VaultError(`${path} stands for the log's head, and its key is not in the vault: bring the vault back`);
  }
  const isOpen = StateFile.opensWith(path, undefined);
  return openFiles({ folder, keys: isOpen ? undefined : keys, state, ids, file });
}

/** Whether the base is of an earlier form, or open although there are keys: it is to be written anew. */
export function isEarlierBase({ folder, keys, generation }: BasePlace): boolean {
  const state = `base-${generation}`;
  if (keys === undefined || !existsSync(join(folder, state))) return false;
  const key = keys.find(state);
  return key === undefined || !StateFile.opensWith(join(folder, state), key);
}

/** Removes what other generations left, and destroys their keys. */
export function removeOtherBases({ folder, keys, generation }: BasePlace): void {
  removeFolders({ folder, keys }, (name) => {
    const found = /^base-(?:ids-)?(\d+)$/.exec(name);
    return found !== null && Number(found[1]) !== generation;
  });
}

function derivedOf(files: DerivedFiles, logStart: number): Derived {
  const options = { personsCachedMax: PERSONS_CACHED_MAX, logStart, clockMs: () => 0, look: () => {} };
  const derived = new Derived(files, options);
  derived.load();
  return derived;
}

/** Brings the base to `position`, or makes it; durable when it resolves. False where it was stopped on the way. */
export async function advanceBase(
  place: BasePlace,
  options: { log: SegmentLog; position: number; isStopped: () => boolean },
): Promise<boolean> {
  const { log, position, isStopped } = options;
  const derived = derivedOf(await openBase(place), log.start);
  try {
    if (derived.position >= position) return true;
    await derived.replay(log, derived.position, { to: position, onCorrupt: () => {}, isStopped });
    if (isStopped()) return false;
    // Events from before it are in no log any more: nobody asks for their ids.
    derived.forgetIds(position);
    await derived.checkpointer.take();
    return true;
  } finally {
    await derived.close();
  }
}

/** Fills empty files of a state from the base; they then stand at the base's position. */
export async function seedFromBase(files: DerivedFiles, place: BasePlace): Promise<DerivedFiles> {
  const base = await openBase(place);
  try {
    if (base.meta === undefined) return files;
    await copyRows(base.file, files.file, () => true);
    return { ...files, meta: await writeMeta(files.file, base.meta) };
  } finally {
    await base.file.close();
  }
}

/**
 * Writes the base anew, as generation `next`, without the persons of these jobs; what models learnt of them stays in it, as
 * nobody's. Resolves with the number of rows that were theirs.
 */
export async function eraseFromBase(
  place: BasePlace,
  options: { next: number; jobs: readonly ErasureJob[]; ledger: Erasures },
): Promise<number> {
  const { next, jobs, ledger } = options;
  const hashes = new Set(jobs.flatMap((job) => job.hashes));
  const isTheirs = (personKey: string): boolean => hashes.has(ledger.hashOf(personKey));
  const from = await openBase(place);
  const to = await openBase({ ...place, generation: next });
  const { meta } = from;
  if (meta === undefined) throw new Error(`${place.folder}: the base is empty`);
  const sizes = new Map(meta.segmentSizes);
  let [erased, persons, letters] = [0, 0, 0];
  try {
    await copyRows(from.file, to.file, (key, bytes) => {
      if (!rowNames(key, bytes).some(isTheirs)) return true;
      erased++;
      if (key.startsWith("p:")) persons++;
      if (key.startsWith("d:")) letters++;
      if (key.startsWith("m:")) {
        const segment = key.slice(2, key.indexOf("/"));
        sizes.set(segment, (sizes.get(segment) ?? 0) - 1);
      }
      return false;
    });
    const personsTotal = meta.personsTotal - persons;
    const deadLettersTotal = meta.deadLettersTotal - letters;
    const changed = { ...meta, personsTotal, deadLettersTotal, segmentSizes: [...sizes] };
    const derived = derivedOf({ ...to, meta: await writeMeta(to.file, changed) }, meta.position);
    const { recommender, decisions } = derived.fold;
    for (const person of new Set([...recommender.people(), ...decisions.open.people()])) {
      if (!isTheirs(person)) continue;
      recommender.forget(person);
      decisions.forget(person);
    }
    await derived.checkpointer.take();
    derived.closeIds();
  } finally {
    await from.file.close();
    await to.file.close();
  }
  return erased;
}

/** Person keys that a stored row names; the prefixes are those of tables.ts, persons.ts and memberships.ts. */
function rowNames(key: string, bytes: Uint8Array): string[] {
  const rest = key.slice(2);
  switch (key.slice(0, 2)) {
    case "p:":
      return [rest];
    case "x:":
      return [rest.slice(rest.indexOf(":") + 1)];
    case "m:":
    case "u:":
      return [rest.slice(rest.indexOf("/") + 1)];
    case "l:":
      return [rest, Buffer.from(bytes).toString("utf8")];
    case "d:": {
      const { body } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { body: unknown };
      return [...textsOf(body)].flatMap((text) => [userKeyOf(text), anonymousKeyOf(text)]);
    }
    default:
      return [];
  }
}

async function copyRows(
  from: StateFile,
  to: StateFile,
  isKept: (key: string, bytes: Uint8Array) => boolean,
): Promise<void> {
  const giveWay = givingWay();
  let rows = 0;
  for (const [key, bytes] of from.all()) {
    if (key === META_KEY || !isKept(key, bytes)) continue;
    to.write(key, bytes);
    if (++rows % ROWS_A_COMMIT === 0) await to.commit();
    const turn = giveWay();
    if (turn !== undefined) await turn;
  }
}

/** Last: files without it count as empty. */
async function writeMeta(file: StateFile, meta: CheckpointMeta): Promise<CheckpointMeta> {
  const written = { ...meta, idRuns: [] };
  file.write(META_KEY, Buffer.from(JSON.stringify(written)));
  await file.commit();
  return written;
}
