// What intake submits, as log records: each event once, with its item's facts, stamped with the group's time.
import { uuidv7 } from "uuidv7";
import type { LogRecord } from "../../core/record.ts";
import { addItemFacts } from "../hosting/item-facts.ts";
import type { EventOutcome, Submission } from "../ports.ts";
import type { Group } from "./committer.ts";
import type { Fold } from "./fold.ts";

/**
 * The records to be written for a submission whose turn has come; one outcome an event is added to `outcomes`.
 * Every earlier group is folded, so what the log holds is known; `group.eventKeys` knows what this group writes.
 */
export function recordsOf(
  submission: Submission,
  { atMs, eventKeys }: Group,
  options: { fold: Fold; outcomes: EventOutcome[] },
): LogRecord[] {
  const { fold, outcomes } = options;
  const records: LogRecord[] = [];
  for (const event of submission.events) {
    const byUser = event.user_id === undefined ? undefined : `u:${event.user_id}\n${event.event_id}`;
    const byDevice = event.anonymous_id === undefined ? undefined : `a:${event.anonymous_id}\n${event.event_id}`;
    const isInGroup =
      (byUser !== undefined && eventKeys.has(byUser)) || (byDevice !== undefined && eventKeys.has(byDevice));
    if (isInGroup || fold.knows(event)) {
      outcomes.push("duplicate");
      continue;
    }
    outcomes.push("accepted");
    if (byUser !== undefined) eventKeys.add(byUser);
    if (byDevice !== undefined) eventKeys.add(byDevice);
    addItemFacts(event, (itemId) => fold.recommender.item(itemId));
    event.received_at = atMs;
    records.push({ kind: "event", at: atMs, event });
  }
  for (const letter of submission.deadLetters) {
    if (letter.once !== undefined && fold.knowsLetter(letter.once)) continue;
    records.push({ kind: "dead_letter", at: atMs, letter: { ...letter, id: uuidv7(), at: atMs } });
  }
  return records;
}
