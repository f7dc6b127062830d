// Ids added since the last sealed run: a hash table without wrap-around, whose slot is the top of `hi`. Its clusters
// thus follow each other in order, and sorting the table is sorting each short cluster in place.

/** Past this share of slots a lookup that finds nothing takes more than about 4 probes. */
const LOAD_MAX = 0.6;
/** Slots behind the last home slot; a cluster that runs through them fills the table. */
const OVERFLOW_SLOTS = 512;
/** Clusters up to this length are sorted by insertion. */
const INSERTION_MAX = 32;

export class ActiveIds {
  readonly #slots: Uint32Array;
  readonly #shift: number;
  readonly #countMax: number;
  count = 0;

  /** @param bits - the table has 2^bits home slots of 8 bytes each. */
  constructor(bits: number) {
    this.#slots = new Uint32Array((2 ** bits + OVERFLOW_SLOTS) * 2);
    this.#shift = 32 - bits;
    this.#countMax = Math.floor(2 ** bits * LOAD_MAX);
  }

  get memoryBytes(): number {
    return this.#slots.byteLength;
  }

  has(hi: number, lo: number): boolean {
    const slots = this.#slots;
    for (let at = (hi >>> this.#shift) * 2; slots[at] !== 0 || slots[at + 1] !== 0; at += 2) {
      if (slots[at + 1] === lo && slots[at] === hi) return true;
    }
    return false;
  }

  /** Adds an id that is not in the table, nor (0, 0); false when it is full. */
  add(hi: number, lo: number): boolean {
    const slots = this.#slots;
    if (this.count >= this.#countMax) return false;
    let at = (hi >>> this.#shift) * 2;
    while (at < slots.length && (slots[at] !== 0 || slots[at + 1] !== 0)) at += 2;
    // The last slot stays empty: it ends every search.
    if (at >= slots.length - 2) return false;
    slots[at] = hi;
    slots[at + 1] = lo;
    this.count++;
    return true;
  }

  /** All ids in ascending order, in parts of about `partIds`. Lookups stay right meanwhile; adding does not. */
  *sortedParts(partIds: number): Generator<Uint32Array, void, void> {
    const slots = this.#slots;
    let part = new Uint32Array(partIds * 2);
    let filled = 0;
    for (let at = 0; at < slots.length; at += 2) {
      if (slots[at] === 0 && slots[at + 1] === 0) continue;
      let end = at + 2;
      while (slots[end] !== 0 || slots[end + 1] !== 0) end += 2;
      sortPairs(slots.subarray(at, end));
      for (; at < end; at += 2) {
        part[filled++] = slots[at]!;
        part[filled++] = slots[at + 1]!;
        if (filled < part.length) continue;
        yield part;
        part = new Uint32Array(partIds * 2);
        filled = 0;
      }
    }
    if (filled > 0) yield part.subarray(0, filled);
  }
}

function sortPairs(pairs: Uint32Array): void {
  if (pairs.length > INSERTION_MAX * 2) {
    const sorted = BigUint64Array.from({ length: pairs.length / 2 }, (_, i) => {
      return (BigInt(pairs[i * 2]!) << 32n) | BigInt(pairs[i * 2 + 1]!);
    }).sort();
    for (const [i, id] of sorted.entries()) {
      pairs[i * 2] = Number(id >> 32n);
      pairs[i * 2 + 1] = Number(id & 0xffff_ffffn);
    }
    return;
  }
  for (let i = 2; i < pairs.length; i += 2) {
    const hi = pairs[i]!;
    const lo = pairs[i + 1]!;
    let at = i;
    for (; at > 0 && (pairs[at - 2]! > hi || (pairs[at - 2] === hi && pairs[at - 1]! > lo)); at -= 2) {
      pairs[at] = pairs[at - 2]!;
      pairs[at + 1] = pairs[at - 1]!;
    }
    pairs[at] = hi;
    pairs[at + 1] = lo;
  }
}
