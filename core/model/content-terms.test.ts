// Who holds a term, against a plain list of them: items come, change and leave in any order.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { createTerms } from "./content-terms.ts";

test("the newest holders of a term are those of a plain list, whoever left and however many", () => {
  forEachSeed(30, (rng) => {
    const terms = createTerms();
    const max = rng.between(1, 8);
    const into = new Int32Array(max);
    const held: { slot: number; listing: number }[] = [];
    let term = -1;
    for (let listing = 1; listing <= 400; listing++) {
      // Now a catalogue that grows, now one that goes: from either end, or in no order.
      const isGoing = rng.between(0, 9) < (listing % 100 < 60 ? 3 : 8);
      if (isGoing && held.length > 1) {
        const from = [0, held.length - 1, rng.between(0, held.length - 1)][rng.between(0, 2)]!;
        terms.remove(term, held.splice(from, 1)[0]!.listing);
      } else {
        term = terms.add("c:lamps", listing % 50, listing);
        held.push({ slot: listing % 50, listing });
      }
      if (rng.between(0, 3) > 0) continue;
      const found = [...into.subarray(0, terms.newestOf(term, max, into))];
      deepEqual(found, held.slice(-max).reverse().map(({ slot }) => slot));
      equal(terms.worths[term], 2 / Math.sqrt(1 + held.length));
    }
  });
});

test("a term that nobody holds any more is none, and its number goes to the next", () => {
  const terms = createTerms();
  const term = terms.add("t:red", 0, 1);
  equal(terms.tag("red"), term);
  terms.remove(term, 1);
  equal(terms.tag("red"), undefined);
  equal(terms.add("c:lamps", 1, 2), term);
  equal(terms.termEnd, 1);
});
