import { equal } from "node:assert/strict";
import { test } from "node:test";
import { sparkPath } from "./spark-path.ts";

const size = { width: 120, height: 24 };

test("a sparkline stands on zero: a fall by one of a hundred is a fall by one of a hundred", () => {
  equal(sparkPath([100, 99], size), "M0.0 2.0L120.0 2.2");
  equal(sparkPath([100, 50, 0], size), "M0.0 2.0L60.0 12.0L120.0 22.0");
});

test("nobody lies at the bottom, as many as ever at the top", () => {
  equal(sparkPath([0, 0], size), "M0.0 22.0L120.0 22.0");
  equal(sparkPath([7, 7], size), "M0.0 2.0L120.0 2.0");
});
