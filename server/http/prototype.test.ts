// Names that reach into an object's prototype, in everything that a body may hold: refused or harmless, never taken in.
import { equal, ok } from "node:assert/strict";
import { after, test } from "node:test";
import { ask, startNode } from "./testing.ts";

const node = await startNode();
after(() => node.close());

const PAYLOADS = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":{"__proto__":{"polluted":true}}}',
  '{"a":{"constructor":{"prototype":{"polluted":true}}}}',
  '{"__proto__.polluted":true}',
  '{"constructor.prototype.polluted":true}',
  '{"\\u005f_proto__":{"polluted":true}}',
  '{"toString":{"polluted":true},"valueOf":1,"hasOwnProperty":1}',
  '[{"__proto__":{"polluted":true}}]',
  '{"__proto__":["polluted"],"__defineGetter__":"polluted","__lookupSetter__":1}',
];
const event = (more: string): string =>
  `{"event_id":"${Math.trunc(performance.now() * 1e6)}","event_type":"view","user_id":"ada","item_id":"x","timestamp":${Date.now()},${more}}`;

/** Each place of a body where a client may name things himself. */
const PLACES: Readonly<Record<string, (payload: string) => readonly [route: string, body: string]>> = {
  "a whole event": (payload) => ["POST /v1/events", payload],
  "a batch": (payload) => ["POST /v1/events", `{"events":[${payload}]}`],
  "an event's data": (payload) => ["POST /v1/events", event(`"additional_data":${payload}`)],
  "an event's context": (payload) => ["POST /v1/events", event(`"context":${payload}`)],
  attributes: (payload) => ["PATCH /v1/users/ada/profile", `{"attributes":${payload}}`],
  items: (payload) => ["PUT /v1/items", `{"items":[${payload}]}`],
  "an item's attributes": (payload) => ["PUT /v1/items", `{"items":[{"item_id":"x","title":"x","attributes":${payload}}]}`],
  "a program": (payload) => ["PUT /v1/program", payload],
  "a program's events": (payload) => ["PUT /v1/program", `{"events":${payload}}`],
  "a program's segments": (payload) => ["PUT /v1/program", `{"segments":${payload}}`],
  "a program's slots": (payload) => ["PUT /v1/program", `{"slots":${payload}}`],
  "Segment traits": (payload) => ["POST /v1/identify", `{"userId":"ada","traits":${payload}}`],
  "Segment properties": (payload) => ["POST /v1/track", `{"userId":"ada","event":"X","properties":${payload}}`],
  "a request": (payload) => ["POST /v1/recommendations", `{"user_id":"ada","context":${payload}}`],
};

const INHERITED = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];

test("no body pollutes a prototype, and none is a fault of the server", async () => {
  let asked = 0;
  for (const [place, write] of Object.entries(PLACES)) {
    for (const payload of PAYLOADS) {
      const [route, body] = write(payload);
      const { status, text } = await ask(node, route, body);
      ok(status < 500, `${place} ${payload}: ${status} ${text.slice(0, 200)}`);
      for (const probe of [{}, [], () => {}, ""] as any[]) equal(probe.polluted, undefined, `${place} ${payload}`);
      asked++;
    }
  }
  equal(asked, Object.keys(PLACES).length * PAYLOADS.length);
});

test("ids and names that every object inherits name nothing", async () => {
  for (const name of INHERITED) {
    for (const path of [
      `/v1/users/${name}/profile`,
      `/v1/items/${name}`,
      `/v1/segments/${name}/users`,
      `/v1/experiments/${name}`,
      `/v1/recommendations?user_id=a&placement=${name}`,
    ]) {
      equal((await ask(node, `GET ${path}`)).status, 404, path);
    }
    equal((await ask(node, "POST /v1/decide", { user_id: "a", slot: name })).status, 404, name);
    ok((await ask(node, `GET /v1/stats?project=${name}`)).status === 404);
  }
});
