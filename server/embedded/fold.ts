// What the log means: applies one record after the other to everything that is a fold of it. Live commits, recovery,
// `verify` and tests all come through `apply`, so there is one truth about what a record does.
import type { LoggedEvent, TrafficMark } from "../../core/event/event.ts";
import { type ConsentVerdict, isGranted, verdictOf } from "../../core/consent/consent.ts";
import { DecisionState } from "../../core/decide/decision-state.ts";
import { applyAttributes, applyEvent, joinOutputs, lookAgain, mergePersons, netMoves, type Outputs } from "../../core/engine.ts";
import { anonymousKeyOf, refOfKey, resolve, resolveKeys, type IdentityLink } from "../../core/identity/identity.ts";
import { compileProgram } from "../../core/program/compile.ts";
import { ProgramTimeline } from "../../core/program/timeline.ts";
import { paceMsOf, stepOf } from "../../core/model/step.ts";
import { addAnonymousId } from "../../core/profile/fold.ts";
import { strongestInterests } from "../../core/profile/reading.ts";
import type { PersonState } from "../../core/profile/person.ts";
import { createRecommender, type Recommender } from "../../core/rank/recommender.ts";
import type { Consent, DeadLetter, PersonRef } from "../../core/record.ts";
import type { IdIndex } from "../log/id-index.ts";
import type { PersonChange } from "../ports.ts";
import { OverlayTable } from "../state/overlay-table.ts";
import type { StateFile } from "../state/state-file.ts";
import { eventKey, eventKeysOf, type EventKey, type EventKeys, type GroupKeys, GroupLinks, type KeyedRecord } from "./event-keys.ts";
import { Memberships } from "./memberships.ts";
import { OldestLetters } from "./oldest-letters.ts";
import { Persons } from "./persons.ts";

/** Dead letters kept; beyond it the oldest leave the list (they stay in the log). */
const DEAD_LETTERS_MAX = 100_000;

type AttributesRecord = Extract<KeyedRecord, { kind: "attributes" }>;
type EventRecord = Extract<KeyedRecord, { kind: "event" }>;
const text = { encode: (value: unknown) => Buffer.from(JSON.stringify(value)), decode: decodeJson };

export interface FoldCounts {
  events: number;
  marked: Record<TrafficMark, number>;
  deadLetters: number;
}

export class Fold {
  readonly programs: ProgramTimeline;
  readonly persons: Persons;
  readonly members: Memberships;
  readonly recommender: Recommender;
  readonly counts: FoldCounts = { events: 0, marked: { bot: 0, suspicious: 0, no_consent: 0 }, deadLetters: 0 };
  /** Anonymous id → user id. */
  readonly links: OverlayTable;
  readonly letters: OverlayTable;
  readonly programTable: OverlayTable;
  /** What slots have learnt, experiments have shown and decisions wait for. */
  readonly decisions: DecisionState;
  /** Persons in experiments. */
  readonly units: OverlayTable;
  /** Processing time of the newest record; the host's clock never runs behind it. */
  lastAtMs = 0;
  /** Somebody has said that his events must not be kept: from then on each event's person is asked for. */
  mayRefuse = false;
  /** Log position at which everything but persons stands already; records before it concern persons who stand earlier. */
  startsAt = 0;
  readonly #ids: IdIndex;
  readonly #oldestLetters: OldestLetters;

  /** Starts from what `file` holds. A project's first record is its first program. */
  constructor(options: { file: StateFile; ids: IdIndex; personsCachedMax: number }) {
    const { file, ids } = options;
    this.#ids = ids;
    this.links = new OverlayTable(file, "l");
    this.letters = new OverlayTable(file, "d");
    this.#oldestLetters = new OldestLetters(this.letters);
    this.programTable = new OverlayTable(file, "v");
    this.programs = new ProgramTimeline();
    for (const [, bytes] of this.programTable.page({ limit: Number.MAX_SAFE_INTEGER })) {
      const stored = text.decode(bytes) as { version: number; at: number; document: unknown };
      this.programs.append(stored.version, stored.at, compiledOrThrow(stored.document, stored.version));
    }
    this.members = new Memberships(file);
    this.persons = new Persons(file, this.programs, options.personsCachedMax);
    const newest = this.programs.entries.at(-1)?.program;
    this.recommender = createRecommender({ models: newest?.models, learning: newest?.learning });
    this.units = new OverlayTable(file, "u");
    this.decisions = new DecisionState(this.units);
    if (newest !== undefined) this.decisions.adopt(newest);
  }

  /**
   * Applies one record, which ends at log position `next`; what changed about a person comes back, undefined where the
   * record is about none.
   */
  apply(record: KeyedRecord, next: number): PersonChange | undefined {
    this.lastAtMs = Math.max(this.lastAtMs, record.at);
    const change = next <= this.startsAt ? this.#catchUp(record, next) : this.#apply(record);
    this.persons.position = next;
    return change;
  }

  /**
   * A record from before the checkpoint: only its person may lack it, and only what it does to him is done. Links are those
   * of the checkpoint, which is right: whom a link concerned was written after it (`again`), so he lacks nothing before it.
   */
  #catchUp(record: KeyedRecord, next: number): undefined {
    if (record.kind === "expiry") return this.#expireAgain(record.names, next);
    if (record.kind !== "event" && record.kind !== "attributes") return;
    if (record.kind === "event" && record.event.traffic !== undefined) return;
    const ref = record.kind === "event" ? record.event : record.ref;
    const { key } = resolve(ref, this.#linkOf);
    if (this.persons.standsAt(key, next)) return;
    const { total } = this.persons;
    const person = this.persons.change(key);
    this.persons.total = total;
    if (record.kind === "event") applyEvent(person, record.event, this.programs);
    else this.#setAttributes(person, record);
  }

  #apply(record: KeyedRecord): PersonChange | undefined {
    switch (record.kind) {
      case "event":
        return this.#event(record);
      case "attributes":
        return this.#attributes(record);
      case "item_put":
        this.recommender.putItem(record.item, record.at);
        return undefined;
      case "item_delete":
        this.recommender.deleteItem(record.item_id);
        return undefined;
      case "program": {
        const { at, version, document } = record;
        this.programs.append(version, at, compiledOrThrow(document, version));
        this.programTable.set(String(version).padStart(9, "0"), text.encode({ version, at, document }));
        this.recommender.configure(this.programs.current.models, this.programs.current.learning);
        this.decisions.configure(this.programs.current, at);
        this.persons.allAgain();
        return undefined;
      }
      case "decision":
        this.decisions.decided(record.decision, this.keyNow(record.decision), record.at);
        return undefined;
      case "background":
        this.recommender.takeBackground(record);
        return undefined;
      case "experiment_stop":
        this.decisions.stopped(record.stop, record.at);
        return undefined;
      case "dead_letter":
        this.#letter(record.letter);
        return undefined;
      case "expiry":
        this.expire(record.names);
        return undefined;
    }
  }

  /** Brings a person to `nowMs`; undefined where time changed nothing that anybody could see. */
  look(key: string, nowMs: number): PersonChange | undefined {
    const seen = this.persons.get(key);
    if (seen === undefined) return undefined;
    const isDue = seen.nextCheckMs <= nowMs || seen.programVersion !== this.programs.current.version;
    if (!isDue) return undefined;
    const person = this.persons.change(key);
    // No record brings about what he has now moved out of and into, and the checkpoint's segments know of it.
    this.persons.again(key);
    return this.#changed(key, person, nowMs, lookAgain(person, nowMs, this.programs));
  }

  /** The person's key and those of the devices that are his now. */
  namesOf(key: string): string[] {
    const devices = (this.persons.get(key)?.anonymousIds ?? []).map(anonymousKeyOf);
    return [key, ...devices.filter((device) => device !== key && this.#linkOf(device) === key)];
  }

  /** Nobody knows him from now on. What models and experiments learnt of him stays until they are built anew. */
  forget(names: readonly string[]): void {
    for (const key of names) {
      for (const segment of this.persons.get(key)?.memberships.keys() ?? []) this.members.leave(segment, key);
      this.persons.forget(key);
      if (this.links.get(key) !== undefined) this.links.set(key, null);
    }
  }

  /** Nobody knows him from now on, nor do models and experiments by name; what they learnt of him stays as nobody's. */
  expire(names: readonly string[]): void {
    this.forget(names);
    for (const key of names) {
      this.persons.again(key);
      this.recommender.forget(key);
      this.decisions.forget(key);
    }
  }

  /** His row was written before he was forgotten, or he was brought back by his records from before. */
  #expireAgain(names: readonly string[], next: number): undefined {
    const { total } = this.persons;
    for (const key of names) if (!this.persons.standsAt(key, next)) this.persons.forget(key);
    this.persons.total = total;
  }

  /** The key that `ref` stands for now; links nothing. */
  keyNow(ref: PersonRef): string {
    return resolve(ref, this.#linkOf).key;
  }

  /** True where the log, or the group on its way there, holds an event with this id for this person, under any of his names. */
  knows({ user, anonymous }: EventKeys, eventId: string, group?: { keys: GroupKeys; links: GroupLinks }): boolean {
    const isKnown = (key: EventKey): boolean => group?.keys.has(key) === true || this.#isLogged(key);
    const isKnownOn = (anonKey: string): boolean => anonKey !== anonymous?.personKey && isKnown(eventKey(anonKey, eventId));
    if (anonymous !== undefined && isKnown(anonymous)) return true;
    if (user !== undefined && isKnown(user)) return true;
    const personKey = user?.personKey ?? this.#userOf(anonymous!.personKey, group?.links);
    if (personKey === undefined) return false;
    if (user === undefined && isKnown(eventKey(personKey, eventId))) return true;
    for (const anonymousId of this.persons.get(personKey)?.anonymousIds ?? []) {
      if (isKnownOn(anonymousKeyOf(anonymousId))) return true;
    }
    return group?.links.devicesOf(personKey).some(isKnownOn) === true;
  }

  /**
   * Whether the event's person allows that it is kept: the one who he is once it is folded. `group`: what the records before
   * it on their way to the log link and say; what this one links is added.
   */
  verdictOf({ traffic }: Pick<LoggedEvent, "traffic">, { user, anonymous }: EventKeys, group = new GroupLinks()): ConsentVerdict {
    const { consentDefault: otherwise } = this.programs.current;
    const isAsked = this.mayRefuse || otherwise === "denied" || group.consents.size > 0;
    if (!isAsked && (user === undefined || anonymous === undefined)) return "kept";
    const { key, link } = resolveKeys(user?.personKey, anonymous?.personKey, (anonKey) => this.#userOf(anonKey, group));
    // Marked traffic links nobody.
    const made = traffic === undefined ? link : undefined;
    if (!isAsked) {
      if (made !== undefined) group.link(made);
      return "kept";
    }
    const own = this.#saidBy(key, group);
    const onDevice = link?.merge === true ? this.#saidBy(link.anonKey, group) : undefined;
    const isMarked = traffic !== undefined;
    const verdict = verdictOf({ own: own?.analytics, onDevice: onDevice?.analytics, otherwise, isMarked });
    if (made !== undefined && verdict !== "refused") this.#willLink(made, group);
    return verdict;
  }

  /** Adds to `group` what attributes or consent on their way to the log link and say. */
  willSay({ ref, consent }: Pick<AttributesRecord, "ref" | "consent">, group: GroupLinks): void {
    const { key, link } = resolve(ref, (anonKey) => this.#userOf(anonKey, group));
    if (link !== undefined) this.#willLink(link, group);
    if (consent !== undefined) group.consents.set(key, consent);
  }

  #willLink(link: IdentityLink, group: GroupLinks): void {
    const onDevice = link.merge ? this.#saidBy(link.anonKey, group) : undefined;
    const isNew = onDevice !== undefined && this.#saidBy(link.userKey, group) === undefined;
    if (isNew) group.consents.set(link.userKey, onDevice);
    group.link(link);
  }

  #userOf(anonKey: string, group?: GroupLinks): string | undefined {
    return group?.users.get(anonKey) ?? this.#linkOf(anonKey);
  }

  #saidBy(key: string, group: GroupLinks): Consent | undefined {
    return group.consents.get(key) ?? this.persons.get(key)?.consent;
  }

  #isLogged({ hi, lo }: EventKey): boolean {
    return this.#ids.has(hi, lo);
  }

  /** True where the log holds a dead letter with this idempotency key. */
  knowsLetter(once: string): boolean {
    return this.#isLogged(letterKey(once));
  }

  /** Attributes that name both ids link them, as an event does: a visitor who signs in without doing anything else. */
  #attributes(record: AttributesRecord): PersonChange {
    const { ref, at } = record;
    const { key, link } = resolve(ref, this.#linkOf);
    const merged = link === undefined ? undefined : this.#link(link, at);
    const person = this.persons.change(key);
    const change = this.#changed(key, person, at, joinOutputs(merged, this.#setAttributes(person, record)));
    if (link !== undefined) change.linkedAnonymousId = ref.anonymous_id!;
    if (link !== undefined && merged !== undefined) change.mergedFrom = link.anonKey;
    return change;
  }

  #setAttributes(person: PersonState, { ref, attributes, consent, at }: AttributesRecord): Outputs {
    if (consent !== undefined) {
      person.consent = consent;
      if (consent.analytics === "denied") this.mayRefuse = true;
    }
    if (ref.user_id !== undefined && ref.anonymous_id !== undefined) addAnonymousId(person, ref.anonymous_id);
    return applyAttributes(person, attributes, at, this.programs);
  }

  /** Knows again what a record names once, and does nothing else of what it says. */
  remember(record: KeyedRecord): void {
    if (record.kind === "event") this.#rememberEvent(record);
    else if (record.kind === "dead_letter") this.#rememberLetter(record.letter);
  }

  #rememberEvent({ event, keys: checked }: EventRecord): EventKeys {
    const keys = checked ?? eventKeysOf(event);
    for (const key of [keys.user, keys.anonymous]) {
      if (key === undefined) continue;
      if (checked === undefined) this.#ids.add(key.hi, key.lo);
      else this.#ids.addNew(key.hi, key.lo);
    }
    return keys;
  }

  #rememberLetter({ once }: DeadLetter): void {
    if (once === undefined) return;
    const { hi, lo } = letterKey(once);
    this.#ids.add(hi, lo);
  }

  #event(record: EventRecord): PersonChange | undefined {
    const { event } = record;
    const { user, anonymous } = this.#rememberEvent(record);
    this.counts.events++;
    if (event.traffic !== undefined) {
      this.counts.marked[event.traffic]++;
      return undefined;
    }
    const { key, link } = resolveKeys(user?.personKey, anonymous?.personKey, this.#linkOf);
    const merged = link === undefined ? undefined : this.#link(link, event.received_at);
    const person = this.persons.change(key);
    const program = this.programs.current;
    const weight = program.plan.weights.get(event.event_type) ?? 0;
    const mayLearn = isGranted(person.consent, "profiling", program.consentDefault);
    const sampled = this.recommender.learningSample(event.event_id, paceMsOf(event.timestamp, event.received_at));
    const step = stepOf(event, {
      personKey: key,
      weight,
      sampled,
      history: person.recent,
      firstMs: person.firstInteractionMs,
      interests: sampled ? strongestInterests(person) : undefined,
      attributes: person.attributes,
      demographics: program.models?.context?.attributes,
    });
    if (step !== undefined && mayLearn) this.recommender.learn(step);
    const outputs = applyEvent(person, event, this.programs);
    if (outputs.folded) this.decisions.acted(event, key, weight);
    const change = this.#changed(key, person, event.received_at, joinOutputs(merged, outputs));
    change.event = event;
    if (link !== undefined && merged !== undefined) change.mergedFrom = link.anonKey;
    return change;
  }

  #changed(key: string, person: PersonState, atMs: number, outputs: Outputs): PersonChange {
    const { entered, left } = netMoves(outputs);
    const { triggers } = outputs;
    for (const segment of entered) this.members.enter(segment, key);
    for (const segment of left) this.members.leave(segment, key);
    return { key, ref: refOfKey(key), version: person.version, atMs, entered, left, triggers };
  }

  /** Returns what came of it for the user, where two persons became one: the anonymous key is no more then. */
  #link({ anonKey, userKey, merge }: IdentityLink, at: number): Outputs | undefined {
    this.persons.again(this.#linkOf(anonKey) ?? anonKey);
    this.persons.again(userKey);
    this.links.set(anonKey, Buffer.from(userKey));
    if (!merge) return undefined;
    this.recommender.relink(anonKey, userKey);
    this.decisions.relink(anonKey, userKey, at);
    const from = this.persons.get(anonKey);
    const into = this.persons.change(userKey);
    if (from === undefined) return undefined;
    const forgotten = this.persons.change(anonKey);
    for (const segment of forgotten.memberships.keys()) this.members.leave(segment, anonKey);
    const outputs = mergePersons(into, forgotten, at, this.programs);
    this.persons.forget(anonKey);
    return outputs;
  }

  #letter(letter: DeadLetter): void {
    if (letter.resolved === true) {
      if (this.letters.get(letter.id) !== undefined) this.counts.deadLetters--;
      this.letters.set(letter.id, null);
      return;
    }
    this.#rememberLetter(letter);
    this.letters.set(letter.id, text.encode(letter));
    this.#oldestLetters.came(letter.id);
    this.counts.deadLetters++;
    if (this.counts.deadLetters > DEAD_LETTERS_MAX) {
      this.letters.set(this.#oldestLetters.next(), null);
      this.counts.deadLetters--;
    }
  }

  readonly #linkOf = (anonKey: string): string | undefined => {
    const stored = this.links.get(anonKey);
    return stored === undefined ? undefined : Buffer.from(stored).toString("utf8");
  };
}

/** A row of `letters`. */
export function letterOf(bytes: Uint8Array): DeadLetter {
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as DeadLetter;
}

/** No person's key has this form, so letters and events share one index. */
function letterKey(once: string): EventKey {
  return eventKey("dead letter", once);
}

function compiledOrThrow(document: unknown, version: number) {
  const compiled = compileProgram(document, version);
  if ("program" in compiled) return compiled.program;
  const fault = compiled.faults[0]!;
  throw new Error(`program version ${version} of the log does not compile: ${fault.path} ${fault.message}`);
}

function decodeJson(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
}
