// Learns the program's families of segments beside the serving: reads a sample of profiles in short slices, has a worker
// find the groups, and puts what it found in force as a new version of the program. Only that version changes who is in
// which segment, so a replay needs no training, and everybody is brought to it as to any other program.
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { LearnedFamily } from "../../core/cluster/learned.ts";
import { interestColumn, readColumn } from "../../core/cluster/profile-vector.ts";
import { movedShare, SAMPLE_MAX, type Sample } from "../../core/cluster/train.ts";
import { isGranted } from "../../core/consent/consent.ts";
import { hash32 } from "../../core/math/hash.ts";
import { modelConfig } from "../../core/model/config.ts";
import { sharesOf } from "../../core/profile/interests.ts";
import type { PersonState } from "../../core/profile/person.ts";
import type { CompiledFamily, CompiledProgram } from "../../core/program/compiled.ts";
import type { PersonWalk } from "../embedded/persons.ts";
import type { FamilyTraining } from "./family-worker.ts";

const LOOK_EVERY_MS = 60_000;
const SLICE_PERSONS = 50;
const PAUSE_MS = 5;
const INTEREST_COLUMNS_MAX = 24;
const INTERACTIONS_MIN = 3; // Who has done less is not somebody yet.
const PERSONS_MIN = 5; // A group of fewer would be about someone.
const MOVED_MIN = 0.02; // Less than this, and nothing new is put in force.
const SEED = 0x5e6a;

export interface FamilyTrainerOptions {
  readonly program: () => CompiledProgram;
  readonly walk: () => PersonWalk;
  readonly person: (key: string) => PersonState | undefined;
  readonly personsTotal: () => number;
  readonly nowMs: () => number;
  /** Puts what was learnt in force. */
  readonly write: (name: string, family: LearnedFamily) => Promise<void>;
  readonly onFailed: (error: Error) => void;
}

export class FamilyTrainer {
  readonly #options: FamilyTrainerOptions;
  /** When each family, by its name, was last looked at in vain, and what was known of it then. */
  readonly #looks = new Map<string, { readonly atMs: number; readonly key: string; readonly trainedMs: number }>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<number> | null = null;
  #worker: Worker | null = null;
  #stopped = false;

  constructor(options: FamilyTrainerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.train("due").catch((error: unknown) => this.#options.onFailed(error as Error));
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#worker?.terminate();
    await this.#running?.catch(() => {});
  }

  /** Trains what is due, or all; the number of families that were put in force. */
  train(which: "due" | "all"): Promise<number> {
    this.#running ??= this.#train(which).finally(() => (this.#running = null));
    return this.#running;
  }

  async #train(which: "due" | "all"): Promise<number> {
    const { program, nowMs, write } = this.#options;
    let written = 0;
    for (const family of familiesOf(program())) {
      const { key, learned } = family;
      const trainedMs = learned?.trained_at ?? -Infinity;
      const look = this.#looks.get(family.name);
      // What a look found goes with the definition, when the program takes it out; one that comes back begins anew.
      const lastMs = look?.key === key && look.trainedMs === trainedMs ? look.atMs : trainedMs;
      if (this.#stopped || (which === "due" && nowMs() - lastMs < family.everyMs)) continue;
      this.#looks.set(family.name, { atMs: nowMs(), key, trainedMs });
      const sample = await this.#sample(family);
      const { learned: before } = family;
      if (sample === undefined) continue;
      const found = await this.#work(family, sample, before);
      if (found === undefined || found.groups.length === 0) continue;
      if (before !== undefined && movedShare(sample, before, found) < MOVED_MIN) continue;
      await write(family.name, found);
      this.#looks.delete(family.name); // When it was trained is in what was learnt.
      written++;
    }
    return written;
  }

  /** Rows of persons that a hash picks, so that a training sees the same ones as the one before. */
  async #sample({ method, interests, features }: CompiledFamily): Promise<Sample | undefined> {
    const { walk, person, personsTotal, program } = this.#options;
    const share = SAMPLE_MAX[method] / Math.max(1, personsTotal());
    const rows: { interests: [string, number][]; features: number[] }[] = [];
    const weights = new Map<string, number>();
    const everybody = walk();
    while (rows.length < SAMPLE_MAX[method] && !this.#stopped) {
      const page = everybody.next(SLICE_PERSONS);
      if (page.length === 0) break;
      for (const key of page) {
        if (hash32(key, SEED) / 4_294_967_296 >= share) continue;
        const state = person(key);
        if (state === undefined || state.interactions < INTERACTIONS_MIN) continue;
        if (!isGranted(state.consent, "profiling", program().consentDefault)) continue;
        const shares = interests ? sharesOf(state.categories) : [];
        for (const [name, part] of shares) weights.set(name, (weights.get(name) ?? 0) + part);
        rows.push({ interests: shares, features: features.map((column) => readColumn(state, column)) });
      }
      await pause(PAUSE_MS, undefined, { ref: false });
    }
    if (this.#stopped || rows.length < 2 * PERSONS_MIN) return undefined;
    const names = [...weights].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, INTEREST_COLUMNS_MAX).map(([name]) => name);
    const values = rows.map((row) => {
      const own = new Map(row.interests);
      return Float64Array.from([...names.map((name) => own.get(name) ?? 0), ...row.features]);
    });
    return { columns: [...names.map(interestColumn), ...features], values };
  }

  #work(family: CompiledFamily, sample: Sample, before: LearnedFamily | undefined): Promise<LearnedFamily | undefined> {
    const { key, method, groupsMax, leastShare, reach } = family;
    const { minPersons } = modelConfig(this.#options.program().models).crowd;
    const leastSize = Math.max(PERSONS_MIN, minPersons, Math.ceil(leastShare * sample.values.length));
    const time = { atMs: this.#options.nowMs(), seed: SEED };
    const data: FamilyTraining = { sample, before, settings: { key, method, groupsMax, leastSize, reach }, time };
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./family-worker.ts", import.meta.url), { workerData: data });
      this.#worker = worker;
      worker.unref();
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => {
        this.#worker = null;
        if (this.#stopped) resolve(undefined);
        else reject(new Error("the thread that learns segments ended without any"));
      });
    });
  }
}

function familiesOf({ segments }: CompiledProgram): CompiledFamily[] {
  return segments.flatMap(({ family, number }) => (family !== undefined && number === 0 ? [family] : []));
}
