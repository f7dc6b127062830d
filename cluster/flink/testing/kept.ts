// The log behind the savepoint that is kept in ../savepoints: a later release must go on from it. The records are the same
// in every run, so that the offsets in the savepoint mean the same in a new log.
import type { ClusterRecord } from "../../wire/record.ts";

export const KEPT_PREFIX = "kept-";
const AT_MS = 1_790_000_000_000;
const EVENTS_EACH = 5;

/** Two users, an anonymous visitor, and one who was anonymous and became a user. */
export function keptRecords(): { key: string; record: ClusterRecord }[] {
  const records: { key: string; record: ClusterRecord }[] = [];
  const add = (key: string, id: string, ref: { user_id?: string; anonymous_id?: string }): void => {
    const event = { event_id: `kept-${id}`, event_type: "view", timestamp: AT_MS, item_id: `i-${id}`, ...ref };
    records.push({ key, record: { kind: "event", event } });
  };
  for (let i = 0; i < EVENTS_EACH; i++) {
    for (const user of ["kept-1", "kept-2"]) add(`u:${user}`, `${user}-${i}`, { user_id: user });
    for (const anonymous of ["kept-3", "kept-4"])
      add(`a:${anonymous}`, `${anonymous}-${i}`, { anonymous_id: anonymous });
  }
  records.push({
    key: "a:kept-4",
    record: { kind: "link", id: "kept-link", anonKey: "a:kept-4", userKey: "u:kept-5" },
  });
  add("u:kept-5", "linked", { user_id: "kept-5", anonymous_id: "kept-4" });
  return records;
}

/** Versions that the persons have after it; one more event makes each one more. */
export const KEPT_VERSIONS: ReadonlyMap<string, number> = new Map([
  ["u:kept-1", EVENTS_EACH],
  ["u:kept-2", EVENTS_EACH],
  ["a:kept-3", EVENTS_EACH],
  ["u:kept-5", EVENTS_EACH + 1],
]);
