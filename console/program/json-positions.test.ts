import assert from "node:assert/strict";
import { test } from "node:test";
import { lineColumn, readJsonText, spanOf } from "./json-positions.ts";

const text = `{
  "segments": {
    "a/b": { "when": "count(\\"view\\", \\"1d\\") > 1" },
    "list": [1, {"x": true}]
  }
}`;

test("every value is found by its pointer, members from their name on", () => {
  const { positions } = readJsonText(text);
  assert.ok(positions);
  const at = (pointer: string) => text.slice(positions.get(pointer)!.start, positions.get(pointer)!.end);
  assert.equal(at("/segments/a~1b/when"), `"when": "count(\\"view\\", \\"1d\\") > 1"`);
  assert.equal(at("/segments/list/1/x"), `"x": true`);
  assert.equal(at("/segments/list/0"), "1");
  assert.equal(at(""), text);
});

test("a pointer to what is missing leads to its nearest parent", () => {
  const { positions } = readJsonText(text);
  assert.ok(positions);
  assert.deepEqual(spanOf(positions, "/segments/list/1/none/deeper"), positions.get("/segments/list/1"));
  assert.deepEqual(spanOf(positions, "/none"), positions.get(""));
});

test("a text that is no JSON names the line and what to do", () => {
  const fault = (broken: string) => {
    const { fault: found } = readJsonText(broken);
    assert.ok(found, broken);
    return { ...lineColumn(broken, found.offset), message: found.message };
  };
  assert.deepEqual(fault('{\n  "a": 1,\n}'), {
    line: 3,
    column: 1,
    message: "A comma stands before the closing brace; remove it.",
  });
  assert.deepEqual(fault('{"a" 1}'), { line: 1, column: 6, message: 'A colon is expected after the name "a".' });
  assert.deepEqual(fault('{"a": view}'), {
    line: 1,
    column: 7,
    message: '"view" is no JSON value; text needs double quotes.',
  });
  assert.deepEqual(fault('{"a": [1, 2'), {
    line: 1,
    column: 7,
    message: 'This bracket is never closed; a "]" is missing.',
  });
  assert.deepEqual(fault('{"a": 1, "a": 2}'), {
    line: 1,
    column: 10,
    message: 'The name "a" is there twice; only the last would count.',
  });
  assert.equal(fault("").message, "The document ends where a value is expected.");
  assert.equal(fault("{} {}").line, 1);
});

test("it accepts what JSON.parse accepts", () => {
  for (const good of [
    "0",
    "-1.5e3",
    '""',
    "[]",
    "{}",
    "null",
    " [true , false] ",
    JSON.stringify({ a: ["\u2028", "\\", '"'], "": { "~": 1 } }),
  ]) {
    assert.ok(readJsonText(good).positions, good);
  }
  for (const bad of ["01", "+1", "[1,]", "{a:1}", "'a'", '"\\x"', "NaN", "1 2", '"a\u0001"'])
    assert.ok(readJsonText(bad).fault, bad);
});
