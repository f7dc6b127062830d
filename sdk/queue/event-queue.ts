// Events that the server has not confirmed yet, kept in a store that the site's tabs share and that outlives them.
//
// One entry a key, so that tabs never overwrite each other's: whoever flushes sends whatever is there. Two tabs may
// send the same entry; its `event_id` makes that harmless. Keys sort by time, because event ids do.
import type { KeyValueStore } from "../host.ts";
import type { SdkError, SentEvent } from "../types.ts";

/** About 400 kB at a typical 400 bytes an event, a tenth of what browsers give one site. */
export const QUEUE_ENTRIES_MAX = 1_000;
/**
 * Whoever was away for seven days still has time to deliver. The server knows event ids again for at least 8 days; a
 * resend after that could count twice.
 */
export const ENTRY_AGE_MAX_MS = 7.5 * 86_400_000;

/** Attributes of `identify`, in line behind the events before them. */
export interface AttributesEntry {
  user_id: string;
  attributes: Record<string, unknown>;
  timestamp: number;
}

export type Entry = { id: string; event: SentEvent } | { id: string; set: AttributesEntry };

export interface EventQueue {
  readonly size: number;
  /** Keeps an entry; where the queue is full, an expendable one goes first, then the oldest, and it is reported. */
  put(entry: Entry, rank: "expendable" | "kept"): void;
  /** The oldest entries, at most `max`, without those to skip; what is too old is dropped and reported. */
  oldest(max: number, skip?: (entry: Entry) => boolean): Entry[];
  remove(ids: Iterable<string>): void;
}

export interface EventQueueOptions {
  store: KeyValueStore;
  /** Start of the queue's keys. */
  prefix: string;
  nowMs: () => number;
  onDrop: (error: SdkError) => void;
}

/** What went wrong, with the event that it befell. */
export const faultOf = (entry: Entry | undefined, code: string, message: string): SdkError =>
  ({ code, message, ...(entry && "event" in entry && { event: entry.event }) });

const timeOf = (entry: Entry): number => ("event" in entry ? entry.event : entry.set).timestamp;

/** Marks the keys that may be given up first. */
const EXPENDABLE = "~";

export function openEventQueue({ store, prefix, nowMs, onDrop }: EventQueueOptions): EventQueue {
  const keys = (): string[] => store.keys().filter((key) => key.startsWith(prefix)).sort();

  /** Undefined where another tab removed it meanwhile, or where what is kept there is not its entry: that goes. */
  function read(key: string): Entry | undefined {
    const text = store.get(key);
    if (text === null) return undefined;
    try {
      const entry = JSON.parse(text) as Entry;
      // By the key it will be removed again.
      entry.id = key.slice(prefix.length).replace(EXPENDABLE, "");
      if (timeOf(entry)) return entry;
    } catch {
      // Not even JSON.
    }
    store.remove(key);
    return undefined;
  }

  function drop(key: string, code: string, message: string): void {
    const entry = read(key);
    store.remove(key);
    if (entry) onDrop(faultOf(entry, code, message));
  }

  return {
    get size() {
      return keys().length;
    },

    put(entry, rank) {
      const key = prefix + entry.id + (rank === "expendable" ? EXPENDABLE : "");
      const held = keys();
      if (held.length >= QUEUE_ENTRIES_MAX) {
        drop(held.find((each) => each.endsWith(EXPENDABLE)) ?? held[0]!, "queue_full", "The queue is full.");
      }
      store.set(key, JSON.stringify(entry));
    },

    oldest(max, skip) {
      const out: Entry[] = [];
      const horizonMs = nowMs() - ENTRY_AGE_MAX_MS;
      for (const key of keys()) {
        if (out.length >= max) break;
        const entry = read(key);
        if (!entry || skip?.(entry)) continue;
        if (timeOf(entry) < horizonMs) drop(key, "too_old", "Not sent for 7.5 days.");
        else out.push(entry);
      }
      return out;
    },

    remove(ids) {
      for (const id of ids) {
        store.remove(prefix + id);
        store.remove(prefix + id + EXPENDABLE);
      }
    },
  };
}
