import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { addDecayed, decayedAt, emptyDecayedSum, landmarkOf, mergeDecayed } from "./decay.ts";
import { decayFactor, exp2, log2, powerOfTwo } from "./exp2.ts";
import { roughLog2 } from "./rough-log2.ts";
import { hash32, hash64, hash64LinesInto } from "./hash.ts";

const DAY = 86_400_000;

test("exp2 is exact for whole numbers and right to 2 units in the last place between", () => {
  for (let i = -1022; i <= 1023; i++) equal(exp2(i), Math.pow(2, i));
  forEachSeed(200, (rng) => {
    for (let i = 0; i < 100; i++) {
      const x = rng.between(-300_000_000, 300_000_000) / 1_000_003;
      ok(Math.abs(exp2(x) / Math.pow(2, x) - 1) < 4.5e-16, `exp2(${x})`);
    }
  });
  deepEqual([exp2(-1023), exp2(1024), exp2(NaN), exp2(-Infinity), exp2(Infinity)], [0, Infinity, NaN, 0, Infinity]);
  equal(exp2(-1e-20), 1);
});

test("powerOfTwo is exact, and stays finite beyond the normal numbers", () => {
  for (let n = -1022; n <= 1023; n++) equal(powerOfTwo(n), Math.pow(2, n));
  deepEqual([powerOfTwo(-1023), powerOfTwo(1024), powerOfTwo(-0)], [0, Math.pow(2, 1023), 1]);
});

test("exp2 never falls as x grows", () => {
  for (let i = 0, before = 0; i < 100_000; i++) {
    const value = exp2(i / 25_000 - 2);
    ok(value >= before);
    before = value;
  }
});

test("log2 is exact for powers of two and close to Math.log2 between", () => {
  for (let i = -1074; i <= 1023; i++) equal(log2(Math.pow(2, i)), i);
  forEachSeed(200, (rng) => {
    for (let i = 0; i < 100; i++) {
      const x = rng.between(1, 2_000_000_000) / rng.between(1, 2_000_000_000);
      ok(Math.abs(log2(x) - Math.log2(x)) <= 4e-16 * Math.max(1, 2 * Math.abs(Math.log2(x))), `log2(${x})`);
    }
  });
  ok(Math.abs(log2(1 - 1e-10) / Math.log2(1 - 1e-10) - 1) < 1e-15);
  deepEqual([log2(0), log2(-1), log2(Infinity), log2(NaN)], [-Infinity, NaN, Infinity, NaN]);
});

test("the bits of exp2, log2 and the hashes are what they always were", () => {
  deepEqual(
    [exp2(0.5), exp2(-0.1), exp2(13.37), log2(3), log2(0.7), log2(1.0001)],
    [
      1.4142135623730951, 0.9330329915368074, 10586.954388582331, 1.584962500721156, -0.5145731728297583,
      0.0001442622910945383,
    ],
  );
  deepEqual(hash64("attune"), { hi: 1993390597, lo: 1988307761 });
  deepEqual(hash64("attune", 1), { hi: 3854225048, lo: 3483651450 });
  deepEqual([hash32("attune"), hash32("")], [1988307761, 451841411]);
});

test("hash64 spreads: no collision and even bits over 100,000 ids", () => {
  const seen = new Set<string>();
  let ones = 0;
  for (let i = 0; i < 100_000; i++) {
    const { hi, lo } = hash64(`event-${i}`);
    seen.add(`${hi}:${lo}`);
    ones += (hi & 1) + (lo >>> 31);
  }
  equal(seen.size, 100_000);
  ok(Math.abs(ones / 200_000 - 0.5) < 0.01);
});

test("a decayed sum equals a recount, whatever the order and however far the landmark moved", () => {
  forEachSeed(200, (rng) => {
    const halfLifeMs = rng.between(1, 10 * DAY);
    const events = Array.from({ length: rng.between(1, 50) }, () => ({
      timeMs: 1_700_000_000_000 + rng.between(0, 2_000_000_000),
      weight: rng.between(1, 10),
    }));
    const nowMs = 1_702_000_000_000;
    const fold = (list: typeof events) => {
      const sum = emptyDecayedSum();
      for (const { timeMs, weight } of list) addDecayed(sum, halfLifeMs, timeMs, weight);
      return sum;
    };
    const expected = events.reduce(
      (total, { timeMs, weight }) => total + weight * decayFactor(nowMs - timeMs, halfLifeMs),
      0,
    );
    const close = (value: number) => ok(Math.abs(value - expected) <= 1e-9 * expected + 1e-280, `${value} ${expected}`);
    close(decayedAt(fold(events), halfLifeMs, nowMs));
    close(decayedAt(fold(rng.shuffle(events)), halfLifeMs, nowMs));
    const cut = rng.between(0, events.length);
    const left = fold(events.slice(0, cut));
    mergeDecayed(left, fold(events.slice(cut)));
    close(decayedAt(left, halfLifeMs, nowMs));
    equal(left.landmark, landmarkOf(Math.max(...events.map(({ timeMs }) => timeMs)), halfLifeMs));
  });
});

test("what was added just now reads as its weight, at whatever time", () => {
  forEachSeed(50, (rng) => {
    const halfLifeMs = [30_000, 600_000, 3_600_000, 7 * DAY, 366 * DAY][rng.between(0, 4)]!;
    for (const weight of [0.1, 0.2, 1, 3, 5, 7.5, 10, 19.99, 49, -2]) {
      const sum = emptyDecayedSum();
      const timeMs = 1_700_000_000_000 + rng.between(0, 2_000_000_000);
      addDecayed(sum, halfLifeMs, timeMs, weight);
      equal(decayedAt(sum, halfLifeMs, timeMs), weight, `${weight} at ${timeMs}, half-life ${halfLifeMs}`);
      const later = decayedAt(sum, halfLifeMs, timeMs + 1);
      ok(Math.abs(later) < Math.abs(weight) || halfLifeMs > 30 * DAY, "it fades from the next millisecond on");
    }
  });
});

test("the hash of two lines is that of the text they make", () => {
  const out = { hi: 0, lo: 0 };
  forEachSeed(50, (rng) => {
    const text = (): string =>
      Array.from({ length: rng.between(0, 20) }, () => String.fromCharCode(rng.between(0, 0xffff))).join("");
    const [first, second] = [text(), text()];
    hash64LinesInto(out, first, second);
    deepEqual(out, hash64(`${first}\n${second}`));
  });
});

test("roughLog2 is within 0.003 of the logarithm over its range", () => {
  for (let x = 2 ** -120; x < 2 ** 120; x *= 1.37) ok(Math.abs(roughLog2(x) - Math.log2(x)) < 0.003, `${x}`);
  for (let x = 1; x < 3; x += 0.0007) ok(Math.abs(roughLog2(x) - Math.log2(x)) < 0.003, `${x}`);
});
