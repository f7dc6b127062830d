// Whose a record of the log is: what is shown on an export and goes with an erasure. The log is read twice, because what a
// visitor did before he was known belongs to whom his id was linked to later.
import { anonymousKeyOf, refOfKey, userKeyOf } from "../../core/identity/identity.ts";
import type { LogRecord, PersonRef } from "../../core/record.ts";

/** From `position` on the device's visitor is the user; without one he is nobody yet again. */
interface Turn {
  readonly position: number;
  readonly userKey: string | undefined;
}

/** The records of a few persons, told from those of everybody else. */
export class Belonging {
  readonly #isWanted: (personKey: string) => boolean;
  /** By anonymous key, of every device that is wanted or that a wanted user was seen with: its users, in log order. */
  readonly #devices = new Map<string, Turn[]>();

  /** @param isWanted - whether a person of this key is one of them; asked for every id that the log names. */
  constructor(isWanted: (personKey: string) => boolean) {
    this.#isWanted = isWanted;
  }

  /** First reading: which devices they were seen with. */
  meet(record: LogRecord): void {
    const link = linkOf(record);
    if (link === undefined || this.#devices.has(link.anonKey)) return;
    if (this.#isWanted(link.userKey) || this.#isWanted(link.anonKey)) this.#devices.set(link.anonKey, []);
  }

  /** Anonymous keys of the devices that the first reading has found. */
  met(): Iterable<string> {
    return this.#devices.keys();
  }

  /** Second reading: who had each of these devices when. An expiry takes the devices that it names from whoever had them. */
  follow(record: LogRecord, position: number): void {
    if (record.kind === "expiry") {
      for (const key of record.names) if (this.#devices.has(key)) this.#turn(key, { position, userKey: undefined });
      return;
    }
    const link = linkOf(record);
    if (link !== undefined) this.#turn(link.anonKey, { position, userKey: link.userKey });
  }

  #turn(anonKey: string, turn: Turn): void {
    const turns = this.#devices.get(anonKey);
    if (turns !== undefined && turns.at(-1)?.userKey !== turn.userKey) turns.push(turn);
  }

  /** Anonymous keys that have been somebody's last, by his key. */
  *devices(): Generator<[anonKey: string, userKey: string]> {
    for (const [anonKey, turns] of this.#devices) {
      const last = turns.at(-1)?.userKey;
      if (last !== undefined) yield [anonKey, last];
    }
  }

  /** Those of them that somebody who is not wanted had before: without the wanted one's records they would be his again. */
  *sharedDevices(): Generator<string> {
    for (const [anonKey, userKey] of this.devices()) {
      const isAnothers = (turn: Turn): boolean => turn.userKey !== undefined && !this.#isWanted(turn.userKey);
      if (this.#isWanted(userKey) && this.#devices.get(anonKey)!.some(isAnothers)) yield anonKey;
    }
  }

  /** After both readings: the wanted persons that a record is about. A dead letter may name several, all others one. */
  *ownersOf(record: LogRecord, position: number): Generator<string> {
    switch (record.kind) {
      case "event":
        return yield* this.#owner(record.event, position);
      case "attributes":
        return yield* this.#owner(record.ref, position);
      case "decision":
        return yield* this.#owner(record.decision, position);
      case "dead_letter":
        for (const text of textsOf(record.letter.body)) {
          yield* this.#owner({ user_id: text }, position);
          yield* this.#owner({ anonymous_id: text }, position);
        }
        return;
      case "expiry":
        if (this.#keepsFromOthers(record.names, position)) return;
        // Whose the device was until then.
        for (const key of record.names) yield* this.#owner(refOfKey(key), position - 1);
    }
  }

  /** A device that others had before was taken from one who is forgotten: without the record it would be theirs again. */
  #keepsFromOthers(names: readonly string[], position: number): boolean {
    const turns = names.length === 1 ? (this.#devices.get(names[0]!) ?? []) : [];
    const taken = turns.findIndex((turn) => turn.position === position);
    return turns.slice(0, Math.max(0, taken)).some(({ userKey }) => userKey !== undefined && !this.#isWanted(userKey));
  }

  *#owner({ user_id: user, anonymous_id: anonymous }: PersonRef, position: number): Generator<string> {
    const key = user !== undefined ? userKeyOf(user) : this.#userOf(anonymousKeyOf(anonymous!), position);
    if (this.#isWanted(key)) yield key;
  }

  #userOf(anonKey: string, position: number): string {
    const turns = this.#devices.get(anonKey);
    if (turns === undefined) return anonKey;
    // Before the first user, and after one from whom the device was taken, the visitor was nobody yet, and became the next.
    const at = turns.findLastIndex((turn) => turn.position <= position);
    return turns[at]?.userKey ?? turns[at + 1]?.userKey ?? anonKey;
  }
}

/** The ids that a record makes one person, as the fold sees it: marked traffic links nobody. */
function linkOf(record: LogRecord): { anonKey: string; userKey: string } | undefined {
  if (record.kind === "event" && record.event.traffic !== undefined) return undefined;
  const ref = record.kind === "event" ? record.event : record.kind === "attributes" ? record.ref : undefined;
  if (ref?.user_id === undefined || ref.anonymous_id === undefined) return undefined;
  return { anonKey: anonymousKeyOf(ref.anonymous_id), userKey: userKeyOf(ref.user_id) };
}

/**
 * Every text and number of a refused event: what was wrong with it may have been the id itself. Bodies have few levels. A text that
 * may be JSON which could not be read (a line of a file, an event that was encoded twice) is named by what stands in it, too.
 */
export function* textsOf(value: unknown): Generator<string> {
  if (typeof value === "string") {
    yield value;
    if (value.includes('"')) yield* textsIn(value);
  } else if (typeof value === "number") yield String(value);
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) yield* textsOf(inner);
}

/** What stands between quotes, as it is and as JSON reads it, and each word outside of them; linear in the text. */
function* textsIn(text: string): Generator<string> {
  for (const piece of text.split(/(?<!\\)"/)) {
    yield piece;
    if (piece.includes("\\")) {
      try {
        yield String(JSON.parse(`"${piece}"`));
      } catch {
        // Not what JSON puts between quotes: nobody's id.
      }
    }
    for (const word of piece.split(/[\s,:;=&{}[\]\\]+/)) yield word;
  }
}
