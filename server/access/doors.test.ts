// Keys at every door but the routes of the matrix: WebSocket, server-sent events, beacons, Segment, gRPC.
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, test } from "node:test";
import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { WebSocket } from "ws";
import { METHOD_NEEDS } from "../grpc/call.ts";
import { ask, startNode } from "../http/testing.ts";
import { PROTO_FOLDER } from "../protobuf/messages.ts";
import { signUserToken } from "./user-token.ts";

const node = await startNode({ config: { grpc: { port: 0, ifFree: false } } });
after(() => node.close());

const { keys, project } = node;
await project.setAttributes({ user_id: "ada", anonymous_id: "adas-laptop" }, { plan: "pro", secret: "canary-of-ada" });
await project.setAttributes({ user_id: "bob" }, { secret: "canary-of-bob" });
const admin = keys.issue({ project: "default", role: "admin", name: "admin" }).key;
const read = keys.issue({ project: "default", role: "read", name: "read" }).key;
const write = keys.issue({ project: "default", role: "write", name: "site" }).key;
const shop = keys.issue({ project: "default", role: "write", name: "shop", origins: ["https://shop.example"] }).key;
const others = keys.issue({ project: "news", role: "admin", name: "theirs" }).key;
const secret = keys.rotateSecret("default", 0);
const adasToken = await signUserToken("ada", secret, Date.now(), 900);

interface Line {
  next(): Promise<Record<string, any>>;
  send(message: object): void;
  closed: Promise<number>;
  close(): void;
}

/** A WebSocket; rejects with the status where the upgrade is refused. */
function dial(query = "", headers: Record<string, string> = {}, { url } = node): Promise<Line> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/live${query}`, { headers });
  const inbox: Record<string, any>[] = [];
  const waiting: ((message: Record<string, any>) => void)[] = [];
  socket.on("message", (data: Buffer) => {
    const parsed = JSON.parse(String(data)) as Record<string, any>;
    const taker = waiting.shift();
    if (taker === undefined) inbox.push(parsed);
    else taker(parsed);
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  return new Promise((resolve, reject) => {
    socket.on("unexpected-response", (_request, response) => reject(new Error(String(response.statusCode))));
    socket.on("error", reject);
    socket.on("open", () =>
      resolve({
        next: () => {
          const held = inbox.shift();
          return held === undefined ? new Promise((take) => waiting.push(take)) : Promise.resolve(held);
        },
        send: (message) => socket.send(JSON.stringify(message)),
        closed,
        close: () => socket.close(),
      }),
    );
  });
}

const refusedWith = (dialled: Promise<Line>): Promise<string> => dialled.then(() => "open", (error: Error) => error.message);

test("a WebSocket is refused at the door with a wrong key, another project's, a secret one in the URL, another page", async () => {
  equal(await refusedWith(dial("?key=sk_guess")), "401");
  equal(await refusedWith(dial(`?key=${admin}`)), "403");
  equal(await refusedWith(dial("?project=default", { authorization: `Bearer ${others}` })), "403");
  equal(await refusedWith(dial(`?key=${shop}`, { origin: "https://evil.example" })), "403");
  equal(await refusedWith(dial(`?key=${write}&user_token=a.b.c`)), "401");
  const line = await dial(`?key=${shop}`, { origin: "https://shop.example" });
  equal((await line.next())["type"], "hello");
  line.close();
});

test("a WebSocket that shows no key says it in its first message, or is closed", async () => {
  const silent = await dial();
  silent.send({ subscribe: { user_id: "ada" } });
  deepEqual([(await silent.next())["code"], await silent.closed], ["key_missing", 1008]);
  const wrong = await dial();
  wrong.send({ auth: { key: "pk_guess" } });
  deepEqual([(await wrong.next())["code"], await wrong.closed], ["key_invalid", 1008]);
  const right = await dial();
  right.send({ auth: { key: write, user_token: adasToken } });
  equal((await right.next())["type"], "hello");
  right.send({ subscribe: { user_id: "ada" } });
  equal((await right.next())["type"], "ack");
  right.close();
});

test("who may not is told what it takes, and not whether there is somebody", async () => {
  const cases: [call: string, body: unknown, key: string, detail: string][] = [
    ["GET /v1/stats", undefined, write, "The key does not allow this: it takes `read`, of the roles read, operator, admin."],
    ["GET /v1/keys", undefined, read, "The key does not allow this: it takes `admin`, of the roles admin."],
    ["POST /v1/events", [], read, "The key does not allow this: it takes `collect`, of the roles write, operator, admin."],
    ["POST /v1/session", { key: write }, write, "A write key stands in pages and opens no console: read, operator, admin do."],
    ...["users/ada", "users/nobody", "visitors/adas-laptop"].map((who): [string, undefined, string, string] => [
      `GET /v1/${who}/profile`, undefined, write,
      "The key does not allow this: a write key reads a user with that user's token, and visitors who are nobody known.",
    ]),
  ];
  for (const [call, body, key, detail] of cases) {
    const { status, json } = await ask(node, call, body, { headers: { authorization: `Bearer ${key}` } });
    deepEqual([status, json.code, json.detail], [403, "forbidden", detail], call);
  }
});

test("over a WebSocket a write key watches no user, a read key sends no events", async () => {
  const line = await dial(`?key=${write}`);
  await line.next();
  for (const subscribe of [{ user_id: "ada" }, { anonymous_id: "adas-laptop" }, { user_id: "ada", anonymous_id: "x" }]) {
    line.send({ subscribe });
    equal((await line.next())["code"], "forbidden", JSON.stringify(subscribe));
  }
  line.close();
  const reader = await dial("", { authorization: `Bearer ${read}` });
  await reader.next();
  reader.send({ type: "events", events: [] });
  equal((await reader.next())["code"], "forbidden");
  reader.close();
});

test("who watches a visitor is told nothing more when the visitor turns out to be somebody", async () => {
  const line = await dial(`?key=${write}`);
  await line.next();
  line.send({ subscribe: { anonymous_id: "intruder" } });
  equal((await line.next())["type"], "ack");
  // The public key can say that this visitor is bob; that must not make bob's data the visitor's.
  const event = { event_id: "link-1", event_type: "page_view", user_id: "bob", anonymous_id: "intruder" };
  const timestamp = new Date().toISOString();
  await ask(node, "POST /v1/events", { events: [{ ...event, timestamp }] }, { headers: { authorization: `Bearer ${write}` } });
  for (;;) {
    const message = await line.next();
    ok(!JSON.stringify(message).includes("canary-of-bob"), "bob's profile went to the intruder");
    if (message["type"] === "error") {
      equal(message["code"], "forbidden");
      break;
    }
  }
  line.close();
});

/** What comes next over it is refused, and the door shut. */
async function isEnded(line: Line, subscribe: object, code: string): Promise<void> {
  line.send({ subscribe });
  let message = await line.next();
  while (message["type"] !== "error") message = await line.next();
  equal(message["code"], code);
  equal(await line.closed, 1008);
}

test("a key that is revoked ends what is open with it", async () => {
  const { key, stored } = keys.issue({ project: "default", role: "write", name: "to be revoked" });
  const line = await dial(`?key=${key}`);
  await line.next();
  line.send({ subscribe: { anonymous_id: "anybody" } });
  while ((await line.next())["type"] !== "segments");
  keys.revoke(stored.id);
  await isEnded(line, { anonymous_id: "anybody" }, "key_invalid");
});

test("the first key ends what was open without one", async () => {
  const fresh = await startNode();
  try {
    const line = await dial("", {}, fresh);
    await line.next();
    line.send({ subscribe: { user_id: "ada" } });
    while ((await line.next())["type"] !== "segments");
    fresh.keys.issue({ project: "default", role: "admin", name: "the first" });
    await isEnded(line, { user_id: "ada" }, "key_missing");
  } finally {
    await fresh.close();
  }
});

test("a beacon carries the key in its URL, Segment in Basic or in the body", async () => {
  const event = { event_id: "beacon-1", event_type: "page_view", anonymous_id: "b", timestamp: new Date().toISOString() };
  const beacon = await fetch(`${node.url}/v1/events?key=${write}`, { method: "POST", body: JSON.stringify(event) });
  equal(beacon.status, 202);
  const track = { anonymousId: "b", event: "Product Viewed", properties: { product_id: "x" } };
  const codes = async (body: object, headers: Record<string, string> = {}) => {
    const { status, json } = await ask(node, "POST /v1/track", body, { headers });
    return status === 200 ? 200 : json.code;
  };
  const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` });
  equal(await codes(track, basic(write)), 200);
  equal(await codes({ ...track, writeKey: write }), 200);
  equal(await codes(track), "key_missing");
  equal(await codes(track, basic("pk_guess")), "key_invalid");
  equal(await codes({ ...track, writeKey: "pk_guess" }), "key_invalid");
  equal(await codes({ ...track, writeKey: read }), "forbidden");
  equal(await codes({ ...track, writeKey: shop }, { origin: "https://evil.example" }), "origin_not_allowed");
});

test("an answer for a key that is bound to origins can be read by the one that asked alone", async () => {
  const headers = { authorization: `Bearer ${shop}`, origin: "https://shop.example" };
  const bound = await ask(node, "GET /v1/trending", undefined, { headers });
  deepEqual([bound.headers.get("access-control-allow-origin"), bound.headers.get("vary")], ["https://shop.example", "origin"]);
  const free = await ask(node, "GET /v1/trending", undefined, { headers: { authorization: `Bearer ${write}` } });
  equal(free.headers.get("access-control-allow-origin"), "*");
});

test("every gRPC method as every kind of principal", async () => {
  const files = ["events", "profiles", "recommendations", "decisions"].map((name) => `attune/v1/${name}.proto`);
  const definition = protoLoader.loadSync(files, { includeDirs: [PROTO_FOLDER], keepCase: true });
  const { v1 } = (loadPackageDefinition(definition) as any).attune;
  const bearer = (key: string, more: object = {}) => ({ authorization: `Bearer ${key}`, ...more });
  const bobsToken = await signUserToken("bob", secret, Date.now(), 900);
  const about: Record<string, object> = { ada: { user_id: "ada" }, linked: { anonymous_id: "adas-laptop" }, visitor: { anonymous_id: "new" } };
  const publicKey = (user?: string) => (need: string, person: string) =>
    need !== "own" && need !== "collect" ? "let in" : person === "visitor" || user === "ada" ? "let in" : "forbidden";
  const principals: Record<string, [Record<string, string>, (need: string, person: string) => string]> = {
    nobody: [{}, () => "key_missing"],
    unknown: [bearer("sk_guess"), () => "key_invalid"],
    others: [bearer(others, { "attune-project": "default" }), () => "wrong_project"],
    write: [bearer(write), publicKey()],
    ada: [bearer(write, { "attune-user-token": adasToken }), publicKey("ada")],
    bob: [bearer(write, { "attune-user-token": bobsToken }), publicKey("bob")],
    read: [bearer(read), (need) => (need === "collect" ? "forbidden" : "let in")],
    admin: [bearer(admin), () => "let in"],
  };
  let cells = 0;
  const asked = new Set<string>();
  for (const [name, need] of Object.entries(METHOD_NEEDS)) {
    const [service, method] = name.split("/") as [string, string];
    const client = new v1[service](node.server.grpcAddress, credentials.createInsecure());
    const kind = definition[`attune.v1.${service}`] as any;
    const { requestStream, responseStream } = kind[method];
    const isAboutPersons = need === "own" || name === "Profiles/SetAttributes";
    for (const [person, ids] of isAboutPersons ? Object.entries(about) : [["visitor", {}] as const]) {
      for (const [who, [metadata, expected]] of Object.entries(principals)) {
        const sent = new Metadata();
        for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
        const extras = name === "Decisions/Decide" ? { slot: "none" } : name === "Recommendations/Similar" ? { item_id: "x" } : {};
        const code = await call(client, method, { ...ids, ...extras }, sent, { requestStream, responseStream });
        const want = expected(need, isAboutPersons ? person : "visitor");
        equal(code === undefined || !REFUSALS.has(code) ? "let in" : code, want, `${name} about ${person} as ${who}`);
        cells++;
      }
    }
    asked.add(name);
    client.close();
  }
  equal(asked.size, Object.values(v1).flatMap((service: any) => Object.keys(service.service ?? {})).length);
  ok(cells > 100, `${cells} cells`);
});

const REFUSALS = new Set(["key_missing", "key_invalid", "wrong_project", "forbidden", "token_invalid", "token_expired"]);

/** The stable code that a call fails with; undefined where it is answered. */
function call(
  client: any,
  method: string,
  request: object,
  metadata: Metadata,
  { requestStream, responseStream }: { requestStream: boolean; responseStream: boolean },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = (error: any): void => resolve(String(error.metadata?.get("attune-code")[0] ?? error.message));
    if (!responseStream) {
      client[method](request, metadata, (error: any) => (error === null ? resolve(undefined) : failed(error)));
      return;
    }
    const stream = requestStream ? client[method](metadata) : client[method](request, metadata);
    stream.on("error", failed);
    stream.on("data", () => {
      resolve(undefined);
      stream.cancel();
    });
    stream.on("end", () => resolve(undefined));
    if (requestStream) {
      stream.write({ events: [] });
      stream.end();
    }
  });
}

test("no id that a public key can think of leads to another's data", async () => {
  const canary = /canary-of-(ada|bob)/;
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
  const pick = <Choice>(list: readonly Choice[]): Choice => list[Math.floor(random() * list.length)]!;
  const ids = ["ada", "bob", "adas-laptop", "u:ada", "a:adas-laptop", "ada ", "ADA", "ada\u0000", "%61da", "ada,bob", "", "*", "../ada"];
  const names = ["user_id", "anonymous_id", "userId", "user_id[]", "id"];
  const headers = { authorization: `Bearer ${write}` };
  let asked = 0;
  for (let round = 0; round < 400; round++) {
    const id = pick(ids);
    const fields = Object.fromEntries([0, 1].map(() => [pick(names), pick(ids)]));
    const query = new URLSearchParams(fields).toString();
    const path = pick([
      `GET /v1/users/${encodeURIComponent(id)}/profile`,
      `GET /v1/visitors/${encodeURIComponent(id)}/profile?${query}`,
      `GET /v1/recommendations?explain=1&${query}`,
      `POST /v1/recommendations`,
      `POST /v1/decide`,
      `GET /v1/privacy/users/${encodeURIComponent(id)}/consent`,
      `PATCH /v1/visitors/${encodeURIComponent(id)}/profile?${query}`,
      `GET /v1/search?q=${encodeURIComponent(id)}`,
    ]);
    const body = path.startsWith("GET") ? undefined : { ...fields, slot: "hero", attributes: { x: 1 } };
    const { status, text } = await ask(node, path, body, { headers });
    ok(!canary.test(text), `${path} ${JSON.stringify(body)} gave ${text.slice(0, 200)}`);
    ok(status < 500, `${path}: ${status}`);
    asked++;
  }
  equal(asked, 400);
});
