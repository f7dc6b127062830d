// Which place of a fixed table belongs to a key: sets of four that the key's hash picks, as in a processor's cache. A set
// is one cache line: a look-up waits for memory once. Bounded for ever, and what is forgotten is what its owner can spare.

const SET_SIZE = 4;
/** Numbers of a place: its tag, then three of the owner's. */
const WIDTH = 4;
const SET_WIDTH = SET_SIZE * WIDTH;

export interface TaggedSets {
  /** Places are indices into it: `cells[place]` is the tag, 0 for an empty place; the next three are the owner's. */
  readonly cells: Int32Array;
  /** The same memory. */
  readonly floats: Float32Array;
  /** Set of a key: the row of the owner's table. */
  setOf(hi: number): number;
  /** Place of the key, -1 where it has none. */
  find(hi: number, lo: number): number;
  /** Place of the key, given one if it has none (its numbers are 0 then): an empty one, or that of the least worth. */
  claim(hi: number, lo: number, worth: (place: number) => number): number;
  readonly isNew: boolean;
  /** Where a set begins, and where the next one does. */
  rangeOf(set: number): readonly [from: number, to: number];
}

export function createTaggedSets(setBits: number): TaggedSets {
  const cells = new Int32Array(SET_WIDTH << setBits);
  let isNew = false;
  const shift = 32 - setBits;
  const tagOf = (lo: number): number => lo | 0 || 1;
  return {
    cells,
    floats: new Float32Array(cells.buffer),
    setOf: (hi) => hi >>> shift,
    find(hi, lo) {
      const from = (hi >>> shift) * SET_WIDTH;
      const tag = tagOf(lo);
      for (let place = from; place < from + SET_WIDTH; place += WIDTH) if (cells[place] === tag) return place;
      return -1;
    },
    claim(hi, lo, worth) {
      const from = (hi >>> shift) * SET_WIDTH;
      const tag = tagOf(lo);
      isNew = false;
      for (let place = from; place < from + SET_WIDTH; place += WIDTH) if (cells[place] === tag) return place;
      isNew = true;
      let least = from;
      let leastWorth = Infinity;
      for (let place = from; place < from + SET_WIDTH; place += WIDTH) {
        const own = cells[place] === 0 ? -Infinity : worth(place);
        if (own >= leastWorth) continue;
        least = place;
        leastWorth = own;
      }
      cells[least] = tag;
      for (let i = 1; i < WIDTH; i++) cells[least + i] = 0;
      return least;
    },
    get isNew() {
      return isNew;
    },
    rangeOf: (set) => [set * SET_WIDTH, (set + 1) * SET_WIDTH],
  };
}

/** Scatters 32 bits (the finalizer of MurmurHash3). */
export function scatter(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
