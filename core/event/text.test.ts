// Characters are code points, counted here by the language itself.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import { fitsIn, isShortText } from "./text.ts";

test("a text fits in as many characters as it has, and in no fewer", () => {
  const pieces = ["x", "é", "漢", "🙂", "\ud83d", "\ude42"];
  forEachSeed(500, (rng) => {
    const text = Array.from({ length: rng.between(0, 8) }, () => pieces[rng.between(0, pieces.length - 1)]!).join("");
    const characters = [...text].length;
    const isWhole = text.isWellFormed();
    for (let max = 0; max < 20; max++) {
      equal(fitsIn(text, max), characters <= max, JSON.stringify({ text, max }));
      equal(isShortText(text, max), isWhole && characters > 0 && characters <= max, JSON.stringify({ text, max }));
    }
  });
});
