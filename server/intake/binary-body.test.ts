// Protobuf and Avro bodies: the same events as in JSON are the same events, and nothing that is sent holds the node up.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import avsc from "avsc";
import protobuf from "protobufjs";
import { BUILT_IN_EVENT_TYPES } from "../../core/event/event.ts";
import { normaliseEvent } from "../../core/event/validate.ts";
import { rngFrom, type Rng } from "../../core/math/rng.ts";
import { JSON_VALUES_MAX } from "../http/body.ts";
import { ask, startNode } from "../http/testing.ts";
import { AVRO_FILE, codecOf, PROTO_FILES, PROTO_FOLDER } from "../protobuf/messages.ts";
import { BATCH_EVENTS_MAX } from "./batch.ts";
import { binaryReader, readProtobuf } from "./binary-body.ts";

const node = await startNode();
after(() => node.close());

const PROTOBUF = { headers: { "content-type": "application/x-protobuf" } };
const AVRO = { headers: { "content-type": "application/avro" } };
const BARE = { headers: { "content-type": "application/avro; format=binary" } };
const schemaText = readFileSync(PROTO_FOLDER + AVRO_FILE, "utf8");
const schema = JSON.parse(schemaText) as avsc.Schema;
const avroType = avsc.Type.forSchema(schema);
const readAvro = binaryReader("application/avro")!;
const readBare = binaryReader("application/avro; format=binary")!;

type Raw = Record<string, unknown>;

/** A container file, as the Avro library writes it. */
function container(schema: avsc.Schema, data: unknown[], codec: "null" | "deflate" = "null"): Promise<Buffer> {
  const encoder = new avsc.streams.BlockEncoder(schema, { codec });
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    encoder.on("data", (chunk: Buffer) => chunks.push(chunk));
    encoder.on("end", () => resolve(Buffer.concat(chunks)));
    encoder.on("error", reject);
    for (const datum of data) encoder.write(datum);
    encoder.end();
  });
}

/** A container file made by hand; each block says what it likes. */
function handmade(schema: string, blocks: { bytes: Buffer; count: number }[], codec?: string): Buffer {
  const sync = Buffer.alloc(16, 7);
  const entries = Object.entries({ "avro.schema": schema, ...(codec !== undefined && { "avro.codec": codec }) });
  return Buffer.concat([
    Buffer.from("Obj\u0001", "latin1"),
    avroLong(entries.length),
    ...entries.flatMap(([name, value]) => [avroBytes(name), avroBytes(value)]),
    Buffer.from([0]),
    sync,
    ...blocks.flatMap(({ bytes, count }) => [avroLong(count), avroLong(bytes.length), bytes, sync]),
  ]);
}

function randomEvent(rng: Rng, nowMs: number): Raw {
  const maybe = (field: Raw): Raw => (rng.between(0, 1) === 0 ? {} : field);
  return {
    event_id: `b${rng.between(0, 1e9)}`,
    user_id: `u${rng.between(1, 9)}`,
    event_type: BUILT_IN_EVENT_TYPES[rng.between(0, BUILT_IN_EVENT_TYPES.length - 1)],
    timestamp: nowMs - rng.between(0, 1e6),
    ...maybe({ anonymous_id: `a${rng.between(1, 9)}` }),
    ...maybe({ session_id: "s–ö" }),
    ...maybe({ sent_at: nowMs - rng.between(0, 5_000) }),
    ...maybe({ page_url: "https://shop.example/p" }),
    ...maybe({ item_id: "i1" }),
    ...maybe({ value: rng.between(0, 8) / 8 }),
    ...maybe({ context: { device: "mobile", country: "AT", weather: "☀" } }),
    ...maybe({
      additional_data: { text: "–", number: rng.between(-9, 9) / 4, yes: true, none: null, list: [1, "a", null] },
    }),
    ...maybe({ additional_data: { map: { a: 1, b: "c" }, empty: {}, nothing: [] } }),
  };
}

test("the same events as JSON, protobuf and Avro are the same events", async () => {
  const seed = Number(process.env["SEED"] ?? 1);
  const rng = rngFrom(seed);
  const nowMs = 1_760_000_000_000;
  const raws = Array.from({ length: 300 }, () => randomEvent(rng, nowMs));
  const rules = { receivedAtMs: nowMs, eventTypes: new Set<string>(BUILT_IN_EVENT_TYPES), newEventId: () => "new" };
  const normalised = (list: readonly unknown[]) => list.map((raw) => normaliseEvent(raw, rules));
  const inJson = normalised(JSON.parse(JSON.stringify(raws)) as unknown[]);
  const bytes = codecOf("EventBatch").encode({ events: raws, sent_at: nowMs });
  const batch = readProtobuf(bytes);
  equal(batch.sentAtMs, nowMs);
  deepEqual(normalised(batch.raws), inJson, `seed ${seed}`);
  for (const codec of ["null", "deflate"] as const) {
    deepEqual(normalised((await readAvro(await container(schema, raws, codec))).raws), inJson, `seed ${seed}`);
  }
  const many = avsc.Type.forSchema({ type: "array", items: avroType });
  deepEqual(normalised((await readBare(many.toBuffer(raws))).raws), inJson, `seed ${seed}`);
});

test("what the published .proto says is what another reader of it writes", () => {
  const root = new protobuf.Root();
  root.resolvePath = (_, file) => (file.startsWith("google/") ? file : PROTO_FOLDER + file);
  root.loadSync([...PROTO_FILES], { keepCase: true });
  const type = root.lookupType("attune.v1.Event");
  const value = (number: number) => ({ numberValue: number });
  const message = {
    event_id: "e1",
    user_id: "ada",
    event_type: "view",
    timestamp: { seconds: 1_760_000_000, nanos: 250_000_000 },
    value: 0,
    context: { device: "mobile" },
    additional_data: { fields: { a: value(1), l: { listValue: { values: [value(2), { nullValue: 0 }] } } } },
  };
  deepEqual(readProtobuf(Buffer.from(type.encode(type.fromObject(message)).finish())).raws, [
    {
      event_id: "e1",
      user_id: "ada",
      event_type: "view",
      timestamp: 1_760_000_000_250,
      value: 0,
      context: { device: "mobile" },
      additional_data: { a: 1, l: [2, null] },
    },
  ]);
});

test("an answer in protobuf where it is asked for, with a result for each event; nothing twice", async () => {
  const events = [
    { event_id: "p1", user_id: "pb", event_type: "view", item_id: "lamp", timestamp: Date.now() },
    { event_id: "p2", user_id: "pb", event_type: "nonsense", timestamp: Date.now() },
  ];
  const bytes = codecOf("EventBatch").encode({ events });
  const response = await fetch(`${node.url}/v1/events`, {
    method: "POST",
    body: new Uint8Array(bytes),
    headers: { ...PROTOBUF.headers, accept: "application/x-protobuf" },
  });
  deepEqual([response.status, response.headers.get("content-type")], [202, "application/x-protobuf"]);
  const answer = codecOf("IntakeAnswer").decode(new Uint8Array(await response.arrayBuffer()));
  equal(answer["accepted"], 1);
  deepEqual(
    (answer["rejected"] as Raw[]).map(({ index, code, event_id }) => [index, code, event_id]),
    [[1, "event_type_unknown", "p2"]],
  );
  const again = await ask(node, "POST /v1/events", gzipSync(bytes), {
    headers: { ...PROTOBUF.headers, "content-encoding": "gzip" },
  });
  deepEqual([again.status, again.json.accepted, again.json.duplicates], [202, 0, 1]);
  const alone = await ask(node, "POST /v1/events", codecOf("Event").encode({ ...events[0], event_id: "p3" }), PROTOBUF);
  deepEqual([alone.status, alone.json.accepted], [202, 1]);
  const bad = await ask(node, "POST /v1/events", codecOf("Event").encode(events[1]!), PROTOBUF);
  deepEqual([bad.status, bad.json.code, bad.json.rejected.length], [400, "events_rejected", 1]);
});

test("Avro over HTTP: a writer's own schema, its further fields and its microseconds", async () => {
  const clicks: avsc.Schema = {
    type: "record",
    name: "Click",
    namespace: "shop",
    fields: [
      { name: "event_type", type: { type: "enum", name: "Kind", symbols: ["view", "click"] } },
      { name: "user_id", type: "string" },
      { name: "timestamp", type: { type: "long", logicalType: "timestamp-micros" } },
      { name: "event_id", type: "string" },
      { name: "colour", type: "string" },
      { name: "size", type: ["null", "int"], default: null },
      { name: "raw", type: { type: "fixed", name: "Two", size: 2 } },
    ],
  };
  const nowMs = Date.now();
  const datum = {
    event_type: "click",
    user_id: "av",
    timestamp: nowMs * 1_000 + 7,
    event_id: "v1",
    colour: "red",
    size: 42,
  };
  const bytes = await container(clicks, [{ ...datum, raw: Buffer.from("hi") }], "deflate");
  for (const expected of [
    [1, 0],
    [0, 1],
  ]) {
    const { status, json } = await ask(node, "POST /v1/events", bytes, AVRO);
    deepEqual([status, json.accepted, json.duplicates], [202, ...expected]);
  }
  const { raws } = await readAvro(bytes);
  deepEqual(raws, [{ ...datum, timestamp: nowMs, raw: "aGk=" }]);
  const bare = avsc.Type.forSchema({ type: "array", items: avroType });
  const event = { event_type: "view", user_id: "av", timestamp: nowMs, event_id: "v2" };
  equal((await ask(node, "POST /v1/events", bare.toBuffer([event]), BARE)).json.accepted, 1);
  equal((await ask(node, "GET /v1/users/av/profile")).json.version, 2);
});

test("a container of zstandard blocks", async () => {
  const bytes = zstdCompressSync(avroType.toBuffer({ event_type: "view", user_id: "z", timestamp: 1 }));
  const { raws } = await readAvro(handmade(schemaText, [{ bytes, count: 1 }], "zstandard"));
  equal((raws[0] as Raw)["user_id"], "z");
});

test("the most events that a body may have, and one more, refused before they are decoded", async () => {
  const event = { event_type: "view", user_id: "many", timestamp: Date.now() };
  for (const [count, status] of [
    [BATCH_EVENTS_MAX, 202],
    [BATCH_EVENTS_MAX + 1, 413],
  ] as const) {
    const events = Array.from({ length: count }, () => event);
    equal((await ask(node, "POST /v1/events", codecOf("EventBatch").encode({ events }), PROTOBUF)).status, status);
    equal((await ask(node, "POST /v1/events", await container(schema, events), AVRO)).status, status);
  }
  const empties = Buffer.alloc(1_000_000, Buffer.from([0x0a, 0x00]));
  equal((await ask(node, "POST /v1/events", empties, PROTOBUF)).json.code, "too_many_events");
});

test("malformed bodies and hostile claims are refused soon", async () => {
  const huge = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]); // a count of 2^47
  const self = '{"type":"record","name":"Self","fields":[{"name":"self","type":"Self"}]}';
  const claim = { bytes: Buffer.concat([huge, Buffer.from([0])]), count: 1 };
  const bomb = await container("string", ["x".repeat(20_000_000)], "deflate");
  const good = await container(schema, [{ event_type: "view", user_id: "u", timestamp: 1 }]);
  const cases: [Buffer, string][] = [
    [handmade('{"type":"array","items":"null"}', [claim]), "body_too_large"],
    [handmade('{"type":"array","items":"int"}', [claim]), "bad_request"],
    [handmade('"null"', [{ bytes: Buffer.alloc(0), count: 2 ** 40 }]), "too_many_events"],
    [handmade(self, [{ bytes: Buffer.alloc(0), count: 1 }]), "too_deep"],
    [handmade('"int"', [{ bytes: Buffer.from([2, 2]), count: 1 }]), "bad_request"],
    [handmade('"int"', [], "snappy"), "unsupported_encoding"],
    [bomb, "body_too_large"],
    [good.subarray(0, -1), "bad_request"],
    [Buffer.concat([good.subarray(0, -16), Buffer.alloc(16)]), "bad_request"],
    [Buffer.from("Obj\u0001"), "bad_request"],
    [Buffer.from("PK"), "bad_request"],
  ];
  for (const [bytes, code] of cases) {
    // Processor time: on a busy machine the clock says nothing.
    const before = process.cpuUsage();
    await rejects(readAvro(bytes), { code });
    const { user, system } = process.cpuUsage(before);
    ok(user + system < 1_000_000, code);
  }
  await rejects(readBare(huge), { code: "bad_request" });
  await rejects(readBare(Buffer.from([0, 0])), { code: "bad_request" });
  const deep = codecOf("Event").encode({ additional_data: nested(40) });
  const code = async (body: Uint8Array, init: RequestInit) =>
    (await ask(node, "POST /v1/events", body, init)).json.code;
  equal(await code(deep, PROTOBUF), "too_deep");
  equal(
    await code(
      codecOf("Event").encode({ user_id: "u", event_type: "view", timestamp: Date.now(), additional_data: nested(6) }),
      PROTOBUF,
    ),
    "events_rejected",
  );
  equal(await code(Buffer.from("ffffff", "hex"), PROTOBUF), "bad_request");
  equal(await code(Buffer.from("12ff", "hex"), PROTOBUF), "bad_request");
  equal(await code(new Uint8Array(), PROTOBUF), "bad_request");
  equal(await code(good, { headers: { "content-type": "image/png" } }), "unsupported_media_type");
});

test("the most values that protobuf may hold, and one more, in one list or in several", async () => {
  const part = (field: number, bytes: Uint8Array): Uint8Array => protobuf.Writer.create().uint32((field << 3) | 2).bytes(bytes).finish();
  /** `additional_data: {k: [null, null, …]}`, two bytes a value. */
  const event = (count: number): Uint8Array => {
    const list = Buffer.alloc(2 * count, Buffer.from([(1 << 3) | 2, 0]));
    return part(13, part(1, Buffer.concat([part(1, Buffer.from("k")), part(2, part(6, list))])));
  };
  const bare = readProtobuf(Buffer.from(event(JSON_VALUES_MAX - 1))).raws[0] as { additional_data: { k: unknown[] } };
  equal(bare.additional_data.k.length, JSON_VALUES_MAX - 1);
  const most = (JSON_VALUES_MAX - 2) / 2;
  const two = (first: number): Buffer => Buffer.concat([part(1, event(first)), part(1, event(most))]);
  equal(readProtobuf(two(most)).raws.length, 2);
  for (const bytes of [Buffer.from(event(JSON_VALUES_MAX)), Buffer.from(event(3 * JSON_VALUES_MAX)), two(most + 1)]) {
    const answer = await ask(node, "POST /v1/events", gzipSync(bytes), { headers: { ...PROTOBUF.headers, "content-encoding": "gzip" } });
    deepEqual([answer.status, answer.json.code], [413, "body_too_large"]);
  }
});

test("schemas that are none", async () => {
  for (const schema of [
    '"Nobody"',
    "7",
    "{}",
    '{"type":"record"}',
    '{"type":"record","name":"A"}',
    '{"type":"record","name":"A","fields":[{}]}',
    '{"type":"enum","name":"A"}',
    '{"type":"fixed","name":"A","size":-1}',
    "{",
  ]) {
    await rejects(readAvro(handmade(schema, [])), /Avro schema|JSON/, schema);
  }
  await rejects(readAvro(Buffer.concat([Buffer.from("Obj\u0001\u0000", "latin1"), Buffer.alloc(16)])), /no schema/);
});

function nested(depth: number): Raw {
  let value: Raw = {};
  for (let i = 1; i < depth; i++) value = { a: value };
  return value;
}

function avroLong(value: number): Buffer {
  return avsc.Type.forSchema("long").toBuffer(value);
}

function avroBytes(text: string): Buffer {
  return avsc.Type.forSchema("string").toBuffer(text);
}

test("a packed block of no events is passed over without being unpacked: two kilobytes can hold 40,000 of them", async () => {
  const nothing = { bytes: Buffer.from("no deflate"), count: 0 };
  deepEqual(await readAvro(handmade('"null"', [nothing, nothing], "deflate")), { raws: [] });
  await rejects(readAvro(handmade('"null"', [nothing])), { code: "bad_request" });
});
