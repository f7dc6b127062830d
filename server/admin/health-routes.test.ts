// What machines that watch a node are told.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { openProject, testFolder } from "../embedded/testing.ts";
import { ask, serverOver, startNode } from "../http/testing.ts";

const GUIDE = readFileSync(new URL("../../docs/guides/operator.md", import.meta.url), "utf8");

test("a log that has failed is not ready, and says so", async () => {
  const folder = testFolder();
  const clock = { nowMs: Date.now() };
  await (await openProject(folder, clock)).close();
  // The disk gives an error that is not "full" when the log takes its reserve.
  const reserve = join(folder.path, "log", "reserve");
  rmSync(reserve);
  mkdirSync(reserve);
  const project = await openProject(folder, clock);
  const server = await serverOver(project);
  const node = { url: await server.listen() };
  after(() => server.close());
  equal((await ask(node, "GET /readyz")).status, 200);
  const event = { event_id: "e1", user_id: "ann", event_type: "view", item_id: "i1", timestamp: clock.nowMs };
  const refused = await ask(node, "POST /v1/events", event);
  deepEqual([refused.status, refused.json.code], [503, "storage_failed"]);
  const ready = await ask(node, "GET /readyz");
  equal(ready.status, 503);
  equal(ready.json.parts["project:default"].log, "failed: restart the node when the disk is well");
  match((await ask(node, "GET /metrics")).text, /^attune_storage_failed\{project="default"\} 1$/m);
  equal((await ask(node, "GET /v1/trending")).status, 200);
});

test("how long a node has been up is told by no clock that may be set", async () => {
  const clock = { nowMs: Date.now() };
  const server = await serverOver(await openProject(testFolder(), clock), { now: () => clock.nowMs });
  const node = { url: await server.listen() };
  after(() => server.close());
  for (const byMs of [-3_600_000, 365 * 86_400_000]) {
    clock.nowMs += byMs;
    const { uptime_s: upS } = (await ask(node, "GET /v1/stats")).json;
    ok(upS >= 0 && upS < 3_600, `${upS} s`);
  }
});

test("the operator's guide names every metric, and none that there is not", async () => {
  const node = await startNode();
  after(() => node.close());
  const text = (await ask(node, "GET /metrics")).text;
  const served = [...text.matchAll(/^# TYPE (attune_\w+) /gm)].map(([, name]) => name!);
  const named = new Set([...GUIDE.matchAll(/\battune_[a-z0-9_]+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, "")));
  deepEqual([...named].sort(), [...new Set(served)].sort());
});
