import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf, valueOf } from "./attribute-text.ts";

test("a value is what it looks like, and everything else a text", () => {
  const written: [text: string, value: unknown][] = [
    ["gold", "gold"],
    ["42", 42],
    ["-1.5", -1.5],
    ["true", true],
    ['["38", "39"]', ["38", "39"]],
    ['"42"', "42"],
    ["null", "null"],
    ["01", "01"],
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", "9007199254740993"],
    ["4012888888881881234", "4012888888881881234"],
    ["-1e999", "-1e999"],
    ["", ""],
    ["it's 5 o'clock", "it's 5 o'clock"],
  ];
  for (const [text, value] of written) assert.deepEqual(valueOf(text), value, text);
});

test("what stands in the field for a value means that value again", () => {
  for (const value of ["gold", "", "42", "true", "null", '"quoted"', "[1]", " 7", 0, -2.5, false, 1e20, "9007199254740993", ["a", "b"], [1, 2]])
    assert.deepEqual(valueOf(textOf(value)), value, JSON.stringify(value));
});
