// Disks that rot: one byte of a stopped node's folder is changed, or a file is cut, and the folder is opened again. The node
// may notice and say so, or it may not matter; it must never serve a wrong value in silence.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Rng, rngFrom } from "../../core/math/rng.ts";
import { KEY_FILE } from "../../server/access/key-file.ts";
import { openKeyRing } from "../../server/access/key-ring.ts";
import { FAULTS_PROGRAM, type FaultTally, Ledger, newTally } from "./ledger.ts";
import { settle } from "./load.ts";
import { putProgram, readyNode } from "./node.ts";
import type { Served, Trial } from "./rot-trial.ts";

const TRIAL = fileURLToPath(new URL("./rot-trial.ts", import.meta.url));
const PERSONS = 30;
const EVENTS = 600;

export interface RotOptions {
  folder: string;
  flips: number;
  truncations: number;
  seed: number;
  /** The negative control: the folder is read as it is after another event, so that the rig must see a wrong value. */
  unnoticed?: boolean;
  onRound?: (tally: FaultTally) => void;
}

/** `lost` counts wrong values that were served in silence; `by` says what became of each damage, and where it was. */
export async function rot(options: RotOptions): Promise<FaultTally> {
  const rng = rngFrom(options.seed);
  const tally = newTally();
  const trials = options.flips + options.truncations;
  // The log open and closed with keys: the two formats notice in their own ways.
  for (const encryption of ["off", "on"] as const) {
    const share = encryption === "off" ? Math.ceil(trials / 2) : Math.floor(trials / 2);
    if (share === 0) continue;
    const base = await filledFolder(join(options.folder, `base-${encryption}`), encryption, rng);
    const opener = openerOf(base.environment);
    try {
      for (let i = 0; i < share; i++) {
        const isFlip = rng.between(1, trials) <= options.flips;
        await oneTrial({ base, opener, isFlip, rng, tally, unnoticed: options.unnoticed === true });
        options.onRound?.(tally);
      }
    } finally {
      opener.stop();
    }
    tally.sent += base.events;
    tally.acked += base.events;
  }
  return tally;
}

interface Base {
  folder: string;
  kekFolder: string;
  environment: Record<string, string>;
  users: string[];
  keys: string[];
  events: number;
  expected: Served;
}

async function filledFolder(folder: string, encryption: "on" | "off", rng: Rng): Promise<Base> {
  const kekFolder = `${folder}-kek`;
  const environment = { ATTUNE_ENCRYPTION: encryption, ATTUNE_KEK_FOLDER: kekFolder };
  const ledger = new Ledger();
  ledger.newPersons(PERSONS);
  const node = await readyNode({ dataFolder: folder, environment });
  await putProgram(node.url, FAULTS_PROGRAM);
  ledger.newEvents(rng, EVENTS);
  await settle(node.url, ledger, rng);
  await node.stop();
  const ring = openKeyRing(join(folder, KEY_FILE), Date.now);
  const roles = ["admin", "read", "write", "operator"] as const;
  const issued = await Promise.all(roles.map((role) => ring.issue({ project: "default", role, name: role })));
  await ring.revoke(issued[3]!.stored.id);
  const keys = issued.map(({ key }) => key);
  const base = { folder, kekFolder, environment, users: ledger.userIds(), keys, events: EVENTS };
  const opener = openerOf(environment);
  const copy = `${folder}-copy`;
  cpSync(folder, copy, { recursive: true });
  const whole = await opener.open({ folder: copy, users: base.users, keys });
  opener.stop();
  rmSync(copy, { recursive: true });
  assert.deepEqual([whole?.first.refused, whole?.first.reports, whole?.first.keys[3]], [undefined, [], null]);
  return { ...base, expected: whole!.first };
}

interface TrialOptions {
  base: Base;
  opener: Opener;
  isFlip: boolean;
  rng: Rng;
  tally: FaultTally;
  unnoticed: boolean;
}

async function oneTrial({ base, opener, isFlip, rng, tally, unnoticed }: TrialOptions): Promise<void> {
  const folder = `${base.folder}-trial`;
  cpSync(base.folder, folder, { recursive: true });
  const file = pickFile(folder, rng);
  const damage = isFlip ? flip(file, rng) : cut(file, rng);
  const expected = unnoticed ? { ...base.expected, lists: "something else" } : base.expected;
  const answer = await opener.open({ folder, users: base.users, keys: base.keys });
  const outcome = outcomeOf(answer, expected);
  const place = relative(folder, file).replace(/\d+/g, "N");
  tally.rounds++;
  const what = `${outcome} ${damage.kind} in ${place}`;
  tally.by[what] = (tally.by[what] ?? 0) + 1;
  if (outcome === "WRONG") {
    tally.lost++;
    process.stderr.write(`wrong after a ${damage.kind} at ${damage.at} of ${relative(folder, file)}\n`);
  }
  rmSync(folder, { recursive: true });
}

interface Answer {
  first: Served;
  again?: Served;
}

/**
 * `harmless`: everything as before. `told`: the node said that something is missing, and what it serves is right or lacks
 * it. `refused`: it did not open and said why. `rebuilt`: found while it was read, right after the next start. `died`: the
 * process fell over it.
 */
function outcomeOf(answer: Answer | undefined, expected: Served): string {
  if (answer === undefined) return "died";
  const { first, again } = answer;
  if (again !== undefined) return outcomeOf({ first: again }, expected) === "WRONG" ? "WRONG" : "rebuilt";
  if (first.refused !== undefined) return "refused";
  const isSame = (["profiles", "lists", "keys"] as const).every(
    (part) => JSON.stringify(first[part]) === JSON.stringify(expected[part]),
  );
  if (isSame) return first.reports.length > 0 ? "told" : "harmless";
  if (first.reports.length === 0) return "WRONG";
  const isLess = Object.entries(first.profiles).every(([id, figures]) => {
    const whole = expected.profiles[id]!;
    return figures === null || (figures.hits <= whole!.hits && figures.total <= whole!.total);
  });
  return isLess && JSON.stringify(first.keys) === JSON.stringify(expected.keys) ? "told" : "WRONG";
}

function pickFile(folder: string, rng: Rng): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size > 0 && !/\/(lock|holder|reserve)$|-lock$/.test(path))
    .sort();
  return files[rng.between(0, files.length - 1)]!;
}

interface Damage {
  kind: "flip" | "cut";
  at: number;
}

function flip(file: string, rng: Rng): Damage {
  const bytes = readFileSync(file);
  const at = rng.between(0, bytes.length - 1);
  bytes[at]! ^= 1 << rng.between(0, 7);
  writeFileSync(file, bytes);
  return { kind: "flip", at };
}

function cut(file: string, rng: Rng): Damage {
  const at = rng.between(0, statSync(file).size - 1);
  truncateSync(file, at);
  return { kind: "cut", at };
}

interface Opener {
  /** What the folder serves; undefined where the process died over it. */
  open(trial: Trial): Promise<Answer | undefined>;
  stop(): void;
}

function openerOf(environment: Record<string, string>): Opener {
  let child: ChildProcess | undefined;
  let lines: AsyncIterator<string> | undefined;
  const start = (): ChildProcess => {
    const args = ["--disable-warning=ExperimentalWarning", TRIAL];
    const env = { ...process.env, ...environment };
    const started = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "ignore"] });
    started.stdin!.on("error", () => {}); // it has died: its answer does not come
    lines = createInterface(started.stdout!)[Symbol.asyncIterator]();
    return started;
  };
  return {
    async open(trial) {
      child ??= start();
      child.stdin!.write(`${JSON.stringify(trial)}\n`);
      const line = await lines!.next();
      if (line.done !== true) return JSON.parse(line.value) as Answer;
      child = undefined;
      return undefined;
    },
    stop: () => void child?.stdin!.end(),
  };
}
