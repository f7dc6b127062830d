import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { personKeyOf, refOfKey, resolve } from "./identity.ts";

const none = (): undefined => undefined;
const toU1 = (): string => "u:u1";

test("one id alone is the key, or leads to the user it is linked to", () => {
  deepEqual(resolve({ user_id: "u1" }, none), { key: "u:u1" });
  deepEqual(resolve({ anonymous_id: "a1" }, none), { key: "a:a1" });
  deepEqual(resolve({ anonymous_id: "a1" }, toU1), { key: "u:u1" });
});

test("both ids link the two, once; a device that changes hands is not merged", () => {
  const both = { user_id: "u1", anonymous_id: "a1" };
  deepEqual(resolve(both, none), { key: "u:u1", link: { anonKey: "a:a1", userKey: "u:u1", merge: true } });
  deepEqual(resolve(both, toU1), { key: "u:u1" });
  deepEqual(resolve({ ...both, user_id: "u2" }, toU1), {
    key: "u:u2",
    link: { anonKey: "a:a1", userKey: "u:u2", merge: false },
  });
});

test("keys and refs are each other's inverse, and a user id cannot pass for an anonymous one", () => {
  equal(personKeyOf({ user_id: "a:x", anonymous_id: "y" }), "u:a:x");
  deepEqual(refOfKey("u:a:x"), { user_id: "a:x" });
  deepEqual(refOfKey(personKeyOf({ anonymous_id: "y" })), { anonymous_id: "y" });
});
