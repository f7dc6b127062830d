import assert from "node:assert/strict";
import { test } from "node:test";
import type { Experiment } from "../../api/types.ts";
import { withNow } from "./lift-history.ts";

const AT = "2026-03-01T10:00:00.000Z";
const LATER = "2026-03-01T12:30:00.000Z";
const point = { at: AT, users: [40, 41], means: [0.1, 0.2], lows: [null, -0.1], highs: [null, 1.4] };
const variants = [
  { users: 50, interval: null, metrics: { cart: { mean: 0.12 } } },
  { users: 52, interval: { low: 0.02, high: 1.1 }, metrics: { cart: { mean: 0.21 } } },
] as unknown as Experiment["variants"];

test("the course of a lift ends with the interval that the table shows", () => {
  const history = withNow({ history: [point], variants, primary: "cart", updated_at: LATER });
  assert.deepEqual(history, [
    point,
    { at: LATER, users: [50, 52], means: [0.12, 0.21], lows: [null, 0.02], highs: [null, 1.1] },
  ]);
});

test("no point is made up before the node's first one, nor twice for one moment", () => {
  assert.deepEqual(withNow({ history: [], variants, primary: "cart", updated_at: LATER }), []);
  assert.deepEqual(withNow({ history: [point], variants, primary: "cart", updated_at: AT }), [point]);
});
