// Which program was in force when. A person is brought through the versions lazily, each from its own time on, so that
// a program change needs no pass over all persons and a replay takes the same steps.
import { assert } from "../assert.ts";
import type { CompiledProgram } from "./compiled.ts";

export interface ProgramEntry {
  readonly version: number;
  /** Processing time from which it is in force, Unix ms. */
  readonly at: number;
  readonly program: CompiledProgram;
}

export class ProgramTimeline {
  readonly #entries: ProgramEntry[] = [];

  /** Puts the next version in force from `at` on. Versions and times never go back. */
  append(version: number, at: number, program: CompiledProgram): void {
    const last = this.#entries.at(-1);
    assert(last === undefined || (version > last.version && at >= last.at), `program ${version} is out of order`);
    this.#entries.push({ version, at, program });
  }

  get entries(): readonly ProgramEntry[] {
    return this.#entries;
  }

  /** The newest version. At least one must have been appended. */
  get current(): CompiledProgram {
    const last = this.#entries.at(-1);
    assert(last !== undefined, "a program timeline starts with a program");
    return last.program;
  }

  /** The compiled program of one version. */
  at(version: number): CompiledProgram | undefined {
    const entry = this.#entries[this.#placeAfter(version) - 1];
    return entry?.version === version ? entry.program : undefined;
  }

  /** The entry in force at a time; the first one for times before it. */
  inForce(nowMs: number): ProgramEntry {
    const entries = this.#entries;
    assert(entries.length > 0, "a program timeline starts with a program");
    for (let i = entries.length - 1; i > 0; i--) if (entries[i]!.at <= nowMs) return entries[i]!;
    return entries[0]!;
  }

  /** The first entry that is newer than `version`, whether the timeline knows that one or not; undefined where none is. */
  after(version: number): ProgramEntry | undefined {
    return this.#entries[this.#placeAfter(version)];
  }

  /**
   * Where the first newer entry stands, or would. By halves: whoever comes back after a year is brought through every version
   * since, and each training of learned segments is one.
   */
  #placeAfter(version: number): number {
    const entries = this.#entries;
    let low = 0;
    let high = entries.length;
    // Nearly everybody is kept for the newest.
    if (high > 0 && entries[high - 1]!.version <= version) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle]!.version <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
