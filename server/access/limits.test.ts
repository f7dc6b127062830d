import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { once } from "node:events";
import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { WebSocket } from "ws";
import { ask, startNode, type TestNode } from "../http/testing.ts";
import { createLimits } from "./limits.ts";
import { PROTO_FOLDER } from "../protobuf/messages.ts";

const limits = { keyPerS: 10_000, addressPerS: 10_000, personPerS: 10_000 };

async function countRefused(node: TestNode, times: number, headersOf: (i: number) => Record<string, string>, path = "/v1/trending") {
  const answers = await Promise.all(
    Array.from({ length: times }, (_, i) => ask(node, `GET ${path}`, undefined, { headers: headersOf(i) })),
  );
  const refused = answers.filter(({ status }) => status === 429);
  for (const { json, headers } of refused) deepEqual([json.code, headers.get("retry-after")], ["rate_limited", "1"]);
  ok(answers.every(({ status }) => status === 200 || status === 429));
  return refused.length;
}

async function keyed(config: object): Promise<[TestNode, Record<string, string>, Record<string, string>]> {
  const node = await startNode({ config });
  const bearer = () => {
    const { key } = node.keys.issue({ project: "default", role: "admin", name: "a" });
    return { authorization: `Bearer ${key}` };
  };
  return [node, bearer(), bearer()];
}

test("a key beyond its limit is told to wait, another one is not", async (t) => {
  const [node, busy, quiet] = await keyed({ limits: { ...limits, keyPerS: 5 } });
  t.after(() => node.close());
  ok((await countRefused(node, 60, () => busy)) > 0);
  equal(await countRefused(node, 4, () => quiet), 0);
});

test("whoever was told to wait does not wait for a clock that was set back", () => {
  let nowMs = 1_790_000_000_000;
  const waits: number[] = [];
  const counted = createLimits(limits, () => nowMs, () => (key, exceeded) => exceeded(key, waits.shift() ?? 500));
  counted.key("a");
  throws(() => counted.key("a"), { code: "rate_limited" });
  nowMs -= 86_400_000;
  counted.key("a");
  nowMs += 501;
  waits.push(86_400_000); // As the library reckons it while the clock is set back.
  counted.key("a");
  counted.key("a");
});

test("an address beyond its limit is told to wait, whatever it says of itself", async (t) => {
  const [node, key] = await keyed({ limits: { ...limits, addressPerS: 5 } });
  t.after(() => node.close());
  ok((await countRefused(node, 60, (i) => ({ ...key, "x-forwarded-for": `10.0.0.${i}` }))) > 0);
});

test("behind a trusted proxy each address has its own", async (t) => {
  const [node, key] = await keyed({ limits: { ...limits, addressPerS: 5 }, trustedProxies: ["127.0.0.1"] });
  t.after(() => node.close());
  equal(await countRefused(node, 60, (i) => ({ ...key, "x-forwarded-for": `10.0.0.${i}` })), 0);
  for (const one of ["192.0.2.1", "[2001:db8::1]"]) {
    ok((await countRefused(node, 60, (i) => ({ ...key, "x-forwarded-for": `${one}:${50_000 + i}` }))) > 0, one);
  }
});

test("behind a trusted proxy each address has its own over gRPC as well", async (t) => {
  const config = { grpc: { port: 0, ifFree: false }, limits: { ...limits, addressPerS: 5 }, trustedProxies: ["127.0.0.1"] };
  const [node, key] = await keyed(config);
  t.after(() => node.close());
  const lines = Array.from({ length: 20 }, (_, i) => sendStream(node, { ...key, "x-forwarded-for": `10.0.0.${i}` }));
  for (const line of lines) t.after(() => line.close());
  deepEqual(new Set(await Promise.all(lines.map((line) => line.send()))), new Set(["ok"]));
});

test("all of an IPv6 network is one sender, and an IPv4 address is, however it is written", async (t) => {
  const [node, key] = await keyed({ limits: { ...limits, addressPerS: 5 }, trustedProxies: ["127.0.0.1"] });
  t.after(() => node.close());
  const from = (addressOf: (i: number) => string) => (i: number) => ({ ...key, "x-forwarded-for": addressOf(i) });
  ok((await countRefused(node, 60, from((i) => `2001:db8:1:2${i % 10}:${i}::1`))) > 0);
  equal(await countRefused(node, 60, from((i) => `2001:db8:2:${i + 1}00::1`)), 0);
  ok((await countRefused(node, 60, from((i) => (i % 2 === 0 ? "192.0.2.1" : "::ffff:192.0.2.1")))) > 0);
});

test("a person who is asked for too often is left in peace, others are not", async (t) => {
  const [node, key] = await keyed({ limits: { ...limits, personPerS: 5 } });
  t.after(() => node.close());
  ok((await countRefused(node, 60, () => key, "/v1/recommendations?user_id=ada")) > 0);
  equal(await countRefused(node, 4, () => key, "/v1/recommendations?user_id=bob"), 0);
});

test("messages of a WebSocket count as requests do: by key, by address and by person", async (t) => {
  for (const limit of ["keyPerS", "addressPerS", "personPerS"]) {
    const [node, headers] = await keyed({ limits: { ...limits, [limit]: 5 } });
    t.after(() => node.close());
    const socket = new WebSocket(`${node.url.replace("http", "ws")}/v1/live`, { headers });
    t.after(() => socket.terminate());
    const answers = new Map<string, string>();
    socket.on("message", (data: Buffer) => {
      const { type, id, code } = JSON.parse(String(data));
      if (id !== undefined) answers.set(id, type === "error" ? code : type);
    });
    await once(socket, "open");
    const send = async (id: string): Promise<string> => {
      socket.send(JSON.stringify({ id, subscribe: { user_id: "ada" } }));
      while (!answers.has(id)) await once(socket, "message");
      return answers.get(id)!;
    };
    equal(await send("first"), "ack", limit);
    let last = "ack";
    for (let sent = 1; last === "ack" && sent < 40; sent++) last = await send(String(sent));
    equal(last, "rate_limited", limit);
  }
});

test("connections that are opened count too", async (t) => {
  const [node, headers] = await keyed({ limits: { ...limits, addressPerS: 5 } });
  t.after(() => node.close());
  const dialled = Array.from({ length: 40 }, () => {
    const socket = new WebSocket(`${node.url.replace("http", "ws")}/v1/live`, { headers });
    return new Promise<number>((resolve) => {
      socket.on("open", () => resolve(101));
      socket.on("unexpected-response", (_request, response) => resolve(response.statusCode!));
      socket.on("error", () => {}); // cut before it was open, at the end
      t.after(() => socket.terminate());
    });
  });
  const statuses = new Set(await Promise.all(dialled));
  deepEqual([...statuses].sort(), [101, 429]);
});

/** A gRPC stream of events with these headers; `send` resolves to the answer's code, "ok" where it is one. */
function sendStream(node: TestNode, headers: Record<string, string>) {
  const definition = protoLoader.loadSync("attune/v1/events.proto", { includeDirs: [PROTO_FOLDER], keepCase: true });
  const { Events } = (loadPackageDefinition(definition) as any).attune.v1;
  const client = new Events(node.server.grpcAddress, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const stream = client.SendStream(metadata);
  const codeOf = (error: any): string => String(error.metadata.get("attune-code")[0]);
  const failed = new Promise<string>((resolve) => stream.on("error", (error: any) => resolve(codeOf(error))));
  const send = (): Promise<string> => {
    stream.write({ events: [] });
    return Promise.race([failed, once(stream, "data").then(() => "ok", codeOf)]);
  };
  return { send, close: () => client.close() };
}

test("messages of a gRPC stream count too, and a key that was revoked sends no further one", async (t) => {
  const grpc = { port: 0, ifFree: false };
  const [busy, key] = await keyed({ grpc, limits: { ...limits, keyPerS: 5 } });
  t.after(() => busy.close());
  const line = sendStream(busy, key);
  t.after(() => line.close());
  equal(await line.send(), "ok");
  let last = "ok";
  for (let sent = 1; last === "ok" && sent < 40; sent++) last = await line.send();
  equal(last, "rate_limited");

  const node = await startNode({ config: { grpc } });
  t.after(() => node.close());
  const { key: secret, stored } = node.keys.issue({ project: "default", role: "write", name: "site" });
  const [begun, unused] = [0, 1].map(() => sendStream(node, { authorization: `Bearer ${secret}` })) as [typeof line, typeof line];
  for (const one of [begun, unused]) t.after(() => one.close());
  equal(await begun.send(), "ok");
  node.keys.revoke(stored.id);
  deepEqual([await begun.send(), await unused.send()], ["key_invalid", "key_invalid"]);
});

test("a node without keys counts nothing", async (t) => {
  const node = await startNode({ config: { limits: { keyPerS: 1, addressPerS: 1, personPerS: 1 } } });
  t.after(() => node.close());
  equal(await countRefused(node, 60, () => ({})), 0);
});
