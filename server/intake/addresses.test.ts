import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask, startNode } from "../http/testing.ts";

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const VISITOR = "81.2.69.160";
const SECRETS = ["canary-token", "canary-fragment", "canary@example.com", "canary-password", VISITOR];

function filesUnder(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  return names.filter((name) => statSync(name).isFile());
}

test("no network address and no secret of a page's address is in any file", async (t) => {
  const node = await startNode({ config: { trustedProxies: ["127.0.0.1/32", "::1/128"] } });
  t.after(() => node.close());
  const page = "https://me:canary-password@shop.example/u/canary@example.com?q=boots&reset=canary-token#canary-fragment";
  const event = { event_type: "page_view", user_id: "ada", timestamp: Date.now(), page_url: page };
  const from = { headers: { "user-agent": CHROME, "x-forwarded-for": VISITOR } };
  const more = { context: { referrer: page }, additional_data: { canonical: page } };
  equal((await ask(node, "POST /v1/events", { ...event, ...more }, from)).json.accepted, 1);
  equal((await ask(node, "POST /v1/events", { ...event, event_type: "nonsense" }, from)).json.rejected.length, 1);
  await ask(node, "GET /v1/recommendations?user_id=ada", undefined, from);
  await ask(node, "DELETE /v1/privacy/users/nobody", undefined, from);
  await node.project.checkpoint();

  const files = filesUnder(node.folder);
  const clean = "https://shop.example/u/-?q=boots";
  ok(files.some((name) => readFileSync(name).includes(clean)), "what may be kept is there: the log of this node is open");
  const { letters } = await node.project.deadLetters({ limit: 10 });
  equal((letters[0]!.body as { page_url: string }).page_url, clean);
  const found = files.flatMap((name) => SECRETS.filter((secret) => readFileSync(name).includes(secret)).map((s) => [name, s]));
  deepEqual(found, []);
});

test("a dead letter that is tried again is marked as what its sender sends, whoever tries", async (t) => {
  const node = await startNode({ config: { trustedProxies: ["127.0.0.1/32", "::1/128"] } });
  t.after(() => node.close());
  const [write, admin] = (["write", "admin"] as const).map((role) => {
    const { key } = node.keys.issue({ project: "default", role, name: role });
    return { authorization: `Bearer ${key}` };
  });
  const senders = [
    ["visitor", undefined, { "user-agent": CHROME }],
    ["careful", "no_consent", { "user-agent": CHROME, "sec-gpc": "1" }],
    ["crawler", "bot", { "user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)" }],
  ] as const;
  for (const [user_id, traffic, own] of senders) {
    const from = { headers: { ...write, ...own, "x-forwarded-for": VISITOR } };
    const event = { event_type: "view", user_id, item_id: "lamp", timestamp: Date.now() };
    await ask(node, "POST /v1/events", [event, { ...event, event_type: "heard" }], from);
    const [letter] = (await node.project.deadLetters({ limit: 1 })).letters;
    equal((await ask(node, `POST /v1/dead-letters/${letter!.id}/retry`, event, { headers: admin! })).json.accepted, 1);
    const { text } = await ask(node, `GET /v1/privacy/users/${user_id}/export`, undefined, { headers: admin! });
    const records = text.trim().split("\n").map((line) => JSON.parse(line));
    const [sent, retried] = records.flatMap(({ record, event }) => (record === "event" ? [{ source: event.source, traffic: event.traffic }] : []));
    deepEqual(retried, sent, user_id);
    ok(sent!.source !== undefined);
    equal(sent!.traffic, traffic);
  }
});
