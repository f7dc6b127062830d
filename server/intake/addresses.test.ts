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
