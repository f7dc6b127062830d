import { equal } from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "./duration.ts";

test("a positive whole number and a unit", () => {
  for (const [text, ms] of [
    ["1s", 1_000],
    ["10m", 600_000],
    ["24h", 86_400_000],
    ["1095d", 1_095 * 86_400_000],
    ["999999999s", 999_999_999_000],
  ] as const)
    equal(parseDuration(text), ms, text);
});

test("anything else is no duration", () => {
  for (const text of ["", "h", "5", "0h", "00h", "01h", "-1h", "+1h", "1.5h", "1 h", " 1h", "1h ", "1H", "1w", "1h30m", "1000000000s", "٣h"])
    equal(parseDuration(text), undefined, text);
});
