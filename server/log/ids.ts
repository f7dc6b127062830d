// What the index of event ids promises.

export interface IdIndexOptions {
  /** Run files that the last checkpoint named; any others are ignored. Empty: nothing is known yet. */
  readonly runs: readonly string[];
}

/**
 * Knows every event id that the log holds, as 64-bit fingerprints. Exact for them: a fingerprint that was added is
 * always found, one that was not never is. Two different ids share a fingerprint with probability n²/2⁶⁵.
 */
export interface IdIndex {
  /** Ids that are known. */
  readonly count: number;
  /** Bytes held in memory. */
  readonly memoryBytes: number;

  /** Adds an id; false where it was known already. */
  add(hi: number, lo: number): boolean;
  has(hi: number, lo: number): boolean;
  /** Takes back an `add` that returned true, because the append behind it failed. Only before the next `seal`. */
  remove(hi: number, lo: number): void;

  /**
   * Writes what was added so far into run files, in slices of at most a few ms, and resolves with the names that the
   * checkpoint must store. To be called when every id added is durable in the log up to `position` (between appends);
   * ids added while it runs belong to the next seal. One at a time.
   */
  seal(position: number): Promise<{ runs: string[] }>;
  /** Forgets, with the next seal, runs whose ids all lie before `position`. */
  dropBefore(position: number): void;
  /** Deletes every run file that is not named: to be called after the checkpoint with `runs` is durable. */
  sweep(runs: readonly string[]): Promise<void>;
  close(): void;
}

/** A run file is missing or damaged: the host starts with no runs and adds the ids of the whole log anew. */
export class IdIndexDamagedError extends Error {
  override readonly name = "IdIndexDamagedError";
  readonly code = "id_index_damaged";
}
