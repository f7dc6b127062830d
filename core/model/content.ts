// Content similarity over the catalogue: categories, tags and title words that items share. It serves items without
// events, and visitors who have interests but no history. Everything here is derived from the catalogue.
import type { Item } from "../item/item.ts";
import { addScore, type ScoreSheet } from "./candidates.ts";
import { createTermMarks, createTermRows, createTerms, termsOf } from "./content-terms.ts";
import { BECAUSE_MAX, type ScoringModel } from "./model.ts";
import type { Situation } from "./situation.ts";

const LOOK_AT_MAX = 64; // Newest items of one term that a query looks at,
const LOOK_AT_SESSION = 32; // and of a term of an item in the session, of whose like other models speak too.
const QUERY_ITEMS = 5;
const QUERY_TERMS = 6; // Of one item, in the order of its terms: categories, tags, words.
const QUERY_INTERESTS = 8; // Strongest first.
const QUERY_FADE = 0.6;
const INTEREST_WEIGHT = 1;
const TASTE_ITEMS = 20;
const TASTE_FADE = 0.9;
const OF_LAST = 1;
const OF_TASTE = 2;
const OF_WISHES = 4;
const OF_INTERESTS = 1 << QUERY_ITEMS; // Below it a bit for each item that a query asks with.

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
   * what share of the terms of his newest item the slot has. Returns the sum of the shares of his interests that the
   * slot's categories and tags are.
   */
  compareSlot(slot: number, into: Float64Array, at: number): number;
  /** What an item is worth to the visitor's interests and session, 0 where nothing is shared; good for one situation. */
  appealTo(situation: Situation): (slot: number) => number;
}

export function createContent(): Content {
  const terms = createTerms();
  const { isWord } = terms;
  const rows = createTermRows();
  const newest = new Int32Array(LOOK_AT_MAX);
  let listings = 0;

  const forEachTerm = (slot: number, visit: (term: number) => void): void => {
    const from = rows.firstOf(slot);
    for (let i = from; i < from + rows.lengthOf(slot); i++) visit(rows.numbers[i]!);
  };

  const holds = (slot: number, term: number): boolean => {
    const { numbers } = rows;
    const from = rows.firstOf(slot);
    for (let i = from, to = from + rows.lengthOf(slot); i < to; i++) if (numbers[i] === term) return true;
    return false;
  };

  /** What an item of the session asks for. */
  const queryTermsOf = (slot: number): Int32Array => {
    const from = rows.firstOf(slot);
    return rows.numbers.subarray(from, from + Math.min(QUERY_TERMS, rows.lengthOf(slot)));
  };

  const remove = (slot: number): void => {
    forEachTerm(slot, (term) => terms.remove(term, rows.listingOf(slot)));
    rows.clear(slot);
  };

  const put = (slot: number, item: Item | undefined): void => {
    remove(slot);
    if (item === undefined) return;
    listings++;
    rows.set(slot, termsOf(item).map((name) => terms.add(name, slot, listings)), listings);
  };

  const addNewest = (term: number, gain: number, most: number, sheet: ScoreSheet): void => {
    for (let i = terms.newestOf(term, most, newest) - 1; i >= 0; i--) addScore(sheet, newest[i]!, gain);
  };

  const likeness = (slot: number, other: number): number => {
    const { worths } = terms;
    const { numbers } = rows;
    const from = rows.firstOf(slot);
    let shared = 0;
    let all = 0;
    for (let i = from, to = from + rows.lengthOf(slot); i < to; i++) {
      const worth = worths[numbers[i]!]!;
      all += worth;
      if (holds(other, numbers[i]!)) shared += worth;
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

  // What terms mean to the situation that is compared, and to the one whose appeal is asked for.
  const meanings = createTermMarks();
  const appeal = createTermMarks();
  let interests = new Float64Array(1024); // Good where `meanings` has OF_TASTE.
  let wishes = new Float64Array(1024); // Good where it has OF_WISHES.
  let lastTerms = 0;

  return {
    name: "content",
    compare(situation) {
      meanings.wipe(terms.termEnd);
      if (interests.length < terms.termEnd) {
        interests = new Float64Array(terms.termEnd * 2);
        wishes = new Float64Array(terms.termEnd * 2);
      }
      interestsOf(situation, (term, share) => {
        wishes[term] = ((meanings.of[term]! & OF_WISHES) === 0 ? 0 : wishes[term]!) + share;
        meanings.mark(term, OF_WISHES);
      });
      lastTerms = situation.contextLength > 0 ? rows.lengthOf(situation.context[0]!) : 0;
      if (lastTerms > 0) forEachTerm(situation.context[0]!, (term) => meanings.mark(term, OF_LAST));
      let worth = 1 - TASTE_FADE; // The worths sum to 1 at most.
      const { trail, trailLength, past, pastLength } = situation;
      for (let k = 0; k < trailLength + pastLength && k < TASTE_ITEMS; k++, worth *= TASTE_FADE) {
        forEachTerm(k < trailLength ? trail[k]! : past[k - trailLength]!, (term) => {
          if (isWord[term]) return;
          interests[term] = ((meanings.of[term]! & OF_TASTE) === 0 ? 0 : interests[term]!) + worth;
          meanings.mark(term, OF_TASTE);
        });
      }
    },
    compareSlot(slot, into, at) {
      const { numbers } = rows;
      const from = rows.firstOf(slot);
      let interest = 0;
      let shared = 0;
      let wish = 0;
      for (let i = from, to = from + numbers[from - 1]!; i < to; i++) {
        const meaning = meanings.of[numbers[i]!]!;
        if (meaning === 0) continue;
        if ((meaning & OF_LAST) !== 0) shared++;
        if ((meaning & OF_WISHES) !== 0) wish += wishes[numbers[i]!]!;
        if ((meaning & OF_TASTE) !== 0) interest += interests[numbers[i]!]!;
      }
      into[at] = interest;
      into[at + 1] = lastTerms === 0 ? 0 : shared / lastTerms;
      return wish;
    },
    put,
    likeness,
    like(slot) {
      const found = new Set<number>();
      forEachTerm(slot, (term) => {
        for (let i = terms.newestOf(term, LOOK_AT_MAX, newest) - 1; i >= 0; i--) found.add(newest[i]!);
      });
      found.delete(slot);
      return found;
    },
    learn() {},
    score(situation, sheet) {
      const { worths } = terms;
      let fade = 1;
      for (let k = 0; k < situation.contextLength && k < QUERY_ITEMS; k++, fade *= QUERY_FADE) {
        for (const term of queryTermsOf(situation.context[k]!)) addNewest(term, worths[term]! * fade, LOOK_AT_SESSION, sheet);
      }
      let asked = 0;
      interestsOf(situation, (term, share) => {
        if (asked++ < QUERY_INTERESTS) addNewest(term, worths[term]! * share * INTEREST_WEIGHT, LOOK_AT_MAX, sheet);
      });
    },
    appealTo(situation) {
      const asked = Math.min(situation.contextLength, QUERY_ITEMS);
      const shares = new Map<number, number>();
      appeal.wipe(terms.termEnd);
      for (let k = 0; k < asked; k++) forEachTerm(situation.context[k]!, (term) => appeal.mark(term, 1 << k));
      interestsOf(situation, (term, share) => {
        appeal.mark(term, OF_INTERESTS);
        shares.set(term, share);
      });
      const shared = new Float64Array(QUERY_ITEMS);
      return (slot) => {
        const { worths } = terms;
        const { numbers } = rows;
        const from = rows.firstOf(slot);
        const to = from + rows.lengthOf(slot);
        let all = 0;
        shared.fill(0);
        for (let i = from; i < to; i++) {
          const worth = worths[numbers[i]!]!;
          all += worth;
          const holders = appeal.of[numbers[i]!]! & ~OF_INTERESTS;
          if (holders !== 0) for (let k = 0; k < asked; k++) if ((holders & (1 << k)) !== 0) shared[k] = shared[k]! + worth;
        }
        if (all === 0) return 0;
        let sum = 0;
        for (let k = 0, fade = 1; k < asked; k++, fade *= QUERY_FADE) sum += (shared[k]! / all) * fade; // Its likeness.
        for (let i = from; i < to; i++) if ((appeal.of[numbers[i]!]! & OF_INTERESTS) !== 0) sum += shares.get(numbers[i]!)!;
        return sum;
      };
    },
    because({ context, contextLength }, slot) {
      const leads = (own: number): boolean => {
        for (const term of queryTermsOf(own)) {
          const found = terms.newestOf(term, LOOK_AT_SESSION, newest);
          if (newest.subarray(0, found).includes(slot)) return true;
        }
        return false;
      };
      return Array.from(context.subarray(0, Math.min(contextLength, QUERY_ITEMS))).filter(leads).slice(0, BECAUSE_MAX);
    },
    forget: remove,
    tables: [],
  };
}
