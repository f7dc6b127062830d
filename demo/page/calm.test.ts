// The page moves when the visitor rests, and never back to an older order.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { createCalm } from "./calm.ts";

/** A shelf with something on it, under a pointer. */
class PointedShelf extends EventTarget {
  readonly childElementCount = 24;
  matches(): boolean {
    return true;
  }
}

test("an order that answers an act is not followed by an older one that waited for the visitor to rest", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { document } = globalThis;
  globalThis.document = new EventTarget() as Document;
  t.after(() => (globalThis.document = document));
  const shown: string[] = [];
  const calm = createCalm(new PointedShelf() as unknown as HTMLElement);
  calm.when(() => shown.push("waits"));
  calm.acted();
  calm.now(() => shown.push("answer"));
  t.mock.timers.tick(10_000);
  deepEqual(shown, ["answer"]);
  calm.when(() => shown.push("next"));
  deepEqual(shown, ["answer", "next"]);
});
