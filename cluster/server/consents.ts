// Whether events may be kept, before they are written: what a person has said stands in his row in Redis, with the answer to
// the one question that intake has. Where nobody has ever said no, and the program's default is yes, nobody is looked up.
//
// What the log has all the same (another server wrote it before it could know) the job leaves out.
import type { Consent } from "../../core/record.ts";
import { HostError } from "../../server/ports.ts";
import type { People } from "./people.ts";

const RETRY_AFTER_S = 2;

export interface ConsentsOptions {
  readonly people: People;
  /** The program's. */
  readonly otherwise: () => Consent["analytics"];
  /** False where it is known that nobody has said no. */
  readonly mayRefuse: () => boolean;
}

export class Consents {
  readonly #options: ConsentsOptions;

  constructor(options: ConsentsOptions) {
    this.#options = options;
  }

  /** False where everybody's events may be kept. */
  get mayRefuse(): boolean {
    const { otherwise, mayRefuse } = this.#options;
    return otherwise() === "denied" || mayRefuse();
  }

  /**
   * What was said under each of the keys; a key under which nothing was said is left out.
   * @throws HostError `unavailable` where yes has to have been said and Redis, which would know, is away.
   */
  async said(keys: Iterable<string>): Promise<Map<string, Consent["analytics"]>> {
    const { people, otherwise } = this.#options;
    const answers = new Map<string, Consent["analytics"]>();
    await Promise.all(
      [...new Set(keys)].map(async (key) => {
        const { said, isKnown } = await people.analyticsOf(key);
        if (said === undefined && !isKnown && otherwise() === "denied") throw unknown();
        if (said !== undefined) answers.set(key, said);
      }),
    );
    return answers;
  }

  /** What holds where nothing was said. */
  get otherwise(): Consent["analytics"] {
    return this.#options.otherwise();
  }
}

function unknown(): HostError {
  const message = "Whether these events may be kept is not known while Redis is away; send them again.";
  return new HostError("unavailable", message, { retryAfterS: RETRY_AFTER_S });
}
