// One audit chain that several servers write. Each appends a record of entries that follow the newest one that it has
// seen. Where two do so at the same time, the first in the topic counts; the other's record is late, and its writer
// makes it anew. So the topic's order decides, and no server has to ask another one.
import { firstFault, FIRST_HASH, parseEntry, type Anchor, type AuditEntry, type ChainFault } from "../../server/audit/chain.ts";

export type Taken =
  | { kind: "taken"; entries: readonly AuditEntry[] }
  /** It lost against one that was first; nothing of it counts. */
  | { kind: "late" }
  | { kind: ChainFault["kind"] };

export const START: Anchor = { seq: 0, hash: FIRST_HASH };

export class SharedChain {
  #head: Anchor | undefined;
  /** One record followed another: from then on what does not follow is a fault. */
  #isSure: boolean;

  /** @param head - undefined: reading begins in the middle, and the head is what the first records say. */
  constructor(head?: Anchor) {
    this.#head = head;
    this.#isSure = head !== undefined;
  }

  /** The newest entry. */
  get head(): Anchor {
    return this.#head ?? START;
  }

  /** Takes the next record of the topic: one entry a line. */
  take(text: string): Taken {
    const lines = text.split("\n");
    const entries = lines.map(parseEntry);
    const first = entries[0];
    if (first === undefined || entries.includes(undefined)) return { kind: "unreadable" };
    const before = { seq: first.seq - 1, hash: first.previous };
    const fault = firstFault(lines, undefined, before);
    if (fault !== undefined) return { kind: fault.kind };
    if (this.#head !== undefined) {
      if (first.seq <= this.#head.seq) return { kind: "late" };
      const follows = before.seq === this.#head.seq && before.hash === this.#head.hash;
      if (!follows && this.#isSure) return { kind: "out_of_order" };
      this.#isSure ||= follows;
    }
    const last = entries.at(-1)!;
    this.#head = { seq: last.seq, hash: last.hash };
    return { kind: "taken", entries: entries as AuditEntry[] };
  }
}

export interface SharedFault {
  /** Of the record in the topic; the end where something is missing there. */
  offset: number;
  kind: ChainFault["kind"];
}

/** Walks a whole topic against the heads that other places remember. */
export class TrailCheck {
  readonly #chain = new SharedChain(START);
  readonly #anchors: readonly Anchor[];
  entries = 0;
  fault: SharedFault | undefined;

  constructor(anchors: readonly Anchor[]) {
    this.#anchors = anchors;
  }

  get head(): Anchor {
    return this.#chain.head;
  }

  take(text: string, offset: number): void {
    const taken = this.#chain.take(text);
    if (taken.kind === "late") return;
    if (taken.kind !== "taken") return void (this.fault ??= { offset, kind: taken.kind });
    this.entries += taken.entries.length;
    for (const { seq, hash } of taken.entries) {
      if (this.#anchors.some((anchor) => anchor.seq === seq && anchor.hash !== hash)) this.fault ??= { offset, kind: "changed" };
    }
  }

  /** What is known to have been there must be there. */
  end(offset: number): void {
    if (this.#anchors.some(({ seq }) => seq > this.head.seq)) this.fault ??= { offset, kind: "cut_off" };
  }
}
