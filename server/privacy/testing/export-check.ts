// What an export must hold, on whichever host.
import { deepEqual, equal, ok } from "node:assert/strict";
import { ask } from "../../http/testing.ts";

export const view = (id: string, ref: object, more: object = {}) => ({
  event_id: id,
  ...ref,
  event_type: "view",
  item_id: "i1",
  timestamp: Date.now(),
  ...more,
});

/** The lines of a person's export. */
export async function exported({ url }: { url: string }, path: string): Promise<any[]> {
  const response = await fetch(`${url}/v1/privacy/${path}/export`);
  equal(response.status, 200, `${path}: ${response.status}`);
  ok(response.headers.get("content-type")!.startsWith("application/x-ndjson"));
  return (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
}

/**
 * An export holds all of a person's records under all of his ids, and nobody else's.
 * @param settled - resolves when all that was sent of the user is in his profile.
 */
export async function checkExport(node: { url: string }, settled: (user: string) => Promise<void>): Promise<void> {
  await ask(node, "PUT /v1/items", { items: [{ item_id: "i1", title: "One" }] });
  const send = (...events: object[]) => ask(node, "POST /v1/events", { events });
  // The shared device is Ada's first, then Bob's: what was done before anybody signed in became Ada's.
  await send(view("before", { anonymous_id: "shared" }), view("phone", { anonymous_id: "phone" }));
  await send(view("ada-signs-in", { user_id: "ada", anonymous_id: "shared" }), view("ada-again", { anonymous_id: "shared" }));
  await send(view("bob-signs-in", { user_id: "bob", anonymous_id: "shared" }), view("bobs", { anonymous_id: "shared" }));
  await ask(node, "PATCH /v1/users/ada/profile", { attributes: { tier: "gold" } });
  await ask(node, "PUT /v1/privacy/users/ada/consent", { personalization: "granted" });
  await ask(node, "GET /v1/recommendations?user_id=ada");
  await send({ event_type: "nonsense", user_id: "ada", timestamp: Date.now() });
  await settled("ada");

  const ada = await exported(node, "users/ada");
  deepEqual(ada.slice(0, 3).map(({ record }) => record), ["dictionary", "person", "consent"]);
  const eventIds = (lines: any[]) => lines.filter(({ record }) => record === "event").map(({ event }) => event.event_id);
  deepEqual(eventIds(ada), ["before", "ada-signs-in", "ada-again"]);
  equal(ada[1].profile.attributes.tier, "gold");
  equal(ada[2].consent.personalization, "granted");
  const kinds = new Set(ada.map(({ record }) => record));
  for (const kind of ["state", "attributes", "decision", "dead_letter"]) ok(kinds.has(kind), kind);
  for (const kind of kinds) ok(kind === "dictionary" || kind in ada[0].kinds, `${kind} is explained`);
  deepEqual(eventIds(await exported(node, "users/bob")), ["bob-signs-in", "bobs"]);
  deepEqual(eventIds(await exported(node, "visitors/phone")), ["phone"]);
  const nobody = await exported(node, "users/nobody");
  deepEqual(nobody.slice(1), [{ record: "person", key: "u:nobody", profile: null }, { record: "consent", consent: null }]);
  const again = ada.find(({ record }) => record === "event").event;
  equal((await ask(node, "POST /v1/events", again)).json.duplicates, 1, "an exported event can be sent again");
}
