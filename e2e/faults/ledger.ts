// What was sent and what was promised, kept by the sender: an event whose 202 was received must exist exactly once, one
// without an answer once or not at all. Each event carries a value, so counts and sums of a profile both must agree.
import assert from "node:assert/strict";
import type { Rng } from "../../core/math/rng.ts";

export interface SentEvent {
  event_id: string;
  user_id?: string;
  anonymous_id?: string;
  event_type: "click";
  item_id: string;
  timestamp: number;
  value: number;
}

/** `sent`: no answer came; `acked`: answered as accepted or as a duplicate. */
type Standing = "sent" | "acked";

interface Person {
  readonly userId: string;
  /** A third of the persons begin without a name and tell it later. */
  readonly anonymousId: string | undefined;
  events: number;
}

/** What a profile says about the program of the rigs (faults-program.json). */
export interface ProfileFigures {
  hits: number;
  total: number;
}

/** What a run of rounds came to. */
export interface FaultTally {
  rounds: number;
  sent: number;
  acked: number;
  /** Acknowledged events that are not there. */
  lost: number;
  /** Events that are there, or count, more than once. */
  doubled: number;
  /** Events in the log that nobody sent. */
  unknown: number;
  /** Rounds by what ended them, refusals by their status. */
  readonly by: Record<string, number>;
}

export const newTally = (): FaultTally => ({ rounds: 0, sent: 0, acked: 0, lost: 0, doubled: 0, unknown: 0, by: {} });

/** The rigs' program: two features that count every event exactly and forget none. */
export const FAULTS_PROGRAM = {
  name: "faults",
  events: { click: { weight: 1 } },
  features: { hits: { kind: "count", event: "click" }, total: { kind: "sum", event: "click", of: "value" } },
  segments: { several: { when: "features.hits >= 3" } },
};

interface Entry {
  readonly event: SentEvent;
  standing: Standing;
}

const ITEMS = 200;
const RECENT_MAX = 2_000;

export class Ledger {
  readonly #events = new Map<string, Entry>();
  /** The newest of them. */
  #recent: Entry[] = [];
  #persons: Person[] = [];
  #personNumber = 0;

  /** Persons whose events are made from now on; those before them stay in the books. */
  newPersons(count: number): void {
    this.#persons = Array.from({ length: count }, () => {
      const number = this.#personNumber++;
      return { userId: `user-${number}`, anonymousId: number % 3 === 0 ? `anon-${number}` : undefined, events: 0 };
    });
  }

  newEvents(rng: Rng, count: number): SentEvent[] {
    return Array.from({ length: count }, () => {
      const person = this.#persons[rng.between(0, this.#persons.length - 1)]!;
      const { userId, anonymousId } = person;
      const number = person.events++;
      const event: SentEvent = {
        event_id: `${userId}-${number}`,
        ...(anonymousId === undefined || number > 4 ? { user_id: userId } : {}),
        ...(anonymousId !== undefined && number < 10 ? { anonymous_id: anonymousId } : {}),
        event_type: "click",
        item_id: `item-${rng.between(0, ITEMS - 1)}`,
        timestamp: Date.now(),
        value: rng.between(1, 9),
      };
      const entry: Entry = { event, standing: "sent" };
      this.#events.set(event.event_id, entry);
      this.#recent.push(entry);
      if (this.#recent.length > 2 * RECENT_MAX) this.#recent = this.#recent.slice(-RECENT_MAX);
      return event;
    });
  }

  acked(events: readonly SentEvent[]): void {
    for (const { event_id: id } of events) this.#events.get(id)!.standing = "acked";
  }

  /** Of every event that was acknowledged. */
  ackedIds(): string[] {
    return [...this.#events].filter(([, { standing }]) => standing === "acked").map(([id]) => id);
  }

  get ackedCount(): number {
    return this.#count("acked");
  }

  get sentCount(): number {
    return this.#events.size;
  }

  unanswered(): SentEvent[] {
    return [...this.#events.values()].filter(({ standing }) => standing === "sent").map(({ event }) => event);
  }

  /** Acknowledged events, to be sent again: they must change nothing. */
  someAcked(rng: Rng, count: number): SentEvent[] {
    const from = rng.between(0, Math.max(0, this.#recent.length - count));
    const some = this.#recent.slice(from, from + count).filter(({ standing }) => standing === "acked");
    return some.map(({ event }) => event);
  }

  /** What the present persons were promised so far, by user id. */
  promised(): ReadonlyMap<string, ProfileFigures> {
    return new Map(this.#persons.map((person) => [person.userId, this.#figures(person, "acked")]));
  }

  /**
   * Between what was `promised` before the figures were read and what is sent by now, for each of the present persons; how
   * many promises are broken.
   */
  compareProfiles(
    figures: ReadonlyMap<string, ProfileFigures>,
    promised: ReadonlyMap<string, ProfileFigures>,
  ): { lost: number; doubled: number } {
    let lost = 0;
    let doubled = 0;
    for (const person of this.#persons) {
      const acked = promised.get(person.userId)!;
      const sent = this.#figures(person, "sent");
      const { hits, total } = figures.get(person.userId) ?? { hits: 0, total: 0 };
      lost += Math.max(0, acked.hits - hits);
      doubled += Math.max(0, hits - sent.hits);
      if (hits === acked.hits && hits === sent.hits) {
        assert.equal(total, sent.total, `${person.userId}: the count is right, the sum is not`);
      }
    }
    return { lost, doubled };
  }

  /** The same for the log, event by event; also what nobody sent. */
  compareExport(lines: Iterable<string>): { lost: number; doubled: number; unknown: number } {
    const seen = new Map<string, number>();
    for (const line of lines) {
      const { event_id: id } = JSON.parse(line) as { event_id: string };
      seen.set(id, (seen.get(id) ?? 0) + 1);
    }
    let lost = 0;
    for (const [id, { standing }] of this.#events) if (standing === "acked" && !seen.has(id)) lost++;
    const counts = [...seen.values()];
    return {
      lost,
      doubled: counts.filter((count) => count > 1).length,
      unknown: [...seen.keys()].filter((id) => !this.#events.has(id)).length,
    };
  }

  /** Names of the present persons who have events; the anonymous ones only once they have told theirs. */
  userIds(): string[] {
    return this.#persons.filter(({ events }) => events > 0).map(({ userId }) => userId);
  }

  #count(wanted: Standing): number {
    let count = 0;
    for (const { standing } of this.#events.values()) if (standing === wanted) count++;
    return count;
  }

  /** Of what was acknowledged, or of all that was sent. */
  #figures(of: Person, wanted: Standing): ProfileFigures {
    const entries = Array.from({ length: of.events }, (_, i) => this.#events.get(`${of.userId}-${i}`)!);
    // Until he tells his name, what he did lies in another profile; it counts once the link is acknowledged.
    const isLinked = of.anonymousId === undefined || entries.some(({ event, standing }) => {
      return standing === "acked" && event.user_id !== undefined && event.anonymous_id !== undefined;
    });
    const figures = { hits: 0, total: 0 };
    for (const { event, standing } of entries) {
      const counts = wanted === "sent" || (standing === "acked" && (isLinked || event.user_id !== undefined));
      if (!counts) continue;
      figures.hits++;
      figures.total += event.value;
    }
    return figures;
  }
}
