// The gRPC services over a real port, with the library that other people's clients use and the published files.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { connect, createServer } from "node:net";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  credentials,
  loadPackageDefinition,
  makeGenericClientConstructor,
  Metadata,
  status,
  type ClientReadableStream,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { BODY_BYTES_MAX } from "../http/body.ts";
import { clientAddress } from "../http/client-address.ts";
import { ask, silent, startNode, type TestNode } from "../http/testing.ts";
import { Timings } from "../http/timings.ts";
import { admission } from "../intake/admission.ts";
import { openAddresses } from "../intake/enrich/addresses.ts";
import { createEnricher } from "../intake/enrich/enrich.ts";
import { createIntake } from "../intake/intake.ts";
import { createGate } from "../access/gate.ts";
import { createLimits, DEFAULT_LIMITS } from "../access/limits.ts";
import { createHub, type Hub } from "../live/hub.ts";
import { codecOf, PROTO_FILES, PROTO_FOLDER } from "../protobuf/messages.ts";
import { definitionOf } from "./call.ts";
import { healthDefinition } from "./health.ts";
import type { ReadingLimits } from "./reading.ts";
import { createGrpcServer, type GrpcServer } from "./server.ts";

const GRPC = { config: { grpc: { port: 0, ifFree: false } } };
const published = loadPackageDefinition(
  loadSync([...PROTO_FILES], {
    includeDirs: [PROTO_FOLDER],
    keepCase: true,
    defaults: true,
    oneofs: true,
    longs: Number,
  }),
) as any;

const node = await startNode(GRPC);
const clients: { close(): void }[] = [];
after(async () => {
  for (const client of clients) client.close();
  await node.close();
});

function clientOf(name: string, to: TestNode = node): any {
  const client = new published.attune.v1[name](to.server.grpcAddress!, credentials.createInsecure());
  clients.push(client);
  return client;
}

function call(client: any, method: string, request: object, metadata = new Metadata()): Promise<any> {
  return new Promise((resolve, reject) => {
    client[method](request, metadata, (error: ServiceError | null, answer: unknown) =>
      error === null ? resolve(answer) : reject(error),
    );
  });
}

/** Messages of a stream, one by one. */
function inboxOf(stream: ClientReadableStream<any>): { next(): Promise<any>; ended: Promise<ServiceError> } {
  const iterator = stream[Symbol.asyncIterator]();
  const ended = new Promise<ServiceError>((resolve) => stream.on("error", resolve));
  return { next: async () => (await iterator.next()).value, ended };
}

const events = clientOf("Events");
const profiles = clientOf("Profiles");
const lists = clientOf("Recommendations");
const decisions = clientOf("Decisions");

let serial = 0;
function event(fields: object): object {
  const seconds = Math.floor(Date.now() / 1_000);
  return { event_id: `g${serial++}`, event_type: "view", timestamp: { seconds }, ...fields };
}

test("an event in is in the profile and the lists, counted once; each refused one says why", async () => {
  await node.project.putItems([
    { item_id: "lamp", title: "Lamp", categories: ["light"], tags: ["new"], price: 5, published_at: Date.now() },
    { item_id: "torch", title: "Torch", categories: ["light"], tags: [] },
  ]);
  const good = event({ user_id: "ada", anonymous_id: "phone", item_id: "lamp", value: 0 });
  const batch = { events: [good, event({ user_id: "ada", event_type: "nonsense" }), event({})] };
  const { accepted, duplicates, rejected } = await call(events, "Send", batch);
  deepEqual([accepted, duplicates], [1, 0]);
  deepEqual(
    rejected.map(({ index, code }: any) => [index, code]),
    [
      [1, "event_type_unknown"],
      [2, "identity_missing"],
    ],
  );
  equal((await call(events, "Send", { events: [good] })).duplicates, 1);
  const profile = await call(profiles, "Get", { anonymous_id: "phone" });
  deepEqual([profile.user_id, profile.recent[0].item_id, profile.interests], ["ada", "lamp", { light: 1 }]);
  equal(profile.features.fields.frequency.numberValue, 1);
  const list = await call(lists, "Recommend", { user_id: "ada", explain: true, limit: 5 });
  deepEqual([list.user_id, list.placement, list.profile_version], ["ada", "home", profile.version]);
  ok(list.items.some(({ item_id, item }: any) => item_id === "torch" && item.title === "Torch"));
  const similar = await call(lists, "Similar", { item_id: "torch", limit: 1 });
  deepEqual([similar.items[0].item_id, similar.items[0].item.tags], ["lamp", ["new"]]);
  ok(Math.abs(similar.items[0].item.published_at.seconds * 1_000 - Date.now()) < 60_000);
  equal((await call(lists, "Trending", {})).placement, "trending");
  const decision = await call(decisions, "Decide", { user_id: "ada", slot: "hero" });
  equal(decision.slot, "hero");
  ok(decision.propensity > 0);
});

test("attributes: set, removed, and two ids linked", async () => {
  const fields = { plan: { stringValue: "gold" }, tags: { listValue: { values: [{ stringValue: "a" }] } } };
  const profile = await call(profiles, "SetAttributes", {
    user_id: "bob",
    anonymous_id: "tablet",
    attributes: { fields },
  });
  equal(profile.attributes.fields.plan.stringValue, "gold");
  deepEqual((await call(profiles, "Get", { anonymous_id: "tablet" })).user_id, "bob");
  const removed = { fields: { plan: { nullValue: 0 } } };
  const after = await call(profiles, "SetAttributes", { user_id: "bob", attributes: removed });
  deepEqual(Object.keys(after.attributes.fields), ["tags"]);
});

test("what is wrong comes as a status with the problem's code", async () => {
  const protoName = Object.fromEntries([["__proto__", { listValue: { values: [] } }]]);
  const cases: [any, string, object, number, string, Metadata?][] = [
    [profiles, "Get", { user_id: "nobody" }, status.NOT_FOUND, "unknown_person"],
    [profiles, "Get", {}, status.INVALID_ARGUMENT, "bad_parameter"],
    [lists, "Recommend", { user_id: "ada", limit: 0 }, status.INVALID_ARGUMENT, "bad_parameter"],
    [lists, "Recommend", { user_id: "ada", filter: "item." }, status.INVALID_ARGUMENT, "bad_filter"],
    [lists, "Recommend", { user_id: "ada", placement: "moon" }, status.NOT_FOUND, "unknown_placement"],
    [lists, "Similar", {}, status.INVALID_ARGUMENT, "bad_parameter"],
    [decisions, "Decide", { user_id: "ada", slot: "moon" }, status.NOT_FOUND, "unknown_slot"],
    [events, "Send", { events: new Array(1_001).fill({}) }, status.INVALID_ARGUMENT, "too_many_events"],
    [profiles, "SetAttributes", { user_id: "x" }, status.INVALID_ARGUMENT, "bad_parameter"],
    [profiles, "SetAttributes", { user_id: "x", attributes: { fields: protoName } }, status.INVALID_ARGUMENT, "bad_parameter"],
    [profiles, "Get", { user_id: "ada" }, status.NOT_FOUND, "unknown_project", metadataOf("attune-project", "moon")],
  ];
  for (const [client, method, request, code, problem, metadata] of cases) {
    await rejects(call(client, method, request, metadata), (error: ServiceError) => {
      deepEqual([error.code, error.metadata.get("attune-code")], [code, [problem]], `${method} ${problem}`);
      return true;
    });
  }
  await call(profiles, "Get", { user_id: "ada" }, metadataOf("attune-project", "default"));
});

function metadataOf(name: string, value: string): Metadata {
  const metadata = new Metadata();
  metadata.set(name, value);
  return metadata;
}

/** Bytes as they are, to say what no client would. */
function rawClient(): any {
  const Client = makeGenericClientConstructor(definitionOf("Events"), "Events");
  const client = new Client(node.server.grpcAddress!, credentials.createInsecure());
  clients.push(client);
  return client;
}

test("messages that are none, too deep or too large", async () => {
  const raw = rawClient();
  const send = (bytes: Buffer): Promise<unknown> =>
    new Promise((resolve, reject) =>
      raw.Send(bytes, (error: unknown, answer: unknown) => (error ? reject(error) : resolve(answer))),
    );
  await rejects(send(Buffer.from("0aff", "hex")), { code: status.INVALID_ARGUMENT });
  let data: object = {};
  for (let depth = 0; depth < 40; depth++) data = { a: data };
  const deep = codecOf("EventBatch").encode({ events: [{ additional_data: data }] });
  await rejects(send(deep), (error: ServiceError) => error.metadata.get("attune-code")[0] === "too_deep");
  const [largest] = [codecOf("EventBatch").encode({ events: [{ user_id: "x".repeat(BODY_BYTES_MAX) }] })];
  await rejects(send(largest), { code: status.RESOURCE_EXHAUSTED });
});

test("a stream of batches is answered batch by batch", async () => {
  const stream = events.SendStream();
  const inbox = inboxOf(stream);
  for (let index = 0; index < 50; index++) {
    stream.write({ events: [event({ user_id: "flow", item_id: `i${index}` })] });
    if (index % 10 === 0) equal((await inbox.next()).accepted, 1);
  }
  for (let rest = 0; rest < 45; rest++) equal((await inbox.next()).accepted, 1);
  stream.end();
  equal(await inbox.next(), undefined);
  equal((await call(profiles, "Get", { user_id: "flow" })).version, 50);
  const bad = events.SendStream(metadataOf("attune-project", "moon"));
  const { ended } = inboxOf(bad);
  bad.resume();
  equal((await ended).code, status.NOT_FOUND);
});

test("a watched person: the state of now, then each change with the event behind it", async () => {
  const stream = profiles.Watch({ user_id: "eve" });
  const inbox = inboxOf(stream);
  equal((await inbox.next()).update, "segments"); // nobody knows eve yet: no profile
  const seen = event({ user_id: "eve", item_id: "lamp" }) as { event_id: string };
  await call(events, "Send", { events: [seen] });
  let update = await inbox.next();
  while (update.update !== "profile") update = await inbox.next();
  deepEqual([update.profile.recent[0].item_id, update.caused_by.event_id], ["lamp", seen.event_id]);
  ok(update.at.seconds > 0);
  stream.cancel();
  await untilWatching(node, 0);
});

test("watched lists: now, and again when the visitor acts; one that is not there ends the stream", async () => {
  const stream = lists.Watch({ user_id: "fay", limit: 3 });
  const inbox = inboxOf(stream);
  const first = (await inbox.next()).list;
  deepEqual([first.placement, first.items.length], ["home", 3]);
  await call(events, "Send", { events: [event({ user_id: "fay", item_id: "lamp" })] });
  const second = await inbox.next();
  ok(second.list.profile_version > 0 && second.caused_by.event_id !== "");
  stream.cancel();
  const wrong = lists.Watch({ user_id: "fay", placements: ["moon"] });
  wrong.resume();
  const { ended } = inboxOf(wrong);
  equal((await ended).code, status.NOT_FOUND);
  await untilWatching(node, 0);
});

test("a reader that does not read is told nothing new, and the newest state once it reads again", async () => {
  const stream = profiles.Watch({ user_id: "gil" });
  const reading = stream[Symbol.asyncIterator]() as AsyncIterableIterator<any>;
  await reading.next(); // and no further: the client holds some messages, then the connection fills
  const attributes = (round: number) =>
    Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`a${index}`, `${round}:`.padEnd(1_000, "x")]));
  let round = 0;
  while ((await liveOf(node)).paused === 0) await node.project.setAttributes({ user_id: "gil" }, attributes(++round));
  for (let more = 0; more < 20; more++) await node.project.setAttributes({ user_id: "gil" }, attributes(++round));
  let told = 0;
  for await (const update of reading) {
    if (update.update !== "profile") continue;
    told++;
    if (update.profile.attributes.fields.a0.stringValue.startsWith(`${round}:`)) break;
  }
  ok(told < round - 15, `told ${told} of ${round}`);
  stream.cancel();
  await untilWatching(node, 0);
});

async function serverOf(options: { hub: Hub; reading?: ReadingLimits }): Promise<GrpcServer> {
  const { hub, reading } = options;
  const enricher = createEnricher(await openAddresses([]));
  const timings = new Timings();
  return createGrpcServer({
    projects: () => node.project,
    gate: createGate(undefined, undefined, Date.now),
    limits: createLimits(DEFAULT_LIMITS, Date.now),
    clients: clientAddress([]),
    isReady: () => true,
    hubOf: () => hub,
    intake: createIntake({
      enricher,
      admission: admission({ bytesMax: 1 }),
      commitTiming: () => timings.of("x"),
      now: Date.now,
    }),
    enricher,
    timings,
    logger: silent,
    reading,
  });
}

/** A call by hand: the frames of its body, and how it ends. */
function rawCall(session: ClientHttp2Session, method: string, headers: object = {}) {
  const stream = session.request({
    ":method": "POST",
    ":path": `/attune.v1.Events/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const ended = new Promise<string>((resolve) => {
    const statusIn = (answer: IncomingHttpHeaders): void => {
      if (answer["grpc-status"] !== undefined) resolve(`status ${String(answer["grpc-status"])}`);
    };
    stream.on("response", statusIn);
    stream.on("trailers", statusIn);
    stream.on("error", () => resolve(`reset ${stream.rstCode}`));
  });
  stream.resume();
  return { stream, ended };
}

/** A message as the wire has it, cut off after `sentBytes`. */
function framed(message: Buffer, { isPacked = false, sentBytes = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(isPacked ? 1 : 0, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message.subarray(0, sentBytes)]);
}

test("a reader that stays behind is cut, and its stream closed whatever it holds", async () => {
  const hub = createHub(node.project, { logger: silent, now: Date.now, stalledMs: 10 });
  const server = await serverOf({ hub });
  const client = new published.attune.v1.Profiles(
    await server.listen({ host: "127.0.0.1", port: 0 }),
    credentials.createInsecure(),
  );
  const stream = client.Watch({ user_id: "hal" });
  const { next, ended } = inboxOf(stream);
  await next();
  const large = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`a${index}`, "x".repeat(1_000)]));
  for (let round = 0; hub.stats().cut === 0; round++)
    await node.project.setAttributes({ user_id: "hal" }, { ...large, round });
  while (server.watching > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  stream.resume();
  ok([status.CANCELLED, status.RESOURCE_EXHAUSTED].includes((await ended).code));
  client.close();
  hub.close();
  await server.close();
});

test("of messages that are not whole only so much is held: the call that has been at one longest is cut", async () => {
  const hub = createHub(node.project, { logger: silent, now: Date.now });
  const server = await serverOf({ hub, reading: { unfinishedBytesMax: 100_000 } });
  const session = connectHttp2(`http://${await server.listen({ host: "127.0.0.1", port: 0 })}`);
  const large = Buffer.alloc(60_000);
  const first = rawCall(session, "Send");
  first.stream.write(framed(large, { sentBytes: 59_000 }));
  const second = rawCall(session, "Send");
  second.stream.write(framed(large, { sentBytes: 59_000 }));
  equal(await first.ended, `reset ${constants.NGHTTP2_ENHANCE_YOUR_CALM}`);
  second.stream.end(large.subarray(59_000));
  equal(await second.ended, `status ${status.INVALID_ARGUMENT}`, "it was read to its end, and is no batch");
  session.close();
  hub.close();
  await server.close();
});

test("a call that does not send its message is cut after a while; a stream may wait for its next", async () => {
  const hub = createHub(node.project, { logger: silent, now: Date.now });
  const server = await serverOf({ hub, reading: { messageWithinMs: 20 } });
  const session = connectHttp2(`http://${await server.listen({ host: "127.0.0.1", port: 0 })}`);
  const streaming = rawCall(session, "SendStream");
  equal(await rawCall(session, "Send").ended, `reset ${constants.NGHTTP2_ENHANCE_YOUR_CALM}`);
  streaming.stream.end();
  equal(await streaming.ended, `status ${status.OK}`);
  session.close();
  hub.close();
  await server.close();
});

test("one message is read where a method takes one, and of a stream no thousand packed ones in one piece", async () => {
  const session = connectHttp2(`http://${node.server.grpcAddress!}`);
  const packed = { "grpc-encoding": "gzip" };
  const nothing = framed(Buffer.alloc(0), { isPacked: true });
  const one = rawCall(session, "Send", packed);
  one.stream.end(Buffer.concat(Array<Buffer>(1_000).fill(nothing)));
  equal(await one.ended, `status ${status.RESOURCE_EXHAUSTED}`);
  const many = rawCall(session, "SendStream", packed);
  many.stream.end(Buffer.concat(Array<Buffer>(1_000).fill(nothing)));
  equal(await many.ended, `status ${status.RESOURCE_EXHAUSTED}`);
  const batch = codecOf("EventBatch").encode({ events: [{ ...event({ user_id: "packed" }), timestamp: Date.now() }] });
  const good = rawCall(session, "Send", packed);
  good.stream.end(framed(gzipSync(batch), { isPacked: true }));
  equal(await good.ended, `status ${status.OK}`);
  session.close();
});

test("health, and who is not there", async () => {
  const Health = makeGenericClientConstructor(healthDefinition, "Health");
  const client: any = new Health(node.server.grpcAddress!, credentials.createInsecure());
  clients.push(client);
  const check = (name: string): Promise<Buffer> => {
    const request = Buffer.from(`\n${String.fromCharCode(name.length)}${name}`);
    return new Promise((resolve, reject) =>
      client.Check(request, (error: unknown, answer: Buffer) => (error ? reject(error) : resolve(answer))),
    );
  };
  deepEqual(await check(""), Buffer.from([8, 1]));
  deepEqual(await check("attune.v1.Profiles"), Buffer.from([8, 1]));
  await rejects(check("attune.v1.Nobody"), { code: status.NOT_FOUND });
});

test("bytes that are no HTTP/2 end that connection alone", async () => {
  const { port } = new URL(`http://${node.server.grpcAddress}`);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => socket.destroy()).resume();
  socket.write("GET / HTTP/1.1\r\n\r\n".repeat(100));
  await once(socket, "close");
  await call(profiles, "Get", { user_id: "ada" });
});

test("when the server goes down, streams are told so and calls are answered", async () => {
  const other = await startNode(GRPC);
  const watched = clientOf("Profiles", other).Watch({ user_id: "ann" });
  const inbox = inboxOf(watched);
  await inbox.next();
  const sending = call(clientOf("Events", other), "Send", { events: [event({ user_id: "ann" })] });
  equal((await sending).accepted, 1);
  watched.resume();
  const closing = other.close();
  const { code, metadata } = await inbox.ended;
  deepEqual([code, metadata.get("attune-code")], [status.UNAVAILABLE, ["shutting_down"]]);
  await closing;
});

test("a port that is taken: the node goes on without gRPC, unless the port was asked for", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const without = await startNode({ config: { grpc: { port, ifFree: true } } });
  equal(without.server.grpcAddress, undefined);
  equal((await ask(without, "GET /healthz")).status, 200);
  await without.close();
  await rejects(startNode({ config: { grpc: { port, ifFree: false } } }), { name: "GrpcPortError", port });
  taken.close();
});

async function liveOf(to: TestNode): Promise<{ paused: number; streams: number }> {
  return (await ask(to, "GET /v1/stats")).json.live;
}

async function untilWatching(to: TestNode, count: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await liveOf(to)).streams === count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the streams did not end");
}
