// Two servers with their doors open: what comes in by one reaches the visitor on the other.
import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { ask, serverOver } from "../../server/http/testing.ts";
import type { AttuneServer } from "../../server/http/server.ts";
import { clusterMissing } from "../testing/servers.ts";
import { startCluster, type TestCluster, type TestProject } from "./testing/cluster.ts";

const missing = clusterMissing();
const options = { skip: missing };
let cluster: TestCluster;
let project: TestProject;
const doors: { server: AttuneServer; url: string }[] = [];
const delivered: string[] = [];
const receiver = createHttpServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk));
  request.on("end", () => {
    delivered.push(body);
    response.end();
  });
});

before(async () => {
  if (missing) return;
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address() as AddressInfo;
  cluster = await startCluster();
  project = await cluster.newProject({
    servers: 2,
    program: {
      segments: { buyers: { when: 'count("purchase", "10m") >= 1' } },
      slots: { hero: { policy: "rules", variants: { plain: {}, thanks: {} }, rules: [{ when: 'in_segment("buyers")', variant: "thanks" }], default: "plain" } },
      triggers: { bought: { when: 'event.event_type == "purchase"', push: true, webhook: `http://127.0.0.1:${port}/` } },
    },
  });
  for (const one of project.servers) {
    const server = await serverOver(one, {
      config: { webhooks: { secret: "a secret", allowPrivate: true, backoffMs: 10, attemptsMax: 2 } },
    });
    doors.push({ server, url: await server.listen() });
  }
});
after(async () => {
  for (const { server } of doors) await server.close();
  receiver.close();
  await cluster?.stop();
});

test("an event that comes in by one server is pushed by the other, with segments and trigger; its webhook goes out once", options, async () => {
  const [first, second] = doors as [(typeof doors)[0], (typeof doors)[0]];
  const socket = new WebSocket(`${second.url.replace("http", "ws")}/v1/live`);
  const messages: any[] = [];
  socket.on("message", (data) => messages.push(JSON.parse(String(data))));
  await once(socket, "open");
  socket.send(JSON.stringify({ subscribe: { anonymous_id: "phone", placements: ["home"] } }));
  const seen = async (fits: (message: any) => boolean): Promise<any> => {
    for (;;) {
      const found = messages.find(fits);
      if (found !== undefined) return found;
      await once(socket, "message");
    }
  };
  await seen(({ type }) => type === "recommendations");
  const bought = { event_id: "e1", anonymous_id: "phone", event_type: "purchase", item_id: "lamp", value: 5, timestamp: Date.now() };
  const answer = await ask(first, "POST /v1/events", bought);
  deepEqual([answer.status, answer.json.accepted], [202, 1]);
  const profile = await seen((message) => message.type === "profile" && message.caused_by?.event_id === "e1");
  deepEqual(profile.segments, ["buyers"]);
  await seen(({ type, name }) => type === "trigger" && name === "bought");
  deepEqual((await seen(({ type, entered }) => type === "segments" && entered.length > 0)).entered, ["buyers"]);
  // He becomes known on the first server; the page on the second, which knows him by his device, watches the user.
  messages.length = 0;
  await ask(first, "POST /v1/events", { ...bought, event_id: "e2", user_id: "ada", event_type: "view" });
  await ask(first, "POST /v1/events", { ...bought, event_id: "e3", anonymous_id: undefined, user_id: "ada", event_type: "view" });
  equal((await seen((message) => message.type === "profile" && message.caused_by?.event_id === "e3")).user_id, "ada");
  socket.terminate();
  while (delivered.length === 0) await new Promise((resolve) => receiver.once("request", () => setImmediate(resolve)));
  for (const { url } of doors) {
    const stats = await ask({ url }, "GET /metrics");
    ok(/attune_part\{project="[^"]+",part="redis",figure="ready"\} 1/.test(stats.text));
    const ready = await ask({ url }, "GET /readyz");
    equal(ready.status, 200);
    equal(ready.json.parts[`models:${project.name}`].ready, true);
  }
  equal(delivered.length, 1);
});

test("Redis away: lists, profiles, decisions and trends are answered, degraded, and never with a 5xx", options, async () => {
  await cluster.redis.part.kill();
  const door = doors[0]!;
  for (const route of ["GET /v1/recommendations?user_id=zoe", "GET /v1/users/zoe/profile", "GET /v1/trending", "GET /v1/segments", "GET /readyz"]) {
    const answer = await ask(door, route);
    equal(answer.status, 200, `${route} ${answer.text}`);
    if (/recommendations|profile/.test(route)) equal(answer.json.degraded, true, route);
  }
  const decision = await ask(door, "POST /v1/decide", { user_id: "zoe", slot: "hero" });
  deepEqual([decision.status, decision.json.variant, decision.json.degraded], [200, "plain", true], decision.text);
  equal((await ask(door, "POST /v1/events", { event_id: "e9", user_id: "zoe", event_type: "view", item_id: "lamp", timestamp: Date.now() })).status, 202);
  await cluster.redis.part.start();
  for (;;) {
    const { status, json } = await ask(door, "GET /v1/users/zoe/profile");
    if (status === 200 && json.degraded === undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
