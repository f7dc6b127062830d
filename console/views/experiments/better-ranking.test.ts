import { equal } from "node:assert/strict";
import { test } from "node:test";
import { betterRanking } from "./better-ranking.ts";

test("the ranking that wins is the one with the lists, whichever of the two is control and whatever they are called", () => {
  const of = (low: number, high: number) =>
    betterRanking([{ name: "2" }, { name: "1" }], { wins: { "2": 1, "1": 1 }, ties: 0, share: (low + high) / 2, interval: { low, high } });
  equal(of(0.1, 0.4), "2");
  equal(of(0.6, 0.9), "1");
  equal(of(0.4, 0.6), null);
});
