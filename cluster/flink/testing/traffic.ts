// Seeded traffic for a rig, as several servers would write it: markers first, links learnt late, events sent twice.
import type { Rng } from "../../../core/math/rng.ts";
import { randomVisit, ServerLinks } from "../../operator/testing/visits.ts";
import type { ClusterRecord, UnstampedEvent } from "../../wire/record.ts";
import type { Rig } from "./rig.ts";

const SERVERS = 2;
/** Records that are on their way before the next are made. */
const IN_FLIGHT_MAX = 50;
const AGAIN_MAX = 20;

export class Traffic {
  readonly #rig: Rig;
  readonly #rng: Rng;
  readonly #persons: number;
  readonly #servers = Array.from({ length: SERVERS }, (_, i) => new ServerLinks(String(i)));
  readonly #sent: UnstampedEvent[] = [];
  #serial = 0;

  constructor(rig: Rig, rng: Rng, options: { persons: number }) {
    this.#rig = rig;
    this.#rng = rng;
    this.#persons = options.persons;
  }

  /** Events that are no duplicates and no marked traffic. */
  get distinct(): number {
    return this.#serial;
  }

  /** Writes `count` events, some of them twice. Resolves when Kafka has them. */
  async run(count: number): Promise<void> {
    let waiting: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      for (const { key, record } of await this.#next()) waiting.push(this.#rig.write([{ key, record }]));
      if (waiting.length < IN_FLIGHT_MAX) continue;
      await Promise.all(waiting);
      waiting = [];
    }
    await Promise.all(waiting);
  }

  async #next(): Promise<{ key: string; record: ClusterRecord }[]> {
    const rng = this.#rng;
    const isAgain = this.#sent.length > 0 && rng.between(0, 9) === 0;
    const event = isAgain
      ? this.#sent[Math.max(0, this.#sent.length - rng.between(1, AGAIN_MAX))]!
      : ownDevice(randomVisit(rng, { persons: this.#persons, nowMs: Date.now(), serial: this.#serial++ }));
    this.#sent.push(event);
    if (event.traffic !== undefined) return [{ key: `t:${this.#serial % 7}`, record: { kind: "event", event } }];
    const server = this.#servers[rng.between(0, SERVERS - 1)]!;
    const { key, marker } = server.place(event);
    if (marker !== undefined) await this.#rig.write([{ key: marker.anonKey, record: marker }]);
    if (rng.between(0, 60) === 0) for (const one of this.#servers) one.learn(server);
    return [{ key, record: { kind: "event", event } }];
  }
}

/** A device belongs to one user: with servers that learn late, a stale link to another one has no order. */
export function ownDevice<T extends { user_id?: string; anonymous_id?: string }>(visit: T): T {
  return visit.user_id === undefined || visit.anonymous_id === undefined
    ? visit
    : { ...visit, anonymous_id: `a${visit.user_id.slice(1)}` };
}
