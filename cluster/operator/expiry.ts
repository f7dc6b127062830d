// Whoever was not seen for too long is forgotten by a record of the log, as in the embedded host: a look at the time that a
// turn names (`expiresMs`) writes the record, and where it is read he goes, if he has not come back meanwhile. So whoever
// folds the log comes to the same, whatever ages were in force when.
import { anonymousKeyOf } from "../../core/identity/identity.ts";
import { ageOf, seenMs } from "../../server/privacy/retention.ts";
import { outcomeText } from "../wire/outcome.ts";
import { type ClusterRecord, encodeClusterRecord } from "../wire/record.ts";
import { stepText } from "../wire/step.ts";
import { emptyKeyState, type KeyState } from "./key-state.ts";
import type { OperatorProject } from "./project.ts";
import type { Turn } from "./turn.ts";

type Expiry = Extract<ClusterRecord, { kind: "expiry" }>;

const NOTHING = new Uint8Array(0);
/** A link's marker is older than the event that tells the link, but for what two brokers' clocks are apart. */
const CLOCKS_APART_MS = 60_000;

/** The first log time at which a look writes that the key is to be forgotten, if nothing comes of it; Infinity: never. */
export function expiresMs(state: KeyState, { ages, passOnAfterMs }: OperatorProject): number {
  const { person } = state;
  const seenAtMs = lastSeenMs(state);
  if (seenAtMs === -Infinity) return Infinity;
  const keptUntilMs = seenAtMs + (person === undefined ? ages.profiles : ageOf(person, ages));
  // Of before that the log has what an earlier job wrote.
  return Math.max(keptUntilMs, passOnAfterMs) + 1;
}

/** Writes into the log that the key is to be forgotten, where that is due by `atMs`. */
export function announceExpiry({ project, key, state, outputs }: Turn, atMs: number): void {
  if (expiresMs(state, project) > atMs) return;
  outputs.bytes("events", key, encodeClusterRecord({ kind: "expiry", key, untilMs: lastSeenMs(state) }));
}

/**
 * Forgets the key where the record still holds, and has those of his devices follow. What models and experiments learnt of
 * him stays, as nobody's. Ids of his events stay as long as they would have.
 */
export function applyExpiry(turn: Turn, expiry: Expiry, atMs: number): void {
  const { project, key, state, outputs } = turn;
  if (!isOf(state, expiry)) return;
  if (atMs > project.passOnAfterMs) {
    for (const device of (state.person?.anonymousIds ?? []).map(anonymousKeyOf)) {
      if (device === key) continue;
      const follows: Expiry = { kind: "expiry", key: device, untilMs: expiry.untilMs + CLOCKS_APART_MS, userKey: key };
      outputs.bytes("events", device, encodeClusterRecord(follows));
    }
  }
  outputs.bytes("profiles", key, NOTHING);
  outputs.text("steps", key, stepText({ kind: "forget", key, at: atMs }));
  outputs.text("outcomes", key, outcomeText({ kind: "forget", at: atMs }));
  Object.assign(state, emptyKeyState());
  turn.changes.length = 0;
  turn.isChanged = true;
  turn.isVisible = false;
}

/** Whether he has not come back, and a device has not been linked again, since the record was called for. */
function isOf(state: KeyState, { untilMs, userKey }: Expiry): boolean {
  if (userKey !== undefined) return state.signpost === userKey && state.lastAtMs <= untilMs;
  const seenAtMs = lastSeenMs(state);
  return seenAtMs !== -Infinity && seenAtMs <= untilMs;
}

/** Of the key's person, or of whoever is about to become part of him; -Infinity where there is nobody. */
function lastSeenMs({ person, early }: KeyState): number {
  return Math.max(person === undefined ? -Infinity : seenMs(person), ...early.map(({ linkedAtMs }) => linkedAtMs));
}
