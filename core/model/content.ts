// Content similarity over the catalogue: categories, tags and title words that items share. It serves items without
// events, and visitors who have interests but no history. Everything here is derived from the catalogue.
import type { Item } from "../item/item.ts";
import { addScore, type ScoreSheet } from "./candidates.ts";
import { BECAUSE_MAX, type ScoringModel } from "./model.ts";
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

const NO_TERMS: readonly number[] = [];

export interface Content extends ScoringModel {
  /** The catalogue changed the slot's item; undefined takes it out. */
  put(slot: number, item: Item | undefined): void;
  /** 0–1: what share of `slot`'s terms, by worth, `other` has too. */
  likeness(slot: number, other: number): number;
  /** Slots that share a term with `slot`, each once. */
  like(slot: number): Set<number>;
  /** Sets the situation for `compareSlot`, which is cheap. */
  compare(situation: Situation): void;
  /**
   * Writes two numbers from 0 to 1: how much of the slot's categories and tags the visitor's items have lately had, and
   * what share of the terms of his newest item the slot has.
   */
  compareSlot(slot: number, into: Float64Array, at: number): void;
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

/**
 * Terms as dense numbers: a list looks at some hundred items of a large catalogue, none of them in the processor's cache,
 * so an item is one short row of numbers, and what a term means stands in a few small arrays.
 */
function createTerms() {
  const numbers = { "c:": new Map<string, number>(), "t:": new Map<string, number>(), "w:": new Map<string, number>() };
  const names: string[] = [];
  /** Term → every slot that holds it, in order of listing, oldest first. */
  const slotsOf: number[][] = [];
  const free: number[] = [];
  const isWord: boolean[] = [];
  /** Rare terms say more; a category says more than a word of the title. */
  let worths = new Float64Array(1024);

  const mapOf = (name: string): Map<string, number> => numbers[name.slice(0, 2) as keyof typeof numbers];
  const weigh = (term: number): void => {
    worths[term] = (isWord[term] ? 1 : CATEGORY_WEIGHT) / Math.sqrt(1 + slotsOf[term]!.length);
  };

  return {
    slotsOf,
    isWord,
    get worths() {
      return worths;
    },
    category: (name: string) => numbers["c:"].get(name),
    tag: (name: string) => numbers["t:"].get(name),
    /** The term of `name`, which from now on `slot` holds too. */
    add(name: string, slot: number): number {
      const map = mapOf(name);
      let term = map.get(name.slice(2));
      if (term === undefined) {
        term = free.pop() ?? slotsOf.length;
        map.set(name.slice(2), term);
        names[term] = name;
        isWord[term] = name.startsWith("w:");
        slotsOf[term] = [];
        if (term >= worths.length) {
          const grown = new Float64Array(worths.length * 2);
          grown.set(worths);
          worths = grown;
        }
      }
      slotsOf[term]!.push(slot);
      weigh(term);
      return term;
    },
    remove(term: number, slot: number): void {
      const slots = slotsOf[term]!;
      slots.splice(slots.indexOf(slot), 1);
      weigh(term);
      if (slots.length > 0) return;
      mapOf(names[term]!).delete(names[term]!.slice(2));
      free.push(term);
    },
  };
}

export function createContent(): Content {
  const terms = createTerms();
  const { slotsOf, isWord } = terms;
  const termsAt: (readonly number[] | undefined)[] = [];

  const remove = (slot: number): void => {
    for (const term of termsAt[slot] ?? NO_TERMS) terms.remove(term, slot);
    termsAt[slot] = undefined;
  };

  const put = (slot: number, item: Item | undefined): void => {
    while (termsAt.length <= slot) termsAt.push(undefined);
    remove(slot);
    if (item !== undefined) termsAt[slot] = termsOf(item).map((name) => terms.add(name, slot));
  };

  const addNewest = (term: number, gain: number, sheet: ScoreSheet): void => {
    const slots = slotsOf[term]!;
    for (let i = Math.max(0, slots.length - LOOK_AT_MAX); i < slots.length; i++) addScore(sheet, slots[i]!, gain);
  };

  const likeness = (slot: number, other: number): number => {
    const mine = termsAt[slot];
    const its = termsAt[other];
    if (mine === undefined || its === undefined) return 0;
    const { worths } = terms;
    let shared = 0;
    let all = 0;
    for (let i = 0; i < mine.length; i++) {
      const worth = worths[mine[i]!]!;
      all += worth;
      if (its.includes(mine[i]!)) shared += worth;
    }
    return all === 0 ? 0 : shared / all;
  };

  const interestsOf = (situation: Situation, visit: (term: number, share: number) => void): void => {
    for (const [name, share] of situation.interests) {
      if (!(share > 0)) continue;
      const category = terms.category(name);
      if (category !== undefined) visit(category, share);
      const tag = terms.tag(name);
      if (tag !== undefined) visit(tag, share);
    }
  };

  // What terms mean to the situation that is being compared; 0 for all but those in `marked`.
  let interests = new Float64Array(1024);
  let ofLast = new Uint8Array(1024);
  const marked: number[] = [];
  let lastTerms = 0;
  const wipeMarks = (): void => {
    for (const term of marked) {
      interests[term] = 0;
      ofLast[term] = 0;
    }
    marked.length = 0;
    if (interests.length >= slotsOf.length) return;
    interests = new Float64Array(slotsOf.length * 2);
    ofLast = new Uint8Array(slotsOf.length * 2);
  };

  return {
    name: "content",
    compare(situation) {
      wipeMarks();
      const last = (situation.contextLength > 0 ? termsAt[situation.context[0]!] : undefined) ?? NO_TERMS;
      lastTerms = last.length;
      for (const term of last) {
        ofLast[term] = 1;
        marked.push(term);
      }
      let worth = 1 - TASTE_FADE; // The worths sum to 1 at most.
      const { trail, trailLength, past, pastLength } = situation;
      for (let k = 0; k < trailLength + pastLength && k < TASTE_ITEMS; k++, worth *= TASTE_FADE) {
        for (const term of termsAt[k < trailLength ? trail[k]! : past[k - trailLength]!] ?? NO_TERMS) {
          if (isWord[term]) continue;
          interests[term] = interests[term]! + worth;
          marked.push(term);
        }
      }
    },
    compareSlot(slot, into, at) {
      const mine = termsAt[slot] ?? NO_TERMS;
      let interest = 0;
      let shared = 0;
      for (let i = 0; i < mine.length; i++) {
        interest += interests[mine[i]!]!;
        shared += ofLast[mine[i]!]!;
      }
      into[at] = interest;
      into[at + 1] = lastTerms === 0 ? 0 : shared / lastTerms;
    },
    put,
    likeness,
    like(slot) {
      const found = new Set<number>();
      for (const term of termsAt[slot] ?? NO_TERMS) {
        const slots = slotsOf[term]!;
        for (let i = Math.max(0, slots.length - LOOK_AT_MAX); i < slots.length; i++) found.add(slots[i]!);
      }
      found.delete(slot);
      return found;
    },
    learn() {},
    score(situation, sheet) {
      const { worths } = terms;
      let fade = 1;
      for (let k = 0; k < situation.contextLength && k < QUERY_ITEMS; k++, fade *= QUERY_FADE) {
        const its = termsAt[situation.context[k]!] ?? NO_TERMS;
        for (let t = 0; t < its.length && t < QUERY_TERMS; t++) addNewest(its[t]!, worths[its[t]!]! * fade, sheet);
      }
      let asked = 0;
      interestsOf(situation, (term, share) => {
        if (asked++ < QUERY_INTERESTS) addNewest(term, worths[term]! * share * INTEREST_WEIGHT, sheet);
      });
    },
    appealTo(situation) {
      const shares = new Map<number, number>();
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
