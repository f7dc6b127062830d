import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { vectors } from "../core/testing/vectors.ts";
import { personCases } from "./person-cases.ts";
import { runVectors, type PersonVector } from "./run.ts";

const cases = vectors<PersonVector>("person.json");

test("every vector comes out bit for bit", () => {
  deepEqual(runVectors([{ name: "person.json", cases }]), []);
});

test("the file holds the cases as they are written down", () => {
  const withoutOutcome = cases.map(({ title, plan, steps, nowMs }) => ({ title, plan, steps, nowMs }));
  deepEqual(withoutOutcome, JSON.parse(JSON.stringify(personCases)));
});

test("a flipped bit, a changed number and another outcome are seen", () => {
  const [first] = cases.filter(({ title }) => title === "one view");
  ok(first !== undefined);
  const changed = { ...first, stateHex: first.stateHex.replace(/.$/, "f"), outcomes: ["duplicate"], view: { ...(first.view as object), version: 7 } };
  equal(runVectors([{ name: "x", cases: [changed] }]).length, 3);
});
