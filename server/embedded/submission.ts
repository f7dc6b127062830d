// What intake submits, as log records: each event once, with its item's facts, stamped with the group's time.
import { V7Generator } from "uuidv7";
import type { LoggedEvent } from "../../core/event/event.ts";
import { addItemFacts } from "../hosting/item-facts.ts";
import type { EventOutcome, Submission } from "../ports.ts";
import { isErasedBody, refOfBody } from "../privacy/erased-body.ts";
import type { Erasures } from "../privacy/erasures.ts";
import type { Group } from "./committer.ts";
import { type EventKeys, eventKeysOf, type KeyedRecord } from "./event-keys.ts";
import type { Fold } from "./fold.ts";

/** In the order of their groups, whatever the machine's clock says: the list of refused events goes by them. */
const letterIds = new V7Generator();

/**
 * The records to be written for a submission whose turn has come; one outcome an event is added to `outcomes`.
 * Every earlier group is folded, so what the log holds is known; `group` knows what this one writes.
 */
export function recordsOf(
  submission: Submission,
  group: Group,
  options: { fold: Fold; outcomes: EventOutcome[]; erasures: Erasures },
): KeyedRecord[] {
  const { fold, outcomes, erasures } = options;
  const { atMs } = group;
  const records: KeyedRecord[] = [];
  for (const event of submission.events) {
    const keys = eventKeysOf(event);
    if (fold.knows(keys, event.event_id, group)) {
      outcomes.push("duplicate");
      continue;
    }
    if (isErased(keys, event.timestamp, erasures)) {
      outcomes.push("erased");
      continue;
    }
    const verdict = fold.verdictOf(event, keys, group.links);
    if (verdict !== "kept") {
      outcomes.push("refused");
      if (verdict === "refused_on_device") records.push(linkOf(event, atMs));
      continue;
    }
    outcomes.push("accepted");
    group.keys.add(keys);
    addItemFacts(event, (itemId) => fold.recommender.item(itemId));
    event.received_at = atMs;
    records.push({ kind: "event", at: atMs, event, keys });
  }
  for (const letter of submission.deadLetters) {
    if (isErasedBody(letter.body, (key, happenedMs) => erasures.covers(key, happenedMs))) continue;
    if (!mayKeep(letter.body, fold, group)) continue;
    if (letter.once !== undefined && fold.knowsLetter(letter.once)) continue;
    records.push({ kind: "dead_letter", at: atMs, letter: { ...letter, id: letterIds.generateOrResetWithTs(atMs).toString(), at: atMs } });
  }
  return records;
}

/** Whether its person allows that events are kept. It makes no device anybody's. */
function mayKeep(body: unknown, fold: Fold, group: Group): boolean {
  const ref = refOfBody(body);
  return ref === undefined || fold.verdictOf({ traffic: "suspicious" }, eventKeysOf({ ...ref, event_id: "" }), group.links) === "kept";
}

/** What a refused event says all the same: whose the device is, and so what was said on it. */
function linkOf({ user_id, anonymous_id }: LoggedEvent, at: number): KeyedRecord {
  return { kind: "attributes", at, ref: { user_id: user_id!, anonymous_id: anonymous_id! }, attributes: {} };
}

/** Somebody who was erased, and this happened before: the user decides, or the device where there is none. */
function isErased({ user, anonymous }: EventKeys, atMs: number, erasures: Erasures): boolean {
  return erasures.covers((user ?? anonymous)!.personKey, atMs);
}
