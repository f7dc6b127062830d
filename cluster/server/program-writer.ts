// New versions of the program, written to `control`. Several servers may do so at a time: the first record of a version
// counts, for every reader, and who was second takes the next one.
import { uuidv7 } from "uuidv7";
import { programTag } from "../../server/hosting/program-tag.ts";
import { HostError } from "../../server/ports.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import { encodeDocument, PROGRAM_DELAY_MS } from "../wire/documents.ts";
import type { Learner } from "./learner.ts";

const TRIES_MAX = 5;
const WAIT_MS = 10_000;

export interface ProgramWriterOptions {
  readonly topic: string;
  readonly sender: KafkaSender;
  readonly learner: Learner;
  /** Processing time, Unix ms. */
  readonly now: () => number;
}

export class ProgramWriter {
  readonly #options: ProgramWriterOptions;

  constructor(options: ProgramWriterOptions) {
    this.#options = options;
  }

  /** The program of a new project, in force from now on; another server's where that was first. @throws HostError */
  async first(document: unknown): Promise<void> {
    await this.#write({ version: 1, at: this.#options.now(), document });
  }

  /**
   * Resolves to its version when it is in force; undefined where `base` has tags and the newest program none of them. The
   * document must compile. @throws HostError
   */
  async next(document: unknown, base?: readonly string[]): Promise<number | undefined> {
    const { learner, now } = this.#options;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const newest = learner.programs.entries.at(-1)!;
      if (base !== undefined && !base.includes(programTag(newest.program.document))) return undefined;
      const at = Math.max(now() + PROGRAM_DELAY_MS, newest.at);
      const version = newest.version + 1;
      if (await this.#write({ version, at, document })) return version;
    }
    throw new HostError("overloaded", "Others change the program at the same time.", { retryAfterS: 1 });
  }

  /** Resolves when it is in force; false where another server's program took its version. */
  async #write({ version, at, document }: { version: number; at: number; document: unknown }): Promise<boolean> {
    const { topic, sender, learner, now } = this.#options;
    const value = encodeDocument("control", { kind: "program", version, at, document });
    await sender.send([{ topic, partition: 0, key: Buffer.from(uuidv7()), value }]);
    await inTime(learner.hasProgram(version));
    const entry = learner.programs.entries.find((known) => known.version === version)!;
    const isOurs = entry.at === at && JSON.stringify(entry.program.document) === JSON.stringify(document);
    if (isOurs) await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - now())));
    return isOurs;
  }
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new HostError("unavailable", "Kafka does not answer; try it again.", { retryAfterS: 2 }));
    }, WAIT_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
