import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom } from "../math/rng.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { anytimeErrors, betInterval, differenceInterval, liftInterval } from "./confidence.ts";
import { ln, logBeta, logGamma } from "./gamma.ts";
import {
  addPerson,
  adjustedEstimate,
  adjustmentOf,
  changeOutcome,
  dropPerson,
  emptyMoments,
  estimateOf,
} from "./moments.ts";
import { addChoice, ALONE, changeReward, emptyOffPolicySums, offPolicyAnswer, sumOf, totalsOf, type LoggedChoice } from "./off-policy.ts";
import { beta, gamma, normal, pickBy, uniform } from "./sample.ts";
import { ratioMismatch } from "./sample-ratio.ts";

const near = (actual: number, expected: number, tolerance: number, what = ""): void =>
  ok(Math.abs(actual - expected) <= tolerance, `${what} ${actual} instead of ${expected}`);

test("ln Γ and ln B are those of factorials and known values", () => {
  let factorial = 0;
  for (let n = 1; n < 150; n++) {
    near(logGamma(n), factorial, 1e-12 * Math.max(1, factorial), `ln Γ(${n})`);
    factorial += Math.log(n);
  }
  near(logGamma(0.5), Math.log(Math.PI) / 2, 1e-14);
  near(logGamma(1e-6), 13.81550998074943, 1e-11); // Python, math.lgamma
  near(logGamma(12345.678), 103959.91990554606, 1e-8);
  near(logBeta(2, 3), Math.log(1 / 12), 1e-14);
  near(ln(10), Math.LN10, 1e-15);
});

test("variates have the moments of their distributions", () => {
  const moments = (draw: () => number): [mean: number, variance: number] => {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < 40_000; i++) {
      const x = draw();
      sum += x;
      squares += x * x;
    }
    return [sum / 40_000, squares / 40_000 - (sum / 40_000) ** 2];
  };
  const rng = rngFrom(11);
  const cases: [draw: () => number, mean: number, variance: number][] = [
    [() => uniform(rng), 0.5, 1 / 12],
    [() => normal(rng), 0, 1],
    [() => gamma(rng, 0.3), 0.3, 0.3],
    [() => gamma(rng, 7.5), 7.5, 7.5],
    [() => beta(rng, 2, 5), 2 / 7, 10 / (49 * 8)],
    [() => beta(rng, 0.5, 0.5), 0.5, 0.125],
  ];
  for (const [draw, mean, variance] of cases) {
    const [m, v] = moments(draw);
    near(m, mean, 5 * Math.sqrt(variance / 40_000));
    near(v / variance, 1, 0.06);
  }
});

test("an index is drawn by its probability, the ends included", () => {
  const counts = [0, 0, 0];
  const rng = rngFrom(3);
  for (let i = 0; i < 30_000; i++) counts[pickBy([0.5, 0, 0.5], uniform(rng))]!++;
  equal(counts[1], 0);
  near(counts[0]! / 30_000, 0.5, 0.015);
  deepEqual([pickBy([0.1, 0.9], 0), pickBy([0.1, 0.9], 0.999999), pickBy([0.3, 0.3, 0.3], 0.99)], [0, 1, 2]);
});

test("the betting interval holds exactly the probabilities that no bet has refuted", () => {
  forEachSeed(60, (rng) => {
    const count = rng.between(1, 400);
    const hits = rng.between(0, count);
    const { low, high } = betInterval(hits, count, 0.05);
    ok(low >= 0 && low <= hits / count && hits / count <= high && high <= 1);
    // The wealth as a product of single bets, one person after the other: hits first, then misses.
    const wealth = (p: number): number => {
      let stake = 0;
      for (let i = 0; i < count; i++) {
        const guess = (Math.min(i, hits) + 0.5) / (i + 1);
        stake += i < hits ? Math.log(guess / p) : Math.log((1 - guess) / (1 - p));
      }
      return stake;
    };
    const limit = Math.log(1 / 0.05);
    for (const p of [low - 1e-6, high + 1e-6]) if (p > 0 && p < 1) ok(wealth(p) > limit, `${p}`);
    for (const p of [low + 1e-6, high - 1e-6]) if (p > 0 && p < 1) ok(wealth(p) <= limit + 1e-6, `${p}`);
  });
  deepEqual(betInterval(0, 0, 0.05), { low: 0, high: 1 });
});

test("an anytime interval is wider than a fixed one, and by how much is known", () => {
  near(anytimeErrors(2_000, 0.05), 3.03, 0.01);
  for (const count of [100, 1_000, 10_000, 1_000_000])
    ok(anytimeErrors(count, 0.05) > 1.96 && anytimeErrors(count, 0.05) < 6);
  equal(anytimeErrors(0, 0.05), Infinity);
});

test("the lift's interval holds the ratios that the means do not refute", () => {
  const [a, b] = [
    { mean: 0.12, variance: 0.0001, count: 900 },
    { mean: 0.1, variance: 0.00009, count: 1_000 },
  ];
  const { low, high } = liftInterval(a, b, 0.05)!;
  const errors = anytimeErrors(1_900, 0.05);
  const refuted = (lift: number): boolean =>
    Math.abs(a.mean - (1 + lift) * b.mean) > errors * Math.sqrt(a.variance + (1 + lift) * (1 + lift) * b.variance);
  for (const lift of [low + 1e-9, high - 1e-9, 0.2]) equal(refuted(lift), false);
  for (const lift of [low - 1e-9, high + 1e-9]) equal(refuted(lift), true);
  equal(liftInterval(a, { ...b, mean: 0.01 }, 0.05), undefined);
  const difference = differenceInterval(a, b, 0.05);
  near((difference.low + difference.high) / 2, 0.02, 1e-12);
});

test("moments are a recount, whatever changed on the way; the adjustment leaves the means where no x differs", () => {
  forEachSeed(50, (rng) => {
    const people = Array.from({ length: rng.between(2, 60) }, () => ({ x: rng.between(0, 9), y: rng.between(0, 3) }));
    const moments = emptyMoments();
    for (const { x } of people) addPerson(moments, x, 0);
    for (const { x, y } of people) changeOutcome(moments, x, 0, y);
    addPerson(moments, 5, 4);
    dropPerson(moments, 5, 4);
    const recount = emptyMoments();
    for (const { x, y } of people) addPerson(recount, x, y);
    deepEqual(moments, recount);
    const mean = people.reduce((sum, { y }) => sum + y, 0) / people.length;
    const { mean: own, variance } = estimateOf(moments);
    near(own, mean, 1e-12);
    const spread = people.reduce((sum, { y }) => sum + (y - mean) ** 2, 0) / (people.length - 1) / people.length;
    near(variance, spread, 1e-10);
    near(adjustedEstimate(moments, adjustmentOf([moments])).mean, mean, 1e-9);
  });
});

test("what was known before narrows the interval by what it explains", () => {
  const rng = rngFrom(5);
  const [a, b] = [emptyMoments(), emptyMoments()];
  for (let i = 0; i < 20_000; i++) {
    const x = normal(rng);
    addPerson(i % 2 === 0 ? a : b, x, 0.8 * x + 0.6 * normal(rng) + (i % 2 === 0 ? 0.1 : 0));
  }
  const adjustment = adjustmentOf([a, b]);
  near(adjustment.explained, 0.64, 0.02);
  near(adjustedEstimate(a, adjustment).variance / estimateOf(a).variance, 0.36, 0.02);
  near(adjustedEstimate(a, adjustment).mean - adjustedEstimate(b, adjustment).mean, 0.1, 0.03);
  deepEqual(adjustmentOf([emptyMoments()]), { slope: 0, centre: 0, explained: 0 });
});

test("the odds against the promised shares are those of the mixture, person by person", () => {
  const shares = [0.5, 0.3, 0.2];
  const counts = [40, 20, 10];
  // Urn: each person's variant with the probability that the mixture gives it after those before.
  let odds = 0;
  let seen = 0;
  for (let variant = 0; variant < 3; variant++) {
    for (let i = 0; i < counts[variant]!; i++) {
      odds += Math.log((200 * shares[variant]! + i) / (200 + seen++) / shares[variant]!);
    }
  }
  near(ratioMismatch(counts, shares), odds, 1e-9);
  ok(ratioMismatch([5_300, 4_700], [0.5, 0.5]) > Math.log(1_000));
  ok(ratioMismatch([5_050, 4_950], [0.5, 0.5]) < 0);
});

test("off-policy sums are those of the textbook, also where rewards came later", () => {
  forEachSeed(40, (rng) => {
    const choices: LoggedChoice[] = Array.from({ length: 60 + rng.between(0, 40) }, () => ({
      weight: rng.between(5, 20) / 10,
      reward: rng.between(0, 3),
      expected: rng.between(0, 10) / 10,
      expectedOfPolicy: rng.between(0, 10) / 10,
    }));
    const sums = emptyOffPolicySums();
    for (const choice of choices) addChoice(sums, { ...choice, reward: 0 });
    for (const choice of choices) changeReward(sums, { ...choice, reward: 0 }, choice.reward);
    const n = choices.length;
    const total = (of: (choice: LoggedChoice) => number): number => choices.reduce((sum, c) => sum + of(c), 0);
    const weights = total(({ weight }) => weight);
    const answer = offPolicyAnswer(sums);
    near(answer.ips!.value, total(({ weight, reward }) => weight * reward) / n, 1e-9);
    near(answer.snips!.value, total(({ weight, reward }) => weight * reward) / weights, 1e-9);
    const robust = choices.map((c) => c.expectedOfPolicy + c.weight * (c.reward - c.expected));
    const mean = robust.reduce((sum, r) => sum + r, 0) / n;
    near(answer.doublyRobust!.value, mean, 1e-9);
    const half = (answer.doublyRobust!.high - answer.doublyRobust!.low) / 2;
    const spread = robust.reduce((sum, r) => sum + (r - mean) ** 2, 0) / n / (n - 1);
    const squares = total(({ weight }) => weight ** 2);
    const squared = total(({ weight, reward }) => weight ** 2 * reward ** 2);
    const size = squared / total(({ weight, reward }) => weight ** 2 * reward);
    const unseen = 2 * (size * (squares / weights)) ** 2;
    near(half, anytimeErrors(n, 0.05) * Math.sqrt(spread + unseen / n ** 2), 1e-9);
    near(answer.effectiveCount, weights ** 2 / total(({ weight }) => weight ** 2), 1e-9);
  });
});

test("choices that hang together spread as one: the sums are those of their clusters, whatever the order", () => {
  forEachSeed(20, (rng) => {
    const clusters = Array.from({ length: 150 }, () =>
      Array.from({ length: rng.between(1, 6) }, (): LoggedChoice => ({
        weight: rng.between(0, 20) / 10,
        reward: rng.between(0, 3),
        expected: rng.between(0, 10) / 10,
        expectedOfPolicy: rng.between(0, 10) / 10,
      })),
    );
    const sums = emptyOffPolicySums();
    const added = clusters.map((): LoggedChoice[] => []);
    const totalOf = (choices: readonly LoggedChoice[]) => choices.map(totalsOf).reduce(sumOf, ALONE);
    for (const [c, choice] of rng.shuffle(clusters.flatMap((own, c) => own.map((choice) => [c, choice] as const)))) {
      addChoice(sums, { ...choice, reward: 0 }, totalOf(added[c]!));
      added[c]!.push({ ...choice, reward: 0 });
    }
    clusters.forEach((own, c) => {
      for (const choice of own) {
        const at = added[c]!.findIndex(({ weight, expected, expectedOfPolicy, reward }) =>
          weight === choice.weight && expected === choice.expected && expectedOfPolicy === choice.expectedOfPolicy && reward === 0);
        const [before] = added[c]!.splice(at, 1);
        changeReward(sums, before!, choice.reward, totalOf(added[c]!));
        added[c]!.push(choice);
      }
    });
    const n = clusters.flat().length;
    const total = (of: (own: readonly LoggedChoice[]) => number): number => clusters.reduce((sum, own) => sum + of(own), 0);
    const of = (own: readonly LoggedChoice[], what: (choice: LoggedChoice) => number): number => own.reduce((sum, c) => sum + what(c), 0);
    const weightOf = (own: readonly LoggedChoice[]) => of(own, ({ weight }) => weight);
    const rewardOf = (own: readonly LoggedChoice[]) => of(own, ({ weight, reward }) => weight * reward);
    const robustOf = (own: readonly LoggedChoice[]) => of(own, (c) => c.expectedOfPolicy + c.weight * (c.reward - c.expected));
    const answer = offPolicyAnswer(sums);
    near(answer.effectiveCount, total(weightOf) ** 2 / total((own) => weightOf(own) ** 2), 1e-9);
    const size = total((own) => rewardOf(own) ** 2) / total((own) => rewardOf(own) * weightOf(own));
    const unseen = 2 * (size * (total((own) => weightOf(own) ** 2) / total(weightOf))) ** 2;
    for (const [estimate, valueOf] of [[answer.ips!, rewardOf], [answer.doublyRobust!, robustOf]] as const) {
      near(estimate.value, total(valueOf) / n, 1e-9);
      const spread = total((own) => (valueOf(own) - own.length * estimate.value) ** 2) / n / (n - 1);
      near(estimate.high - estimate.value, anytimeErrors(n, 0.05) * Math.sqrt(spread + unseen / n ** 2), 1e-9);
    }
    const { value, high } = answer.snips!;
    const spread = total((own) => (rewardOf(own) - value * weightOf(own)) ** 2);
    near(high - value, (anytimeErrors(n, 0.05) * Math.sqrt(spread + unseen)) / total(weightOf), 1e-9);
  });
});

test("what was known before adjusts a million persons as it does ten", () => {
  for (const count of [10, 1e3, 1e6, 1e8]) {
    // Half of them 97 and half 103; half of the spread of y is that of x.
    const [x, xx, y, yy, xy] = [100, 10_009, 10, 118, 1_009].map((mean) => mean * count) as [number, number, number, number, number];
    const { slope, explained } = adjustmentOf([{ count, x, xx, y, yy, xy }]);
    near(slope, 1, 1e-6);
    near(explained, 0.5, 1e-6);
  }
});

test("rewards on both sides of 0 do not say how large one is: their spread counts three times, and no more", () => {
  const sums = emptyOffPolicySums();
  for (let i = 0; i < 400; i++) addChoice(sums, { weight: 1, reward: i % 2 === 0 ? 1 : -1, expected: 0, expectedOfPolicy: 0 });
  const { value, high } = offPolicyAnswer(sums, { isSigned: true }).ips!;
  near(value, 0, 1e-12);
  near(high, anytimeErrors(400, 0.05) * Math.sqrt(1 / 399 + 2 / 400), 1e-9);
});

test("an answer is refused where the log cannot carry it", () => {
  const of = (weights: readonly number[], rewardOf = (i: number) => i % 3) => {
    const sums = emptyOffPolicySums();
    weights.forEach((weight, i) => addChoice(sums, { weight, reward: rewardOf(i), expected: 0, expectedOfPolicy: 0 }));
    return offPolicyAnswer(sums).refused?.code;
  };
  // All alike, they would have an interval without width.
  for (const reward of [0, 1, 0.1]) equal(of(Array.from({ length: 500 }, (_, i) => 0.9 + (i % 2) / 5), () => reward), "too_few");
  // Weights average 1 where propensities are right.
  equal(of(Array.from({ length: 500 }, (_, i) => 9 + (i % 3))), "no_overlap");
  equal(of([...Array.from({ length: 500 }, () => 1), 1e300]), "no_overlap");
  equal(of([1, 1, 1]), "too_few");
  equal(of(Array.from({ length: 500 }, () => 1)), undefined);
  equal(of([...Array.from({ length: 500 }, () => 1), 5_000]), "no_overlap");
  equal(of(Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? 1 : 0))), "no_overlap");
  equal(of(Array.from({ length: 500 }, () => 0)), "no_overlap");
});
