// The proof that state is a function of the log: folds the whole log anew beside the project and compares every person,
// both brought to one moment, and everything that decisions have led to, byte for byte.
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lookAgain } from "../../core/engine.ts";
import { encodePerson } from "../../core/profile/person.ts";
import type { LogFault } from "../log/log.ts";
import { StateFile } from "../state/state-file.ts";
import { seedFromBase } from "./base.ts";
import { Derived, type DerivedFiles } from "./derived.ts";
import type { Fold } from "./fold.ts";
import type { EmbeddedProject } from "./project.ts";

export interface Difference {
  key: string;
  /** What is wrong: the profile, or what a slot or an experiment holds, differs, is not in the log, or is missing. */
  kind: "differs" | "not_in_log" | "not_stored";
}

export interface Verification {
  records: number;
  persons: number;
  differences: Difference[];
  /** Stretches of the log that are not what was written. */
  faults: LogFault[];
}

/** Differences that are named; more are not looked for. */
const DIFFERENCES_MAX = 1_000;
const PAGE = 1_000;
const PERSONS_CACHED_MAX = 12_000;

/** The project must not be written to meanwhile. */
export async function verifyProject(
  project: EmbeddedProject,
  options: { onProgress?: (share: number) => void; now: () => number },
): Promise<Verification> {
  const folder = await mkdtemp(join(tmpdir(), "attune-verify-"));
  // What lies in the folder of temporary files is closed with a key that nobody ever sees.
  const idsKey = project.isClosed ? createSecretKey(randomBytes(32)) : undefined;
  const file = StateFile.open(join(folder, "state"), idsKey);
  let fresh: Derived | undefined;
  try {
    const { log } = project;
    let files: DerivedFiles = { file, idsFolder: join(folder, "ids"), idsKey, meta: undefined };
    // Where retention has taken the log's head away, the base stands for it.
    if (project.base !== undefined) files = await seedFromBase(files, project.base);
    fresh = new Derived(files, {
      personsCachedMax: PERSONS_CACHED_MAX,
      logStart: log.start,
      clockMs: () => 0,
      look: () => {},
    });
    fresh.load();
    const { fold } = fresh;
    const faults: LogFault[] = [];
    const from = fresh.position;
    const records = await fresh.replay(log, from, {
      onCorrupt: (fault) => faults.push(fault),
      onProgress: (position) => options.onProgress?.((position - from) / (log.end - from)),
    });
    // Not earlier: the project's timers have gone on bringing persons to their now.
    const differences = compare(project.fold, fold, Math.max(options.now(), project.clockMs));
    return { records, persons: fold.persons.total, differences, faults };
  } finally {
    fresh?.closeIds();
    await file.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function compare(stored: Fold, fresh: Fold, nowMs: number): Difference[] {
  const differences: Difference[] = [];
  const bytesOf = (fold: Fold, key: string): Uint8Array | undefined => {
    const person = fold.persons.get(key);
    if (person === undefined) return undefined;
    lookAgain(person, nowMs, fold.programs);
    return encodePerson(person);
  };
  for (const key of fresh.persons.all()) {
    if (differences.length >= DIFFERENCES_MAX) return differences;
    const [expected, actual] = [bytesOf(fresh, key)!, bytesOf(stored, key)];
    if (actual === undefined) differences.push({ key, kind: "not_stored" });
    else if (Buffer.compare(expected, actual) !== 0) differences.push({ key, kind: "differs" });
  }
  for (const key of stored.persons.all()) {
    if (differences.length >= DIFFERENCES_MAX) break;
    if (fresh.persons.get(key) === undefined) differences.push({ key, kind: "not_in_log" });
  }
  return [...differences, ...compareDecisions(stored, fresh)].slice(0, DIFFERENCES_MAX);
}

function compareDecisions(stored: Fold, fresh: Fold): Difference[] {
  const differences: Difference[] = [];
  const left = new Map([...stored.decisions.rows(), ...unitRows(stored)]);
  for (const [key, expected] of [...fresh.decisions.rows(), ...unitRows(fresh)]) {
    const actual = left.get(key);
    left.delete(key);
    if (actual === undefined) differences.push({ key, kind: "not_stored" });
    else if (Buffer.compare(expected, actual) !== 0) differences.push({ key, kind: "differs" });
  }
  for (const key of left.keys()) differences.push({ key, kind: "not_in_log" });
  return differences;
}

/** Of a run that is forgotten persons go a few at a time, in the order of the file, which two closed files do not share. */
function* unitRows({ units, decisions }: Fold): Generator<[name: string, bytes: Uint8Array]> {
  const runs = new Set([...decisions.experiments.rows()].map(([run]) => run));
  let after: string | undefined;
  while (true) {
    const page = units.page({ ...(after === undefined ? {} : { after }), limit: PAGE });
    for (const [key, bytes] of page) {
      if (runs.has(key.slice(0, key.indexOf("/")))) yield [`experiment unit ${key}`, bytes];
    }
    if (page.length < PAGE) return;
    after = page.at(-1)![0];
  }
}
