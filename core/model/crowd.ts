// Against abuse and for privacy: what one source may move, and what of the crowd others may be shown.
//
// A source (a person, or the address that he sends from) counts with one event an item; from then on it never holds more
// than `maxShare` of the item's popularity, and a person never more than two events, each repetition counting half: many
// who push together would raise each other's shares. What a public address says is worth a look at most: that it bought,
// anybody can say. Whoever has been known for a short while counts less. And a list shows others nothing that fewer than
// `minPersons` different persons, at as many senders, have done: neither an item nor two items after each other. What a
// visitor did himself he is always shown.
// docs/decisions/abuse.md has the reasons and the limits.
import { type Hash64, hash32, hash64Into } from "../math/hash.ts";
import type { Step } from "./step.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import type { CandidateList, ScoreSheet } from "./candidates.ts";
import type { CrowdConfig } from "./config.ts";
import { createContributions } from "./contributions.ts";
import type { Cosine } from "./cosine.ts";
import type { DecayClock } from "./decay-clock.ts";
import { CONTEXT_KINDS, CONTEXTS_MAX, type CrowdKind } from "./facets.ts";
import type { ItemIndex } from "./item-index.ts";
import { createPairCrowds } from "./pair-crowds.ts";
import { createSessionTrust } from "./session-trust.ts";
import type { Situation } from "./situation.ts";
import { createSketches } from "./sketches.ts";

const DAY_MS = 86_400_000;
const SEED = 0x51ce0d;
const FRESH = 1 / 64; // Of an event's weight: what has faded below it was long ago.
/** Events of one person that an item's popularity holds at most. */
const PERSON_EVENTS = 2;
/** Weight of an event from a public address at most, that of a look in the programs that come with the product. */
const PUBLIC_WEIGHT = 1;
/** Items back that a pair is counted with; each costs a look into memory. */
const PAIRS_BACK = 4;
/** Items of the visitor that a model proposes from; of models that are not here each item alone says what it says. */
const PROPOSED_FROM: ReadonlyMap<string, number> = new Map([["rules", 3], ["next", 1], ["recent", 3], ["cosine", 5], ["knn", PAIRS_BACK]]);

/** In this order: their places are in the keys of what was counted. */
const KINDS: readonly CrowdKind[] = [...CONTEXT_KINDS, "facet"];

export interface Crowd {
  configure(config: CrowdConfig): void;
  /** The step's weight; what a public address says is worth a look at most, because nobody vouches for it. */
  weightOf(step: Step): number;
  /** How much of that weight the step may teach, 0–1; `slot` is -1 for a new item. Changes nothing. */
  trustOf(step: Step, slot: number): number;
  /** How much of the step its person has not said of the item before, 0–1: each repetition is half as new. Changes nothing. */
  noveltyOf(step: Step, slot: number): number;
  /** What a newcomer counts, 1 for others; what trends counts it once more: bursts are made of newcomers. */
  newcomerWeight(step: Step): number;
  /** How much of `weight` a step that turns away may take back; what an address takes back counts as what it brings. */
  takeBack(step: Step, slot: number, weight: number): number;
  /** Counts a step that teaches `weight`. `situation` is what was known before it. */
  count(step: Step, slot: number, weight: number, situation: Situation): void;
  /** Of a session, 0–1: that of its least trusted step. */
  readonly sessions: ReturnType<typeof createSessionTrust>;
  /** Enough persons had to do with the item that others may know. */
  isPublic(slot: number, nowMs: number): boolean;
  /** Enough within a day or two, for what is said to be new about it. */
  isPublicLately(slot: number, nowMs: number): boolean;
  /** It is public, or the visitor had to do with it himself. */
  mayKnow(situation: Situation, slot: number): boolean;
  /** Enough persons had to do with both. */
  isPublicPair(a: number, b: number, nowMs: number): boolean;
  /** Stands for a crowd (of a country, of an age group …) beside items: references have bit 31 clear. */
  keyOfCrowd(kind: CrowdKind, value: string): number;
  /** Enough persons of the crowd with this key had to do with it, or the visitor himself. */
  isKnownOf(key: number, situation: Situation, slot: number): boolean;
  /** The same neighbours, but of public pairs alone. */
  publicPairsOf(pairs: Neighbours): Neighbours;
  /** Take items out that others must not know; those of the visitor himself stay. */
  siftSheet(situation: Situation, sheet: ScoreSheet): void;
  siftItems(situation: Situation, list: CandidateList): void;
  /** Takes proposals of a model out that too few persons stand behind. */
  siftList(model: string, situation: Situation, list: CandidateList): void;
  forget(slot: number): void;
  readonly tables: readonly WholeTable[];
}

export type Neighbours = Pick<Cosine, "neighbours">;

export interface CrowdOptions {
  readonly items: ItemIndex;
  /** Of popularity. */
  readonly clock: DecayClock;
  readonly popularityOf: (slot: number, nowMs: number) => number;
}

export function createCrowd(config: CrowdConfig, { items, clock, popularityOf }: CrowdOptions): Crowd {
  let current = config;
  const always = createSketches("crowds", 30 * DAY_MS);
  const lately = createSketches("crowds_lately", DAY_MS);
  const pairs = createPairCrowds();
  const contributions = createContributions(clock);
  const sessions = createSessionTrust();
  const person: Hash64 = { hi: 0, lo: 0 };
  const sender: Hash64 = { hi: 0, lo: 0 };
  const who = { person, sender, timeMs: 0 };
  const keysOfCrowds = KINDS.map(() => new Map<string, number>());
  let identified: Step | undefined;

  const identify = (step: Step): void => {
    if (step === identified) return;
    identified = step;
    const { personKey, source } = step;
    hash64Into(person, personKey, SEED);
    if (source === undefined) Object.assign(sender, person);
    else hash64Into(sender, source, SEED + 1);
  };

  /** Left of a source's part in an item of which there is `all`, for an event of this weight. */
  const room = (brought: number, weight: number, all: number): number => {
    if (brought < weight * FRESH) return weight;
    const { maxShare } = current;
    return Math.max(0, Math.min(weight, (maxShare * all - brought) / (1 - maxShare)));
  };

  const keyOfCrowd = (kind: CrowdKind, value: string): number => {
    const place = KINDS.indexOf(kind);
    const keys = keysOfCrowds[place]!;
    let key = keys.get(value);
    if (key === undefined) {
      key = hash32(value, SEED + place) | 0x80000000;
      if (keys.size < CONTEXTS_MAX) keys.set(value, key);
    }
    return key;
  };

  const isOwn = ({ trail, trailLength, past, pastLength }: Situation, slot: number): boolean => {
    for (let k = 0; k < trailLength; k++) if (trail[k] === slot) return true;
    for (let k = 0; k < pastLength; k++) if (past[k] === slot) return true;
    return false;
  };

  const mayPropose = (from: number, situation: Situation, slot: number): boolean => {
    const { context, contextLength, nowMs } = situation;
    for (let k = 0; k < contextLength && k < from; k++) if (crowd.isPublicPair(context[k]!, slot, nowMs)) return true;
    return isOwn(situation, slot);
  };

  const crowd: Crowd = {
    sessions,
    configure(next) {
      current = next;
    },
    newcomerWeight({ knownSinceMs, timeMs }) {
      return knownSinceMs !== undefined && timeMs - knownSinceMs < current.youngMs ? current.youngWeight : 1;
    },
    weightOf({ weight, source }) {
      return current.maxShare < 1 && source !== undefined ? Math.min(weight, PUBLIC_WEIGHT) : weight;
    },
    noveltyOf(step, slot) {
      if (current.maxShare >= 1 || slot < 0) return 1;
      identify(step);
      const told = contributions.of(items.refOf(slot), person, step.timeMs);
      return told === 0 ? 1 : Math.max(0, 1 - told / (PERSON_EVENTS * crowd.weightOf(step) * crowd.newcomerWeight(step)));
    },
    trustOf(step, slot) {
      const trust = crowd.newcomerWeight(step);
      if (current.maxShare >= 1 || slot < 0) return trust;
      identify(step);
      const whole = crowd.weightOf(step);
      const weight = whole * trust;
      const ref = items.refOf(slot);
      const all = popularityOf(slot, step.timeMs);
      let left = Math.min(weight * crowd.noveltyOf(step, slot), room(contributions.of(ref, person, step.timeMs), weight, all));
      if (step.source !== undefined) {
        left = Math.min(left, room(contributions.of(ref, sender, step.timeMs), weight, all));
      }
      return left / whole;
    },
    takeBack(step, slot, weight) {
      const whole = weight * crowd.newcomerWeight(step);
      if (current.maxShare >= 1 || step.source === undefined) return whole;
      identify(step);
      const ref = items.refOf(slot);
      const brought = contributions.of(ref, sender, step.timeMs);
      const taken = Math.min(whole, room(brought, whole, popularityOf(slot, step.timeMs)));
      if (taken > 0) contributions.add(ref, sender, taken, step.timeMs);
      return taken;
    },
    count(step, slot, weight, situation) {
      const { timeMs } = step;
      const { maxShare, minPersons } = current;
      identify(step);
      const ref = items.refOf(slot);
      if (maxShare < 1) {
        const told = crowd.weightOf(step) * crowd.newcomerWeight(step) * crowd.noveltyOf(step, slot);
        if (told > 0) contributions.add(ref, person, told, timeMs);
        if (weight > 0 && step.source !== undefined) contributions.add(ref, sender, weight, timeMs);
      }
      always.add(slot, person, sender, timeMs);
      lately.add(slot, person, sender, timeMs);
      if (minPersons <= 1) return;
      who.timeMs = timeMs;
      const { trail, trailLength, facets } = situation;
      for (let k = 0; k < trailLength && k < PAIRS_BACK; k++) if (trail[k] !== slot) pairs.add(items.refOf(trail[k]!), ref, who);
      for (const kind of CONTEXT_KINDS) {
        const value = situation[kind];
        if (value !== undefined) pairs.add(keyOfCrowd(kind, value), ref, who);
      }
      for (const facet of facets) pairs.add(keyOfCrowd("facet", facet), ref, who);
    },
    isPublic: (slot, nowMs) => current.minPersons <= 1 || always.holds(slot, current.minPersons, nowMs),
    mayKnow: (situation, slot) => crowd.isPublic(slot, situation.nowMs) || isOwn(situation, slot),
    isPublicLately: (slot, nowMs) => current.minPersons <= 1 || lately.holds(slot, current.minPersons, nowMs),
    keyOfCrowd,
    isKnownOf: (key, situation, slot) =>
      current.minPersons <= 1 ||
      pairs.holds(key, items.refOf(slot), current.minPersons, situation.nowMs) ||
      isOwn(situation, slot),
    isPublicPair: (a, b, nowMs) =>
      current.minPersons <= 1 || pairs.holds(items.refOf(a), items.refOf(b), current.minPersons, nowMs),
    publicPairsOf: (neighbours) => ({
      neighbours(slot, nowMs, into) {
        neighbours.neighbours(slot, nowMs, into);
        if (current.minPersons > 1) keep(into, (other) => crowd.isPublicPair(slot, other, nowMs));
      },
    }),
    siftSheet(situation, sheet) {
      const { minPersons } = current;
      if (minPersons <= 1) return;
      const { touched, scores, count } = sheet;
      for (let i = 0; i < count; i++) {
        const slot = touched[i]!;
        if (!always.holds(slot, minPersons, situation.nowMs) && !isOwn(situation, slot)) scores[slot] = 0;
      }
    },
    siftItems(situation, list) {
      const { minPersons } = current;
      if (minPersons > 1) keep(list, (slot) => always.holds(slot, minPersons, situation.nowMs) || isOwn(situation, slot));
    },
    siftList(model, situation, list) {
      if (current.minPersons <= 1) return;
      const from = PROPOSED_FROM.get(model);
      if (from !== undefined) keep(list, (slot) => mayPropose(from, situation, slot));
    },
    forget(slot) {
      always.forget(slot);
      lately.forget(slot);
    },
    tables: [always.table, lately.table, pairs.table, contributions.table, sessions.table],
  };
  return crowd;
}

function keep(list: CandidateList, may: (slot: number) => boolean): void {
  const { slots, scores, length } = list;
  let kept = 0;
  for (let i = 0; i < length; i++) {
    if (!may(slots[i]!)) continue;
    slots[kept] = slots[i]!;
    scores[kept++] = scores[i]!;
  }
  list.length = kept;
}
