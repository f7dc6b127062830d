// What a project forgets: erasures and retention, one after the other, because both change the log's old segments. An
// erasure then derives everything from the log once more, beside what serves.
import { uuidv7 } from "uuidv7";
import { formatTimestamp } from "../../core/event/time.ts";
import { refOfKey } from "../../core/identity/identity.ts";
import { ANONYMOUS_IDS_MAX } from "../../core/profile/state.ts";
import type { LogRecord, PersonRef } from "../../core/record.ts";
import type { SegmentLog } from "../log/log.ts";
import { givingWay } from "../giving-way.ts";
import type { ErasureStatus, OwnAct } from "../ports.ts";
import type { ErasureJob, ErasureProof, Erasures } from "../privacy/erasures.ts";
import type { RetentionPolicy, RetentionReport } from "../privacy/retention.ts";
import { StateFile } from "../state/state-file.ts";
import { type BasePlace, eraseFromBase, removeOtherBases, seedFromBase } from "./base.ts";
import {
  openDerivedFiles,
  removeOthers,
  stateFolder,
  type Derived,
  type DerivedFiles,
  type ProjectFolder,
} from "./derived.ts";
import { eraseFromLog, ErasureStopped, type LogProofs } from "./erasing.ts";
import { applyRetention, rollOld } from "./retaining.ts";

const ERASURE_AGAIN_MS = 30_000;
/** Retention runs so often, and a little after each start. */
const RETAIN_EVERY_MS = 6 * 3_600_000;
const RETAIN_FIRST_MS = 60_000;
/** Bytes of the log that are folded while writes wait, when the state that was built anew takes over. */
const LAST_STEP_BYTES = 256 * 1024;
const DEVICES_A_WRITE = 500;
/** A page of links looks through all that changed since the last checkpoint. */
const LINKS_A_PAGE = 20_000;

/** The project as its forgetting sees it. */
export interface ForgettingHost {
  readonly place: ProjectFolder;
  /** The log's segments have keys. */
  readonly isClosed: boolean;
  readonly log: SegmentLog;
  readonly ledger: Erasures;
  readonly policy: RetentionPolicy;
  nowMs(): number;
  /** By the machine's clock, which may have been set back: what it was ahead by once makes nothing old. */
  machineMs(): number;
  /** The host goes down. */
  isStopped(): boolean;
  /** What serves. */
  derived(): Derived;
  derive(files: DerivedFiles): Derived;
  /** `next` serves from now on; called while writes wait. */
  replace(next: Derived): void;
  /** No write comes between. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  write(records: number, prepare: (atMs: number) => LogRecord[]): Promise<void>;
  checkpoint(): Promise<void>;
  /** For the audit trail. */
  acted(action: OwnAct["action"], details: OwnAct["details"]): void;
  onErasureFailed(error: Error): void;
  onRetentionFailed(error: Error): void;
}

export class Forgetting {
  readonly #host: ForgettingHost;
  #erasing: Promise<void> | null = null;
  #erasureTimer: NodeJS.Timeout | null = null;
  #retaining: Promise<RetentionReport | undefined> | null = null;
  #retentionTimer: NodeJS.Timeout | null = null;
  #retained: RetentionReport | undefined;
  #rolling: Promise<void> | null = null;
  /** Names of whoever is not out of the log yet, oldest job first. */
  readonly #forgotten = new Map<ErasureJob, readonly string[]>();

  constructor(host: ForgettingHost) {
    this.#host = host;
  }

  /** What stands for the log's head; undefined where the log is whole. */
  get base(): BasePlace | undefined {
    return baseOf(this.#host.place, this.#host.ledger);
  }

  /** What the last run of retention did; undefined before the first. */
  get retained(): RetentionReport | undefined {
    return this.#retained;
  }

  /** What comes in from now on does not stand behind what an earlier process wrote long ago, and goes with its own time. */
  rollOld(): void {
    const { log, nowMs, exclusive, onRetentionFailed } = this.#host;
    const roll = (): Promise<unknown> => exclusive(() => log.roll());
    this.#rolling = rollOld({ log, nowMs, roll }).catch((error: unknown) => onRetentionFailed(error as Error));
  }

  start(): void {
    this.#retainAfter(RETAIN_FIRST_MS);
  }

  /** What is under way ends early and goes on at the next start. Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    if (this.#erasureTimer !== null) clearTimeout(this.#erasureTimer);
    if (this.#retentionTimer !== null) clearTimeout(this.#retentionTimer);
    await this.#rolling;
    await this.#retaining?.catch(() => {});
    await this.#erasing;
  }

  /** Takes the job down, from when on the person is served no more, and begins to work it off. */
  async erase(ref: PersonRef): Promise<ErasureStatus> {
    const { exclusive, ledger, log, nowMs } = this.#host;
    const had = await this.#takeDevices(ref);
    const job = await exclusive(async () => {
      const { fold } = this.#host.derived();
      // A visitor whose login was on its way: what he did is the user's from there on.
      if (had.length === 1 && fold.keyNow(ref) !== had[0]) return undefined;
      const before = await log.roll();
      const names = [...new Set([...had, ...fold.namesOf(had[0]!)])];
      const hashes = names.map((name) => ledger.hashOf(name));
      const job: ErasureJob = { job_id: uuidv7(), status: "running", at: nowMs(), before, hashes };
      await ledger.save(job);
      fold.forget(names);
      this.#forgotten.set(job, names);
      return job;
    });
    if (job === undefined) return this.erase(ref);
    this.#eraseSoon();
    return statusOf(job);
  }

  /**
   * Takes his devices from him and says what his names were, the person's key first. Of a device that somebody else had
   * before the log keeps that: once his own records are gone, it would lead to the other again.
   */
  async #takeDevices(ref: PersonRef): Promise<string[]> {
    const namesNow = (): string[] => {
      const { fold } = this.#host.derived();
      return fold.namesOf(fold.keyNow(ref));
    };
    let names = namesNow();
    const older = await this.#olderDevices(names[0]!);
    if (names.length + older.length === 1) return names;
    const expiry = (device: string, at: number): LogRecord => ({ kind: "expiry", at, names: [device] });
    const isHis = (device: string): boolean => this.#host.derived().fold.keyNow(refOfKey(device)) === names[0];
    const taken: string[] = [];
    for (let i = 0; i < older.length; i += DEVICES_A_WRITE) {
      const some = older.slice(i, i + DEVICES_A_WRITE);
      await this.#host.write(some.length, (atMs) => {
        const his = some.filter(isHis);
        taken.push(...his);
        return his.map((device) => expiry(device, atMs));
      });
    }
    await this.#host.write(names.length, (atMs) => {
      names = namesNow();
      return names.slice(1).map((device) => expiry(device, atMs));
    });
    return [...names, ...taken];
  }

  /** Where he has had more devices than his profile names: all others that lead to him. */
  async #olderDevices(key: string): Promise<string[]> {
    const { fold } = this.#host.derived();
    if ((fold.persons.get(key)?.anonymousIds.length ?? 0) < ANONYMOUS_IDS_MAX) return [];
    const named = new Set(fold.namesOf(key));
    const older: string[] = [];
    const giveWay = givingWay();
    for (let after: string | undefined; ; ) {
      const page = fold.links.page({ ...(after === undefined ? {} : { after }), limit: LINKS_A_PAGE });
      for (const [device, user] of page) {
        if (Buffer.from(user).toString("utf8") === key && !named.has(device)) older.push(device);
      }
      if (page.length < LINKS_A_PAGE) return older;
      after = page.at(-1)![0];
      const turn = giveWay();
      if (turn !== undefined) await turn;
      // Another erasure has put a new state in its place.
      if (this.#host.derived().fold !== fold) return this.#olderDevices(key);
    }
  }

  /** Undefined: no such job. */
  status(jobId: string): ErasureStatus | undefined {
    const job = this.#host.ledger.job(jobId);
    return job === undefined ? undefined : statusOf(job);
  }

  /** Applies retention now; undefined where the host goes down. A call while one runs waits for that. */
  async retain(): Promise<RetentionReport | undefined> {
    await this.#erasing;
    this.#retaining ??= this.#retain().finally(() => (this.#retaining = null));
    return this.#retaining;
  }

  /** The new state is on disk before the old one goes, and both before a job is done: a crash before does it again. */
  async finish(logProofs: LogProofs, records: number, old?: Derived): Promise<void> {
    const { ledger, place, nowMs, acted } = this.#host;
    await this.#host.checkpoint();
    await ledger.setGeneration(ledger.generation + 1);
    await old?.close();
    removeOthers(place, ledger.generation);
    const doneAt = formatTimestamp(nowMs());
    const proofs = new Map<ErasureJob, ErasureProof>();
    for (const [job, proof] of logProofs) {
      const state = { rebuilt_from_records: records };
      proofs.set(job, { erased_at: formatTimestamp(job.at), done_at: doneAt, ...proof, state });
    }
    // In the trail before anybody is told that it is done; a crash in between does the job, and says so, once more.
    for (const [{ job_id }, proof] of proofs) acted("erasure done", { job_id, ...figuresOf(proof) });
    await ledger.done(proofs);
  }

  async #retain(): Promise<RetentionReport | undefined> {
    const { place, log, ledger, policy, machineMs, isStopped, write, exclusive, acted } = this.#host;
    await this.#host.checkpoint();
    const report = await applyRetention({
      place,
      log,
      ledger,
      fold: () => this.#host.derived().fold,
      policy,
      nowMs: machineMs,
      isStopped: () => isStopped() || ledger.running().length > 0,
      write,
      roll: () => exclusive(() => log.roll()),
      checkpointed: () => this.#host.derived().checkpointer.position,
    });
    if (report !== undefined) {
      this.#retained = report;
      const { log: figures, ...counts } = report;
      acted("retention", { ...counts, ...figures });
    }
    this.#host.derived().forgetIds(log.start);
    return report;
  }

  #retainAfter(ms: number): void {
    this.#retentionTimer = setTimeout(() => {
      this.retain()
        .catch((error: unknown) => this.#host.onRetentionFailed(error as Error))
        .finally(() => this.#host.isStopped() || this.#retainAfter(RETAIN_EVERY_MS));
    }, ms).unref();
  }

  #eraseSoon(): void {
    if (!this.#host.isStopped()) this.#erasing ??= this.#workOff().finally(() => (this.#erasing = null));
  }

  /** Works off the jobs that run, all that came together at once; one that fails is tried again. */
  async #workOff(): Promise<void> {
    const { log, ledger, place, isClosed, isStopped } = this.#host;
    try {
      await this.#retaining?.catch(() => {});
      while (ledger.running().length > 0) {
        const jobs = ledger.running();
        const proofs = await eraseFromLog({ log, jobs, ledger, isClosed, isStopped });
        await eraseBase({ place, jobs, ledger, proofs });
        for (const job of jobs) this.#forgotten.delete(job);
        const { old, records } = await this.#rebuild();
        await this.finish(proofs, records, old);
      }
    } catch (error) {
      if (isStopped() || error instanceof ErasureStopped) return;
      this.#host.onErasureFailed(error as Error);
      this.#erasureTimer = setTimeout(() => this.#eraseSoon(), ERASURE_AGAIN_MS).unref();
    }
  }

  /** Derives everything from the log once more, beside what serves, and puts it in its place. */
  async #rebuild(): Promise<{ old: Derived; records: number }> {
    const { place, log, ledger, isStopped, exclusive, derive, replace } = this.#host;
    const old = this.#host.derived();
    const generation = ledger.generation + 1;
    StateFile.remove(stateFolder(place.folder, generation));
    let files = await openDerivedFiles(place, generation);
    if (this.base !== undefined) files = await seedFromBase(files, this.base);
    const next = derive(files);
    next.load();
    const onCorrupt = (): void => {};
    let records = 0;
    const again = new Set<ErasureJob>();
    try {
      await next.rememberEarlier(log, isStopped);
      const step = async (): Promise<void> => {
        // Whose turn is the next one's is still in the log: he is forgotten where what serves has forgotten him.
        for (const [job, names] of this.#forgotten) {
          if (again.has(job)) continue;
          records += await next.replay(log, next.position, { to: job.before, onCorrupt, isStopped });
          next.fold.forget(names);
          again.add(job);
        }
        records += await next.replay(log, next.position, { onCorrupt, isStopped });
        if (isStopped()) throw new ErasureStopped("the host goes down");
      };
      do await step();
      while (log.end - next.position > LAST_STEP_BYTES);
      await exclusive(async () => {
        await step();
        replace(next);
      });
    } catch (error) {
      await next.close();
      throw error;
    }
    next.sweep.start(next.fold.programs.current.version);
    await old.checkpointer.settled();
    return { old, records };
  }
}

export function baseOf(place: ProjectFolder, { base }: Erasures): BasePlace | undefined {
  return base === 0 ? undefined : { ...place, generation: base };
}

/** Takes persons out of the base, where there is one: a new one takes its place. */
export async function eraseBase(of: {
  place: ProjectFolder;
  jobs: readonly ErasureJob[];
  ledger: Erasures;
  proofs: LogProofs;
}): Promise<void> {
  const { place, jobs, ledger, proofs } = of;
  const base = baseOf(place, ledger);
  if (base === undefined) return;
  removeOtherBases(base);
  const next = base.generation + 1;
  const rowsErased = await eraseFromBase(base, { next, jobs, ledger });
  for (const job of jobs) proofs.get(job)!.base = { rows_erased: rowsErased };
  await ledger.setBase(next);
  removeOtherBases({ ...place, generation: next });
}

/** The proof for the trail, which holds no nested values. */
function figuresOf({ erased_at, done_at, log, state, scan, base }: ErasureProof): OwnAct["details"] {
  return { erased_at, done_at, ...log, ...state, ...scan, ...base };
}

function statusOf({ job_id, status, proof }: ErasureJob): ErasureStatus {
  return { job_id, status, ...(proof === undefined ? {} : { proof: { ...proof } }) };
}
