// What the index of event ids promises.

/**
 * Exact for fingerprints: one that was added is always found, one that was not never is. Two different ids share a
 * fingerprint with a probability of n²/2⁶⁵ over n ids. All methods but `seal` and `sweep` are synchronous; a lookup
 * that a Bloom filter lets through reads 4 KiB.
 */
export interface IdIndex {
  /** Ids that are known. */
  readonly count: number;
  readonly memoryBytes: number;
  /** Run files that a lookup may have to ask. */
  readonly runCount: number;

  /** Adds an id; false where it was known already. `hi` and `lo` are unsigned 32-bit. */
  add(hi: number, lo: number): boolean;
  has(hi: number, lo: number): boolean;
  /** Adds an id that `has` has just not found, without looking again. */
  addNew(hi: number, lo: number): void;

  /**
   * Writes what was added so far into run files, in slices of about 2 ms, and resolves with the names that the
   * checkpoint must store. To be called when every id added is durable in the log before `position` (between
   * appends); ids added while it runs belong to the next seal. One at a time. Rejects with the disk's error and
   * then knows everything it knew before.
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
