// From a change in what comes in to the operator: an alarm of the models, a line of the log, a signed call to the webhook.
import { equal, match, ok } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";
import { pino } from "pino";
import type { LoggedEvent } from "../../core/event/event.ts";
import { openProject, START_MS, testFolder } from "../embedded/testing.ts";
import { createWebhookSender } from "../webhooks/sender.ts";
import { watchAlarms } from "./alarm-watch.ts";

let serial = 0;
function events(count: number, typeOf: (i: number) => string): LoggedEvent[] {
  return Array.from({ length: count }, (_, i): LoggedEvent => {
    const at = START_MS + ++serial * 20;
    return { event_id: `e${serial}`, user_id: `u${i % 50}`, event_type: typeOf(i), timestamp: at, received_at: at, item_id: `i${(i * 7) % 30}` };
  });
}

test("an alarm is told once: in the log, and to the program's webhook", { timeout: 120_000 }, async (t) => {
  const calls: { body: string; signature: string | undefined }[] = [];
  const receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      calls.push({ body, signature: request.headers["attune-signature"] as string | undefined });
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  t.after(() => {
    receiver.close();
    receiver.closeAllConnections();
  });
  const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts`;
  const program = { events: { click: { weight: 1 }, purchase: { weight: 5 } }, models: { alerts: { webhook } }, learning: { share: 1 } };
  const clock = { nowMs: START_MS + 200_000 };
  const project = await openProject(testFolder(), clock, { firstProgram: program });
  const lines: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  const config = { secret: "s".repeat(32), allowPrivate: true, backoffMs: 10, attemptsMax: 2 };
  const webhooks = createWebhookSender({ config, logger, seed: 1, now: () => clock.nowMs });
  await project.submit({ events: events(1_500, (i) => (i % 10 === 0 ? "purchase" : "click")), deadLetters: [] });
  const before = (await project.models()).alarms.length;
  const watch = watchAlarms({ projects: () => [project], logger, webhooks });
  t.after(() => watch.stop());
  await watch.look();
  equal(lines.length, 0, "what was there before was told before");
  await project.submit({ events: events(1_500, (i) => (i % 10 < 7 ? "purchase" : "click")), deadLetters: [] });
  const alarms = (await project.models()).alarms.slice(before);
  ok(alarms.some(({ metric }) => metric === "type:purchase"), JSON.stringify(alarms));
  await watch.look();
  equal(lines.length, alarms.length);
  match(lines.join(""), /the models see a change/);
  await watch.look();
  equal(lines.length, alarms.length, "once");
  while (webhooks.stats().delivered < alarms.length && webhooks.stats().failed === 0) await pause(5);
  equal(webhooks.stats().failed, 0);
  const told = calls.map(({ body }) => JSON.parse(body) as { type: string; project: string; metric: string; before: number; after: number });
  const purchase = told.find(({ metric }) => metric === "type:purchase")!;
  equal(purchase.type, "alert");
  equal(purchase.project, "default");
  ok(purchase.after > purchase.before);
  ok(calls.every(({ signature }) => signature !== undefined && signature.length > 20));
  await webhooks.close();
});
