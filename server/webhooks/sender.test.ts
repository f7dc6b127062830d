// Webhooks to a real receiver, dead letters in a real project.
import { deepEqual, equal, ok } from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { ask, silent, startNode, type TestNode } from "../http/testing.ts";
import { createWebhookSender, type WebhookSender } from "./sender.ts";
import { verifySignature } from "./sign.ts";

const SECRET = "a secret for tests";
const config = { secret: SECRET, allowPrivate: true, backoffMs: 1, attemptsMax: 3 };
const node = await startNode({ config: { webhooks: config } });
after(() => node.close());
const trigger = { name: "cart", atMs: 1_000, itemId: "lamp", push: false };

interface Received {
  headers: IncomingMessage["headers"];
  body: string;
}

/** A receiver that answers with `statuses` in turn (the last one for ever). */
async function receiver(...statuses: number[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
    response.writeHead(status, { location: "http://127.0.0.1:1/elsewhere" }).end();
    server.emit("answered");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return { url, received, answered: () => once(server, "answered"), close: () => server.close() };
}

function senderOf(change: Partial<typeof config> = {}): WebhookSender {
  return createWebhookSender({ config: { ...config, ...change }, logger: silent, seed: 1, now: Date.now });
}

/** Resolves when nothing is queued; each turn gives the network its chance. */
async function idle(sender: WebhookSender): Promise<void> {
  while (sender.stats().queued > 0) await new Promise((resolve) => setImmediate(resolve));
}

async function letterOf(target: TestNode, url: string): Promise<any> {
  const { dead_letters: letters } = (await ask(target, "GET /v1/dead-letters?limit=500")).json;
  return letters.find(({ body }: any) => body?.url === url);
}

test("a trigger of the program reaches its receiver, signed", async () => {
  const hook = await receiver(200);
  const document = (await ask(node, "GET /v1/program")).json;
  const triggers = { carted: { when: 'event.event_type == "add_to_cart"', webhook: hook.url } };
  equal((await ask(node, "PUT /v1/program", { ...document, triggers })).status, 200);
  const answered = hook.answered();
  const event = {
    event_id: "cart1",
    user_id: "ann",
    event_type: "add_to_cart",
    item_id: "lamp",
    timestamp: Date.now(),
  };
  await ask(node, "POST /v1/events", event);
  await answered;
  const [{ headers, body }] = hook.received as [Received];
  const payload = JSON.parse(body);
  deepEqual([payload.type, payload.trigger, payload.user_id, payload.event_id], ["trigger", "carted", "ann", "cart1"]);
  equal(headers["attune-delivery"], payload.id);
  const received = { secret: SECRET, body, nowS: Date.now() / 1_000, toleranceS: 60 };
  ok(verifySignature(String(headers["attune-signature"]), received));
  hook.close();
});

test("a receiver that recovers gets the delivery once it is well, with the same id", async () => {
  const hook = await receiver(500, 503, 204);
  const sender = senderOf();
  sender.fire(node.project, { trigger, url: hook.url, ref: { user_id: "ann" }, eventId: "e1" });
  await idle(sender);
  deepEqual(sender.stats(), { queued: 0, delivered: 1, retried: 2, failed: 0 });
  equal(new Set(hook.received.map(({ headers }) => headers["attune-delivery"])).size, 1);
  hook.close();
});

test("what waits is not sent once its person is erased", async () => {
  const hook = await receiver(200);
  const sender = senderOf();
  await node.project.erasePerson({ user_id: "eve" });
  for (const user_id of ["eve", "ann"]) sender.fire(node.project, { trigger, url: hook.url, ref: { user_id }, eventId: undefined });
  await idle(sender);
  deepEqual(hook.received.map(({ body }) => JSON.parse(body).user_id), ["ann"]);
  deepEqual(sender.stats(), { queued: 0, delivered: 1, retried: 0, failed: 0 });
  hook.close();
});

test("what fails for good is a dead letter that can be tried again", async () => {
  const hook = await receiver(500);
  const sender = senderOf();
  sender.fire(node.project, { trigger, url: hook.url, ref: { user_id: "ann" }, eventId: undefined });
  await idle(sender);
  await sender.close();
  equal(hook.received.length, 3);
  const letter = await letterOf(node, hook.url);
  deepEqual(
    [letter.code, letter.source, letter.message],
    ["webhook_failed", "webhook cart", "the receiver answered 500 (attempt 3)"],
  );
  hook.close();
  const well = await receiver(200);
  // The same letter, to the same address, once the receiver is back.
  sender.stats();
  const back = createServer((_request, response) => response.end()).listen(Number(new URL(hook.url).port), "127.0.0.1");
  await once(back, "listening");
  const answered = once(back, "request");
  equal((await ask(node, `POST /v1/dead-letters/${letter.id}/retry`)).json.accepted, 1);
  await answered;
  equal(await letterOf(node, hook.url), undefined);
  back.close();
  well.close();
});

test("a refusal and a redirect are final: nothing is sent twice, nothing is followed", async () => {
  for (const status of [400, 410, 302]) {
    const hook = await receiver(status);
    const sender = senderOf();
    sender.fire(node.project, { trigger, url: hook.url, ref: { user_id: "ann" }, eventId: undefined });
    await idle(sender);
    deepEqual([hook.received.length, sender.stats().failed], [1, 1]);
    await sender.close();
    hook.close();
  }
});

test("private addresses are refused, named or numbered, unless the operator allows them", async () => {
  const hook = await receiver(200);
  const { port } = new URL(hook.url);
  for (const host of ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0x7f.1", "[::ffff:127.0.0.1]"]) {
    const sender = senderOf({ allowPrivate: false });
    sender.fire(node.project, { trigger, url: `http://${host}:${port}/`, ref: { user_id: "ann" }, eventId: undefined });
    await idle(sender);
    deepEqual([sender.stats().failed, sender.stats().retried], [1, 0], host);
    await sender.close();
  }
  equal(hook.received.length, 0);
  hook.close();
});

test("without a secret nothing is sent, and the dead letter says why", async () => {
  const hook = await receiver(200);
  const { secret: _, ...unsigned } = config;
  const sender = createWebhookSender({ config: unsigned, logger: silent, seed: 1, now: Date.now });
  sender.fire(node.project, { trigger, url: hook.url, ref: { user_id: "ann" }, eventId: undefined });
  await idle(sender);
  await sender.close();
  equal(hook.received.length, 0);
  ok((await letterOf(node, hook.url)).message.includes("secret"));
  hook.close();
});

test("an open node calls a receiver on its own machine without a secret, and nobody else inside", async () => {
  const hook = await receiver(200);
  const { port } = new URL(hook.url);
  const { secret: _, allowPrivate: __, ...bare } = config;
  let isOpen = true;
  const sender = createWebhookSender({ config: bare, logger: silent, seed: 1, now: Date.now, isOpen: () => isOpen });
  const call = async (host: string): Promise<void> => {
    sender.fire(node.project, { trigger, url: `http://${host}:${port}/`, ref: { user_id: "ann" }, eventId: undefined });
    await idle(sender);
  };
  for (const host of ["127.0.0.1", "localhost"]) await call(host);
  equal(sender.stats().delivered, 2);
  deepEqual(hook.received.map(({ headers }) => headers["attune-signature"]), [undefined, undefined]);
  for (const host of ["169.254.169.254", "10.0.0.1", "[fd00::1]", "0.0.0.0"]) await call(host);
  deepEqual([sender.stats().delivered, sender.stats().failed, sender.stats().retried], [2, 4, 0]);
  isOpen = false;
  await call("127.0.0.1");
  equal(sender.stats().delivered, 2, "the first key ends it");
  await sender.close();
  const refusing = createWebhookSender({
    config: { ...bare, allowPrivate: false }, logger: silent, seed: 1, now: Date.now, isOpen: () => true,
  });
  refusing.fire(node.project, { trigger, url: hook.url, ref: { user_id: "ann" }, eventId: undefined });
  await idle(refusing);
  deepEqual([refusing.stats().delivered, refusing.stats().failed], [0, 1], "the operator's word counts");
  await refusing.close();
  hook.close();
});

test("a node is open until it has keys", async (t) => {
  const hook = await receiver(200);
  t.after(() => hook.close());
  const own = await startNode();
  t.after(() => own.close());
  const headers: Record<string, string> = {};
  const buy = async (id: string): Promise<void> => {
    const event = { event_id: id, user_id: "ann", event_type: "purchase", item_id: "lamp", timestamp: Date.now() };
    equal((await ask(own, "POST /v1/events", event, { headers })).status, 202);
  };
  const document = (await ask(own, "GET /v1/program")).json;
  const triggers = { bought: { when: 'event.event_type == "purchase"', webhook: hook.url } };
  const { warnings } = (await ask(own, "POST /v1/program/check", { ...document, triggers })).json;
  ok(warnings.some(({ code, message }: any) => code === "webhook_unsigned" && message.startsWith("calls are not signed")));
  equal((await ask(own, "PUT /v1/program", { ...document, triggers })).status, 200);
  const answered = hook.answered();
  await buy("b1");
  await answered;
  headers["authorization"] = `Bearer ${own.keys.issue({ project: "default", role: "admin", name: "the first" }).key}`;
  await buy("b2");
  const letters = async (): Promise<any[]> => (await ask(own, "GET /v1/dead-letters", undefined, { headers })).json.dead_letters;
  let [letter] = await letters();
  while (letter === undefined) [letter] = await letters();
  ok(letter.message.includes("secret"), letter.message);
  equal(hook.received.length, 1);
});

test("what waits when the server goes down is kept", async () => {
  const hook = await receiver(503);
  const sender = senderOf({ backoffMs: 60_000 });
  const answered = hook.answered();
  sender.fire(node.project, { trigger, url: hook.url, ref: { user_id: "ann" }, eventId: undefined });
  await answered;
  while (sender.stats().retried === 0) await new Promise((resolve) => setImmediate(resolve));
  await sender.close();
  equal((await letterOf(node, hook.url)).code, "webhook_failed");
  hook.close();
});

test("what was under way when the server went down is kept, in words", async () => {
  const server = createServer(() => server.emit("asked")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/silent`;
  const sender = senderOf();
  const asked = once(server, "asked");
  sender.fire(node.project, { trigger, url, ref: { user_id: "ann" }, eventId: undefined });
  await asked;
  await sender.close();
  const { message } = await letterOf(node, url);
  equal(message, "the server went down before the answer; the call may have arrived (attempt 1)");
  server.close();
});

test("a receiver that does not answer holds up nobody else's calls, and fills nobody else's queue", async () => {
  const silentServer = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silentServer, "listening");
  const hanging = `http://127.0.0.1:${(silentServer.address() as AddressInfo).port}/`;
  const hook = await receiver(200);
  const sender = senderOf();
  const fire = (url: string): void => sender.fire(node.project, { trigger, url, ref: { user_id: "ann" }, eventId: undefined });
  for (let i = 0; i < 1_001; i++) fire(hanging);
  deepEqual(sender.stats(), { queued: 1_000, delivered: 0, retried: 0, failed: 1 });
  const answered = hook.answered();
  fire(hook.url);
  await answered;
  while (sender.stats().delivered === 0) await new Promise((resolve) => setImmediate(resolve));
  deepEqual(sender.stats(), { queued: 1_000, delivered: 1, retried: 0, failed: 1 });
  equal((await letterOf(node, hanging)).message, "more than 1000 webhooks wait for this receiver");
  silentServer.closeAllConnections();
  await sender.close();
  silentServer.close();
  hook.close();
});

test("the operator's guide shows every field of a call", async () => {
  const hook = await receiver(200);
  const sender = senderOf();
  const fired = { trigger, url: hook.url, eventId: "e1" };
  sender.fire(node.project, { ...fired, ref: { user_id: "ann" } });
  sender.alert(node.project, { url: hook.url, alarm: { metric: "hit_rate", at: "2026-01-05T00:00:00Z", before: 1, after: 0 } });
  await idle(sender);
  const section = readFileSync(new URL("../../docs/guides/operator.md", import.meta.url), "utf8").split("## Webhooks")[1]!.split("\n## ")[0]!;
  const calls = hook.received.map(({ body }) => JSON.parse(body));
  const ofTrigger = calls.find(({ type }) => type === "trigger");
  deepEqual(Object.keys(JSON.parse(/```json\n([^]+?)```/.exec(section)![1]!)), Object.keys(ofTrigger));
  for (const field of Object.keys(calls.find(({ type }) => type === "alert"))) ok(section.includes(`\`${field}\``), field);
  hook.close();
});
