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
    return this.#entries.find((entry) => entry.version === version)?.program;
  }

  /** The entry in force at a time; the first one for times before it. */
  inForce(nowMs: number): ProgramEntry {
    const entries = this.#entries;
    assert(entries.length > 0, "a program timeline starts with a program");
    for (let i = entries.length - 1; i > 0; i--) if (entries[i]!.at <= nowMs) return entries[i]!;
    return entries[0]!;
  }

  /** The entry after `version`, undefined where it is the newest. A version that is not known counts as older than all. */
  after(version: number): ProgramEntry | undefined {
    const entries = this.#entries;
    const last = entries.length - 1;
    if (last >= 0 && entries[last]!.version <= version) return undefined;
    return entries.find((entry) => entry.version > version);
  }
}
