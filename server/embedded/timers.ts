// Wakes persons when time alone may change them ("no purchase for 7 days"). Near due times lie in memory, all others in
// the state file; firing late or twice is harmless, because the core applies each change at its own due time.
import type { Persons } from "./persons.ts";

/** Due times nearer than this are kept in memory. */
const HORIZON_MS = 120_000;
const SCAN_EVERY_MS = 60_000;
const TICK_MS = 100;
const BUCKET_MS = 100;
/** What is done between two turns of the event loop: about 1 ms each. */
const PERSONS_A_TURN = 40;
const ROWS_A_TURN = 100;
/** Whoever is brought through a year of hours takes 0.1 s: after him the others wait for the next turn. */
const TURN_MS = 2;

export class Timers {
  readonly #persons: Pick<Persons, "storedTimers">;
  readonly #now: () => number;
  readonly #look: (key: string, nowMs: number) => void;
  readonly #buckets = new Map<number, Set<string>>();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #scannedToMs = 0;
  #scannedAtMs = -Infinity;
  #cursor: string | undefined;
  #firstBucket = Infinity;

  constructor(options: { persons: Pick<Persons, "storedTimers">; now: () => number; look: (key: string, nowMs: number) => void }) {
    this.#persons = options.persons;
    this.#now = options.now;
    this.#look = options.look;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#cursor = undefined;
    this.#isLooking = false;
  }

  /** To be told after each change of a person. */
  set(key: string, dueMs: number): void {
    if (dueMs > Math.max(this.#scannedToMs, this.#now() + HORIZON_MS)) return;
    const bucket = Math.ceil(dueMs / BUCKET_MS);
    let keys = this.#buckets.get(bucket);
    if (keys === undefined) this.#buckets.set(bucket, (keys = new Set()));
    keys.add(key);
    if (bucket < this.#firstBucket) this.#firstBucket = bucket;
  }

  /** To be told after each checkpoint: due times that it wrote may be near. */
  checkpointed(): void {
    this.#scannedAtMs = -Infinity;
  }

  #tick(): void {
    if (this.#isLooking) return;
    const nowMs = this.#now();
    if (this.#cursor === undefined && nowMs - this.#scannedAtMs >= SCAN_EVERY_MS) {
      this.#scannedAtMs = nowMs;
      this.#scannedToMs = nowMs + HORIZON_MS;
      this.#scan();
    } else this.#lookAtDue();
  }

  /**
   * Fetches what falls due soon from the state file, a page after the other. Who is due is looked at before the next page:
   * where a node was off for a month that may be everybody.
   */
  #scan(): void {
    if (this.#isLooking) return this.#inNextTurn(() => this.#scan());
    const after = this.#cursor === undefined ? {} : { after: this.#cursor };
    const rows = this.#persons.storedTimers({ ...after, toMs: this.#scannedToMs, limit: ROWS_A_TURN });
    for (const { cursor, key } of rows) this.set(key, Number(cursor.slice(0, cursor.indexOf(":"))));
    this.#cursor = rows.length < ROWS_A_TURN ? undefined : rows.at(-1)!.cursor;
    this.#lookAtDue();
    if (this.#cursor !== undefined) this.#inNextTurn(() => this.#scan());
  }

  #lookAtDue(): void {
    const nowMs = this.#now();
    const nowBucket = Math.floor(nowMs / BUCKET_MS);
    this.#isLooking = false;
    if (this.#firstBucket > nowBucket) return;
    let left = PERSONS_A_TURN;
    const endMs = performance.now() + TURN_MS;
    const due = [...this.#buckets.keys()].filter((bucket) => bucket <= nowBucket).sort((a, b) => a - b);
    for (const bucket of due) {
      const keys = this.#buckets.get(bucket)!;
      for (const key of keys) {
        if (left-- <= 0 || performance.now() > endMs) {
          this.#firstBucket = bucket;
          this.#isLooking = true;
          this.#inNextTurn(() => this.#lookAtDue());
          return;
        }
        keys.delete(key);
        this.#look(key, nowMs);
      }
      this.#buckets.delete(bucket);
    }
    this.#firstBucket = Math.min(Infinity, ...this.#buckets.keys());
  }

  #inNextTurn(task: () => void): void {
    setImmediate(() => {
      if (this.#timer !== null) task();
    });
  }
}
