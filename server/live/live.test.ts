// The live connections with real sockets, against a whole node.
import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { WebSocket } from "ws";
import { ask, silent, startNode } from "../http/testing.ts";
import { createHub, UNREAD_PAUSE_BYTES } from "./hub.ts";
import { MESSAGE_BYTES_MAX } from "./socket.ts";

const node = await startNode();
after(() => node.close());
const { port } = new URL(node.url);

interface Message {
  type: string;
  [field: string]: any;
}

/** Messages of a connection, in order, taken one by one. */
class Inbox {
  readonly #waiting: ((message: Message) => void)[] = [];
  readonly #messages: Message[] = [];
  put(message: Message): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#messages.push(message);
    else taker(message);
  }
  next(): Promise<Message> {
    const message = this.#messages.shift();
    return message === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(message);
  }
  /** The next message that fits; the ones before it are dropped. */
  async until(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const message = await this.next();
      if (fits(message)) return message;
    }
  }
}

async function open(
  path = "/v1/live",
): Promise<{ socket: WebSocket; inbox: Inbox; send: (message: unknown) => void; close: () => void }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const inbox = new Inbox();
  socket.on("message", (data) => inbox.put(JSON.parse(String(data))));
  await once(socket, "open");
  return { socket, inbox, send: (message) => socket.send(JSON.stringify(message)), close: () => socket.terminate() };
}

let serial = 0;
function act(fields: Record<string, unknown>): Record<string, unknown> {
  return { event_id: `live${serial++}`, event_type: "view", timestamp: Date.now(), ...fields };
}

test("hello, ack, the state of now, and each change with the event behind it", async () => {
  const { inbox, send, close } = await open();
  const hello = await inbox.next();
  deepEqual([hello.type, hello["project"]], ["hello", "default"]);
  send({ subscribe: { user_id: "ann", placements: ["home"] }, id: "s1" });
  deepEqual(
    { ...(await inbox.next()), at: "" },
    { type: "ack", id: "s1", subscribed: { user_id: "ann", placements: ["home"] }, at: "" },
  );
  const first = [await inbox.next(), await inbox.next()].map(({ type }) => type);
  deepEqual(first.sort(), ["recommendations", "segments"]); // nobody knows ann yet: no profile
  const event = act({ user_id: "ann", item_id: "lamp" });
  equal((await ask(node, "POST /v1/events", event)).status, 202);
  const pushed = new Map<string, Message>();
  while (pushed.size < 3) {
    const message = await inbox.next();
    pushed.set(message.type, message);
  }
  const profile = pushed.get("profile")!;
  equal(profile["recent"][0].item_id, "lamp");
  equal(profile["caused_by"].event_id, event["event_id"]);
  equal(pushed.get("recommendations")!["profile_version"], profile["version"]);
  equal(pushed.get("recommendations")!["placement"], "home");
  ok(pushed.get("segments")!["entered"].length > 0);
  deepEqual(pushed.get("segments")!["segments"], profile["segments"]);
  close();
});

test("a placement that the program does not have keeps nothing else back: the other lists, segments and the profile come", async () => {
  const { inbox, send, close } = await open();
  const three = async () => [await inbox.next(), await inbox.next(), await inbox.next()].map(({ type }) => type);
  await inbox.next();
  send({ subscribe: { user_id: "ida", placements: ["none", "home"] } });
  equal((await inbox.next()).type, "ack");
  deepEqual(await three(), ["error", "recommendations", "segments"]);
  equal((await ask(node, "POST /v1/events", act({ user_id: "ida", item_id: "lamp" }))).status, 202);
  deepEqual(await three(), ["error", "recommendations", "segments"]);
  equal((await inbox.next()).type, "profile");
  close();
});

test("events come in over the socket and are acknowledged with their id, after they are in the profile", async () => {
  const { inbox, send, close } = await open();
  await inbox.next();
  send({ type: "events", events: [act({ user_id: "ben", item_id: "desk" }), { event_type: "?" }], id: "e1" });
  const ack = await inbox.next();
  deepEqual([ack.type, ack["id"], ack["accepted"], ack["rejected"].length], ["ack", "e1", 1, 1]);
  equal((await ask(node, "GET /v1/users/ben/profile")).json.recent.length, 1);
  close();
});

test("what cannot be understood is answered with an error, and the connection stays", async () => {
  const { inbox, send, socket, close } = await open();
  await inbox.next();
  const cases: [message: unknown, code: string][] = [
    [[], "bad_json"],
    [{ hello: 1, id: "x" }, "bad_request"],
    [{ subscribe: {} }, "bad_parameter"],
    [{ subscribe: { user_id: "a", placements: new Array(9).fill(0).map((_, i) => `p${i}`) } }, "bad_parameter"],
    [{ type: "events" }, "bad_parameter"],
    [{ type: "events", events: 7 }, "bad_parameter"],
    [{ type: "events", events: new Array(1_001).fill(0) }, "too_many_events"],
  ];
  for (const [message, code] of cases) {
    send(message);
    const answer = await inbox.next();
    deepEqual([answer.type, answer["code"]], ["error", code]);
  }
  socket.send("{");
  equal((await inbox.next())["code"], "bad_json");
  send({ subscribe: { user_id: "a", placements: ["none"] } });
  equal((await inbox.until(({ type }) => type === "error"))["code"], "unknown_placement");
  send({ unsubscribe: true, id: "u" });
  equal((await inbox.until(({ type }) => type === "ack"))["unsubscribed"], true);
  close();
});

test("a message beyond the limit closes the connection", async () => {
  const { socket, inbox } = await open();
  await inbox.next();
  socket.send("x".repeat(MESSAGE_BYTES_MAX + 1));
  const [code] = await once(socket, "close");
  equal(code, 1009);
});

test("who watches an anonymous visitor goes on watching when he becomes known", async () => {
  const { inbox, send, close } = await open();
  await ask(node, "POST /v1/events", act({ anonymous_id: "cookie", item_id: "lamp" }));
  send({ subscribe: { anonymous_id: "cookie" } });
  await inbox.until(({ type, recent }) => type === "profile" && recent.length === 1);
  await ask(node, "POST /v1/events", act({ anonymous_id: "cookie", user_id: "cora", item_id: "desk" }));
  await inbox.until(({ type, user_id: user }) => type === "profile" && user === "cora");
  await ask(node, "POST /v1/events", act({ user_id: "cora", item_id: "sofa" }));
  const merged = await inbox.until(({ type, recent }) => type === "profile" && recent.length === 3);
  equal(merged["recent"][0].item_id, "sofa");
  // The device goes to somebody else: whoever watches the cookie now sees him.
  await ask(node, "POST /v1/events", act({ anonymous_id: "cookie", user_id: "dora", item_id: "tea" }));
  equal((await inbox.until(({ type, user_id: user }) => type === "profile" && user === "dora"))["recent"].length, 1);
  close();
});

test("who watches a visitor who was known and is erased hears of him again when he comes back", async () => {
  const { inbox, send, close } = await open();
  send({ subscribe: { anonymous_id: "back-again", placements: [] } });
  await ask(node, "POST /v1/events", act({ anonymous_id: "back-again", user_id: "bea" }));
  await inbox.until(({ type, user_id: user }) => type === "profile" && user === "bea");
  equal((await ask(node, "DELETE /v1/privacy/users/bea")).status, 202);
  await ask(node, "POST /v1/events", act({ anonymous_id: "back-again", item_id: "lamp", timestamp: Date.now() + 1_000 }));
  await ask(node, "PATCH /v1/visitors/back-again/profile", { attributes: { plan: "gold" } });
  const profile = await inbox.until(({ type, user_id: user }) => type === "profile" && user === null);
  equal(profile["recent"][0].item_id, "lamp");
  close();
});

test("segments that somebody has through a login are entered for whoever watched the visitor", async () => {
  const { inbox, send, close } = await open();
  await ask(node, "POST /v1/events", act({ user_id: "gina", item_id: "lamp", event_type: "purchase", value: 10 }));
  await ask(node, "POST /v1/events", act({ anonymous_id: "jar", item_id: "lamp" }));
  send({ subscribe: { anonymous_id: "jar" } });
  const isSegments = ({ type }: Message): boolean => type === "segments";
  const first = await inbox.until(isSegments);
  deepEqual([first["entered"], first["left"]], [[], []], "the state of now");
  await ask(node, "POST /v1/events", act({ anonymous_id: "jar", user_id: "gina", item_id: "desk" }));
  const after = await inbox.until(isSegments);
  ok(after["entered"].includes("recent_converter"), String(after["entered"]));
  const followed = first["segments"].filter((name: string) => !after["left"].includes(name)).concat(after["entered"]);
  deepEqual(followed.toSorted(), after["segments"].toSorted());
  close();
});

test("attributes, the catalogue and the program change what is shown without an event", async () => {
  const { inbox, send, close } = await open();
  send({ subscribe: { user_id: "eli", placements: ["home"] } });
  await inbox.until(({ type }) => type === "recommendations");
  await ask(node, "PATCH /v1/users/eli/profile", { attributes: { age: 40 } });
  const changed = await inbox.until(({ type }) => type === "profile");
  deepEqual([changed["attributes"], changed["caused_by"]], [{ age: 40 }, undefined]);
  await ask(node, "PUT /v1/items", { items: [{ item_id: "brand-new", categories: ["new"] }] });
  await inbox.until(({ type }) => type === "recommendations");
  close();
});

test("server-sent events carry the same messages", async () => {
  const { inbox, close } = await stream("/v1/live?user_id=fay&placements=home&limit=1");
  deepEqual([(await inbox.next()).type, (await inbox.next()).type], ["hello", "ack"]);
  await inbox.until(({ type }) => type === "recommendations");
  await ask(node, "POST /v1/events", act({ user_id: "fay", item_id: "lamp" }));
  const list = await inbox.until(({ type, caused_by: cause }) => type === "recommendations" && cause !== undefined);
  equal(list["items"].length, 1);
  close();
  equal((await ask(node, "GET /v1/live")).json.code, "bad_parameter");
  equal((await ask(node, "GET /v1/live?user_id=a&project=none")).json.code, "unknown_project");
});

test("the operator's stream shows events as they come, by filter too, and what is rejected", async () => {
  const all = await stream("/v1/events/stream");
  const mine = await stream("/v1/events/stream?user_id=gus");
  await ask(node, "POST /v1/events", [
    act({ user_id: "hal", item_id: "lamp" }),
    act({ user_id: "gus", item_id: "desk" }),
    7,
  ]);
  equal((await all.inbox.until(({ type }) => type === "event"))["user_id"], "hal");
  const shown = await mine.inbox.next();
  deepEqual([shown["user_id"], typeof shown["timestamp"], typeof shown["received_at"]], ["gus", "string", "string"]);
  ok((await all.inbox.until(({ type }) => type === "rejected"))["code"].length > 0);
  equal(typeof (await all.inbox.until(({ type }) => type === "status"))["per_s"], "number");
  all.close();
  mine.close();
});

test("a reader that does not read is told nothing more, and nobody else waits for it", async () => {
  const grams = "x".repeat(8_000);
  const items = Array.from({ length: 100 }, (_, i) => ({ item_id: `big${i}`, attributes: { grams } }));
  await ask(node, "PUT /v1/items", { items });
  await ask(
    node,
    "POST /v1/events",
    items.map(({ item_id: item }) => act({ user_id: "jan", item_id: item })),
  );
  const slow = connect(Number(port), "127.0.0.1");
  slow.on("error", () => {}); // the server resets it: that is the point
  slow.write("GET /v1/live?user_id=ida&placements=home&limit=100 HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(slow, "data");
  slow.pause();
  const { inbox, send, close } = await open();
  send({ subscribe: { user_id: "ida" } });
  let slowestMs = 0;
  let isPaused = false;
  // Each push is up to 0.8 MB; the kernel takes a few megabytes before anything waits in the server.
  for (let i = 0; i < 100 && !isPaused; i++) {
    const event = act({ user_id: "ida", event_type: "search" });
    const startMs = performance.now();
    await ask(node, "POST /v1/events", event);
    await inbox.until(({ type, caused_by: cause }) => type === "profile" && cause?.event_id === event["event_id"]);
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    isPaused = (await ask(node, "GET /v1/stats")).json.live.paused === 1;
  }
  ok(isPaused);
  ok(slowestMs < 1_000, `a change took ${slowestMs} ms to the reader that reads`);
  slow.destroy();
  close();
});

test("a paused reader is told nothing, and then the newest state once", async () => {
  const hub = createHub(node.project, { logger: silent, now: Date.now });
  const inbox = new Inbox();
  const outlet = { unreadBytes: 0, send: (message: Message) => inbox.put(message), cut() {} };
  const subscriber = hub.join(outlet);
  hub.subscribe(subscriber, { ref: { user_id: "kim" }, requests: [], mayRead: () => true });
  equal((await inbox.next()).type, "segments");
  outlet.unreadBytes = UNREAD_PAUSE_BYTES + 1;
  for (const item of ["a", "b", "c"]) await ask(node, "POST /v1/events", act({ user_id: "kim", item_id: item }));
  outlet.unreadBytes = 0;
  hub.drained(subscriber);
  deepEqual([(await inbox.next()).type, (await inbox.next())["recent"].length], ["segments", 3]);
  hub.leave(subscriber);
  hub.close();
});

test("a reader that stays behind is cut", async () => {
  const hub = createHub(node.project, { logger: silent, now: Date.now, stalledMs: 1 });
  const cut = new Promise<void>((resolve) => {
    const outlet = { unreadBytes: UNREAD_PAUSE_BYTES + 1, send() {}, cut: resolve };
    hub.subscribe(hub.join(outlet), { ref: { user_id: "lea" }, requests: [], mayRead: () => true });
  });
  await cut;
  deepEqual([hub.stats().cut, hub.stats().subscriptions], [1, 0]);
  hub.close();
});

test("a path that is no WebSocket, and a project that is not there, are refused before the upgrade", async () => {
  for (const [path, status] of [
    ["/v1/events", 404],
    ["/v1/live?project=none", 404],
  ] as const) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    socket.on("error", () => {}); // ws reports the refusal twice
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    equal(response.statusCode, status);
    equal(response.headers["content-type"], "application/problem+json; charset=utf-8");
    response.destroy();
  }
});

test("a handshake that is none is refused with a problem like any other request", async () => {
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  for (const shown of [
    { "sec-websocket-version": "13" },
    { "sec-websocket-version": "13", "sec-websocket-key": "short" },
    { "sec-websocket-version": "12", "sec-websocket-key": key },
  ]) {
    const headers = { connection: "upgrade", upgrade: "websocket", ...shown };
    const asked = request({ host: "127.0.0.1", port, path: "/v1/live", headers }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    equal(response.statusCode, 400);
    equal(response.headers["content-type"], "application/problem+json; charset=utf-8");
    equal(response.headers["sec-websocket-version"], "13, 8");
    equal((JSON.parse(await text(response)) as { code: string }).code, "bad_request");
  }
});

test("when the server goes down, connections are told so", async () => {
  const other = await startNode();
  const socket = new WebSocket(`${other.url.replace("http", "ws")}/v1/live`);
  await once(socket, "message");
  const closed = once(socket, "close");
  await other.close();
  equal((await closed)[0], 1001);
});

async function stream(path: string): Promise<{ inbox: Inbox; close: () => void }> {
  const inbox = new Inbox();
  const call = request(node.url + path).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  equal(response.headers["content-type"], "text/event-stream; charset=utf-8");
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (chunk) => {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const type = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (type !== undefined && data !== undefined) inbox.put({ ...JSON.parse(data), type });
    }
  });
  response.on("error", () => {}); // closed by this test
  return { inbox, close: () => call.destroy() };
}
