// Terms of items as dense numbers. A list looks at some hundred items of a large catalogue, none of them in the processor's
// cache, so an item is one short row of numbers, and what a term means stands in a few small arrays.
import type { Item } from "../item/item.ts";

const WORDS_MAX = 8;
const WORD_LENGTH_MIN = 3;
const TERMS_MAX = 24; // Per item.
const ROW_NUMBERS = 32; // TERMS_MAX and the length, in whole lines of the processor's cache.
const CATEGORY_WEIGHT = 2;

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

/** Who holds a term, in order of listing, oldest first. */
interface Holders {
  /** GONE where one has left: nothing moves up for one item of many. */
  slots: number[];
  /** Ascending, also of those that have left. */
  listings: number[];
  count: number;
}

const GONE = -1;

/**
 * Every term of the catalogue: its number, who holds it, what it is worth. To add and to remove cost O(log holders) on
 * average: a catalogue is sent anew every night, and a category may hold half of it.
 */
export function createTerms() {
  const numbers = { "c:": new Map<string, number>(), "t:": new Map<string, number>(), "w:": new Map<string, number>() };
  const names: string[] = [];
  const holdersOf: Holders[] = [];
  const free: number[] = [];
  const isWord: boolean[] = [];
  /** Rare terms say more; a category says more than a word of the title. */
  let worths = new Float64Array(1024);

  const mapOf = (name: string): Map<string, number> => numbers[name.slice(0, 2) as keyof typeof numbers];
  const weigh = (term: number): void => {
    worths[term] = (isWord[term] ? 1 : CATEGORY_WEIGHT) / Math.sqrt(1 + holdersOf[term]!.count);
  };

  const closeGaps = (holders: Holders): void => {
    const { slots, listings } = holders;
    holders.listings = listings.filter((_, i) => slots[i] !== GONE);
    holders.slots = slots.filter((slot) => slot !== GONE);
  };

  return {
    /** One past the highest term ever used. */
    get termEnd() {
      return holdersOf.length;
    },
    isWord,
    get worths() {
      return worths;
    },
    category: (name: string) => numbers["c:"].get(name),
    tag: (name: string) => numbers["t:"].get(name),
    /** The term of `name`, which from now on `slot` holds too. `listing` is higher than any before. */
    add(name: string, slot: number, listing: number): number {
      const map = mapOf(name);
      let term = map.get(name.slice(2));
      if (term === undefined) {
        term = free.pop() ?? holdersOf.length;
        map.set(name.slice(2), term);
        names[term] = name;
        isWord[term] = name.startsWith("w:");
        holdersOf[term] = { slots: [], listings: [], count: 0 };
        if (term >= worths.length) {
          const grown = new Float64Array(worths.length * 2);
          grown.set(worths);
          worths = grown;
        }
      }
      const holders = holdersOf[term]!;
      holders.slots.push(slot);
      holders.listings.push(listing);
      holders.count++;
      weigh(term);
      return term;
    },
    /** Takes the term from whoever was added with `listing`. */
    remove(term: number, listing: number): void {
      const holders = holdersOf[term]!;
      holders.slots[placeOf(holders.listings, listing)] = GONE;
      holders.count--;
      weigh(term);
      if (holders.slots.length > 2 * holders.count) closeGaps(holders);
      if (holders.count > 0) return;
      mapOf(names[term]!).delete(names[term]!.slice(2));
      free.push(term);
    },
    /** Writes the slots of the `max` that were listed last into `into`, newest first; returns how many they are. */
    newestOf(term: number, max: number, into: Int32Array): number {
      const holders = holdersOf[term]!;
      const { slots } = holders;
      let found = 0;
      let i = slots.length - 1;
      for (; i >= 0 && found < max; i--) if (slots[i] !== GONE) into[found++] = slots[i]!;
      // Gaps that were long to look over are looked over once.
      if (slots.length - i > 2 * max + 1) closeGaps(holders);
      return found;
    },
  };
}

/** Where `listing` stands among ascending ones. */
function placeOf(listings: readonly number[], listing: number): number {
  let low = 0;
  let high = listings.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (listings[middle]! < listing) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A row of numbers for each slot of the catalogue, all in one array; a row begins with its length. */
export function createTermRows() {
  let numbers = new Int32Array(256 * ROW_NUMBERS);
  /** Slot → where its row begins; 0 for none, and nothing begins there. */
  let starts = new Int32Array(1024);
  let listings = new Float64Array(1024);
  let end = ROW_NUMBERS;
  const free: number[] = [];
  return {
    get numbers() {
      return numbers;
    },
    /** Where the first term stands; the number before it says how many there are. 1 for a slot without a row. */
    firstOf: (slot: number): number => (slot < starts.length ? starts[slot]! + 1 : 1),
    lengthOf: (slot: number): number => (slot < starts.length ? numbers[starts[slot]!]! : 0),
    /** What `set` was told; of a slot with a row. */
    listingOf: (slot: number): number => listings[slot]!,
    set(slot: number, terms: readonly number[], listing: number): void {
      if (slot >= starts.length) {
        const grown = new Int32Array(Math.max(slot + 1, starts.length * 2));
        grown.set(starts);
        starts = grown;
        const grownListings = new Float64Array(grown.length);
        grownListings.set(listings);
        listings = grownListings;
      }
      let start = free.pop() ?? end;
      if (start === end) end += ROW_NUMBERS;
      if (end > numbers.length) {
        const grown = new Int32Array(numbers.length * 2);
        grown.set(numbers);
        numbers = grown;
      }
      starts[slot] = start;
      listings[slot] = listing;
      numbers[start++] = terms.length;
      for (const term of terms) numbers[start++] = term;
    },
    clear(slot: number): void {
      if (slot >= starts.length || starts[slot] === 0) return;
      free.push(starts[slot]!);
      starts[slot] = 0;
    },
  };
}

/** A byte of bits a term: few terms of an item mean anything to a visitor, and only those need be looked up. */
export function createTermMarks() {
  let of = new Uint8Array(1024);
  const marked: number[] = [];
  return {
    get of() {
      return of;
    },
    mark(term: number, bits: number): void {
      if (of[term] === 0) marked.push(term);
      of[term] = of[term]! | bits;
    },
    /** Takes all marks away; from then on there is room for `termCount` terms. */
    wipe(termCount: number): void {
      for (const term of marked) of[term] = 0;
      marked.length = 0;
      if (of.length < termCount) of = new Uint8Array(termCount * 2);
    },
  };
}
