import assert from "node:assert/strict";
import { test } from "node:test";
import { eventIds } from "../../sdk/ids.ts";
import { createClock } from "./clock.ts";

test("an order is the answer to all that was done before what it names, and to nothing after it", () => {
  const id = eventIds();
  const clock = createClock(() => {});
  const [earlier, click, scroll, next] = [id(1_000), id(2_000), id(2_000), id(2_000)];
  clock.start(click, "click", performance.now());
  assert.equal(clock.arrived(earlier), undefined);
  assert.equal(clock.arrived(undefined), undefined);
  assert.equal(clock.waiting, click);
  // The node tells once of what came together, and names the last of it.
  assert.ok(clock.arrived(scroll));
  assert.equal(clock.waiting, undefined);
  clock.start(next, "click", performance.now());
  assert.equal(clock.arrived(scroll), undefined);
  assert.ok(clock.arrived(next));
});
