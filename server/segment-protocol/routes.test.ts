// The protocol's routes against a whole node.
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { decodeRecord } from "../embedded/record-codec.ts";
import type { Call } from "../http/route.ts";
import { ask, startNode } from "../http/testing.ts";
import { ATTRIBUTES_MAX } from "../serve/attributes.ts";
import { writeKeyOf } from "./credentials.ts";
import { segmentSettings } from "./settings.ts";

const node = await startNode();
after(() => node.close());

let serial = 0;
const track = (fields: Record<string, unknown>): Record<string, unknown> => ({
  type: "track",
  messageId: `s${serial++}`,
  timestamp: new Date().toISOString(),
  ...fields,
});
const profileOf = async (user: string) => (await ask(node, `GET /v1/users/${user}/profile`)).json;
const letters = async () => (await ask(node, "GET /v1/dead-letters?limit=50")).json.dead_letters;

test("a batch: taken once however often it is sent, whatever its messages are", async () => {
  const anonymousId = "seg-anon";
  const batch = [
    track({ anonymousId, event: "Product Viewed", properties: { product_id: "lamp" } }),
    { type: "identify", messageId: "i1", anonymousId, userId: "seg-1", traits: { plan: "free", nick: "A" } },
    { type: "identify", messageId: "i2", anonymousId, userId: "seg-1", traits: { plan: "gold" } },
    track({
      userId: "seg-1",
      event: "Order Completed",
      properties: {
        products: [
          { product_id: "lamp", price: 10 },
          { product_id: "mug", price: 5 },
        ],
      },
    }),
    { type: "group", messageId: "g1", userId: "seg-1", groupId: "acme", traits: { seats: 3 } },
    track({ userId: "seg-1", event: "Video Played", properties: { title: "Intro" } }),
    "rubbish",
  ];
  for (let times = 0; times < 2; times++) {
    const { status, json } = await ask(node, "POST /v1/batch", { batch, sentAt: new Date().toISOString() });
    deepEqual([status, json], [200, { success: true }]);
  }
  const profile = await profileOf("seg-1");
  deepEqual(profile.recent.map(({ item_id, event_type }: any) => [event_type, item_id]).sort(), [
    ["purchase", "lamp"],
    ["purchase", "mug"],
    ["view", "lamp"],
  ]);
  deepEqual(profile.attributes, { plan: "gold", nick: "A", group_id: "acme", group_seats: 3 });
  deepEqual(profile.anonymous_ids, [anonymousId]);
  const [video] = (await letters()).filter(({ body }: any) => body.additional_data?.event === "Video Played");
  deepEqual([video.code, video.source, video.body.event_type], ["event_type_unknown", "segment", "video_played"]);
});

test("an event whose type the program declares later is taken from its dead letter", async () => {
  await ask(node, "POST /v1/track", { ...track({ userId: "seg-2", event: "Song Heard" }) });
  const { json: program } = await ask(node, "GET /v1/program");
  const events = { ...program.events, song_heard: { weight: 1 } };
  equal((await ask(node, "PUT /v1/program", { ...program, events })).status, 200);
  const [letter] = (await letters()).filter(({ body }: any) => body.event_type === "song_heard");
  equal((await ask(node, `POST /v1/dead-letters/${letter.id}/retry`)).json.accepted, 1);
  const direct = await ask(
    node,
    "POST /v1/t",
    track({ userId: "seg-2", event: "Song Heard", properties: { id: "s" } }),
  );
  equal(direct.status, 200);
  equal((await profileOf("seg-2")).recent[0].event_type, "song_heard");
});

test("each path, short and long; page views, links", async () => {
  const paths = ["track", "t", "page", "p", "screen", "s", "identify", "i", "group", "g", "alias", "a"];
  for (const path of paths) {
    const body = { ...track({ userId: "seg-3", event: "click" }), groupId: "g", previousId: `old-${path}` };
    equal((await ask(node, `POST /v1/${path}`, body)).status, 200, path);
  }
  for (const path of ["b", "import"]) equal((await ask(node, `POST /v1/${path}`, { batch: [] })).status, 200);
  deepEqual((await profileOf("seg-3")).anonymous_ids, ["old-alias", "old-a"]);
});

test("what a backend passes on of a browser is the visitor's; no address is kept", async () => {
  const userAgent =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari";
  const context = { userAgent, ip: "84.112.5.9" };
  const products = [{ product_id: "a" }, { product_id: "b" }];
  const call = track({ userId: "seg-4", event: "Order Completed", properties: { products }, context });
  await ask(node, "POST /v1/batch", { batch: [call] }, { headers: { "user-agent": "analytics-node/3.1.0" } });
  const profile = await profileOf("seg-4");
  deepEqual([profile.context.device, profile.context.os, profile.context.country], ["mobile", "iOS", "AT"]);
  equal(
    JSON.stringify([...node.project.log.read(node.project.log.start)].map(({ payload }) => String(payload))).includes(
      "84.112",
    ),
    false,
  );
  const bot = track({
    userId: "seg-5",
    event: "click",
    context: { userAgent: "Googlebot/2.1 (+http://www.google.com/bot.html)" },
  });
  await ask(node, "POST /v1/batch", { batch: [bot] }, { headers: { "user-agent": "analytics-node/3.1.0" } });
  equal((await ask(node, "GET /v1/users/seg-5/profile")).status, 404);
});

test("traits that no attribute can hold are a dead letter; the rest is set", async () => {
  await ask(node, "POST /v1/identify", { messageId: "i9", userId: "seg-6", traits: { age: 31, cards: [{ id: 1 }] } });
  deepEqual((await profileOf("seg-6")).attributes, { age: 31 });
  const [letter] = (await letters()).filter(({ code }: any) => code === "traits_not_kept");
  ok(letter.message.endsWith("not kept: cards"));
  const large = { messageId: "i10", userId: "seg-6", traits: { cards: [{ id: "x".repeat(40_000) }] } };
  await ask(node, "POST /v1/identify", large);
  const [cut] = (await letters()).filter(({ code }: any) => code === "traits_not_kept");
  deepEqual(Object.keys(cut.body), ["cut"], "no more than of any refused event");
});

test("what a batch says of one person is one change, and no larger than a change may be", async () => {
  const traitsOf = (from: number, count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`trait_${from + i}`, 1]));
  const identify = (traits: Record<string, unknown>, i: number) => ({ type: "identify", messageId: `many${i}`, userId: "seg-many", traits });
  const traits = [traitsOf(0, ATTRIBUTES_MAX / 2), traitsOf(0, ATTRIBUTES_MAX), traitsOf(1, ATTRIBUTES_MAX), traitsOf(500, 3)];
  const from = node.project.log.end;
  equal((await ask(node, "POST /v1/batch", { batch: traits.map(identify) })).status, 200);
  const changes = [...node.project.log.read(from)].map(({ type, payload }) => decodeRecord(type, payload));
  deepEqual(
    changes.map((change) => (change?.kind === "attributes" ? Object.keys(change.attributes).length : change?.kind)),
    [ATTRIBUTES_MAX, ATTRIBUTES_MAX, 3],
  );
  equal(Object.keys((await profileOf("seg-many")).attributes).length, ATTRIBUTES_MAX);
});

test("a wrong clock loses nothing: timestamps move by what it is off", async () => {
  const wrong = Date.now() - 40 * 86_400_000;
  const [timestamp, sentAt] = [wrong - 60_000, wrong].map((ms) => new Date(ms).toISOString());
  await ask(
    node,
    "POST /v1/track",
    track({ userId: "seg-7", event: "Product Viewed", properties: { sku: "x" }, timestamp, sentAt }),
  );
  const at = Date.parse((await profileOf("seg-7")).recent[0].timestamp);
  ok(Math.abs(Date.now() - 60_000 - at) < 5_000);
});

test("what was said of somebody before an erasure and comes late makes nobody anew, and is kept nowhere", async () => {
  const names = { userId: "seg-gone", anonymousId: "seg-gone-phone" };
  const known = async () => (await ask(node, "GET /v1/users/seg-gone/profile")).status;
  const nowMs = Date.now();
  const iso = (ms: number) => new Date(ms).toISOString();
  await ask(node, "POST /v1/identify", { ...names, traits: { plan: "gold" }, timestamp: iso(nowMs - 60_000) });
  equal(await known(), 200);
  const job = (await ask(node, "DELETE /v1/privacy/users/seg-gone")).json;
  while ((await node.project.erasure(job.job_id))!.status === "running") await new Promise(setImmediate);
  const leftOut = { deep: { a: { b: { c: "canary" } } } };
  const ofThen = [
    { type: "identify", ...names, traits: { plan: "gold", ...leftOut } },
    { type: "group", userId: names.userId, groupId: "acme", traits: leftOut },
    { type: "identify", anonymousId: names.anonymousId, traits: { plan: "gold" } },
    { type: "alias", userId: names.userId, previousId: "seg-gone-before" },
    { type: "track", userId: names.userId, event: "Order Completed", properties: { products: Array(200).fill({ product_id: "mug" }) } },
  ];
  // A phone whose clock is an hour ahead, and a server's queue.
  const hourMs = 3_600_000;
  const ahead = ofThen.map((message) => ({ ...message, timestamp: iso(nowMs + hourMs - 30_000), sentAt: iso(Date.now() + hourMs) }));
  const queued = ofThen.map((message) => ({ ...message, timestamp: iso(nowMs - 30_000) }));
  for (const batch of [ahead, queued]) equal((await ask(node, "POST /v1/batch", { batch })).status, 200);
  equal(await known(), 404);
  equal((await ask(node, "GET /v1/visitors/seg-gone-phone/profile")).status, 404);
  equal(JSON.stringify(await letters()).includes("seg-gone"), false);
  await ask(node, "POST /v1/identify", { ...names, traits: { plan: "free" } });
  equal((await profileOf("seg-gone")).attributes.plan, "free", "he may begin anew");
});

test("bodies: gzip, text/plain, and what is refused as a whole", async () => {
  const body = JSON.stringify({ batch: [track({ userId: "seg-8", event: "click", properties: { id: "z" } })] });
  const gzip = { headers: { "content-encoding": "gzip" } };
  equal((await ask(node, "POST /v1/batch", gzipSync(body), gzip)).status, 200);
  equal((await ask(node, "POST /v1/batch", body, { headers: { "content-type": "text/plain" } })).status, 200);
  // As RudderStack's Node SDK sends it, unless it is told not to pack.
  const form = { "content-type": "application/x-www-form-urlencoded", ...gzip.headers };
  equal((await ask(node, "POST /v1/batch", gzipSync(body), { headers: form })).status, 200);
  equal((await profileOf("seg-8")).recent.length, 1);
  const code = async (path: string, sent: unknown, headers = {}) =>
    (await ask(node, `POST ${path}`, sent, { headers })).json.code;
  equal(await code("/v1/batch", {}), "bad_parameter");
  equal(await code("/v1/batch", { batch: new Array(1_001).fill({}) }), "too_many_events");
  equal(await code("/v1/track", "[]"), "bad_json");
  equal(await code("/v1/track", "{"), "bad_json");
  equal(await code("/v1/track", "{}", { "content-type": "image/png" }), "unsupported_media_type");
  equal(await code("/v1/batch?project=nobody", { batch: [] }), "unknown_project");
  const large = { batch: [{ type: "track", pad: "x".repeat(1_048_576) }] };
  equal(await code("/v1/batch", large), "body_too_large");
});

test("of who has shown no key yet no more is unpacked than he may send; with the key in the header it is", async () => {
  const closed = await startNode();
  try {
    const { key } = closed.keys.issue({ project: "default", role: "write", name: "site" });
    const body = { writeKey: key, batch: [track({ userId: "packed", event: "click", properties: { id: "z" } })], pad: "x".repeat(1_200_000) };
    const packed = gzipSync(JSON.stringify(body));
    const headers = { "content-encoding": "gzip" };
    const inBody = await ask(closed, "POST /v1/batch", packed, { headers });
    deepEqual([inBody.status, inBody.json.code], [413, "body_too_large"]);
    const authorization = `Basic ${Buffer.from(`${key}:`).toString("base64")}`;
    equal((await ask(closed, "POST /v1/batch", packed, { headers: { ...headers, authorization } })).status, 200);
    equal((await ask(closed, "POST /v1/batch", gzipSync(JSON.stringify({ ...body, pad: "" })), { headers })).status, 200);
  } finally {
    await closed.close();
  }
});

test("pages of other origins may send, and may be told to wait", async () => {
  const headers = { origin: "https://shop.example", "access-control-request-headers": "authorization,x-retry-count" };
  const preflight = await ask(node, "OPTIONS /v1/t", undefined, { headers });
  equal(preflight.status, 204);
  const allowed = preflight.headers.get("access-control-allow-headers")!.split(", ");
  // analytics.js, and RudderStack's with the first try and with another.
  const names = ["x-retry-count", "anonymousid", "sentat", "rsa-retry-attempt", "rsa-retry-reason", "rsa-since-first-attempt"];
  for (const name of [...names, "rsa-since-last-attempt", "rsa-recovered"]) ok(allowed.includes(name), name);
  const answer = await ask(node, "POST /v1/t", track({ anonymousId: "seg-9", event: "click" }), { headers });
  deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [200, "*"]);
});

test("settings lead the SDK to this node, behind a proxy to the proxy", async () => {
  const { json, headers } = await ask(node, "GET /v1/projects/wk_1/settings");
  const { apiKey, apiHost, protocol } = json.integrations["Segment.io"];
  deepEqual([apiKey, apiHost, protocol], ["wk_1", `${new URL(node.url).host}/v1`, "http"]);
  equal(headers.get("access-control-allow-origin"), "*");
  const forwarded = { "x-forwarded-host": "t.shop.example", "x-forwarded-proto": "https" };
  const behind = (await ask(node, "GET /v1/projects/wk_1/settings", undefined, { headers: forwarded })).json;
  deepEqual(
    [behind.integrations["Segment.io"].apiHost, behind.integrations["Segment.io"].protocol],
    ["t.shop.example/v1", "https"],
  );
  for (const under of ["/attune", "/attune/"]) {
    const headers = { ...forwarded, "x-forwarded-prefix": under };
    const below = (await ask(node, "GET /v1/projects/wk_1/settings", undefined, { headers })).json;
    equal(below.integrations["Segment.io"].apiHost, "t.shop.example/attune/v1", "under a path of the proxy's");
  }
  for (const none of [`${"/".repeat(12_000)}x`, ".evil.example", "///"]) {
    const headers = { ...forwarded, "x-forwarded-prefix": none };
    const beside = (await ask(node, "GET /v1/projects/wk_1/settings", undefined, { headers })).json;
    equal(beside.integrations["Segment.io"].apiHost, "t.shop.example/v1", `no path: ${none.slice(0, 20)}`);
  }
  const secure = { params: { write_key: "wk_1" }, headers: { host: "t.shop.example" }, isSecure: true } as unknown as Call;
  const own = segmentSettings(secure).json as typeof json;
  equal(own.integrations["Segment.io"].protocol, "https", "by the node's own TLS");
});

test("the write key: HTTP Basic first, then the body", () => {
  const basic = { authorization: `Basic ${Buffer.from("wk_1:").toString("base64")}` };
  equal(writeKeyOf(basic, { writeKey: "wk_2" }), "wk_1");
  equal(writeKeyOf({}, { writeKey: "wk_2" }), "wk_2");
  equal(writeKeyOf({ authorization: "Basic Og==" }, {}), undefined);
  equal(writeKeyOf({ authorization: "Bearer x" }, { writeKey: 7 }), undefined);
});
