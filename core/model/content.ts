// Content similarity over the catalogue: categories, tags and title words that items share. It serves items without
// events, and visitors who have interests but no history. Everything here is derived from the catalogue.
import type { Item } from "../item/item.ts";
import { addScore, type ScoreSheet } from "./candidates.ts";
import { BECAUSE_MAX, type Model } from "./model.ts";
import type { Situation } from "./situation.ts";

const WORDS_MAX = 8;
const WORD_LENGTH_MIN = 3;
const TERMS_MAX = 24; // Per item.
const LOOK_AT_MAX = 64; // Newest items of one term that a query looks at.
const QUERY_ITEMS = 5;
const QUERY_TERMS = 6; // Of one item, in the order of its terms: categories, tags, words.
const QUERY_INTERESTS = 8; // Strongest first.
const QUERY_FADE = 0.6;
const CATEGORY_WEIGHT = 2;
const INTEREST_WEIGHT = 1;
const TASTE_ITEMS = 20;
const TASTE_FADE = 0.9;

/** What a term means to the situation that is being compared. */
interface Mark {
  of: number;
  interest: number;
  isLast: boolean;
}

interface Term {
  readonly name: string;
  /** Every slot that holds it, in order of listing, oldest first. */
  readonly slots: number[];
  readonly weight: number;
  readonly mark: Mark;
}

const NO_TERMS: readonly Term[] = [];

export interface Content extends Model {
  /** The catalogue changed the slot's item; undefined takes it out. */
  put(slot: number, item: Item | undefined): void;
  /** 0–1: what share of `slot`'s terms, by worth, `other` has too. */
  likeness(slot: number, other: number): number;
  /** Slots that share a term with `slot`, each once. */
  like(slot: number): Set<number>;
  /** Sets the situation for `interest` and `sameAsLast`, which are cheap. */
  compare(situation: Situation): void;
  /** 0–1: how much of the slot's categories and tags the visitor's items have lately had. */
  interest(slot: number): number;
  /** 0–1: what share of the terms of the visitor's newest item the slot has. */
  sameAsLast(slot: number): number;
  /** What an item is worth to the visitor's interests and session, 0 where nothing is shared; good for one situation. */
  appealTo(situation: Situation): (slot: number) => number;
}

export function termsOf(item: Item): string[] {
  const terms = new Set<string>();
  for (const category of item.categories) terms.add(`c:${category}`);
  for (const tag of item.tags) terms.add(`t:${tag}`);
  let words = 0;
  for (const word of (item.title ?? "").toLowerCase().split(/[^\p{L}\p{N}]+/u)) {
    if (word.length < WORD_LENGTH_MIN) continue;
    if (++words > WORDS_MAX) break;
    terms.add(`w:${word}`);
  }
  return [...terms].slice(0, TERMS_MAX);
}

export function createContent(): Content {
  const terms = new Map<string, Term>();
  const termsAt: (readonly Term[] | undefined)[] = [];

  /** Rare terms say more; a category says more than a word of the title. */
  const worth = (term: Term): number => term.weight / Math.sqrt(1 + term.slots.length);

  const remove = (slot: number): void => {
    for (const term of termsAt[slot] ?? []) {
      term.slots.splice(term.slots.indexOf(slot), 1);
      if (term.slots.length === 0) terms.delete(term.name);
    }
    termsAt[slot] = undefined;
  };

  const put = (slot: number, item: Item | undefined): void => {
    while (termsAt.length <= slot) termsAt.push(undefined);
    remove(slot);
    if (item === undefined) return;
    termsAt[slot] = termsOf(item).map((name) => {
      let term = terms.get(name);
      if (term === undefined) terms.set(name, (term = { name, slots: [], weight: name.startsWith("w:") ? 1 : CATEGORY_WEIGHT, mark: { of: 0, interest: 0, isLast: false } }));
      term.slots.push(slot);
      return term;
    });
  };

  const addNewest = ({ slots }: Term, gain: number, sheet: ScoreSheet): void => {
    for (let i = Math.max(0, slots.length - LOOK_AT_MAX); i < slots.length; i++) addScore(sheet, slots[i]!, gain);
  };

  const likeness = (slot: number, other: number): number => {
    const mine = termsAt[slot];
    const its = termsAt[other];
    if (mine === undefined || its === undefined) return 0;
    let shared = 0;
    let all = 0;
    for (const term of mine) {
      all += worth(term);
      if (its.includes(term)) shared += worth(term);
    }
    return all === 0 ? 0 : shared / all;
  };

  const interestsOf = (situation: Situation, visit: (term: Term, share: number) => void): void => {
    for (const [name, share] of situation.interests) {
      if (!(share > 0)) continue;
      const category = terms.get(`c:${name}`);
      if (category !== undefined) visit(category, share);
      const tag = terms.get(`t:${name}`);
      if (tag !== undefined) visit(tag, share);
    }
  };

  let compared = 0; // Number of the situation that terms' marks belong to.
  let lastTerms = 0;
  const marked = (term: Term): Mark => {
    if (term.mark.of !== compared) {
      term.mark.of = compared;
      term.mark.interest = 0;
      term.mark.isLast = false;
    }
    return term.mark;
  };

  return {
    name: "content",
    compare(situation) {
      compared++;
      const last = situation.contextLength > 0 ? termsAt[situation.context[0]!] : undefined;
      lastTerms = last?.length ?? 0;
      for (const term of last ?? []) marked(term).isLast = true;
      let worth = 1 - TASTE_FADE; // The worths sum to 1 at most.
      const { trail, trailLength, past, pastLength } = situation;
      for (let k = 0; k < trailLength + pastLength && k < TASTE_ITEMS; k++, worth *= TASTE_FADE) {
        for (const term of termsAt[k < trailLength ? trail[k]! : past[k - trailLength]!] ?? NO_TERMS) {
          if (term.weight === CATEGORY_WEIGHT) marked(term).interest += worth;
        }
      }
    },
    interest(slot) {
      let sum = 0;
      for (const { mark } of termsAt[slot] ?? NO_TERMS) if (mark.of === compared) sum += mark.interest;
      return sum;
    },
    sameAsLast(slot) {
      if (lastTerms === 0) return 0;
      let shared = 0;
      for (const { mark } of termsAt[slot] ?? NO_TERMS) if (mark.of === compared && mark.isLast) shared++;
      return shared / lastTerms;
    },
    put,
    likeness,
    like(slot) {
      const found = new Set<number>();
      for (const { slots } of termsAt[slot] ?? []) {
        for (let i = Math.max(0, slots.length - LOOK_AT_MAX); i < slots.length; i++) found.add(slots[i]!);
      }
      found.delete(slot);
      return found;
    },
    learn() {},
    score(situation, sheet) {
      let fade = 1;
      for (let k = 0; k < situation.contextLength && k < QUERY_ITEMS; k++, fade *= QUERY_FADE) {
        const terms = termsAt[situation.context[k]!] ?? [];
        for (let t = 0; t < terms.length && t < QUERY_TERMS; t++) addNewest(terms[t]!, worth(terms[t]!) * fade, sheet);
      }
      let asked = 0;
      interestsOf(situation, (term, share) => {
        if (asked++ < QUERY_INTERESTS) addNewest(term, worth(term) * share * INTEREST_WEIGHT, sheet);
      });
    },
    appealTo(situation) {
      const shares = new Map<Term, number>();
      interestsOf(situation, (term, share) => shares.set(term, share));
      return (slot) => {
        const mine = termsAt[slot];
        if (mine === undefined) return 0;
        let sum = 0;
        let fade = 1;
        for (let k = 0; k < situation.contextLength && k < QUERY_ITEMS; k++, fade *= QUERY_FADE) {
          sum += likeness(slot, situation.context[k]!) * fade;
        }
        for (const term of mine) sum += shares.get(term) ?? 0;
        return sum;
      };
    },
    because(situation, slot) {
      const mine = termsAt[slot];
      const found: number[] = [];
      for (let k = 0; k < situation.contextLength && k < QUERY_ITEMS && found.length < BECAUSE_MAX; k++) {
        if (termsAt[situation.context[k]!]?.some((term) => mine?.includes(term))) found.push(situation.context[k]!);
      }
      return found;
    },
    forget: remove,
    tables: [],
  };
}
