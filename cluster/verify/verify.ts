// The proof that what servers answer from is a function of the log: folds a project's whole log anew, and compares
// every person with the newest value in `profiles` and with his row in Redis.
import { lookAgain } from "../../core/engine.ts";
import { encodePerson, type PersonState } from "../../core/profile/person.ts";
import { setTimeout } from "node:timers/promises";
import { ErasureBook } from "../erasure/book.ts";
import { readBook } from "../erasure/read-book.ts";
import { readCommitted } from "../kafka/committed.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { MergedLog } from "../kafka/merged-log.ts";
import { personOf } from "../operator/key-state.ts";
import type { ProfileStore } from "../redis/profile-store.ts";
import { decodeDocument, readable } from "../wire/documents.ts";
import { decodeProfile, type ProfileValue } from "../wire/profile.ts";
import type { ProjectTopics } from "../wire/topics.ts";
import { LogFold } from "./log-fold.ts";
import { openScratch, rowKey, type Scratch } from "./scratch.ts";

export interface Difference {
  readonly key: string;
  readonly where: "profiles" | "redis";
  /** `behind`: fewer records were applied than the log has; `ahead`: more; `differs`: as many, and other bytes. */
  readonly kind: "differs" | "missing" | "behind" | "ahead" | "not_in_log";
}

export interface Verification {
  readonly records: number;
  readonly duplicates: number;
  readonly persons: number;
  /** Records whose code threw. */
  readonly thrown: number;
  readonly differences: readonly Difference[];
}

export interface VerifyOptions {
  readonly connection: KafkaConnection;
  readonly topics: ProjectTopics;
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** Rows in Redis are compared too, where it is given. */
  readonly store?: ProfileStore;
  readonly now: () => number;
  readonly onProgress?: (records: number) => void;
}

/** Differences that are named; more are not looked for. */
const DIFFERENCES_MAX = 1_000;
/** Looks at a log that goes on: the job may be behind, or ahead of what was read. */
const ROUNDS_MAX = 20;
const ROUND_PAUSE_MS = 1_000;
const REDIS_READS_AT_ONCE = 100;

/** Ends when nothing differs, or when what differs is no longer on its way. */
export async function verifyCluster(options: VerifyOptions): Promise<Verification> {
  const scratch = openScratch();
  try {
    const erasures = new ErasureBook();
    const fold = new LogFold(scratch, erasures);
    for await (const records of readCommitted({ ...options, topic: options.topics.control, partition: 0 }))
      for (const { value } of records) addProgramOf(fold, value!);
    const log = new MergedLog(options, options.topics.log);
    const profiles = new PublishedProfiles(options, scratch);
    let differences: Difference[] = [];
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (round > 0) await setTimeout(ROUND_PAUSE_MS);
      await readBook(erasures, options.connection, options.topics.erasures);
      fold.forgetErased();
      for await (const records of log.read()) {
        fold.apply(records);
        options.onProgress?.(fold.recordsTotal);
      }
      fold.release();
      await profiles.read();
      differences = await compare(fold, profiles, options);
      // What has other bytes at the same place in the log stays different.
      if (differences.every(({ kind }) => kind === "differs" || kind === "not_in_log")) break;
    }
    const persons = [...fold.keys()].length;
    const { recordsTotal: records, duplicatesTotal: duplicates, thrownTotal: thrown } = fold;
    return { records, duplicates, persons, thrown, differences };
  } finally {
    await scratch.close();
  }
}

function addProgramOf(fold: LogFold, value: Buffer): void {
  const document = readable((bytes) => decodeDocument("control", bytes), value);
  if (document?.kind === "program")
    fold.addProgram({ version: document.version, atMs: document.at, document: document.document });
}

/** The newest committed value of each key. */
class PublishedProfiles {
  readonly #options: VerifyOptions;
  readonly #rows: ReturnType<Scratch["rows"]>;
  readonly #scratch: Scratch;
  readonly #positions: (number | undefined)[];

  constructor(options: VerifyOptions, scratch: Scratch) {
    this.#options = options;
    this.#scratch = scratch;
    this.#rows = scratch.rows("profiles");
    this.#positions = Array.from({ length: options.partitions.get(options.topics.profiles)! });
  }

  async read(): Promise<void> {
    const { connection, topics } = this.#options;
    for (const [partition, fromOffset] of this.#positions.entries()) {
      const from = fromOffset === undefined ? {} : { fromOffset };
      for await (const records of readCommitted({ connection, topic: topics.profiles, partition, ...from })) {
        this.#scratch.batch(() => {
          for (const { key, value } of records) {
            if (value === null) this.#rows.removeSync(rowKey(key!));
            else this.#rows.putSync(rowKey(key!), value);
          }
        });
        this.#positions[partition] = records.at(-1)!.offset + 1;
      }
    }
  }

  get(key: string): ProfileValue | undefined {
    const bytes = this.#rows.get(rowKey(key));
    return bytes === undefined ? undefined : decodeProfile(bytes);
  }

  *keys(): Generator<string> {
    for (const key of this.#rows.getKeys()) yield key.toString("utf8", 2);
  }
}

async function compare(fold: LogFold, published: PublishedProfiles, options: VerifyOptions): Promise<Difference[]> {
  const { store } = options;
  // Not earlier: timers have gone on bringing persons to their now.
  const nowMs = options.now();
  const differences: Difference[] = [];
  const add = (key: string, where: Difference["where"], kind: Difference["kind"] | undefined): void => {
    if (kind !== undefined && differences.length < DIFFERENCES_MAX) differences.push({ key, where, kind });
  };
  for (const keys of pagesOf(fold.keys())) {
    for (const key of keys) add(key, "profiles", differenceOf(fold, key, published.get(key), nowMs));
    if (store === undefined) continue;
    const rows = await Promise.all(keys.map((key) => store.get(key)));
    for (const [i, key] of keys.entries()) add(key, "redis", differenceOf(fold, key, rows[i]!.profile, nowMs));
  }
  const leftOver = (key: string, where: Difference["where"]): void => {
    if (fold.state(key) === undefined) add(key, where, fold.hasForgotten(key) ? "behind" : "not_in_log");
  };
  for (const key of published.keys()) leftOver(key, "profiles");
  if (store !== undefined) for await (const key of store.everybody()) leftOver(key, "redis");
  return differences;
}

function differenceOf(
  fold: LogFold,
  key: string,
  found: ProfileValue | undefined,
  nowMs: number,
): Difference["kind"] | undefined {
  const state = fold.state(key)!;
  // A key that only waits to be merged has nothing to show.
  if (state.sequence === 0 && found === undefined) return undefined;
  if (found === undefined) return "missing";
  // What somebody who was erased did on a device of others is in the log no more: its signpost counted it.
  if (fold.hasErased && found.signpost !== undefined && found.signpost === state.signpost) return undefined;
  if (found.sequence !== state.sequence) return found.sequence < state.sequence ? "behind" : "ahead";
  if (found.signpost !== state.signpost) return "differs";
  const { programs } = fold;
  const bytesOf = (person: PersonState): Uint8Array => {
    lookAgain(person, nowMs, programs);
    return encodePerson(person);
  };
  const expected = state.person === undefined ? Buffer.alloc(0) : bytesOf(state.person);
  const actual =
    found.person.length === 0 ? Buffer.alloc(0) : bytesOf(personOf(found.person, found.programVersion, programs));
  return Buffer.compare(expected, actual) === 0 ? undefined : "differs";
}

function* pagesOf(keys: Iterable<string>): Generator<string[]> {
  let page: string[] = [];
  for (const key of keys) {
    page.push(key);
    if (page.length < REDIS_READS_AT_ONCE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
