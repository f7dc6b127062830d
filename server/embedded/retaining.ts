// Retention of one project: what has been kept for long enough goes, and the log goes on telling the truth. Persons and
// refused events go by records of their own, so that whoever folds the log comes to the same; what the log itself loses is
// folded into the base first, and stands there.
import { formatTimestamp } from "../../core/event/time.ts";
import type { PersonState } from "../../core/profile/person.ts";
import type { DeadLetter, LogRecord } from "../../core/record.ts";
import { givingWay } from "../giving-way.ts";
import type { LogEntry, SegmentLog } from "../log/log.ts";
import type { Erasures } from "../privacy/erasures.ts";
import { isExpired, type RetentionPolicy, type RetentionReport } from "../privacy/retention.ts";
import { advanceBase, type BasePlace, eraseFromBase, isEarlierBase, removeOtherBases } from "./base.ts";
import type { ProjectFolder } from "./derived.ts";
import { letterOf, type Fold } from "./fold.ts";
import { decodeRecord } from "./record-codec.ts";

/**
 * A segment takes what comes in this long: what retention cuts off is a segment. Half a day, and twice the six hours between
 * two runs (one begins the next segment, one finds this one old): what is old goes a day later at most.
 */
const SEGMENT_AGE_MS = 43_200_000;
const PERSONS_A_PAGE = 200;
const LETTERS_A_PAGE = 500;

export interface RetentionHost {
  readonly place: ProjectFolder;
  readonly log: SegmentLog;
  readonly ledger: Erasures;
  readonly fold: () => Fold;
  readonly policy: RetentionPolicy;
  readonly nowMs: () => number;
  /** The host goes down. */
  readonly isStopped: () => boolean;
  /** Writes records that are named when their turn has come: everything before them is folded. */
  readonly write: (records: number, prepare: (atMs: number) => LogRecord[]) => Promise<void>;
  /** Begins a new segment between two groups. */
  readonly roll: () => Promise<unknown>;
  /** Everything before this position is in the state on the disk. */
  readonly checkpointed: () => number;
}

/** One run; undefined where it was stopped on the way. To be called by one at a time, and by none while an erasure runs. */
export async function applyRetention(host: RetentionHost): Promise<RetentionReport | undefined> {
  const nowMs = host.nowMs();
  // First: what this run writes must not stand behind what is old, which would be kept as long as the new is.
  await rollOld(host);
  const persons = await expirePersons(host);
  const deadLetters = await expireLetters(host);
  const erasuresDropped = await host.ledger.dropBefore(nowMs - host.policy.erasures);
  const log = await cutLog(host);
  if (log === undefined || host.isStopped()) return undefined;
  return {
    at: formatTimestamp(nowMs),
    ...persons,
    dead_letters_expired: deadLetters,
    erasures_dropped: erasuresDropped,
    log,
  };
}

/** A page of them is one write: each is a sync. */
async function expirePersons({ fold, policy, nowMs, isStopped, write }: RetentionHost) {
  const counts = { profiles_expired: 0, visitors_expired: 0 };
  const giveWay = givingWay();
  const oldPerson = (key: string): PersonState | undefined => {
    const person = fold().persons.peek(key);
    return person !== undefined && isExpired(person, policy, nowMs()) ? person : undefined;
  };
  const walk = fold().persons.walk();
  while (!isStopped()) {
    const keys = walk.next(PERSONS_A_PAGE);
    if (keys.length === 0) break;
    const old: string[] = [];
    for (const key of keys) {
      const turn = giveWay();
      if (turn !== undefined) await turn;
      if (oldPerson(key) !== undefined) old.push(key);
    }
    if (old.length === 0) continue;
    const record = (key: string, atMs: number): LogRecord[] => {
      const person = oldPerson(key);
      if (person === undefined) return [];
      counts[person.userId === undefined ? "visitors_expired" : "profiles_expired"]++;
      // Each of his devices by a record of its own: where others had it before, that outlives his erasure.
      return fold().namesOf(key).map((name) => ({ kind: "expiry", at: atMs, names: [name] }));
    };
    // Who came back while this waited stays.
    await write(old.flatMap((key) => fold().namesOf(key)).length, (atMs) => old.flatMap((key) => record(key, atMs)));
  }
  return counts;
}

/** From the oldest on; they are listed in the order in which they came. */
async function expireLetters({ fold, policy, nowMs, isStopped, write }: RetentionHost): Promise<number> {
  let expired = 0;
  let after: string | undefined;
  while (!isStopped()) {
    const beforeMs = nowMs() - policy.dead_letters;
    const page = fold().letters.page({ ...(after === undefined ? {} : { after }), limit: LETTERS_A_PAGE });
    const oldest = page.map(([, bytes]) => letterOf(bytes));
    after = page.at(-1)?.[0];
    const old = oldest.filter(({ at }) => at < beforeMs);
    if (old.length > 0) {
      await write(old.length, (at) => old.map((letter) => ({ kind: "dead_letter", at, letter: resolved(letter) })));
      expired += old.length;
    }
    if (old.length < LETTERS_A_PAGE) break;
  }
  return expired;
}

function resolved({ id, at, code }: DeadLetter): DeadLetter {
  return { id, at, code, path: "", message: "", source: "", body: null, resolved: true };
}

/** Begins a new segment where the last is old. Quiet sites fill one in months; nothing of it could go before. */
export async function rollOld({ log, nowMs, roll }: Pick<RetentionHost, "log" | "nowMs" | "roll">): Promise<void> {
  const last = log.bounds.at(-1)!;
  const first = firstRecordMs(log, last.base);
  if (first !== undefined && nowMs() - first > SEGMENT_AGE_MS) await roll();
}

/** Segments whose records are all older than the age, as a position. */
async function positionOlderThan({ log }: RetentionHost, atMs: number): Promise<number> {
  let position = log.start;
  const { bounds } = log;
  for (let i = 0; i + 1 < bounds.length; i++) {
    // Records come in the order of their time: all of a segment are from before the next one's first. Only where that does
    // not decide, the segment is read to its end.
    const nextFirst = firstRecordMs(log, bounds[i + 1]!.base) ?? Infinity;
    if (nextFirst > atMs && (firstRecordMs(log, bounds[i]!.base) ?? Infinity) > atMs) break;
    if (nextFirst > atMs && ((await lastRecordMs(log, bounds[i]!)) ?? -Infinity) > atMs) break;
    position = bounds[i]!.end;
  }
  return position;
}

async function lastRecordMs(log: SegmentLog, { base, end }: { base: number; end: number }): Promise<number | undefined> {
  const giveWay = givingWay();
  let last: LogEntry | undefined;
  for (const entry of log.read(base, { to: end, onCorrupt: () => {} })) {
    last = entry;
    const turn = giveWay();
    if (turn !== undefined) await turn;
  }
  return last === undefined ? undefined : decodeRecord(last.type, last.payload)?.at;
}

/** Processing time of the first record at or behind `position`; undefined where there is none. */
function firstRecordMs(log: SegmentLog, position: number): number | undefined {
  for (const { type, payload } of log.read(position, { onCorrupt: () => {} })) {
    const record = decodeRecord(type, payload);
    if (record !== undefined) return record.at;
  }
  return undefined;
}

/** Where the base is, or is to be; one of an earlier form is written anew. */
async function baseToAdvance({ place, ledger }: RetentionHost): Promise<BasePlace> {
  const base = { ...place, generation: Math.max(1, ledger.base) };
  removeOtherBases({ ...place, generation: ledger.base });
  if (ledger.base === 0 || !isEarlierBase(base)) return base;
  const next = base.generation + 1;
  await eraseFromBase(base, { next, jobs: [], ledger });
  await ledger.setBase(next);
  removeOtherBases({ ...place, generation: next });
  return { ...place, generation: next };
}

async function cutLog(host: RetentionHost): Promise<RetentionReport["log"] | undefined> {
  const { log, ledger, policy, nowMs, isStopped } = host;
  const now = nowMs();
  let recordsErased = 0;
  // Refused events say nothing to the fold once they are listed no more.
  const lettersTo = await positionOlderThan(host, now - policy.dead_letters);
  if (lettersTo > ledger.lettersErasedTo) {
    const isLetter = (entry: LogEntry): boolean => decodeRecord(entry.type, entry.payload)?.kind === "dead_letter";
    recordsErased += (await log.erase(lettersTo, isLetter, ledger.lettersErasedTo)).records;
    await ledger.setLettersErasedTo(lettersTo);
  }
  const agedTo = await positionOlderThan(host, now - Math.min(policy.events, policy.decisions));
  const foldedTo = Math.min(agedTo, host.checkpointed());
  if (foldedTo <= log.start) return { records_erased: recordsErased, bytes_dropped: 0 };
  const place = await baseToAdvance(host);
  if (!(await advanceBase(place, { log, position: foldedTo, isStopped }))) return undefined;
  if (ledger.base === 0) await ledger.setBase(place.generation);
  const isOld = ({ type, payload }: LogEntry): boolean => {
    const record = decodeRecord(type, payload);
    if (record === undefined) return false;
    return now - record.at > (record.kind === "decision" ? policy.decisions : policy.events);
  };
  const goneTo = await positionOlderThan(host, now - Math.max(policy.events, policy.decisions));
  const dropTo = Math.min(goneTo, foldedTo);
  const bytesBefore = log.sizeBytes;
  await log.dropBefore(dropTo);
  if (policy.events !== policy.decisions) recordsErased += (await log.erase(foldedTo, isOld)).records;
  return { records_erased: recordsErased, bytes_dropped: bytesBefore - log.sizeBytes };
}
