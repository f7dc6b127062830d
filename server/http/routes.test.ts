// The HTTP contract, route by route, against a whole node on a real port.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { WebSocket } from "ws";
import { CONTRACT_FIELDS } from "./contract.ts";
import { ask, startNode, type TestAnswer } from "./testing.ts";

const files = mkdtempSync(join(tmpdir(), "attune-files-"));
mkdirSync(join(files, "console", "assets"), { recursive: true });
mkdirSync(join(files, "sdk"));
const page = `<!doctype html><title>console</title>${"<p>text</p>".repeat(200)}`;
writeFileSync(join(files, "console", "index.html"), page);
writeFileSync(join(files, "console", "assets", "main-AbCd1234.js"), "export {};");
writeFileSync(join(files, "console", ".secret"), "hidden");
writeFileSync(join(files, "secret.txt"), "outside");
writeFileSync(join(files, "sdk", "attune.js"), "/* sdk */");

const folders = { console: join(files, "console"), sdk: join(files, "sdk") };
const node = await startNode({ folders });
after(async () => {
  await node.close();
  rmSync(files, { recursive: true, force: true });
});

let serial = 0;
const now = (): string => new Date().toISOString();
function view(user: string, item: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { event_id: `e${serial++}`, user_id: user, event_type: "view", item_id: item, timestamp: now(), ...fields };
}

function isProblem(answer: TestAnswer, status: number, code: string): void {
  equal(answer.status, status, answer.text);
  match(answer.headers.get("content-type")!, /^application\/problem\+json/);
  equal(answer.json.code, code);
  equal(answer.json.status, status);
  ok(answer.json.title.length > 0 && answer.json.detail.length > 0 && answer.json.type.endsWith(code));
}

test("POST /v1/events takes one, an array and {events}, and what it answers is in the profile", async () => {
  const shape = { accepted: 1, duplicates: 0, rejected: [] };
  const first = view("ann", "lamp");
  const answer = await ask(node, "POST /v1/events", first);
  equal(answer.status, 202);
  deepEqual(answer.json, shape);
  deepEqual((await ask(node, "POST /v1/events", first)).json, { accepted: 0, duplicates: 1, rejected: [] });
  equal((await ask(node, "POST /v1/events", [view("ann", "chair"), view("ann", "desk")])).json.accepted, 2);
  equal((await ask(node, "POST /v1/events", { events: [view("ann", "sofa")], sent_at: now() })).json.accepted, 1);
  deepEqual((await ask(node, "POST /v1/events", [])).json, { ...shape, accepted: 0 });
  const profile = (await ask(node, "GET /v1/users/ann/profile")).json;
  deepEqual(profile.recent.map(({ item_id }: { item_id: string }) => item_id).sort(), [
    "chair",
    "desk",
    "lamp",
    "sofa",
  ]);
  for (const field of CONTRACT_FIELDS["Profile"]!) ok(field in profile, field);
  for (const feature of ["recency_s", "frequency", "diversity", "velocity", "engagement"])
    ok(feature in profile.features, feature);
});

test("an id has 128 characters in any writing, in an event, a path, a query and a body", async () => {
  for (const character of ["é", "漢", "🙂"]) {
    const id = character.repeat(128);
    const path = encodeURIComponent(id);
    equal((await ask(node, "POST /v1/events", view(id, id, { anonymous_id: id }))).json.accepted, 1, character);
    for (const kind of ["users", "visitors"]) {
      const profile = await ask(node, `GET /v1/${kind}/${path}/profile`);
      equal(profile.json.recent?.[0]?.item_id, id, profile.text);
      isProblem(await ask(node, `GET /v1/${kind}/${path}${encodeURIComponent(character)}/profile`), 400, "bad_parameter");
    }
    const list = await ask(node, `GET /v1/recommendations?user_id=${path}&exclude=${path}`);
    equal(list.json.user_id, id, list.text);
    const body = { user_id: id, item_id: id, exclude: [id] };
    equal((await ask(node, "POST /v1/recommendations", body)).status, 200, character);
    isProblem(await ask(node, "POST /v1/recommendations", { user_id: id + character }), 400, "bad_parameter");
    equal((await ask(node, "PUT /v1/items", { items: [{ item_id: id, title: id.repeat(4) }] })).json.accepted, 1);
    equal((await ask(node, `DELETE /v1/items/${path}`)).status, 204, character);
  }
});

test("POST /v1/events takes beacons, gzip and zstd", async () => {
  const beacon = await ask(node, "POST /v1/events", JSON.stringify(view("bea", "lamp")), {
    headers: { "content-type": "text/plain;charset=UTF-8" },
  });
  equal(beacon.json.accepted, 1);
  for (const [encoding, pack] of [
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ] as const) {
    const packed = pack(JSON.stringify([view("bea", encoding)]));
    equal((await ask(node, "POST /v1/events", packed, { headers: { "content-encoding": encoding } })).json.accepted, 1);
  }
});

test("good events of a batch are taken, bad ones answered with index, code and path, and kept", async () => {
  const answer = await ask(node, "POST /v1/events", [
    view("cid", "lamp"),
    view("cid", "lamp", { event_id: "bad", event_type: "No" }),
    7,
  ]);
  equal(answer.status, 202);
  equal(answer.json.accepted, 1);
  deepEqual(
    answer.json.rejected.map(({ index, event_id, path }: any) => [index, event_id, path]),
    [
      [1, "bad", "/event_type"],
      [2, undefined, ""],
    ],
  );
  for (const rejected of answer.json.rejected) ok(rejected.code.length > 0 && rejected.message.length > 0);
  const letters = (await ask(node, "GET /v1/dead-letters?limit=2")).json;
  equal(letters.total, 2);
  deepEqual(
    letters.dead_letters.map(({ code }: any) => code).sort(),
    answer.json.rejected.map(({ code }: any) => code).sort(),
  );
});

test("where nothing is good the answer is 400 in the same shape, and a problem document", async () => {
  const answer = await ask(node, "POST /v1/events", { event_type: "view" });
  isProblem(answer, 400, "events_rejected");
  equal(answer.json.accepted, 0);
  equal(answer.json.duplicates, 0);
  equal(answer.json.rejected.length, 1);
});

test("POST /v1/events keeps its limits", async () => {
  isProblem(await ask(node, "POST /v1/events", "{"), 400, "bad_json");
  isProblem(await ask(node, "POST /v1/events", ""), 400, "bad_json");
  isProblem(await ask(node, "POST /v1/events", "[".repeat(100)), 400, "too_deep");
  isProblem(await ask(node, "POST /v1/events", new Array(1_001).fill({})), 413, "too_many_events");
  isProblem(await ask(node, "POST /v1/events", " ".repeat(1024 * 1024 + 1)), 413, "body_too_large");
  isProblem(
    await ask(node, "POST /v1/events", gzipSync(" ".repeat(8 * 1024 * 1024 + 1)), {
      headers: { "content-encoding": "gzip" },
    }),
    413,
    "body_too_large",
  );
  isProblem(
    await ask(node, "POST /v1/events", "x", { headers: { "content-type": "application/xml" } }),
    415,
    "unsupported_media_type",
  );
  isProblem(
    await ask(node, "POST /v1/events", "x", { headers: { "content-encoding": "br" } }),
    415,
    "unsupported_encoding",
  );
  isProblem(await ask(node, "POST /v1/events?project=nobody", view("x", "y")), 404, "unknown_project");
  isProblem(
    await ask(node, "POST /v1/events", view("x", "y"), { headers: { "attune-project": "nobody" } }),
    404,
    "unknown_project",
  );
});

test("a crawler's events are kept and marked, but in no profile", async () => {
  const headers = { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" };
  equal((await ask(node, "POST /v1/events", view("crawler", "lamp"), { headers })).json.accepted, 1);
  isProblem(await ask(node, "GET /v1/users/crawler/profile"), 404, "unknown_person");
  equal(node.project.stats().markedTrafficTotal, 1);
});

test("dead letters can be tried again, as they were or corrected", async () => {
  await ask(node, "POST /v1/events", view("dan", "lamp", { event_type: "not_declared" }));
  const [letter] = (await ask(node, "GET /v1/dead-letters?limit=1")).json.dead_letters;
  equal(letter.body.user_id, "dan");
  match(letter.at, /^\d{4}-.*Z$/);
  equal(letter.source, "http");
  const again = await ask(node, `POST /v1/dead-letters/${letter.id}/retry`);
  isProblem(again, 400, "events_rejected");
  const corrected = await ask(node, `POST /v1/dead-letters/${letter.id}/retry`, { ...letter.body, event_type: "view" });
  deepEqual([corrected.status, corrected.json], [200, { accepted: 1, duplicates: 0, rejected: [] }]);
  equal((await ask(node, "GET /v1/users/dan/profile")).json.recent[0].item_id, "lamp");
  isProblem(await ask(node, `POST /v1/dead-letters/${letter.id}/retry`), 404, "unknown_dead_letter");
  isProblem(await ask(node, "POST /v1/dead-letters/none/retry"), 404, "unknown_dead_letter");
  const pages = (await ask(node, "GET /v1/dead-letters?limit=1")).json;
  const next = (await ask(node, `GET /v1/dead-letters?limit=1&before=${pages.next}`)).json;
  ok(next.dead_letters[0].id !== pages.dead_letters[0].id);
});

test("two tries of a dead letter at once count its event once, also where it has no event_id", async () => {
  const { event_id: _, ...nameless } = view("dana", "lamp", { event_type: "not_declared" });
  await ask(node, "POST /v1/events", nameless);
  const [letter] = (await ask(node, "GET /v1/dead-letters?limit=1")).json.dead_letters;
  const retry = `POST /v1/dead-letters/${letter.id}/retry`;
  const unchanged = await ask(node, retry, {});
  isProblem(unchanged, 400, "events_rejected");
  equal(unchanged.json.rejected[0].code, "event_type_unknown");
  const corrected = { ...nameless, event_type: "view" };
  const tries = await Promise.all([1, 2, 3].map(() => ask(node, retry, corrected)));
  ok(tries.every(({ status }) => status === 200 || status === 404));
  equal((await ask(node, "GET /v1/users/dana/profile")).json.version, 1);
});

test("a dead letter that is tried again days later keeps its time, and the clock of the batch that it came in", async (t) => {
  const came = Date.now();
  t.mock.timers.enable({ apis: ["Date"], now: came });
  const fresh = await startNode();
  t.after(() => fresh.close());
  const wrongClock = came - 400 * 86_400_000;
  const lost = (user: string, timestamp: number, fields = {}) =>
    view(user, "lamp", { event_type: "heard", timestamp, ...fields });
  const batch = [
    lost("beside", wrongClock - 5_000),
    lost("inside", came - 5_000, { sent_at: came }),
    lost("iso", came - 5_000, { sent_at: new Date(came).toISOString() }),
  ];
  await ask(fresh, "POST /v1/events", { sent_at: wrongClock, events: batch });
  const { json: program } = await ask(fresh, "GET /v1/program");
  await ask(fresh, "PUT /v1/program", { ...program, events: { ...program.events, heard: { weight: 1 } } });
  t.mock.timers.setTime(came + 3 * 86_400_000);
  for (const { id } of (await ask(fresh, "GET /v1/dead-letters")).json.dead_letters) {
    equal((await ask(fresh, `POST /v1/dead-letters/${id}/retry`)).json.accepted, 1);
  }
  for (const user of ["beside", "inside", "iso"]) {
    const { recent } = (await ask(fresh, `GET /v1/users/${user}/profile`)).json;
    equal(recent[0].timestamp, new Date(came - 5_000).toISOString(), user);
  }
});

test("a dead letter of an import is the event that its line would be, at the time that it says", async () => {
  const event = { user_id: "dot", event_type: "view", item_id: "lamp", timestamp: Date.now() - 20 * 86_400_000 };
  const body = { ...event, sent_at: event.timestamp };
  const letter = { code: "event_type_unknown", path: "", message: "", source: "import f.ndjson:1", body, once: "line-1" };
  await node.project.submit({ events: [], deadLetters: [letter] });
  const [{ id }] = (await ask(node, "GET /v1/dead-letters?limit=1")).json.dead_letters;
  equal((await ask(node, `POST /v1/dead-letters/${id}/retry`)).json.accepted, 1);
  const { recent } = (await ask(node, "GET /v1/users/dot/profile")).json;
  equal(recent[0].timestamp, new Date(event.timestamp).toISOString());
  equal((await ask(node, "POST /v1/events", { ...event, event_id: "line-1" })).json.duplicates, 1);
});

test("dead letters by code and by whom they name, page by page, with a bound on what a page looks at", async () => {
  const bad = (fields: object) => ({ ...view("eve", "lamp"), timestamp: "never", ...fields });
  await ask(node, "POST /v1/events", [bad({}), bad({ user_id: 42 }), bad({ user_id: undefined, anonymous_id: "eve" })]);
  await ask(node, "POST /v1/events", [bad({ event_type: "No" }), bad({ session_id: "eve", user_id: "fay" }), bad({})]);
  await node.project.submit({ events: [], deadLetters: [
    { code: "bad_json", path: "", message: "no JSON", source: "import x:1", body: '{"user_id": "eve", "event_type' },
    { code: "webhook_failed", path: "", message: "503", source: "webhook x", body: { url: "https://x", payload: { user_id: "eve" } } },
    { code: "traits_not_kept", path: "/traits", message: "too many", source: "segment", body: { userId: "eve" } },
    { code: "bad_json", path: "", message: "no JSON", source: "import x:2", body: null },
  ] });
  const list = async (query: string) => (await ask(node, `GET /v1/dead-letters?${query}`)).json;
  const codes = async (query: string) => (await list(query)).dead_letters.map(({ code }: any) => code);
  const timestamp = "timestamp_invalid";
  deepEqual(await codes("user_id=eve"), ["traits_not_kept", "webhook_failed", "bad_json", timestamp, "event_type_invalid", timestamp]);
  deepEqual(await codes("user_id=42"), ["user_id_invalid"]);
  deepEqual(await codes("anonymous_id=eve"), ["bad_json", timestamp]);
  deepEqual(await codes(`user_id=eve&code=${timestamp}`), [timestamp, timestamp]);
  deepEqual(await codes("user_id=eve&anonymous_id=nobody"), []);
  deepEqual(await codes("user_id=undefined"), []);
  isProblem(await ask(node, `GET /v1/dead-letters?code=${"x".repeat(129)}`), 400, "bad_parameter");
  isProblem(await ask(node, "GET /v1/dead-letters?user_id=%00"), 400, "bad_parameter");

  const found: string[] = [];
  for (let next = ""; next !== null; ) {
    const page: any = await list(`limit=1&user_id=eve&before=${next}`);
    ok(page.dead_letters.length <= 1 && page.total > 6);
    found.push(...page.dead_letters.map(({ id }: any) => id));
    next = page.next;
  }
  deepEqual(found, (await list("user_id=eve")).dead_letters.map(({ id }: any) => id));

  const other = { code: "other", path: "", message: "m", source: "http", body: {} };
  for (let i = 0; i < 5; i++) await node.project.submit({ events: [], deadLetters: new Array(1_000).fill(other) });
  const short = await list("user_id=eve&limit=2");
  deepEqual(short.dead_letters, []);
  const beyond = await list(`user_id=eve&limit=2&before=${short.next}`);
  deepEqual(beyond.dead_letters.map(({ id }: any) => id), found.slice(0, 2));
});

test("items: put, read, list, delete; a bad one changes nothing", async () => {
  const item = {
    item_id: "tea/1",
    title: "Tea",
    categories: ["kitchen"],
    tags: ["green"],
    price: 4.5,
    image_url: "/t.svg",
    url: "/t",
    available: true,
    published_at: "2026-01-01T00:00:00.000Z",
    attributes: { grams: 100 },
  };
  deepEqual((await ask(node, "PUT /v1/items", { items: [item, { item_id: "cup", colour: "red" }] })).json, {
    accepted: 2,
  });
  deepEqual((await ask(node, "GET /v1/items/tea%2F1")).json, item);
  deepEqual(
    (await ask(node, "GET /v1/items?ids=cup,none")).json.items.map(({ item_id }: any) => item_id),
    ["cup"],
  );
  deepEqual(
    (await ask(node, "GET /v1/items/cup")).json.attributes,
    { colour: "red" },
    "what the contract does not name is kept",
  );
  const bad = await ask(node, "PUT /v1/items", {
    items: [{ item_id: "pot" }, { item_id: "pan", price: "4" }, { item_id: "lid", tags: "x" }],
  });
  isProblem(bad, 400, "bad_item");
  deepEqual(
    bad.json.faults.map(({ path }: any) => path),
    ["/items/1/price", "/items/2/tags"],
  );
  isProblem(await ask(node, "GET /v1/items/pot"), 404, "unknown_item");
  equal((await ask(node, "DELETE /v1/items/cup")).status, 204);
  isProblem(await ask(node, "DELETE /v1/items/cup"), 404, "unknown_item");
  isProblem(await ask(node, "PUT /v1/items", { items: {} }), 400, "bad_parameter");
  isProblem(
    await ask(node, "PUT /v1/items", "{}", { headers: { "content-type": "text/plain" } }),
    415,
    "unsupported_media_type",
  );
  equal(
    (
      await ask(node, "PUT /v1/items", gzipSync(JSON.stringify({ items: [item] })), {
        headers: { "content-encoding": "gzip" },
      })
    ).status,
    200,
  );
});

test("PATCH sets attributes; an anonymous visitor has a profile of his own until he is known", async () => {
  const set = await ask(node, "PATCH /v1/users/eve/profile", { attributes: { age: 31, tags: ["a"], vip: true } });
  equal(set.status, 200);
  deepEqual(set.json.attributes, { age: 31, tags: ["a"], vip: true });
  isProblem(
    await ask(node, "PATCH /v1/users/eve/profile", { attributes: { nested: { deep: 1 } } }),
    400,
    "bad_parameter",
  );
  isProblem(await ask(node, "PATCH /v1/users/eve/profile", { attributes: [] }), 400, "bad_parameter");
  isProblem(
    await ask(node, "PATCH /v1/users/eve/profile", "{}", { headers: { "content-type": "text/plain" } }),
    415,
    "unsupported_media_type",
  );
  isProblem(await ask(node, `GET /v1/users/${"x".repeat(129)}/profile`), 400, "bad_parameter");
  isProblem(await ask(node, "GET /v1/visitors/nobody/profile"), 404, "unknown_person");
  await ask(node, "POST /v1/events", { anonymous_id: "cookie", event_type: "view", item_id: "lamp", timestamp: now() });
  equal((await ask(node, "GET /v1/visitors/cookie/profile")).json.recent.length, 1);
  await ask(node, "POST /v1/events", {
    user_id: "eve",
    anonymous_id: "cookie",
    event_type: "click",
    item_id: "desk",
    timestamp: now(),
  });
  equal((await ask(node, "GET /v1/users/eve/profile")).json.recent.length, 2);
  equal((await ask(node, "GET /v1/visitors/cookie/profile")).json.user_id, "eve");
});

test("recommendations: by query and by body, for somebody new too, with reasons, without what is excluded", async () => {
  const full = await ask(node, "GET /v1/recommendations?user_id=newcomer&limit=3");
  equal(full.status, 200);
  for (const field of CONTRACT_FIELDS["RecommendationList"]!) ok(field in full.json, field);
  equal(full.json.items.length, 3);
  deepEqual(
    full.json.items.map(({ rank }: any) => rank),
    [1, 2, 3],
  );
  const top = full.json.items[0].item_id;
  const without = (await ask(node, `GET /v1/recommendations?user_id=newcomer&exclude=${top}&exclude=none&explain=1`))
    .json;
  equal(
    without.items.some(({ item_id }: any) => item_id === top),
    false,
  );
  ok(without.items.every(({ reasons }: any) => reasons.length > 0));
  const posted = await ask(node, "POST /v1/recommendations", {
    anonymous_id: "v",
    placement: "home",
    limit: 2,
    context: { device: "mobile" },
    exclude: [top],
  });
  for (const field of CONTRACT_FIELDS["RecommendationList"]!) ok(field in posted.json, field);
  equal(posted.json.user_id, null);
  equal(posted.json.anonymous_id, "v");
  equal(posted.json.items.length, 2);
  const filtered = (
    await ask(node, `GET /v1/recommendations?user_id=newcomer&filter=${encodeURIComponent("item.price < 5.0")}`)
  ).json;
  deepEqual(
    filtered.items.map(({ item }: any) => item?.published_at),
    ["2026-01-01T00:00:00.000Z"],
  );
});

test("rules over `context` see the request's, before what events said, in the placement's and in the request's own", async () => {
  const first = async (context: object, rules?: object): Promise<string> => {
    const { json, text } = await ask(node, "POST /v1/recommendations", { user_id: "carrier", context, ...(rules && { rules }) });
    ok(json.items !== undefined, text);
    return json.items[0].item_id;
  };
  const anywhere = (await ask(node, "GET /v1/recommendations?user_id=carrier")).json.items.map(({ item_id }: any) => item_id);
  const second = anywhere[1];
  const rules = { boost: [{ when: `context.device == "tv" && item.item_id == "${second}"`, by: 100 }] };
  equal(await first({ device: "tv" }, rules), second);
  equal(await first({ device: "mobile" }, rules), anywhere[0]);
  const program = (await ask(node, "GET /v1/program")).json;
  const home = { ...program.placements.home, boost: rules.boost };
  equal((await ask(node, "PUT /v1/program", { ...program, placements: { ...program.placements, home } })).status, 200);
  equal(await first({ device: "tv" }), second);
  equal(await first({ device: "mobile" }), anywhere[0]);
  equal((await ask(node, "PUT /v1/program", program)).status, 200);
});

test("a name that the program does not have is said, with the one that may have been meant", async () => {
  const asked: [call: string, body: unknown, detail: string][] = [
    ["GET /v1/recommendations?user_id=a&placement=hoem", undefined, "The program has no placement `hoem`; did you mean `home`?"],
    ["GET /v1/recommendations?user_id=a&placement=checkout", undefined, "The program has no placement `checkout`."],
    ["POST /v1/recommendations/preview", { placement: "hoem" }, "The program has no placement `hoem`; did you mean `home`?"],
    ["POST /v1/decide", { user_id: "a", slot: "heroo" }, "The program has no slot `heroo`; did you mean `hero`?"],
    ["GET /v1/segments/new_visitors/users", undefined, "The program has no segment `new_visitors`; did you mean `new_visitor`?"],
    ["GET /v1/experiments/none", undefined, "The program has no experiment `none`."],
  ];
  for (const [call, body, detail] of asked) {
    const { status, json } = await ask(node, call, body);
    deepEqual([status, json.detail], [404, detail], call);
  }
});

test("recommendations refuse what they cannot read, and say which parameter", async () => {
  const cases: [query: string, status: number, code: string, parameter: string][] = [
    ["", 400, "bad_parameter", "user_id"],
    ["user_id=a&user_id=b", 400, "bad_parameter", "user_id"],
    ["user_id=a&limit=0", 400, "bad_parameter", "limit"],
    ["user_id=a&limit=201", 400, "bad_parameter", "limit"],
    ["user_id=a&limit=1e1", 400, "bad_parameter", "limit"],
    ["user_id=a&explain=2", 400, "bad_parameter", "explain"],
    ["user_id=a&filter=item.", 400, "bad_filter", "filter"],
    ["user_id=a&placement=none", 404, "unknown_placement", "placement"],
    [`user_id=${"x".repeat(129)}`, 400, "bad_parameter", "user_id"],
  ];
  for (const [query, status, code, parameter] of cases) {
    const answer = await ask(node, `GET /v1/recommendations?${query}`);
    isProblem(answer, status, code);
    equal(answer.json.parameter, parameter);
  }
  const wrong = await ask(node, "POST /v1/recommendations", { user_id: 7 });
  isProblem(wrong, 400, "bad_parameter");
  equal(wrong.json.pointer, "/user_id");
  const withContext = (context: unknown) => ask(node, "POST /v1/recommendations", { user_id: "a", context });
  for (const [context, fault] of [[{ device: 1 }, "context.device"], [{ os: "o".repeat(257) }, "context.os"], ["mobile", "context"]]) {
    const refused = await withContext(context);
    isProblem(refused, 400, "bad_parameter");
    ok(refused.json.detail.startsWith(`\`${fault}\``), refused.json.detail);
  }
  equal((await withContext({ referrer: `https://search.example/?q=${"a".repeat(500)}`, device: "" })).status, 200, "as an event's");
});

test("a rule is named where it is written, in the program or in the request; one that is gone is named too", async () => {
  const program = (await ask(node, "GET /v1/program")).json;
  const items = Array.from({ length: 8 }, (_, i) => ({
    item_id: `rule${i}`, title: `Rule ${i}`, categories: [i < 7 ? "ruled" : "other"], tags: i === 6 ? ["lifted"] : [],
  }));
  await ask(node, "PUT /v1/items", { items });
  const only = `item.item_id.startsWith("rule")`;
  const boost = [{ when: `"lifted" in item.tags`, by: 100 }];
  const placements = { ...program.placements, bare: {}, ruled: { filter: only, cap: [{ by: "category", max: 3 }], boost } };
  equal((await ask(node, "PUT /v1/program", { ...program, placements })).status, 200);
  const whyNot = async (placement: string, item: string, rules: object) => {
    const body = { user_id: "ruler", placement, why_not: [item], rules };
    const { status, json } = await ask(node, "POST /v1/recommendations", body);
    equal(status, 200, JSON.stringify(json));
    return json.why_not[0].rule;
  };
  const cap = [{ by: "category", max: 1 }];
  const full = async (placement: string, rules: object) => {
    const { json } = await ask(node, "POST /v1/recommendations", { user_id: "ruler", placement, rules });
    const listed = new Set(json.items.map(({ item_id }: { item_id: string }) => item_id));
    return whyNot(placement, items.find(({ item_id }) => !listed.has(item_id))!.item_id, rules);
  };
  equal(await whyNot("bare", "lamp", { filter: only }), "/rules/filter");
  equal(await whyNot("ruled", "lamp", { filter: "true" }), "/placements/ruled/filter");
  equal(await whyNot("ruled", "rule1", { filter: "false" }), "/rules/filter");
  equal(await full("ruled", {}), "/placements/ruled/cap");
  equal(await full("ruled", { cap }), "/rules/cap");
  equal(await full("bare", { filter: only, cap }), "/rules/cap");
  await ask(node, "POST /v1/events", { user_id: "ruler", event_type: "purchase", item_id: "rule2", value: 1, timestamp: Date.now() });
  equal(await whyNot("bare", "rule2", { exclude: ["purchased"] }), "/rules/exclude");

  const change = { placement: { ...placements.ruled, boost: [], cap: [] } };
  const { json } = await ask(node, "POST /v1/recommendations/preview", { user_id: "ruler", placement: "ruled", change });
  const { factors } = json.before.items.find(({ item_id }: { item_id: string }) => item_id === "rule6").account;
  deepEqual(factors, [{ kind: "boost", rule: "/placements/ruled/boost/0", by: 100 }]);
  const told = json.moves.find(({ item_id }: { item_id: string }) => item_id === "rule6");
  equal(told.why, "No more score × 100 by /placements/ruled/boost/0.");
  const waved = { user_id: "ruler", placement: "ruled", change: { events: [{ event_type: "dismiss", item_id: "rule7" }] } };
  const { moves } = (await ask(node, "POST /v1/recommendations/preview", waved)).json;
  equal(moves.find(({ item_id }: { item_id: string }) => item_id === "rule7").why, "Score × 0.02 for what the person turned away from.");
  for (const { item_id } of items) await ask(node, `DELETE /v1/items/${item_id}`);
  equal((await ask(node, "PUT /v1/program", program)).status, 200);
});

test("why an item is missing is told of the very list that is answered, whatever experiment has made it", async () => {
  const program = (await ask(node, "GET /v1/program")).json;
  const items = Array.from({ length: 12 }, (_, i) => ({ item_id: `tested${i}`, title: `Tested ${i}`, categories: [i < 6 ? "low" : "high"], price: i }));
  await ask(node, "PUT /v1/items", { items });
  const only = `item.item_id.startsWith("tested")`;
  const boost = (from: number) => [{ when: `item.price >= ${from}`, by: 0 }];
  const placements = {
    ...program.placements, plain: { filter: only, boost: boost(6) }, other: { filter: `${only} && item.price >= 3`, boost: boost(9) },
  };
  const variants = { as_is: {}, changed: { placements: { plain: "other" } } };
  const metrics = { cart: { kind: "conversion", event: "add_to_cart" } };
  const under = async (experiment: object) => {
    const experiments = { tried: { variants, metrics, ...experiment } };
    const put = await ask(node, "PUT /v1/program", { ...program, placements, experiments });
    equal(put.status, 200, JSON.stringify(put.json));
    const statuses: string[] = [];
    for (let i = 0; i < 12; i++) {
      const body = { user_id: `tried${i}`, placement: "plain", limit: 4, why_not: items.map(({ item_id }) => item_id) };
      const { json } = await ask(node, "POST /v1/recommendations", body);
      const places = new Map(json.items.map(({ item_id, rank }: { item_id: string; rank: number }) => [item_id, rank]));
      equal(json.why_not.length, items.length);
      for (const { item_id, status, rank, of, text } of json.why_not) {
        equal(rank, places.get(item_id), text);
        equal(status === "listed", places.has(item_id), text);
        equal(of, json.items.length);
      }
      for (const { status, rule } of json.why_not) statuses.push(rule === undefined ? status : `${status} ${rule}`);
    }
    return new Set(statuses);
  };
  const apart = await under({});
  ok(apart.has("filtered /placements/other/filter"), [...apart].join());
  ok((await under({ interleave: "plain" })).has("displaced"));
  for (const { item_id } of items) await ask(node, `DELETE /v1/items/${item_id}`);
  equal((await ask(node, "PUT /v1/program", program)).status, 200);
});

test("a list says why an item is missing, and a preview what would be different", async () => {
  const list = await ask(node, "GET /v1/recommendations?user_id=ann&explain=1&limit=3&why_not=lamp,nothing");
  equal(list.status, 200);
  for (const { reason_text } of list.json.items) ok(typeof reason_text === "string" && reason_text.length > 0);
  deepEqual(list.json.why_not.map((one: { item_id: string; status: string }) => one.item_id), ["lamp", "nothing"]);
  equal(list.json.why_not[1].status, "unknown");

  const preview = (body: unknown) => ask(node, "POST /v1/recommendations/preview", body);
  const pinned = await preview({ user_id: "ann", placement: "home", limit: 3, change: { rules: { pin: [{ item: "lamp", at: 1 }] } } });
  equal(pinned.status, 200, JSON.stringify(pinned.json));
  equal(pinned.json.after.items[0].item_id, "lamp");
  ok(pinned.json.moves.length >= 3 && pinned.json.moves.every(({ why }: { why: string }) => why.length > 0));
  for (const field of ["model_rank", "sources", "effects", "factors"]) ok(field in pinned.json.after.items[0].account, field);
  isProblem(await preview({ placement: "nowhere" }), 404, "unknown_placement");
  const faulty = await preview({ change: { placement: { cap: [{ by: "colour", max: 1 }] } } });
  isProblem(faulty, 400, "bad_rules");
  equal(faulty.json.faults[0].path, "/placements/home/cap/0/by");
  isProblem(await preview({ change: { rules: [] } }), 400, "bad_rules");
  for (const change of [{ colour: 1 }, [], { events: [{ event_type: "Bad" }] }, { events: {} }, { attributes: 3 }]) {
    isProblem(await preview({ change }), 400, "bad_parameter");
  }
  isProblem(await ask(node, "POST /v1/recommendations", { user_id: "ann", rules: 3 }), 400, "bad_parameter");
});

test("similar, trending and decide", async () => {
  for (const route of ["GET /v1/items/lamp/similar?limit=2", "GET /v1/trending?limit=2"]) {
    const { status, json } = await ask(node, route);
    equal(status, 200);
    for (const field of CONTRACT_FIELDS["RecommendationList"]!) ok(field in json, `${route} ${field}`);
    equal(json.user_id, null);
    ok(json.items.length <= 2);
  }
  isProblem(await ask(node, "GET /v1/trending?filter=item.("), 400, "bad_filter");
  const [slot] = Object.keys((await ask(node, "GET /v1/program")).json.slots);
  const decision = await ask(node, "POST /v1/decide", { user_id: "ann", slot });
  equal(decision.status, 200);
  for (const field of ["decision_id", "slot", "variant", "payload", "propensity", "reason"])
    ok(field in decision.json, field);
  isProblem(await ask(node, "POST /v1/decide", { user_id: "ann", slot: "none" }), 404, "unknown_slot");
  isProblem(await ask(node, "POST /v1/decide", { user_id: "ann" }), 400, "bad_parameter");
});

test("segments, their members page by page, and the search", async () => {
  const { segments } = (await ask(node, "GET /v1/segments")).json;
  const fullest = segments.reduce((a: any, b: any) => (a.size >= b.size ? a : b));
  ok(fullest.size >= 2 && fullest.when.length > 0);
  const seen: unknown[] = [];
  let after = "";
  for (let i = 0; i <= fullest.size; i++) {
    const answer = (await ask(node, `GET /v1/segments/${fullest.name}/users?limit=1${after}`)).json;
    equal(answer.total, fullest.size);
    seen.push(...answer.users);
    if (answer.next === null) break;
    after = `&after=${encodeURIComponent(answer.next)}`;
  }
  equal(new Set(seen.map((one) => JSON.stringify(one))).size, fullest.size);
  isProblem(await ask(node, "GET /v1/segments/none/users"), 404, "unknown_segment");
  const found = (await ask(node, "GET /v1/search?q=an")).json;
  deepEqual(found.persons, [{ user_id: "ann" }]);
  deepEqual((await ask(node, "GET /v1/search?q=tea%2F1")).json.items.length, 1);
  isProblem(await ask(node, "GET /v1/search"), 400, "bad_parameter");
  const titled = (await ask(node, "GET /v1/search?q=tea")).json.items;
  deepEqual(titled.map((item: any) => item.title), ["Tea"]);
  deepEqual((await ask(node, "GET /v1/search?q=TEA")).json.items, titled);
  const everybody = (await ask(node, "GET /v1/search?q=&limit=2")).json;
  equal(everybody.persons.length, 2);
  deepEqual(everybody.items, []);
});

test("the program: read, checked, replaced, refused with every fault, brought back", async () => {
  const document = (await ask(node, "GET /v1/program")).json;
  const checked = (await ask(node, "POST /v1/program/check", document)).json;
  const warned = checked.warnings.map(({ path, code }: any) => `${path} ${code}`);
  deepEqual(warned, ["/models/crowd/min_persons few_persons", "/models/crowd/max_share unbounded_share"]);
  deepEqual({ ...checked, warnings: [] }, { ok: true, faults: [], warnings: [] });
  const safe = { ...document, models: { ...document.models, crowd: { min_persons: 10, max_share: 0.05 } } };
  deepEqual((await ask(node, "POST /v1/program/check", safe)).json, { ok: true, faults: [], warnings: [] });
  const [name, trigger] = Object.entries<object>(document.triggers)[0]!;
  const calling = { ...safe, triggers: { ...document.triggers, [name]: { ...trigger, webhook: "https://hooks.example/" } } };
  const { warnings } = (await ask(node, "POST /v1/program/check", calling)).json;
  deepEqual(warnings.map(({ path, code }: any) => `${path} ${code}`), [`/triggers/${name}/webhook webhook_unsigned`]);
  const put = await ask(node, "PUT /v1/program", { ...document, events: { ...document.events, waved: { weight: 2 } } });
  equal(put.json.version, document.version + 1);
  equal((await ask(node, "POST /v1/events", view("fay", "lamp", { event_type: "waved" }))).status, 202);
  const bad = await ask(node, "PUT /v1/program", {
    ...document,
    segments: { a: { when: "nonsense(" }, b: { when: "1 + 1" } },
  });
  isProblem(bad, 422, "bad_program");
  const paths = bad.json.faults.map(({ path }: any) => path.split("/").slice(0, 3).join("/"));
  ok(paths.includes("/segments/a") && paths.includes("/segments/b"), paths.join(" "));
  equal((await ask(node, "POST /v1/program/check", { segments: { a: { when: "nonsense(" } } })).json.ok, false);
  equal((await ask(node, "GET /v1/program")).json.version, put.json.version);
  const back = await ask(node, "POST /v1/program/rollback", { version: document.version });
  equal(back.json.version, put.json.version + 1);
  const { version: _, created_at: __, ...rest } = (await ask(node, "GET /v1/program")).json;
  const { version: ___, created_at: ____, ...original } = document;
  deepEqual(rest, original);
  equal((await ask(node, `GET /v1/program?version=${document.version}`)).json.version, document.version);
  const versions = (await ask(node, "GET /v1/program/versions")).json;
  equal(versions.current, back.json.version);
  equal(versions.versions[0].version, back.json.version);
  isProblem(await ask(node, "GET /v1/program?version=99"), 404, "unknown_version");
  isProblem(await ask(node, "POST /v1/program/rollback", { version: 99 }), 404, "unknown_version");
  isProblem(await ask(node, "POST /v1/program/rollback", {}), 400, "bad_parameter");
});

test("a list is as long as the request says, else as its placement says, else 20", async () => {
  const before = (await ask(node, "GET /v1/program")).json;
  const document = { ...before, placements: { ...before.placements, few: { limit: 3 }, plain: {} } };
  equal((await ask(node, "PUT /v1/program", document)).status, 200);
  const items = Array.from({ length: 30 }, (_, i) => ({ item_id: `long-${i}`, title: `Item ${i}` }));
  await ask(node, "PUT /v1/items", { items });
  const lengthOf = async (query: string): Promise<number> =>
    (await ask(node, `GET /v1/recommendations?user_id=lea&${query}`)).json.items.length;
  equal(await lengthOf("placement=few"), 3);
  equal(await lengthOf("placement=few&limit=7"), 7);
  equal(await lengthOf("placement=plain"), 20);
  equal(await lengthOf(""), 20);
  equal((await ask(node, "POST /v1/recommendations", { user_id: "lea", placement: "few" })).json.items.length, 3);
  equal((await ask(node, "POST /v1/program/rollback", { version: before.version })).status, 200);
});

test("health, readiness, metrics, stats and projects", async () => {
  deepEqual((await ask(node, "GET /healthz")).json, { status: "ok" });
  const ready = await ask(node, "GET /readyz");
  equal(ready.status, 200);
  equal(ready.json.parts["project:default"].ready, true);
  const metrics = await ask(node, "GET /metrics");
  match(metrics.headers.get("content-type")!, /^text\/plain/);
  match(metrics.text, /^attune_events_accepted_total\{project="default"\} \d+$/m);
  match(metrics.text, /^attune_duration_seconds_bucket\{route="POST \/v1\/events",le="\+Inf"\} \d+$/m);
  equal(/\b(ann|eve)\b|127\.0\.0\.1/.test(metrics.text), false);
  const stats = (await ask(node, "GET /v1/stats")).json;
  equal(stats.totals.accepted, node.project.stats().acceptedTotal);
  ok(stats.latency.some(({ route, p99_ms }: any) => route === "POST /v1/events" && p99_ms > 0));
  ok(stats.latency.some(({ route }: any) => route === "commit"));
  equal(stats.series.step_s, 5);
  deepEqual((await ask(node, "GET /v1/projects")).json, { projects: ["default"] });
});

test("static files: views have URLs, ETags save bytes, names with a hash are kept for ever, nothing else is readable", async () => {
  const index = await ask(node, "GET /console/");
  equal(index.text, page);
  match(index.headers.get("content-security-policy")!, /script-src 'self'(;|$)/);
  equal((await ask(node, "GET /console/persons/u1")).text, page);
  const etag = index.headers.get("etag")!;
  for (const known of [etag, `"other", ${etag}`, etag.replace("W/", ""), "*"]) {
    equal((await ask(node, "GET /console/", undefined, { headers: { "if-none-match": known } })).status, 304, known);
  }
  const asset = await ask(node, "GET /console/assets/main-AbCd1234.js");
  match(asset.headers.get("cache-control")!, /immutable/);
  match(asset.headers.get("content-type")!, /^text\/javascript/);
  for (const path of [
    "/console/../secret.txt",
    "/console/%2e%2e/secret.txt",
    "/console/..%2fsecret.txt",
    "/console/.secret",
    "/console/a%00.js",
    "/console/none.js",
  ]) {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    match(answer, /^HTTP\/1\.1 404 /, path);
    equal(answer.includes("outside") || answer.includes("hidden"), false);
  }
  for (const [encoding, header] of [
    ["gzip", "gzip"],
    ["br", "gzip, br"],
    ["gzip", "GZIP;q=0.5, br;q=0"],
    [undefined, "identity, gzip;q=0, br; q=0.000"],
  ] as const) {
    const packed = await raw(
      `GET /console/ HTTP/1.1\r\nhost: x\r\naccept-encoding: ${header}\r\nconnection: close\r\n\r\n`,
    );
    equal(/content-encoding: (\w+)/.exec(packed)?.[1], encoding, header);
    equal(packed.length < page.length, encoding !== undefined);
  }
  const sdk = await ask(node, "GET /sdk/attune.js");
  equal(sdk.headers.get("access-control-allow-origin"), "*");
  const home = await ask(node, "GET /?project=news");
  deepEqual([home.status, home.headers.get("location")], [302, "/console/?project=news"]);
  equal((await ask(node, "GET /console")).headers.get("location"), "/console/");
  match((await ask(node, "GET /docs/")).headers.get("content-type")!, /^text\/html/);
  equal((await ask(node, "GET /docs/openapi.json")).json.openapi, "3.1.0");
});

test("other origins may send events, read lists and listen, and nothing else", async () => {
  const headers = { origin: "https://shop.example" };
  const sent = await ask(node, "POST /v1/events", view("gil", "lamp"), { headers });
  equal(sent.headers.get("access-control-allow-origin"), "*");
  equal(sent.headers.get("access-control-allow-credentials"), null);
  equal((await ask(node, "OPTIONS /v1/recommendations", undefined, { headers })).status, 204);
  isProblem(await ask(node, "GET /v1/users/gil/profile", undefined, { headers }), 403, "cross_origin");
  isProblem(await ask(node, "PUT /v1/program", {}, { headers }), 403, "cross_origin");
  const retry = await ask(node, "POST /v1/dead-letters/x/retry", undefined, { headers });
  isProblem(retry, 403, "cross_origin");
  equal((await ask(node, "GET /v1/segments", undefined, { headers: { origin: node.url } })).status, 200);
});

test("on a node without keys a page from elsewhere reads nobody: neither his lists nor, over a live connection, his profile", async (t) => {
  const fresh = await startNode();
  t.after(() => fresh.close());
  await ask(fresh, "PATCH /v1/users/ada/profile", { attributes: { email: "ada@home.example" } });
  const dialled = async (origin: string): Promise<number> => {
    const socket = new WebSocket(`${fresh.url.replace("http", "ws")}/v1/live`, { headers: { origin } });
    t.after(() => socket.terminate());
    socket.on("error", () => {}); // cut before it was open
    return Promise.race([
      once(socket, "open").then(() => 101),
      once(socket, "unexpected-response").then(([, response]) => response.statusCode as number),
    ]);
  };
  for (const origin of ["https://evil.example", "http://93.184.216.34", "null"]) {
    const headers = { origin };
    for (const line of ["GET /v1/live?user_id=ada", "GET /v1/recommendations?user_id=ada&explain=1"]) {
      const refused = await ask(fresh, line, undefined, { headers });
      isProblem(refused, 403, "cross_origin");
      equal(refused.headers.get("access-control-allow-origin"), "*", "so that its author reads why");
    }
    isProblem(await ask(fresh, "POST /v1/decide", { user_id: "ada", slot: "hero" }, { headers }), 403, "cross_origin");
    equal(await dialled(origin), 403, origin);
    equal((await ask(fresh, "GET /v1/trending", undefined, { headers })).status, 200);
    equal((await ask(fresh, "POST /v1/events", view("ada", "lamp"), { headers })).status, 202);
  }
  for (const origin of ["http://localhost:3000", "http://shop.test", fresh.url]) {
    equal((await ask(fresh, "GET /v1/recommendations?user_id=ada", undefined, { headers: { origin } })).status, 200, origin);
    equal(await dialled(origin), 101, origin);
  }
  const { key } = fresh.keys.issue({ project: "default", role: "write", name: "site" });
  const headers = { origin: "https://shop.example", authorization: `Bearer ${key}` };
  equal((await ask(fresh, "GET /v1/recommendations?anonymous_id=a1", undefined, { headers })).status, 200);
});

test("a page whose own name leads to this machine may do nothing on a node without keys", async (t) => {
  const fresh = await startNode();
  t.after(() => fresh.close());
  const { port } = new URL(fresh.url);
  const codeOf = async (host: string, method: string, path: string): Promise<string | number | undefined> => {
    const asked = request(`${fresh.url}${path}`, { method, headers: { host, origin: `http://${host}` } });
    const [response] = (await once(asked.end(), "response")) as [IncomingMessage];
    const text = (await response.toArray()).join("");
    return response.statusCode === 200 ? 200 : JSON.parse(text).code;
  };
  const dialled = async (host: string): Promise<number> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/live`, { headers: { host } });
    t.after(() => socket.terminate());
    socket.on("error", () => {}); // cut before it was open
    return Promise.race([
      once(socket, "open").then(() => 101),
      once(socket, "unexpected-response").then(([, response]) => response.statusCode as number),
    ]);
  };
  for (const host of ["rebound.example", "127.0.0.1.rebound.example", "localhost.rebound.example"]) {
    const named = `${host}:${port}`;
    equal(await codeOf(named, "GET", "/v1/search?q="), "cross_origin", host);
    equal(await codeOf(named, "POST", "/v1/keys"), "cross_origin", host);
    equal(await codeOf(named, "POST", "/v1/events"), "cross_origin", host);
    equal(await codeOf(named, "GET", "/v1/live?user_id=ada"), "cross_origin", host);
    equal(await codeOf(named, "GET", "/healthz"), 200, host);
    equal(await dialled(named), 403, host);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "shop.localhost", "192.168.0.7:8080", "attune:8080"]) {
    equal(await codeOf(host, "GET", "/v1/search?q="), 200, host);
  }
  equal(await dialled("localhost"), 101);
  const { key } = fresh.keys.issue({ project: "default", role: "write", name: "site" });
  const headers = { host: "attune.example", authorization: `Bearer ${key}` };
  const asked = request(`${fresh.url}/v1/trending`, { headers });
  const [response] = (await once(asked.end(), "response")) as [IncomingMessage];
  response.resume();
  equal(response.statusCode, 200);
});

test("a program is replaced only as it was read, where that is asked for", async () => {
  const put = (document: object, tag?: string) =>
    ask(node, "PUT /v1/program", document, tag === undefined ? {} : { headers: { "content-type": "application/json", "if-match": tag } });
  const read = await ask(node, "GET /v1/program");
  const tag = read.headers.get("etag")!;
  const named = { ...read.json, name: "renamed" };
  const first = await put(named, tag);
  equal(first.status, 200, first.text);
  isProblem(await put(read.json, tag), 412, "program_changed");
  const now = await ask(node, "GET /v1/program");
  deepEqual([now.json.name, now.headers.get("etag")], ["renamed", first.headers.get("etag")]);
  equal((await put(read.json, `"other", ${first.headers.get("etag")}`)).headers.get("etag"), tag);
  equal((await put(named, `W/${tag}`)).status, 200, "a proxy that packs answers makes tags weak");
  equal((await put(named, "*")).status, 200);
  const back = (tag: string) =>
    ask(node, "POST /v1/program/rollback", { version: read.json.version }, { headers: { "content-type": "application/json", "if-match": tag } });
  isProblem(await back(tag), 412, "program_changed");
  equal((await back(first.headers.get("etag")!)).status, 200);
  equal((await ask(node, "GET /v1/program")).headers.get("etag"), tag);
  equal((await put(read.json)).status, 200);
});

test("what is no route, no method, no URL and no HTTP is a problem document", async () => {
  isProblem(await ask(node, "GET /v1/nothing"), 404, "unknown_route");
  const wrong = await ask(node, "DELETE /v1/events");
  isProblem(wrong, 405, "method_not_allowed");
  equal(wrong.headers.get("allow"), "POST");
  isProblem(await ask(node, "GET /v1/items/%ff"), 400, "bad_request");
  const odd = [
    "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: x\r\nexpect: tea\r\nconnection: close\r\n\r\n",
    // Once a 500: the library knows the method and wants a content type for it.
    "QUERY /v1/trending HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
  ];
  for (const request of [
    ...odd,
    "GARBAGE\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    `GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`,
  ]) {
    const answer = await raw(request);
    match(answer, /^HTTP\/1\.1 4\d\d /);
    match(answer, /application\/problem\+json/);
  }
});

test("a request that offers another protocol is answered as it is: Java's client and curl offer h2c with each", async () => {
  const body = JSON.stringify(view("h2c", "lamp"));
  const offer = "connection: upgrade, http2-settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n";
  const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\n${offer}content-type: application/json\r\ncontent-length: ${body.length}`;
  match(await raw(`${head}\r\n\r\n${body}`), /^HTTP\/1\.1 202 [^]*"accepted":1/);
  match(await raw(`GET /v1/other HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n\r\n`), /no WebSocket at this path/);
});

test("a log line holds no id, no address and no body", async () => {
  const { pino } = await import("pino");
  const lines: string[] = [];
  const watched = await startNode({
    logger: pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }),
  });
  try {
    await ask(
      watched,
      "POST /v1/events",
      view("canary-user", "canary-item", { additional_data: { email: "canary@example.org" } }),
    );
    await ask(watched, "POST /v1/events", { user_id: "canary-user", event_type: "Canary" });
    await ask(watched, "GET /v1/users/canary-user/profile");
    equal(/canary|127\.0\.0\.1/i.test(lines.join("")), false);
  } finally {
    await watched.close();
  }
});

/** Bytes as they are on the wire, both ways. */
function raw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(node.url).port), "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => (answer += chunk));
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
    socket.write(request);
  });
}
