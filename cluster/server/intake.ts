// Events on their way into the log: each under the key of the person that it belongs to, with its item's facts. Where an
// event links an anonymous visitor to a user, the visitor's own key is told first (a link marker), and the event follows
// when that is in the log: so the one always lies before the other.
import { setTimeout } from "node:timers/promises";
import { uuidv7 } from "uuidv7";
import { type ConsentVerdict, verdictOf } from "../../core/consent/consent.ts";
import { anonymousKeyOf, personKeyOf, resolve, userKeyOf } from "../../core/identity/identity.ts";
import { hash64 } from "../../core/math/hash.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";
import type { DeadLetter, PersonRef } from "../../core/record.ts";
import { isErasedBody, refOfBody } from "../../server/privacy/erased-body.ts";
import { addItemFacts } from "../../server/hosting/item-facts.ts";
import { RecentMap } from "../../server/hosting/recent-map.ts";
import type { EventOutcome, Submission } from "../../server/ports.ts";
import { partitionOf } from "../kafka/partition.ts";
import type { KafkaSender, OutgoingRecord } from "../kafka/sender.ts";
import { encodeDocument } from "../wire/documents.ts";
import { encodeClusterRecord, type ClusterRecord } from "../wire/record.ts";
import { recordKey, TICK_KEY } from "../wire/record-key.ts";
import { familyOf, type ProjectTopics } from "../wire/topics.ts";
import type { Consents } from "./consents.ts";
import type { Erasures } from "./erasures.ts";
import type { People } from "./people.ts";

/** Events that are known again here; all others the job knows, for 8 days. */
const EVENTS_KNOWN_MAX = 100_000;
/** Keys that marked traffic is spread over: nobody's, so that a bot is no hot person. */
const TRAFFIC_KEYS = 256;

/** What is said about a person beside his events. */
export type Said = Pick<Extract<ClusterRecord, { kind: "attributes" }>, "attributes" | "consent">;

export interface IntakeOptions {
  readonly topics: ProjectTopics;
  readonly partitions: ReadonlyMap<string, number>;
  /** Topics whose records have keys of their own. */
  readonly ownKeys: ReadonlySet<string>;
  readonly sender: KafkaSender;
  readonly people: People;
  readonly consents: Consents;
  readonly erasures: Erasures;
  readonly itemOf: (itemId: string) => Item | undefined;
  /** Processing time, Unix ms. */
  readonly now: () => number;
}

/** What consent is asked for. */
type Asking = PersonRef & Pick<LoggedEvent, "traffic">;

export interface IntakeCounts {
  accepted: number;
  duplicates: number;
  marked: number;
}

export class ClusterIntake {
  readonly #options: IntakeOptions;
  readonly #known = new RecentMap<true>(EVENTS_KNOWN_MAX);
  readonly counts: IntakeCounts = { accepted: 0, duplicates: 0, marked: 0 };
  #nextTraffic = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Resolves when Kafka has all of it. @throws HostError: as `KafkaSender.send`. */
  async submit({ events, deadLetters }: Submission): Promise<EventOutcome[]> {
    const { people } = this.#options;
    const isErased = await this.#erased(events);
    // Marked traffic makes no device anybody's, and neither do refused events.
    const named = new Map(deadLetters.flatMap(({ body }) => {
      const ref = refOfBody(body);
      return ref === undefined ? [] : [[body, { ...ref, traffic: "suspicious" } as const]];
    }));
    const verdicts = await this.#verdicts([...events, ...named.values()]);
    const outcomes: EventOutcome[] = [];
    const names = new Set<string>();
    const fresh: LoggedEvent[] = [];
    /** Refused, by what was said on a device that is the user's from now on: the log has to say whose it is. */
    const logins: LoggedEvent[] = [];
    for (const event of events) {
      const name = nameOf(event);
      const isKnown = names.has(name) || this.#known.get(name) !== undefined;
      const verdict = isKnown || isErased(event) ? undefined : verdicts(event);
      const outcome = isKnown ? "duplicate" : verdict === undefined ? "erased" : verdict === "kept" ? "accepted" : "refused";
      outcomes.push(outcome);
      if (verdict === "refused_on_device") logins.push(event);
      if (outcome !== "accepted") continue;
      names.add(name);
      fresh.push(event);
    }
    const links = await this.#linksOf([...fresh.filter(({ traffic }) => traffic === undefined), ...logins]);
    await this.#link(links);
    const users = new Map(links.map(({ anonKey, userKey }) => [anonKey, userKey]));
    const records = fresh.map((event) => this.#eventRecord(event, users));
    for (const event of logins) records.push(this.#loginRecord(event));
    const letters = deadLetters.filter(({ body }) => {
      if (isErasedBody(body, (key, atMs) => this.#options.erasures.covers(key, atMs))) return false;
      const ref = named.get(body);
      return ref === undefined || verdicts(ref) === "kept";
    });
    await this.#options.sender.send([...records, ...letters.map((letter) => this.#letterRecord(letter))]);
    for (const { anonKey, userKey } of links) people.link(anonKey, userKey);
    for (const name of names) this.#known.set(name, true);
    this.counts.accepted += fresh.length;
    for (const outcome of outcomes) if (outcome === "duplicate") this.counts.duplicates++;
    for (const { traffic } of fresh) if (traffic !== undefined) this.counts.marked++;
    return outcomes;
  }

  /** Which of the events happened before their persons were erased, or would lie before it in the log. */
  async #erased(events: readonly LoggedEvent[]): Promise<(event: LoggedEvent) => boolean> {
    const { erasures, now } = this.#options;
    const erased = new Set<LoggedEvent>();
    const mayBe = ({ timestamp }: LoggedEvent): boolean => Math.min(timestamp, now()) <= erasures.newestUntilMs;
    await Promise.all(
      events.filter(mayBe).map(async (event) => {
        const key = await this.#keyOf(event);
        if (erasures.covers(key, event.timestamp) || now() <= erasures.untilMs(key)) erased.add(event);
      }),
    );
    return (event) => erased.has(event);
  }

  /**
   * Tells of one event after the other, in their order, whether its person allows that it is kept: the one who he is with it.
   * @throws HostError where that cannot be known.
   */
  async #verdicts(events: readonly Asking[]): Promise<(event: Asking) => ConsentVerdict> {
    const { consents, people } = this.#options;
    if (!consents.mayRefuse) return () => "kept";
    const users = new Map<string, string>();
    const anonymousIds = new Set(events.flatMap(({ anonymous_id: id }) => id ?? []));
    await Promise.all(
      [...anonymousIds].map(async (id) => {
        const userKey = await people.userOf(id);
        if (userKey !== undefined) users.set(anonymousKeyOf(id), userKey);
      }),
    );
    const linkOf = (anonKey: string): string | undefined => users.get(anonKey);
    const keys = events.flatMap((event) => {
      const { key, link } = resolve(event, linkOf);
      return link?.merge === true ? [key, link.anonKey] : [key];
    });
    const said = await consents.said(keys);
    return (event) => {
      const { key, link } = resolve(event, linkOf);
      const own = said.get(key);
      const onDevice = link?.merge === true ? said.get(link.anonKey) : undefined;
      const isMarked = event.traffic !== undefined;
      const verdict = verdictOf({ own, onDevice, otherwise: consents.otherwise, isMarked });
      // Marked traffic links nobody.
      if (link !== undefined && !isMarked && verdict !== "refused") {
        users.set(link.anonKey, link.userKey);
        if (own === undefined && onDevice !== undefined) said.set(link.userKey, onDevice);
      }
      return verdict;
    };
  }

  /** Resolves to the person's key when Kafka has what was said about him. @throws HostError */
  async say(ref: PersonRef, said: Said): Promise<string> {
    const { topics, sender, people, erasures, now } = this.#options;
    const links = await this.#linksOf([ref]);
    await this.#link(links);
    const key = await this.#keyOf(ref);
    // He was erased just now: what is said of him now must have its place behind it.
    const waitMs = erasures.untilMs(key) - now();
    if (waitMs > 0) await setTimeout(waitMs);
    await sender.send([this.#record(topics.events.engage, key, { kind: "attributes", id: uuidv7(), ref, ...said })]);
    for (const { anonKey, userKey } of links) people.link(anonKey, userKey);
    return key;
  }

  /** @throws HostError */
  sendLetter(letter: DeadLetter): Promise<void> {
    return this.#options.sender.send([this.#letter(letter)]);
  }

  /**
   * A tick for each partition of the log: time goes on for all of them. `found`: how many a topic has, where somebody added some;
   * without a tick there the job's time, and with it every timer, would stand still.
   * @throws HostError
   */
  async tick(found: ReadonlyMap<string, number>): Promise<void> {
    const { topics, partitions, ownKeys, sender } = this.#options;
    const value = encodeClusterRecord({ kind: "tick" });
    await sender.send(
      topics.log.flatMap((topic) =>
        Array.from({ length: found.get(topic) ?? partitions.get(topic)! }, (_, partition) => ({ topic, partition, key: ownKeys.has(topic) ? TICK_KEY : null, value })),
      ),
    );
  }

  /** Links that these refs make and that are not known yet, and finds out whom their anonymous ids belong to. */
  async #linksOf(refs: readonly PersonRef[]): Promise<{ anonKey: string; userKey: string }[]> {
    const { people } = this.#options;
    const anonymousIds = new Set(refs.flatMap(({ anonymous_id: id }) => id ?? []));
    const users = new Map<string, string | undefined>();
    await Promise.all([...anonymousIds].map(async (id) => users.set(id, await people.userOf(id))));
    const links: { anonKey: string; userKey: string }[] = [];
    for (const { user_id: user, anonymous_id: id } of refs) {
      if (user === undefined || id === undefined || users.get(id) === userKeyOf(user)) continue;
      users.set(id, userKeyOf(user));
      links.push({ anonKey: anonymousKeyOf(id), userKey: userKeyOf(user) });
    }
    return links;
  }

  async #link(links: readonly { anonKey: string; userKey: string }[]): Promise<void> {
    const { topics, sender } = this.#options;
    await sender.send(
      links.map(({ anonKey, userKey }) =>
        this.#record(topics.events.engage, anonKey, { kind: "link", id: uuidv7(), anonKey, userKey }),
      ),
    );
  }

  async #keyOf(ref: PersonRef): Promise<string> {
    if (ref.user_id !== undefined) return userKeyOf(ref.user_id);
    return (await this.#options.people.userOf(ref.anonymous_id!)) ?? anonymousKeyOf(ref.anonymous_id!);
  }

  /** Of an event that is refused: whose the device is, and nothing else. */
  #loginRecord({ user_id, anonymous_id }: LoggedEvent): OutgoingRecord {
    const ref = { user_id: user_id!, anonymous_id: anonymous_id! };
    const record: ClusterRecord = { kind: "attributes", id: uuidv7(), ref, attributes: {} };
    return this.#record(this.#options.topics.events.engage, userKeyOf(ref.user_id), record);
  }

  /**
   * All its anonymous ids have been looked up, so what is in memory is what is known. `users`: by anonymous key, whom this
   * request links it to last.
   */
  #eventRecord(event: LoggedEvent, users: ReadonlyMap<string, string>): OutgoingRecord {
    const { topics, people, itemOf } = this.#options;
    addItemFacts(event, itemOf);
    const { received_at: _, ...unstamped } = event;
    const topic = topics.events[familyOf(event.event_type)];
    const record: ClusterRecord = { kind: "event", event: unstamped };
    if (event.traffic !== undefined) return this.#record(topic, `t:${this.#nextTraffic++ % TRAFFIC_KEYS}`, record);
    const own = personKeyOf(event);
    const key = own.startsWith("a:") ? (users.get(own) ?? people.keyNow(event)) : own;
    return this.#record(topic, key, record);
  }

  #record(topic: string, key: string, record: ClusterRecord): OutgoingRecord {
    const partition = partitionOf(key, this.#options.partitions.get(topic)!);
    return { topic, partition, key: this.#options.ownKeys.has(topic) ? recordKey(key) : Buffer.from(key), value: encodeClusterRecord(record) };
  }

  #letterRecord(letter: Submission["deadLetters"][number]): OutgoingRecord {
    const at = this.#options.now();
    // The same letter under the same id is one letter, however often its source is read.
    return this.#letter({ ...letter, id: letter.once === undefined ? uuidv7() : onceId(letter.once), at });
  }

  #letter(letter: DeadLetter): OutgoingRecord {
    const value = encodeDocument("deadLetters", letter);
    return { topic: this.#options.topics.deadLetters, partition: 0, key: Buffer.from(letter.id), value };
  }
}

/** An event id counts within its person, under whichever of his names it came. */
function nameOf(event: LoggedEvent): string {
  return `${personKeyOf(event)}\n${event.event_id}`;
}

function onceId(once: string): string {
  const { hi, lo } = hash64(once);
  return `once-${hi.toString(16).padStart(8, "0")}${lo.toString(16).padStart(8, "0")}`;
}
