// Bugs that can be planted, one for each promise: the simulation must find every one of them, or it proves nothing.

export interface Bug {
  /** Which invariant it breaks. */
  breaks: "lost" | "twice" | "unseen" | "replay" | "conservation";
  /** The seed that found it in earnest; a bug without one is common enough for the first seeds. */
  seed?: number;
  edits: readonly { file: string; from: string; to: string }[];
}

export const BUGS: Readonly<Record<string, Bug>> = {
  "ack-before-sync": {
    breaks: "lost",
    edits: [
      { file: "server/log/segment-log.ts", from: 'process.platform === "linux" ? constants.O_DSYNC : 0', to: "0" },
      {
        file: "server/log/segment-log.ts",
        from: 'if (this.#sync === "none" || this.#syncFlag !== 0) return;',
        to: "return;",
      },
    ],
  },
  "forgotten-ids": {
    breaks: "twice",
    edits: [
      {
        file: "server/embedded/fold.ts",
        from: "this.#ids.has(hi, lo)",
        to: "this.#ids.has(hi, lo) && this.lastAtMs % 7 !== 0",
      },
    ],
  },
  "answer-before-fold": {
    breaks: "unseen",
    edits: [
      {
        file: "server/embedded/committer.ts",
        from: "for (let i = 0; i < records.length; i++) this.#fold(records[i]!, start + ends[i]!);",
        to: "setImmediate(() => records.forEach((record, i) => this.#fold(record, start + ends[i]!)));",
      },
    ],
  },
  "looks-ahead-of-the-log": {
    breaks: "replay",
    edits: [
      {
        file: "server/embedded/committer.ts",
        from: "return this.#groupAtMs ?? this.#clock();",
        to: "return this.#clock() + 1_800_000;",
      },
    ],
  },
  // Once real: after a failed write the clock went on, and a start found the group's records and folded them into persons
  // who had been brought past them.
  "looks-past-a-doubt": {
    breaks: "replay",
    seed: 10_770,
    edits: [
      {
        file: "server/embedded/committer.ts",
        from: "if (this.#failed === null) this.#groupAtMs = null;",
        to: "this.#groupAtMs = null;",
      },
    ],
  },
  "uncounted-rejections": {
    breaks: "conservation",
    edits: [
      {
        file: "server/intake/intake.ts",
        from: "rejected.push({ index,",
        to: "if (nowMs % 3 !== 0) rejected.push({ index,",
      },
    ],
  },
};

/** The bug that `ATTUNE_SIM_BUG` names. @throws Error where there is none of that name. */
export function plantedBug(): Bug | undefined {
  const name = process.env["ATTUNE_SIM_BUG"];
  if (name === undefined) return undefined;
  const bug = BUGS[name];
  if (bug === undefined) throw new Error(`"${name}" is no planted bug: one of ${Object.keys(BUGS).join(", ")}`);
  return bug;
}
