import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { test } from "node:test";
import { isOfItsOwn, personKeyOf, recordKey, TICK_KEY } from "./record-key.ts";

test("a record's key is its own, and says whose it is", () => {
  for (const person of ["u:ada", "a:", "u:ÿé😀", `u:${"x".repeat(128)}`]) {
    const key = recordKey(person);
    equal(personKeyOf(key), person);
    equal(isOfItsOwn(key), true);
    equal(key.length, Buffer.byteLength(person) + 9);
    notDeepEqual(recordKey(person), key);
  }
  equal(personKeyOf(TICK_KEY), "");
});

test("keys of earlier releases are read, and known for what they are", () => {
  for (const person of ["u:ada", "a:1", "u:ÿÿÿÿÿÿÿÿÿÿ", "t:7", ""]) {
    equal(personKeyOf(Buffer.from(person)), person);
    equal(isOfItsOwn(Buffer.from(person)), false);
  }
  deepEqual(recordKey("u:ÿ").subarray(0, 4), Buffer.from("u:ÿ"));
});
