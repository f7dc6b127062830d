// Compression, depth and number bombs: refused with a problem document, each within 20 ms of the thread's time.
import { ok } from "node:assert/strict";
import { after, test } from "node:test";
import { bombs } from "./bombs.ts";
import { ask, startNode } from "./testing.ts";

const WORK_MS_MAX = 20;
const TRIES = 5;

const node = await startNode();
after(() => node.close());

for (const { name, route, body, headers = {} } of bombs()) {
  test(`a bomb is refused: ${name}`, async () => {
    const work: number[] = [];
    for (let i = 0; i < TRIES; i++) {
      const before = process.threadCpuUsage();
      const { status, headers: said } = await ask(node, route, body, { headers: { "content-type": "application/json", ...headers } });
      const { user, system } = process.threadCpuUsage(before);
      work.push((user + system) / 1_000);
      ok(status >= 400 && status < 500, `${status}`);
      ok(said.get("content-type")?.startsWith("application/problem+json"));
    }
    // The least of some: the first one compiles, and garbage is collected when it will.
    ok(Math.min(...work) < WORK_MS_MAX, `${work.map((ms) => ms.toFixed(1)).join(", ")} ms`);
  });
}
