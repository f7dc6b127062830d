// Mutated requests against a whole node: each must be answered by a success that is valid, or by a 4xx problem document,
// and soon. Never a 5xx, a crash, or a blocked event loop.
import { Agent, request as httpRequest } from "node:http";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { gzipSync, zstdCompressSync } from "node:zlib";
import avsc from "avsc";
import fc from "fast-check";
import { AVRO_FILE, codecOf, PROTO_FOLDER } from "../protobuf/messages.ts";
import { PROBLEMS } from "./problem.ts";
import { silent, startNode, type TestNode } from "./testing.ts";

export interface FuzzReport {
  requests: number;
  /** How many were answered by each status. */
  byStatus: Record<string, number>;
  slowestMs: number;
  /** The longest turn of the event loop, CPU ms: the node's share and the sender's, which is small. */
  turnMsMax: number;
  /** Memory that is alive, in MB, at each quarter of the run. */
  heapMb: number[];
}

/** Nothing that a request may say keeps the node busy for so long; generous, because machines that test are shared. */
const ANSWER_MS_MAX = 2_000;
/**
 * So long may a request keep the event loop without giving way. CPU time, because machines that test are shared; a
 * collection of all garbage may fall into it.
 */
const TURN_MS_MAX = 100;
/** Events that were taken stay: profiles, models and the newest decisions. */
const HEAP_GROWTH_MB_MAX = 64;
/** These answers have no end: their head is enough. */
const ENDLESS = /^text\/event-stream/;

interface FuzzRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

interface FuzzAnswer {
  status: number;
  type: string;
  text: string;
}

const now = Date.now();
const EVENT = {
  event_id: "e1",
  user_id: "u1",
  anonymous_id: "a1",
  session_id: "s1",
  event_type: "view",
  timestamp: now,
  sent_at: now,
  page_url: "https://shop.example/p",
  item_id: "i1",
  value: 1.5,
  context: { device: "mobile", country: "AT" },
  additional_data: { list: [1, { deep: null }] },
};
const ITEM = {
  item_id: "i1",
  title: "Lamp",
  categories: ["light"],
  tags: ["new"],
  price: 5,
  available: true,
  published_at: now,
  attributes: { a: 1 },
};
const PROGRAM = {
  events: { waved: { weight: 1 } },
  interests: { by: ["categories"], half_life: "3d" },
  features: { looks: { kind: "count", event: "view", window: "1d" } },
  segments: { busy: { when: 'count("view", "30m") > 3.0' } },
  triggers: { long: { when: 'event.event_type == "dwell" && event.value > 30.0', once_per: "session", push: true } },
  placements: {
    home: { limit: 10, boost: [{ when: "item.price < 5.0", by: 2 }], diversity: 0.3, exclude: ["purchased"] },
  },
  slots: {
    hero: {
      variants: { a: 1, b: 2 },
      policy: "rules",
      rules: [{ when: 'in_segment("busy")', variant: "a" }],
      default: "b",
    },
  },
};

const TRACK = {
  type: "track",
  messageId: "m1",
  userId: "u1",
  anonymousId: "a1",
  timestamp: new Date(now),
  event: "Order Completed",
  properties: { total: 5, products: [{ product_id: "i1", price: 5, quantity: 1 }] },
  context: {
    userAgent: "Mozilla/5.0",
    ip: "192.0.2.1",
    page: { url: "https://shop.example/p" },
    device: { type: "ios" },
  },
};

/** A body that each route would take; mutations begin with it. */
const BODIES: Readonly<Record<string, unknown>> = {
  "POST /v1/events": { events: [EVENT, { ...EVENT, event_id: "e2" }], sent_at: now },
  "PUT /v1/items": { items: [ITEM] },
  "PATCH /v1/users/{user_id}/profile": { attributes: { age: 31, tags: ["a"] } },
  "PATCH /v1/visitors/{anonymous_id}/profile": { attributes: { age: 31 } },
  "POST /v1/recommendations": {
    user_id: "u1",
    placement: "home",
    limit: 5,
    exclude: ["i1"],
    filter: "item.price < 5.0",
    explain: true,
    context: {},
  },
  "POST /v1/decide": { user_id: "u1", slot: "hero", context: { device: "mobile" } },
  "PUT /v1/program": PROGRAM,
  "POST /v1/program/check": PROGRAM,
  "POST /v1/program/rollback": { version: 1 },
  "POST /v1/dead-letters/{id}/retry": EVENT,
  "POST /v1/batch": { batch: [TRACK, { ...TRACK, type: "identify", traits: { a: { b: 1 } } }], sentAt: new Date(now) },
  "POST /v1/track": TRACK,
  "POST /v1/p": { ...TRACK, name: "Home" },
  "POST /v1/identify": { ...TRACK, traits: { age: 31, tags: ["a"] } },
  "POST /v1/alias": { ...TRACK, previousId: "a2" },
  "POST /v1/g": { ...TRACK, groupId: "g1", traits: { seats: 3 } },
};
/** Bodies of `POST /v1/events` that are no text; their bytes are mutated. */
const BINARIES = [
  {
    type: "application/x-protobuf",
    bytes: codecOf("EventBatch").encode(BODIES["POST /v1/events"] as Record<string, unknown>),
  },
  { type: "application/x-protobuf", bytes: codecOf("Event").encode(EVENT) },
  { type: "application/avro", bytes: avroContainer() },
];

/** A container file with one block, made by hand because the library makes them by streams. */
function avroContainer(): Buffer {
  const schema = readFileSync(PROTO_FOLDER + AVRO_FILE, "utf8");
  const write = (type: "long" | "string", value: unknown) => avsc.Type.forSchema(type).toBuffer(value);
  const { additional_data: _, ...event } = EVENT;
  const datum = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema).toBuffer(event);
  const sync = Buffer.alloc(16, 7);
  const header = [Buffer.from("Obj\u0001\u0002", "latin1"), write("string", "avro.schema"), write("string", schema)];
  return Buffer.concat([...header, Buffer.from([0]), sync, write("long", 1), write("long", datum.length), datum, sync]);
}

const QUERY_NAMES = [
  "user_id",
  "anonymous_id",
  "placement",
  "placements",
  "limit",
  "item_id",
  "exclude",
  "filter",
  "explain",
  "q",
  "ids",
  "version",
  "before",
  "after",
  "project",
  "event_type",
];

/**
 * Sends `runs` requests. Throws fast-check's report, with the seed and the smallest request that breaks the rule.
 */
export async function fuzz(options: { runs: number; seed: number }): Promise<FuzzReport> {
  const node = await startNode({ logger: silent });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const report: FuzzReport = { requests: 0, byStatus: {}, slowestMs: 0, turnMsMax: 0, heapMb: [] };
  const quarter = Math.max(1, Math.floor(options.runs / 4));
  try {
    const routes = node.server.routes.map(({ method, path }) => `${method} ${path}`);
    const property = fc.asyncProperty(
      requests(routes),
      fc.nat({ max: 19 }),
      fc.infiniteStream(fc.nat()),
      async (request, kind, luck) => {
        const startMs = performance.now();
        const longestTurnMs = watchTurns();
        const answer = kind === 0 ? await sendMutatedBytes(node, request, luck) : await send(node, agent, request);
        const tookMs = performance.now() - startMs;
        const turnMs = longestTurnMs();
        report.turnMsMax = Math.max(report.turnMsMax, turnMs);
        if (++report.requests % quarter === 0) report.heapMb.push(heapMbNow());
        if (turnMs > TURN_MS_MAX) throw new Error(`the request kept the thread for ${turnMs} ms`);
        report.slowestMs = Math.max(report.slowestMs, tookMs);
        if (answer === undefined) return; // the connection was closed: bytes that are no request
        report.byStatus[answer.status] = (report.byStatus[answer.status] ?? 0) + 1;
        if (tookMs > ANSWER_MS_MAX) throw new Error(`the answer took ${tookMs} ms`);
        check(answer);
      },
    );
    await fc.assert(property, { numRuns: options.runs, seed: options.seed });
    const { status } = await send(node, agent, { method: "GET", path: "/readyz", headers: {}, body: undefined });
    if (status !== 200) throw new Error("the node is not ready afterwards");
    const growthMb = report.heapMb.at(-1)! - report.heapMb[1]!;
    if (growthMb > HEAP_GROWTH_MB_MAX) throw new Error(`the second half of the run left ${growthMb} MB behind`);
    return report;
  } finally {
    agent.destroy();
    await node.close();
  }
}

/** Watches until it is called: the longest turn of the event loop since, CPU ms. */
function watchTurns(): () => number {
  let before = process.threadCpuUsage();
  let longestMs = 0;
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1_000);
    before = process.threadCpuUsage();
  };
  const turns = setInterval(look, 0).unref();
  return () => {
    clearInterval(turns);
    look();
    return longestMs;
  };
}

/** Of what is alive; where collections can be asked for (`--expose-gc`), right after one. */
function heapMbNow(): number {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().heapUsed / (1024 * 1024));
}

function check({ status, type, text }: FuzzAnswer): void {
  if (status >= 500) throw new Error(`${status}: ${text}`);
  if (status < 400) return;
  if (!type.startsWith("application/problem+json"))
    throw new Error(`${status} without a problem document: ${type} ${text.slice(0, 500)}`);
  const problem = JSON.parse(text) as { code: string; status: number };
  if (!Object.hasOwn(PROBLEMS, problem.code) || problem.status !== status) throw new Error(`${status} with ${text}`);
}

function requests(routes: readonly string[]): fc.Arbitrary<FuzzRequest> {
  const word = fc.oneof(
    fc.constantFrom("u1", "a1", "i1", "home", "hero", "default", "1", "0", "-1", "1e9", "item.price < 5.0"),
    fc.string({ unit: "binary", maxLength: 40 }),
  );
  const query = fc.dictionary(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...QUERY_NAMES) },
      { weight: 1, arbitrary: fc.string({ maxLength: 10 }) },
    ),
    word,
    { maxKeys: 5 },
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      "content-type",
      "content-encoding",
      "attune-project",
      "origin",
      "accept-encoding",
      "if-none-match",
      "x-forwarded-for",
      "user-agent",
    ),
    fc.constantFrom(
      "application/json",
      "text/plain",
      "application/x-protobuf",
      "gzip",
      "zstd",
      "br",
      "default",
      "null",
      "http://127.0.0.1",
      "*",
      "curl/8",
      "Mozilla/5.0 Googlebot",
      ";;;",
    ),
    { maxKeys: 2 },
  );
  const route = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...routes) },
    { weight: 4, arbitrary: fc.constant("POST /v1/events") },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "QUERY", "SEARCH", "TRACE"), fc.webPath())
        .map(([method, path]) => `${method} ${path || "/"}`),
    },
  );
  return fc
    .tuple(route, query, headers, fc.infiniteStream(word), fc.infiniteStream(fc.nat()), fc.jsonValue({ maxDepth: 6 }))
    .map(([name, search, extra, words, luck, json]) => {
      const [method, pattern] = name.split(" ") as [string, string];
      const path = pattern.replaceAll(/\{\w+\}|\*/g, () => encode(words.next().value as string));
      const parameters = Object.entries(search).map(([key, value]) => `${encode(key)}=${encode(value)}`);
      const binary = name === "POST /v1/events" ? BINARIES[(luck.next().value as number) % 6] : undefined;
      const hasBody = method !== "GET" && method !== "HEAD";
      const body =
        binary !== undefined
          ? mutatedBinary(binary.bytes, luck)
          : hasBody
            ? bodyFor(BODIES[name], luck, json)
            : undefined;
      const target = parameters.length === 0 ? path : `${path}?${parameters.join("&")}`;
      return {
        method,
        path: target,
        headers: { ...(body && { "content-type": binary?.type ?? "application/json" }), ...extra },
        body,
      };
    });
}

function mutatedBinary(bytes: Buffer, luck: fc.Stream<number>): Buffer {
  const draw = (below: number): number => (luck.next().value as number) % below;
  if (draw(4) === 0) return bytes;
  return draw(4) === 0 ? bytes.subarray(0, draw(bytes.length + 1)) : mutateBytes(bytes, draw);
}

function bodyFor(base: unknown, luck: fc.Stream<number>, json: unknown): Buffer | undefined {
  const draw = (below: number): number => (luck.next().value as number) % below;
  const whole = base === undefined ? json : mutate(structuredClone(base), json, draw);
  const bytes = Buffer.from(JSON.stringify(whole) ?? "");
  switch (draw(8)) {
    case 0:
      return mutateBytes(bytes, draw);
    case 1:
      return bytes.subarray(0, draw(bytes.length + 1));
    case 2:
      return mutateBytes(gzipSync(bytes), draw);
    case 3:
      return draw(2) === 0 ? gzipSync(bytes) : zstdCompressSync(bytes);
    case 4:
      return draw(4) === 0 ? undefined : Buffer.from("[".repeat(draw(50_000)));
    default:
      return bytes;
  }
}

/** Replaces, removes or adds up to three members somewhere in the value. */
function mutate(value: unknown, oddity: unknown, draw: (below: number) => number): unknown {
  for (let times = draw(4); times > 0; times--) {
    const strange = structuredClone(oddity); // a copy each time: it must not come to hold itself
    let holder = value as Record<string, unknown>;
    for (let depth = draw(5); depth > 0; depth--) {
      const children = Object.values(holder).filter((child) => typeof child === "object" && child !== null);
      if (children.length === 0) break;
      holder = children[draw(children.length)] as Record<string, unknown>;
    }
    const names = Object.keys(holder);
    const name = names.length === 0 ? "x" : names[draw(names.length)]!;
    const odd = [strange, null, "", -1, 1e308, [], {}, "x".repeat(300), true, "2026-01-01T00:00:00Z", 0.5, [[[]]]];
    if (draw(4) === 0) delete holder[name];
    else if (draw(4) === 0)
      Object.defineProperty(holder, ["__proto__", "constructor", "", "ä"][draw(4)]!, {
        value: strange,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else holder[name] = odd[draw(odd.length)];
  }
  return value;
}

function mutateBytes(bytes: Buffer, draw: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = draw(6) + 1; times > 0 && copy.length > 0; times--) copy[draw(copy.length)] = draw(256);
  return copy;
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function send(node: TestNode, agent: Agent, { method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const request = httpRequest(node.url + path, { method, headers: { ...headers, ...length }, agent });
    request.on("error", reject);
    request.on("response", (response) => {
      const answer = { status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "" };
      if (ENDLESS.test(answer.type)) {
        request.off("error", reject).on("error", () => resolve({ ...answer, text: "" })); // cut by us
        request.destroy();
        return resolve({ ...answer, text: "" });
      }
      const isHead = method === "HEAD";
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        // A HEAD has no document to show.
        resolve(
          isHead && answer.status < 500
            ? { ...answer, status: 200, text: "" }
            : { ...answer, text: Buffer.concat(chunks).toString() },
        );
      });
    });
    request.end(body);
  });
}

/** The request's own bytes, some of them changed; undefined where the connection ends without an answer. */
function sendMutatedBytes(
  node: TestNode,
  request: FuzzRequest,
  luck: fc.Stream<number>,
): Promise<FuzzAnswer | undefined> {
  const draw = (below: number): number => (luck.next().value as number) % below;
  const { method, path, headers, body = Buffer.alloc(0) } = request;
  const lines = [`${method} ${path} HTTP/1.1`, "host: x", "connection: close", `content-length: ${body.length}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const bytes = mutateBytes(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]), draw);
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(node.url).port), "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1"); // one character a byte, as content-length counts
    socket.on("data", (chunk) => {
      text += chunk;
      if (/^content-type: text\/event-stream/im.test(text)) socket.destroy();
    });
    socket.on("error", () => socket.destroy()); // reset by the server: `close` follows
    socket.on("close", () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      const type = /^content-type: (.*)$/im.exec(text)?.[1]?.trim() ?? "";
      const start = text.indexOf("\r\n\r\n") + 4;
      const isWhole = status !== undefined && method !== "HEAD" && !/^HEAD/.test(bytes.toString("latin1"));
      // What was changed may have made two requests of one: the first answer is checked.
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? text.length);
      resolve(isWhole ? { status: Number(status), type, text: text.slice(start, start + length) } : undefined);
    });
    socket.end(bytes);
  });
}
